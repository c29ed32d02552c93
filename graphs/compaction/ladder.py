"""The ladder: what gives way, in which order, when a thread no longer fits the window.

Results cut to head and tail; looks at files that are out of date; code as its signatures; old messages as
chapters. Each rung is climbed for all old messages at once and leaves room, so that what a model is shown
stays the same from call to call in between. The last fifth is left alone, as long as it fits by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from artel.graphs.compaction import chapters
from artel.graphs.compaction.counting import message_tokens, plain, tokens
from artel.graphs.compaction.cutting import LEAST, cut, shortened
from artel.graphs.compaction.folding import folded
from artel.graphs.compaction.pairing import Group
from artel.graphs.compaction.reads import reads, stale
from artel.graphs.compaction.record import Compaction

LONG = 2_000  # tokens of an old result that are too many
LEFT = 400  # of it then
ENOUGH = 0.6  # of the room, at most, after the first three rungs; otherwise the fourth is climbed
AFTER = 0.35  # of the room, about, after the fourth
RECENT = 0.2  # of the limit, left alone
AT_ONCE = 0.25  # of the limit, that the results of one message, or one message, may take
A_CHAPTER, ALL_CHAPTERS, TOGETHER = 0.05, 0.15, 0.08  # of the limit
FIRST, REQUEST = 0.06, 0.12  # of the limit: the first words of the user, and those that are worked on


@dataclass(frozen=True, slots=True)
class Measure:
    """How much room there is."""

    limit: int
    "Of a whole question: what the sizes of parts are taken from."
    recall: bool = True
    "Whether the model has a tool to see what is left out."


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of groups that gives way to a chapter."""

    groups: tuple[Group, ...]
    kept: tuple[str, ...]


def view(groups: Sequence[Group], record: Compaction, measure: Measure | None) -> list[list[AnyMessage]]:
    """Return the messages of groups as a model is shown them; without a measure, whole."""
    if measure is None:
        return [list(group) for group in groups]
    begin = after(groups, record)
    shown: list[list[AnyMessage]] = []
    if begin:
        old = {message.id: message for group in groups[:begin] for message in group}
        kept = [old[one] for one in record.kept if one in old]
        shown += [[cut(one, int(FIRST * measure.limit), recall=measure.recall)] for one in kept[:-1]]
        shown += [[one] for one in chapters.as_messages(record.chapters, record.until)]
        shown += [[cut(one, int(REQUEST * measure.limit), recall=measure.recall)] for one in kept[-1:]]
    return [*shown, *(_viewed(group, record.marks, measure) for group in groups[begin:])]


def after(groups: Sequence[Group], record: Compaction) -> int:
    """Return the place of the first group that no chapter stands for."""
    if not record.until:
        return 0
    return next((at + 1 for at, group in enumerate(groups) if group[0].id == record.until), 0)


def eased(groups: Sequence[Group], record: Compaction, measure: Measure, room: int) -> Compaction:
    """Return the record after the first three rungs, as far as they are needed to leave room."""
    begin, end = after(groups, record), _recent(groups, record, measure)
    old = groups[begin:end]
    for rung in (_spilled, _outdated, _folded):
        more = rung(old, groups[begin:], record, measure)
        record = record.model_copy(update={"marks": {**record.marks, **more}})
        if size(groups, record, measure) <= ENOUGH * room:
            break
    return record


def parted(groups: Sequence[Group], record: Compaction, measure: Measure, room: int) -> Cut:
    """Return what gives way to a chapter so that about AFTER of the room is taken; nothing if all is new."""
    begin, end = after(groups, record), _recent(groups, record, measure)
    sizes = [tokens(_viewed(group, record.marks, measure)) for group in groups[begin:]]
    most = AFTER * room - ALL_CHAPTERS * measure.limit / 2
    upto, left = begin, sum(sizes)
    while upto < end and left > most:
        left -= sizes[upto - begin]
        upto += 1
    return of(groups, begin, upto)


def of(groups: Sequence[Group], begin: int, upto: int) -> Cut:
    """Return the groups from `begin` to before `upto` as what gives way; the words that count are kept."""
    people = [group[0] for group in groups[:upto] if isinstance(group[0], HumanMessage)]
    kept = dict.fromkeys([str(one.id) for one in (*people[:1], *people[-1:])])
    return Cut(tuple(groups[begin:upto]), tuple(kept))


def closed(record: Compaction, part: Cut, prose: str, measure: Measure) -> Compaction:
    """Return the record with a chapter for what gave way."""
    if not part.groups:
        return record
    chapter = chapters.written(part.groups, part.kept, prose, int(A_CHAPTER * measure.limit))
    told = (*record.chapters, chapter)
    size_of_all = tokens(chapters.as_messages(told, ""))
    if size_of_all > ALL_CHAPTERS * measure.limit:
        told = (chapters.together(told, int(TOGETHER * measure.limit)),)
    gone = {message.id for group in part.groups for message in group}
    marks = {key: value for key, value in record.marks.items() if key not in gone}
    return Compaction(marks=marks, until=str(part.groups[-1][0].id), kept=part.kept, chapters=told)


def forced(groups: Sequence[Group], record: Compaction, measure: Measure, room: int) -> Compaction:
    """Return a record with which it fits at any cost: all is cut short, then the last group goes too."""
    begin = after(groups, record)
    for share in (8, 16, 32, 64):
        if size(groups, record, measure) <= room:
            return record
        most = max(measure.limit // share, LEAST)
        shown = (one for group in groups[begin:] for one in _viewed(group, record.marks, measure))
        long = {str(one.id): most for one in shown if message_tokens(one) > most}
        marks = {key: value for key, value in record.marks.items() if key not in long}
        record = record.model_copy(update={"marks": {**marks, **long}})
    if size(groups, record, measure) > room:
        record = closed(record, of(groups, begin, len(groups)), "", measure)
    if size(groups, record, measure) > room:
        told = chapters.together(record.chapters, max(room // 4, LEAST))
        record = record.model_copy(update={"chapters": (told,)})
    return record


def size(groups: Sequence[Group], record: Compaction, measure: Measure) -> int:
    """Return the tokens that groups take as they are shown."""
    return sum(map(tokens, view(groups, record, measure)))


def _viewed(group: Group, marks: Mapping[str, Any], measure: Measure) -> list[AnyMessage]:
    shown = [_marked(message, marks.get(str(message.id)), group, measure) for message in group]
    most = int(AT_ONCE * measure.limit)
    if tokens(shown) <= most:
        return shown
    said, *results = shown
    share = _fair([message_tokens(one) for one in results], most)
    return [
        cut(said, most, recall=measure.recall),
        *(cut(one, share, recall=measure.recall) for one in results),
    ]


def _fair(sizes: Sequence[int], most: int) -> int:
    """Return the size that each may have at most so that all together have `most`: small ones leave room."""
    left, many = most, len(sizes)
    for one in sorted(sizes):
        if one * many > left:
            return max(left // many, LEAST)
        left -= one
        many -= 1
    return most


def _marked(message: AnyMessage, mark: Any, group: Group, measure: Measure) -> AnyMessage:
    if mark is None:
        return message
    if isinstance(mark, int):
        return cut(message, mark, recall=measure.recall)
    read = next((one for one in reads(group) if one.id == message.id), None)
    if read is None:
        return message
    if mark == "stale":
        note = f"[{read.path} as it was then is not shown: it was read again or changed later]"
        return message.model_copy(update={"content": note})
    signatures = folded(read.path, plain(message)) or ""
    note = f"[signatures only; read_file shows the rest of {read.path}]"
    return message.model_copy(update={"content": shortened(f"{signatures}\n{note}", 2 * LEFT)})


def _recent(groups: Sequence[Group], record: Compaction, measure: Measure) -> int:
    """Return the place of the first group that is left alone: at least the last one is."""
    begin, taken = after(groups, record), 0
    for at in range(len(groups) - 1, begin - 1, -1):
        taken += tokens(_viewed(groups[at], record.marks, measure))
        if taken > RECENT * measure.limit:
            return min(at + 1, len(groups) - 1)
    return begin


def _long(measure: Measure) -> int:
    return min(LONG, measure.limit // 12)


def _spilled(
    old: Sequence[Group], _rest: Sequence[Group], record: Compaction, measure: Measure
) -> dict[str, Any]:
    """Results, and arguments, that are long."""
    most = _long(measure)
    return {
        str(message.id): min(LEFT, most // 2)
        for group in old
        for message in _viewed(group, record.marks, measure)
        if isinstance(message, ToolMessage | AIMessage) and message_tokens(message) > most
    }


def _outdated(
    old: Sequence[Group], rest: Sequence[Group], record: Compaction, _measure: Measure
) -> dict[str, Any]:
    ids = {str(message.id) for group in old for message in group}
    return {one: "stale" for one in stale(rest) if one in ids}


def _folded(
    old: Sequence[Group], _rest: Sequence[Group], record: Compaction, measure: Measure
) -> dict[str, Any]:
    """Code; of what is so old that it will give way anyhow, none is parsed."""
    marks: dict[str, Any] = {}
    taken = 0
    for group in reversed(old):
        taken += tokens(_viewed(group, record.marks, measure))
        if taken > measure.limit:
            break
        results = {str(message.id): message for message in group}
        for read in reads(group):
            if record.marks.get(read.id) == "stale" or not folded(read.path, plain(results[read.id])):
                continue
            whole = message_tokens(_marked(results[read.id], record.marks.get(read.id), group, measure))
            if message_tokens(_marked(results[read.id], "folded", group, measure)) < whole:
                marks[read.id] = "folded"
    return marks
