"""Unified diffs that stay cheap: bounded in time and size, applicable by `git apply` when not cut."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from io import StringIO
from itertools import accumulate
from typing import NamedTuple

CONTEXT = 3  # lines
MAX_CHARS = 60_000  # what a person can be asked to read
MAX_PRODUCT = 4_000_000  # lines × lines that are compared in earnest; above, old and new stand as two blocks

CUT = "… the diff is longer than"  # how the last line of a cut diff begins

Span = tuple[int, int, int, int]
"""Lines a1:a2 of the old text became lines b1:b2 of the new."""


class Compared(NamedTuple):
    """Two texts as lines, and the spans in which they differ."""

    before: Sequence[str]
    after: Sequence[str]
    spans: Sequence[Span]


def lines_of(text: str) -> list[str]:
    """Split at line feeds only, keeping them."""
    return list(StringIO(text, newline="\n"))


def changed(before: Sequence[str], after: Sequence[str]) -> list[Span]:
    """Return the spans in which two lists of lines differ, in order."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    a2, b2 = len(before) - end, len(after) - end
    if start == a2 and start == b2:
        return []
    if not 1 < (a2 - start) * (b2 - start) <= MAX_PRODUCT:
        return [(start, a2, start, b2)]
    matcher = SequenceMatcher(None, before[start:a2], after[start:b2])
    return [
        (start + i1, start + i2, start + j1, start + j2)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def changed_within(before: Sequence[str], after: Sequence[str], edits: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans in which they differ, looking only inside `edits` (in characters, in order)."""
    for a1, a2, b1, b2 in _merged(edits, before, after):
        for i1, i2, j1, j2 in changed(before[a1:a2], after[b1:b2]):
            yield a1 + i1, a1 + i2, b1 + j1, b1 + j2


def unified(
    path: str,
    before: Sequence[str] | None,
    after: Sequence[str] | None,
    spans: Sequence[Span],
    *,
    moved_from: str = "",
) -> str:
    """Return the diff of one file; None is no file. Cut at MAX_CHARS, and says so."""
    old, new = before or [], after or []
    out = [
        f"--- {'/dev/null' if before is None else f'a/{moved_from or path}'}\n",
        f"+++ {'/dev/null' if after is None else f'b/{path}'}\n",
    ]
    if moved_from:
        head = f"diff --git a/{moved_from} b/{path}\nrename from {moved_from}\nrename to {path}\n"
        out = [head, *out] if spans else [head]
    chars = 0
    for hunk in grouped(spans):
        for line in rendered(hunk, old, new):
            chars += len(line)
            if chars > MAX_CHARS:
                out.append(f"{CUT} {MAX_CHARS} characters and was cut here\n")
                return "".join(out)
            out.append(line)
    return "".join(out)


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    same = 0
    for a, b in zip(before, after, strict=False):
        if a != b:
            break
        same += 1
    return same


def _merged(edits: Iterable[Span], before: Sequence[str], after: Sequence[str]) -> Iterator[Span]:
    """Widen edits to whole lines and join those that share one."""
    a_ends, b_ends = list(accumulate(map(len, before))), list(accumulate(map(len, after)))
    current: Span | None = None
    for start, end, new_start, new_end in edits:
        between = _between(a_ends, end) and _between(b_ends, new_end)
        span = (
            _first(a_ends, start, before),
            min(bisect_right(a_ends, end) + (not between), len(before)),
            _first(b_ends, new_start, after),
            min(bisect_right(b_ends, new_end) + (not between), len(after)),
        )
        if current and (span[0] < current[1] or span[2] < current[3]):
            current = (current[0], max(span[1], current[1]), current[2], max(span[3], current[3]))
        else:
            if current:
                yield current
            current = span
    if current:
        yield current


def _first(ends: list[int], at: int, lines: Sequence[str]) -> int:
    """Return the line that the character `at` stands in, or would if the text went on."""
    line = bisect_right(ends, at)
    return line - 1 if line == len(lines) and lines and not lines[-1].endswith("\n") else line


def _between(ends: list[int], at: int) -> bool:
    line = bisect_right(ends, at)
    return at == 0 or (line > 0 and ends[line - 1] == at)


def grouped(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Yield the spans that stand in one hunk together, their context not touching that of the next."""
    hunk: list[Span] = []
    lines = 0
    for span in spans:
        if hunk and (span[0] - hunk[-1][1] > 2 * CONTEXT or lines > MAX_CHARS):  # the latter is cut anyway
            yield hunk
            hunk, lines = [], 0
        hunk.append(span)
        lines += span[1] - span[0] + span[3] - span[2]
    if hunk:
        yield hunk


def rendered(hunk: Sequence[Span], before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Yield the lines of one hunk, its header first."""
    a1, b1 = max(hunk[0][0] - CONTEXT, 0), max(hunk[0][2] - CONTEXT, 0)
    a2 = min(hunk[-1][1] + CONTEXT, len(before))
    b2 = min(hunk[-1][3] + CONTEXT, len(after))
    yield f"@@ -{_range(a1, a2)} +{_range(b1, b2)} @@\n"
    at = a1
    for start, end, new_start, new_end in hunk:
        yield from _marked(" ", before[at:start])
        yield from _marked("-", before[start:end])
        yield from _marked("+", after[new_start:new_end])
        at = end
    yield from _marked(" ", before[at:a2])


def _range(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1 if length else start},{length}"


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield mark + (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
