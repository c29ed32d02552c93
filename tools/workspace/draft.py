"""A text that is being edited: as it was, as it is by now, and where the two differ."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from artel.tools.workspace import diff, text
from artel.tools.workspace.diff import Compared, Span
from artel.tools.workspace.matching import Hit


@dataclass(slots=True)
class Draft:
    r"""A text under edits; they see it with `\n` at its line ends, and keep those it has."""

    before: str
    after: str = ""
    edits: list[Span] = field(default_factory=list)
    "In characters of before and after, in order, none touching another."

    def __post_init__(self) -> None:
        self.after = self.before

    @property
    def view(self) -> str:
        r"""The text as it is by now, its lines ending in `\n`."""
        return self.after.replace("\r\n", "\n")

    def put(self, hits: Sequence[Hit]) -> None:
        """Replace places of the `view`, in order, none overlapping another."""
        raw = _raw_hits(self.after, hits)
        self.edits = _composed(self.edits, raw)
        pieces, at = [], 0
        for hit in raw:
            pieces += [self.after[at : hit.start], hit.new]
            at = hit.end
        self.after = "".join([*pieces, self.after[at:]])

    def compared(self) -> Compared:
        """Return the lines before and after, and which of them differ."""
        old, new = diff.lines_of(self.before), diff.lines_of(self.after)
        return Compared(old, new, list(diff.changed_within(old, new, self.edits)))


def unix(given: str) -> str:
    r"""Return a text with `\n` for Windows line ends."""
    return given.replace("\r\n", "\n")


def _raw_hits(content: str, hits: Sequence[Hit]) -> list[Hit]:
    r"""Move hits from the text with `\n` only back to the text as it is, and end new lines as it does."""
    windows = content.count("\r\n")
    if not windows:
        return list(hits)
    feeds, at, taken = [], content.find("\r\n"), 0
    while at >= 0:
        feeds.append(at - taken)
        taken += 1
        at = content.find("\r\n", at + 2)
    uniform = windows == content.count("\n")
    raw = []
    for hit in hits:
        start, end = hit.start + bisect_left(feeds, hit.start), hit.end + bisect_left(feeds, hit.end)
        ends = "\r\n" if uniform else _ends_here(content, start, end)
        raw.append(Hit(start, end, hit.new.replace("\n", ends)))
    return raw


def _ends_here(content: str, start: int, end: int) -> str:
    """Return how lines end in a region of a file that mixes both kinds."""
    region = content[start:end]
    if "\n" not in region:
        following = content.find("\n", end)
        region = content[max(following - 1, 0) : following + 1] if following >= 0 else content
    return text.newline(region)


def _composed(edits: Sequence[Span], hits: Sequence[Hit]) -> list[Span]:
    """Return edits and then hits as one: what touches in the text between the two is one edit."""
    marks = [(b1, b2, (b2 - b1) - (a2 - a1), 0) for a1, a2, b1, b2 in edits]
    marks += [(hit.start, hit.end, 0, len(hit.new) - (hit.end - hit.start)) for hit in hits]
    out: list[Span] = []
    reached = -1  # how far, in the text between, the last edit goes
    grown = grows = 0  # from before to the text between; from there to after
    for start, end, more, most in sorted(marks):
        first, begins = start - grown, start + grows
        grown, grows = grown + more, grows + most
        if out and start <= reached:
            first, _, begins, _ = out.pop()
            end = max(end, reached)
        out.append((first, end - grown, begins, end + grows))
        reached = end
    return out
