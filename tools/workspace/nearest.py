"""Show a model that missed where it probably meant to hit, so that it need not guess again."""

import difflib
from collections import Counter
from collections.abc import Sequence

CANDIDATES = 200  # lines that are compared by letters; each may take milliseconds
CONTEXT = 2  # lines
SHOWN = 24  # lines
WIDTH = 200  # characters shown
COMPARED = 120  # characters


def region(lines: Sequence[str], old: str) -> str:
    """Return a sentence and the numbered lines nearest to `old`, or nothing when nothing is near."""
    wanted = old.removesuffix("\n").split("\n")
    start = _by_votes(lines, wanted)
    if start is None:
        start = _by_letters(lines, wanted)
    if start is None:
        return "; nothing like it is there: read the file again"
    first, last = max(start - CONTEXT, 0), min(start + min(len(wanted), SHOWN) + CONTEXT, len(lines))
    shown = "\n".join(f"{number + 1:6}\t{lines[number].rstrip()[:WIDTH]}" for number in range(first, last))
    return f"; nearest at line {start + 1}{_difference(lines, wanted, start)}:\n{shown}"


def _by_votes(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Let each line of the text say where the text would begin; rare lines say it best."""
    places: dict[str, list[int]] = {line.strip(): [] for line in wanted if line.strip()}
    for number, line in enumerate(lines):
        if (known := places.get(line.strip())) is not None:
            known.append(number)
    votes: Counter[int] = Counter()
    for offset, line in enumerate(wanted):
        at = places.get(line.strip(), [])
        if 0 < len(at) <= 20:
            votes.update(number - offset for number in at if number >= offset)
    return min(votes, key=lambda start: (-votes[start], start)) if votes else None


def _by_letters(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    offset = max(range(len(wanted)), key=lambda index: len(wanted[index].strip()))
    sought = wanted[offset].strip()[:COMPARED]
    if not sought:
        return None
    words = set(sought.split())
    shared = [(len(words & set(line[: 4 * COMPARED].split())), number) for number, line in enumerate(lines)]
    near = [number for count, number in sorted(shared, key=lambda pair: -pair[0])[:CANDIDATES]]
    best, ratio = None, 0.6
    matcher = difflib.SequenceMatcher(None, b=sought, autojunk=False)
    for number in near:
        matcher.set_seq1(lines[number].strip()[:COMPARED])
        if matcher.real_quick_ratio() > ratio and matcher.quick_ratio() > ratio and matcher.ratio() > ratio:
            best, ratio = number, matcher.ratio()
    return None if best is None else max(best - offset, 0)


def _difference(lines: Sequence[str], wanted: Sequence[str], start: int) -> str:
    for offset, want in enumerate(wanted):
        if start + offset >= len(lines):
            return f", where the file ends after line {len(lines)}"
        here = lines[start + offset]
        if here.rstrip() != want.rstrip():
            what = "only the blanks differ:" if here.split() == want.split() else "there is"
            return f", but in line {start + offset + 1} {what} {here[:WIDTH]!r}, not {want[:WIDTH]!r}"
    return ""
