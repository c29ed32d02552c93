"""Make a thread fit: the ladder, with a model's words where it comes to chapters."""

from asyncio import to_thread
from collections.abc import Sequence

from artel.graphs.compaction import ladder
from artel.graphs.compaction.ladder import Measure
from artel.graphs.compaction.pairing import Group
from artel.graphs.compaction.record import Compaction
from artel.graphs.compaction.telling import prose
from artel.graphs.models.fallback import Chain


async def fitted(
    groups: Sequence[Group], record: Compaction, measure: Measure, room: int, model: Chain
) -> Compaction:
    """Return the record with which groups take at most `room` tokens: the one given while they do."""
    if await to_thread(ladder.size, groups, record, measure) <= room:
        return record
    record = await to_thread(ladder.eased, groups, record, measure, room)
    if await to_thread(ladder.size, groups, record, measure) > ladder.ENOUGH * room:
        part = await to_thread(ladder.parted, groups, record, measure, room)
        said = await prose(model, part.groups, measure.limit) if part.groups else ""
        record = await to_thread(ladder.closed, record, part, said, measure)
    return await to_thread(ladder.forced, groups, record, measure, room)
