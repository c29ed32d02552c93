"""Cut prose where its structure lets it: headings, paragraphs, items, rows, sentences."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from artel.tools.knowledge.chunking.blocks import Block, blocks
from artel.tools.knowledge.chunking.chunk import Chunk, chunk, header, short, spans
from artel.tools.knowledge.chunking.ruler import Ruler
from artel.tools.knowledge.chunking.sentences import sentences
from artel.tools.knowledge.chunking.windows import windows

TARGET = 200  # tokens: with its header a chunk fits an embedder that reads 256
LEAST = 60  # a section shorter than this goes on into the next
FENCE = 400  # a block of code is kept whole up to here


@dataclass(frozen=True, slots=True)
class _Unit:
    start: int
    end: int
    trail: tuple[str, ...]
    heading: int = 0
    head_row: str = ""
    alone: bool = False


def prose(text: str, place: str) -> list[Chunk]:
    """Return the chunks of a text, each with `place` and the headings above it in its header."""
    ruler = Ruler(text)
    groups = list(_packed(ruler, _units(ruler)))
    cuts = [(group[0].start, group[-1].end) for group in groups]
    return [
        chunk(ruler, start, end, header(place, _trail(groups[at]), groups[at][0].head_row))
        for at, start, end in spans(text, cuts)
    ]


def _units(ruler: Ruler) -> Iterator[_Unit]:
    trail: list[tuple[int, str]] = []
    for block in blocks(ruler.text):
        if block.kind == "heading":
            while trail and trail[-1][0] >= block.level:
                trail.pop()
            above = tuple(title for _, title in trail)
            trail.append((block.level, short(block.title, 80)))
            yield _Unit(block.start, block.end, above, heading=block.level)
        else:
            yield from _cut(ruler, block, tuple(title for _, title in trail))


def _cut(ruler: Ruler, block: Block, trail: tuple[str, ...]) -> Iterator[_Unit]:
    whole = _Unit(block.start, block.end, trail)
    if ruler.tokens(block.start, block.end) <= (FENCE if block.kind == "fence" else TARGET):
        yield whole
        return
    match block.kind:
        case "fence":
            for start, end in windows(ruler, block.start, block.end, size=TARGET, overlap=0):
                yield replace(whole, start=start, end=end)
        case "table":
            yield from _rows(ruler, block, whole)
        case _:
            for start, end in sentences(ruler.text, block.start, block.end):
                yield from _windows(ruler, replace(whole, start=start, end=end))


def _rows(ruler: Ruler, block: Block, whole: _Unit) -> Iterator[_Unit]:
    head = short(ruler.text[block.start : block.body].split("\n", 1)[0], 150)
    start = block.start
    while start < block.end:
        stop = ruler.text.find("\n", max(start, block.body - 1), block.end) + 1 or block.end
        row = replace(whole, start=start, end=stop, head_row="" if start == block.start else head)
        yield from _windows(ruler, row)
        start = stop


def _windows(ruler: Ruler, unit: _Unit) -> Iterator[_Unit]:
    """Yield a unit as it is, or what has no structure any more in windows that overlap."""
    if ruler.tokens(unit.start, unit.end) <= TARGET:
        yield unit
        return
    for start, end in windows(ruler, unit.start, unit.end):
        yield replace(unit, start=start, end=end, alone=True)


def _packed(ruler: Ruler, units: Iterator[_Unit]) -> Iterator[list[_Unit]]:
    group: list[_Unit] = []
    for unit in units:
        if group and _closes(ruler, group, unit):
            titles = 0 if unit.heading else _titles_at_end(group)
            if titles < len(group):  # a heading goes with what it is the heading of
                yield group[: len(group) - titles]
            group = group[len(group) - titles :]
        group.append(unit)
    if group:
        yield group


def _closes(ruler: Ruler, group: list[_Unit], unit: _Unit) -> bool:
    if unit.alone or group[-1].alone:
        return True
    if ruler.tokens(group[0].start, unit.end) > TARGET:
        return True
    return (
        bool(unit.heading) and not group[-1].heading and ruler.tokens(group[0].start, group[-1].end) >= LEAST
    )


def _titles_at_end(group: list[_Unit]) -> int:
    count = 0
    for unit in reversed(group):
        if not unit.heading:
            break
        count += 1
    return count


def _trail(group: list[_Unit]) -> tuple[str, ...]:
    first = group[0].trail
    shared = len(first)
    for unit in group[1:]:
        same = 0
        while same < min(shared, len(unit.trail)) and unit.trail[same] == first[same]:
            same += 1
        shared = same
    return first[:shared]
