"""How much the checkpoints of a thread take: bytes as they are stored, before Postgres packs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from artel.storage.postgres import Connection


@dataclass(frozen=True, slots=True)
class Share:
    """How many there are of something, and their bytes."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a thread takes.

    An item of lists is stored once. It counts once in `values`, in each of `channels` that has it, and in
    `writes` when no channel has it.
    """

    checkpoints: Share
    values: Share  # versions of channels
    channels: Mapping[str, Share]
    writes: Share

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.checkpoints.bytes + self.values.bytes + self.writes.bytes


# A list is a format byte and names of 16 bytes, a chunk is names only.
USAGE = """
with blobs as materialized (
    select channel, type, blob from checkpoint_blobs where thread_id = %(thread_id)s
), top as materialized (
    select distinct channel, substring(blob from 2 + 16 * n for 16) as name
      from blobs, generate_series(0, (length(blob) - 1) / 16 - 1) n where type = 'artel.list'
), used as materialized (
    select channel, name from top
    union
    select top.channel, substring(i.blob from 1 + 16 * n for 16)
      from top join checkpoint_items i on i.thread_id = %(thread_id)s and i.name = top.name,
           generate_series(0, length(i.blob) / 16 - 1) n
     where i.type = 'artel.chunk'
), items as materialized (
    select i.name, octet_length(i.blob) as bytes, exists (select from used where used.name = i.name) as kept
      from checkpoint_items i where i.thread_id = %(thread_id)s
)
select 'checkpoints' as kind, null as channel, count(*)::int as count,
       coalesce(sum(octet_length(checkpoint::text) + octet_length(metadata::text)), 0)::bigint as bytes
  from checkpoints where thread_id = %(thread_id)s
union all
select 'values', null, count(*)::int,
       (coalesce(sum(octet_length(blob)), 0)
        + (select coalesce(sum(bytes), 0) from items where kept))::bigint
  from blobs
union all
select 'channel', b.channel, count(*)::int,
       (coalesce(sum(octet_length(b.blob)), 0)
        + (select coalesce(sum(items.bytes), 0) from used join items on items.name = used.name
            where used.channel = b.channel))::bigint
  from blobs b group by b.channel
union all
select 'writes', null, count(*)::int,
       (coalesce(sum(octet_length(blob)), 0)
        + (select coalesce(sum(bytes), 0) from items where not kept))::bigint
  from checkpoint_writes where thread_id = %(thread_id)s
"""


async def usage(conn: Connection, thread_id: UUID | str) -> Usage:
    """Return how much the checkpoints of a thread take."""
    rows = await (await conn.execute(USAGE, {"thread_id": str(thread_id)})).fetchall()
    whole = {row["kind"]: _share(row) for row in rows if row["channel"] is None}
    channels = {row["channel"]: _share(row) for row in rows if row["channel"] is not None}
    return Usage(whole["checkpoints"], whole["values"], channels, whole["writes"])


def _share(row: Mapping[str, Any]) -> Share:
    return Share(row["count"], row["bytes"])
