"""Find the place an edit means: a ladder of provable matches, each with a single hit or none at all.

Similarity is no proof: matchers that took the nearest lines overwrote the wrong ones in 94 % of the cases in
which the model remembered a line wrongly. So: exact; without copied line numbers; without trailing blanks;
moved by one and the same indent. Otherwise the edit is refused, with line numbers.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import diff, nearest

BLANKS = " \t"
NUMBERED = re.compile(r" *(\d{1,9})\t")
MAX_HITS = 1_000  # counted before "or more"
SHOWN = 20  # line numbers named


class NotUnique(ToolRefused):
    """The text to replace occurs more than once."""

    code = "not_unique"


class NotFound(ToolFailed):
    """The text to replace does not occur, not even with other blanks around it."""

    code = "text_not_found"


@dataclass(frozen=True, slots=True)
class Hit:
    """Characters start:end of the text become `new`."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Match:
    """The places, and how they were found."""

    hits: tuple[Hit, ...]
    strategy: str


class Shift(NamedTuple):
    """Blanks that lines get in front, or that are taken away from them; one of the two is empty."""

    add: str
    drop: str


NO_SHIFT = Shift("", "")


@dataclass(frozen=True, slots=True)
class Window:
    """Whole lines of the file, from line `at` (0-based), that stand for the `wanted` ones."""

    at: int
    wanted: tuple[str, ...]
    new: str
    closed: bool
    "Whether the text to replace includes the end of its last line."
    shift: Shift = NO_SHIFT


def find(text: str, old: str, new: str, *, replace_all: bool = False) -> Match:
    """Return the one place in `text` (lines end with line feeds) that `old` means, and what comes there.

    Raises:
        NotUnique: there are several; the message has their lines.
        NotFound: there is none; the message shows the nearest region.
    """
    if replace_all:
        return Match(tuple(Hit(at, at + len(old), new) for at in _all_of(text, old)), "exact")
    if starts := _overlapping(text, old):
        _check_single([text.count("\n", 0, at) + 1 for at in starts[:SHOWN]], len(starts), "exact")
        return Match((Hit(starts[0], starts[0] + len(old), new),), "exact")
    lines = text.split("\n")
    for strategy, rung in RUNGS:
        if windows := rung(lines, old, new):
            _check_single([window.at + 1 for window in windows[:SHOWN]], len(windows), strategy)
            return Match((_hit(lines, windows[0]),), strategy)
    raise NotFound(f"old_string does not occur in the file{nearest.region(lines, old)}")


def _all_of(text: str, old: str) -> list[int]:
    starts: list[int] = []
    at = text.find(old)
    while at >= 0:
        starts.append(at)
        at = text.find(old, at + len(old))
    if not starts:
        hint = nearest.region(text.split("\n"), old)
        raise NotFound(f"old_string does not occur in the file (replace_all takes exact text only){hint}")
    return starts


def _overlapping(text: str, old: str) -> list[int]:
    """Return where `old` begins; "aa" begins twice in "aaa", and which one is meant nobody can know."""
    starts: list[int] = []
    at = text.find(old)
    while at >= 0 and len(starts) < MAX_HITS:
        starts.append(at)
        at = text.find(old, at + 1)
    return starts


def _check_single(numbers: Sequence[int], count: int, strategy: str) -> None:
    if count == 1:
        return
    at = ", ".join(map(str, numbers)) + (", …" if count > len(numbers) else "")
    times = f"{count} times" if count < MAX_HITS else f"{MAX_HITS} times or more"
    how, hint = ("", ", or set replace_all") if strategy == "exact" else (f" ({strategy})", "")
    raise NotUnique(f"old_string occurs {times}{how}, at lines {at}; add lines until it is unique{hint}")


def _without_numbers(lines: list[str], old: str, new: str) -> list[Window]:
    """Take off the line numbers that `read_file` puts before lines."""
    bare_old, numbers = _strip_numbers(old)
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return []
    bare_new, given = _strip_numbers(new)
    if not given and any(NUMBERED.match(line) for line in new.split("\n")):
        return []  # some lines have numbers, some have not: no telling which are text
    return _windows(lines, bare_old, bare_new, str)


def _strip_numbers(text: str) -> tuple[str, list[int]]:
    body = text.removesuffix("\n")
    pairs = [(line, NUMBERED.match(line)) for line in body.split("\n")]
    stripped = [line[match.end() :] for line, match in pairs if match]
    if len(stripped) < len(pairs):
        return text, []
    return "\n".join(stripped) + text[len(body) :], [int(match[1]) for _, match in pairs if match]


def _without_trailing_blanks(lines: list[str], old: str, new: str) -> list[Window]:
    return _windows(lines, old, new, lambda line: line.rstrip(BLANKS))


def _shifted(lines: list[str], old: str, new: str) -> list[Window]:
    windows = _windows(lines, old, new, lambda line: line.strip(BLANKS))
    shifts = [_shift(window.wanted, lines[window.at : window.at + len(window.wanted)]) for window in windows]
    return [replace(window, shift=shift) for window, shift in zip(windows, shifts, strict=True) if shift]


RUNGS: tuple[tuple[str, Callable[[list[str], str, str], list[Window]]], ...] = (
    ("line numbers stripped", _without_numbers),
    ("trailing blanks ignored", _without_trailing_blanks),
    ("indent shifted", _shifted),
)


def windows(lines: Sequence[str], wanted: Sequence[str], key: Callable[[str], str]) -> list[int]:
    """Return where `wanted` lines stand in `lines`, compared by `key`; blank lines alone stand nowhere."""
    if not any(line.strip(BLANKS) for line in wanted):
        return []
    sought, keys = [key(line) for line in wanted], [key(line) for line in lines]
    counts = Counter(keys)
    anchor = min(range(len(sought)), key=lambda index: counts[sought[index]])  # the rarest line: few to try
    found: list[int] = []
    at = -1
    while (at := _index(keys, sought[anchor], at + 1)) >= 0 and len(found) < MAX_HITS:
        first = at - anchor
        if first >= 0 and keys[first : first + len(sought)] == sought:
            found.append(first)
    return found


def _windows(lines: list[str], old: str, new: str, key: Callable[[str], str]) -> list[Window]:
    closed = old.endswith("\n")
    wanted = tuple(old.removesuffix("\n").split("\n"))
    return [Window(at, wanted, new, closed) for at in windows(lines, wanted, key)]


def _index(keys: list[str], key: str, start: int) -> int:
    try:
        return keys.index(key, start)
    except ValueError:
        return -1


def _shift(wanted: Sequence[str], lines: Sequence[str]) -> Shift | None:
    """Return what moves all `wanted` lines to where `lines` stand, blank ones left out."""
    shifts = {
        Shift(here.removesuffix(there), "") if here.endswith(there) else Shift("", there.removesuffix(here))
        for there, here in (
            (want.rstrip(BLANKS), line.rstrip(BLANKS)) for want, line in zip(wanted, lines, strict=True)
        )
        if there and (here.endswith(there) or there.endswith(here))
    }
    return _checked(shifts.pop(), wanted, lines) if len(shifts) == 1 else None


def _checked(shift: Shift, wanted: Sequence[str], lines: Sequence[str]) -> Shift | None:
    moved = _moved(wanted, shift)
    same = moved is not None and all(
        a.rstrip(BLANKS) == b.rstrip(BLANKS) for a, b in zip(moved, lines, strict=True)
    )
    return shift if same else None


def _moved(lines: Sequence[str], shift: Shift) -> list[str] | None:
    if any(line.strip(BLANKS) and not line.startswith(shift.drop) for line in lines):
        return None
    return [shift.add + line[len(shift.drop) :] if line.strip(BLANKS) else line for line in lines]


def _hit(lines: list[str], window: Window) -> Hit:
    """Return what to replace in characters; lines the edit leaves alone stay as the file has them."""
    length = len(window.wanted)
    start = sum(len(line) + 1 for line in lines[: window.at])
    end = start + sum(len(line) + 1 for line in lines[window.at : window.at + length]) - 1
    last = window.at + length == len(lines)
    closes = window.closed and window.new.endswith("\n")
    body = window.new.removesuffix("\n") if closes else window.new
    after = _moved(body.split("\n"), window.shift) if window.new else []
    if after is None:
        raise NotFound(
            f"old_string stands at line {window.at + 1} with {len(window.shift.drop)} blanks less, "
            "but new_string has a line with too little indent to move it as well"
        )
    kept = "\n".join(_keeping(lines[window.at : window.at + length], window, after))
    if window.closed and not last:
        return Hit(start, end + 1, kept + "\n" if closes else kept)
    return Hit(start, end, kept)


def _keeping(here: Sequence[str], window: Window, after: list[str]) -> list[str]:
    wanted = _moved(window.wanted, window.shift) or []
    out, at = [], 0
    for a1, a2, b1, b2 in diff.changed(wanted, after):
        out += [*here[at:a1], *after[b1:b2]]
        at = a2
    return [*out, *here[at:]]
