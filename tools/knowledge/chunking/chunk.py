"""A piece of a text, and how its span is made whole."""

from collections.abc import Iterator
from dataclasses import dataclass

from artel.tools.knowledge.chunking.ruler import Ruler, tokens, whole

MAX_HEADER = 300  # characters; a header is a help for the search, no second text
BETWEEN = " > "


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a text. Its words are text[start:end], so that it can always be shown where it stands."""

    start: int
    """Offset of its first character."""
    end: int
    """Offset after its last character."""
    header: str
    """Where it stands: path or title, then headings or definitions around it. Searched with the text."""
    tokens: int
    """About what header and text cost together."""

    def text_with_header(self, text: str) -> str:
        """Return what is embedded and searched: the header, then the span of `text`."""
        return f"{self.header}\n{text[self.start : self.end]}" if self.header else text[self.start : self.end]


def header(place: str, trail: tuple[str, ...], extra: str = "") -> str:
    """Return the lines above a chunk: the place, the trail, and what else it needs; each may be empty.

    What is too long loses the outermost of its trail first, then its end.
    """
    room = MAX_HEADER - len(place)
    kept = [short(part, 80) for part in trail if part]
    while len(kept) > 1 and sum(map(len, kept)) + len(BETWEEN) * len(kept) > room:
        kept.pop(0)
    lines = [short(place, MAX_HEADER // 2), BETWEEN.join(kept), short(extra, MAX_HEADER // 2)]
    return "\n".join(line for line in lines if line)


def short(said: str, most: int) -> str:
    """Return one line of at most about `most` characters."""
    line = " ".join(said[: most * 4].split())
    return line if len(line) <= most else line[: whole(line, most - 1)].rstrip() + "…"


def spans(text: str, cuts: list[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield index, start and end of what is not blank, without blank ends and cut where it may be."""
    for at, (start, end) in enumerate(cuts):
        start, end = whole(text, start), whole(text, end)
        said = text[start:end]
        first = start + len(said) - len(said.lstrip())
        line = max(text.rfind("\n", start, first) + 1, start)  # what it is indented by says where it stands
        last = start + len(said.rstrip())
        if first < last:
            yield at, whole(text, line if first - line <= 200 else first), last


def chunk(ruler: Ruler, start: int, end: int, said: str) -> Chunk:
    """Return the chunk of a span."""
    return Chunk(start, end, said, ruler.tokens(start, end) + tokens(said))
