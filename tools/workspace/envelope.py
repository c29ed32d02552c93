"""The form in which GPT models write patches: `*** Begin Patch … *** End Patch`, read strictly.

Source: the `apply_patch` tool of OpenAI's Codex CLI and its grammar in the GPT-4.1 prompting guide.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from artel.tools.errors import ToolRefused

BEGIN, END, END_OF_FILE = "*** Begin Patch", "*** End Patch", "*** End of File"
FILE = re.compile(r"\*\*\* (Add|Delete|Update) File: *(.*)")
MOVE = re.compile(r"\*\*\* Move to: *(.*)")
NUMBERS = re.compile(r"-\d+(?:,\d+)? \+\d+(?:,\d+)? @@.*")  # git's header: numbers prove nothing

MAX_SECTIONS = 50  # files in one patch: more than that nobody reviews
MAX_ANCHORS = 5  # @@ lines of one hunk
MAX_HUNKS = 100  # of one file: each is looked for in all of it

Kind = Literal["Add", "Delete", "Update"]


class BadPatch(ToolRefused):
    """The text is no patch in this form."""

    code = "bad_patch"


@dataclass(slots=True)
class Hunk:
    """Lines of a file: each with ` ` (stays), `-` (goes) or `+` (comes) before it."""

    anchors: list[str] = field(default_factory=list)
    "Lines behind which it stands, outermost first."
    lines: list[tuple[str, str]] = field(default_factory=list)
    at_end: bool = False
    "Whether its last line is the last of the file."
    gap: int = 0
    "Empty lines at its end: context, or only there to separate."

    @property
    def old(self) -> list[str]:
        """The lines that are there."""
        return [line for mark, line in self.lines if mark != "+"]


@dataclass(slots=True)
class Section:
    """What becomes of one file."""

    kind: Kind
    path: str
    move_to: str = ""
    content: list[str] = field(default_factory=list)
    "The lines of a new file."
    hunks: list[Hunk] = field(default_factory=list)
    gap: int = 0
    "The first of the empty lines behind a new file's content."


def parse(patch: str) -> list[Section]:
    r"""Return the sections of a patch, in order; line ends may be `\n` or `\r\n`.

    Raises:
        BadPatch: it is not in the form; the message names the line and what would be right.
    """
    lines = patch.replace("\r\n", "\n").strip("\n").split("\n")
    if lines[0].strip() != BEGIN:
        raise BadPatch(f"a patch begins with {BEGIN!r}, got {lines[0][:80]!r}")
    if lines[-1].strip() != END:
        raise BadPatch(f"a patch ends with {END!r}, got {lines[-1][:80]!r}")
    sections: list[Section] = []
    for number, line in enumerate(lines[1:-1], start=2):
        if header := FILE.fullmatch(line.rstrip()):
            sections.append(_section(header, number))
        elif sections:
            _take(sections[-1], line, number)
        elif line.strip():
            raise BadPatch(f"line {number}: expected *** Add, Delete or Update File: PATH, got {line[:80]!r}")
    if not 0 < len(sections) <= MAX_SECTIONS:
        raise BadPatch(f"a patch names 1 to {MAX_SECTIONS} files, got {len(sections)}")
    for section in sections:
        _check(section)
    return sections


def paths(patch: str) -> Sequence[str]:
    """Return the paths that a patch names, also those that files move to.

    Raises:
        BadPatch: as in `parse`.
    """
    return list(dict.fromkeys(_named(parse(patch))))


def touched(patch: str) -> tuple[list[str], list[str]]:
    """Return the paths of the files that a patch takes to be there, and those of the files that it makes.

    Raises:
        BadPatch: as in `parse`.
    """
    sections = parse(patch)
    there = [section.path for section in sections if section.kind != "Add"]
    added = [section.path for section in sections if section.kind == "Add"]
    return there, [*added, *(section.move_to for section in sections if section.move_to)]


def _named(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        yield section.path
        if section.move_to:
            yield section.move_to


def _section(header: re.Match[str], number: int) -> Section:
    kinds: dict[str, Kind] = {"Add": "Add", "Delete": "Delete", "Update": "Update"}
    if not header[2]:
        raise BadPatch(f"line {number}: *** {header[1]} File: needs a path")
    return Section(kinds[header[1]], header[2])


def _take(section: Section, line: str, number: int) -> None:
    """Add one line to its section."""
    if section.kind == "Delete":
        if line.strip():
            raise BadPatch(f"line {number}: nothing follows *** Delete File, got {line[:80]!r}")
    elif section.kind == "Add":
        if not line:
            section.gap = section.gap or number
            return
        if section.gap or not line.startswith("+"):
            at, got = (section.gap, "") if section.gap else (number, line)
            raise BadPatch(f"line {at}: each line of a new file begins with +, got {got[:80]!r}")
        section.content.append(line[1:])
    elif move := MOVE.fullmatch(line.rstrip()):
        if section.hunks or section.move_to or not move[1]:
            raise BadPatch(f"line {number}: *** Move to: PATH stands once, right behind *** Update File")
        section.move_to = move[1]
    else:
        _take_change(section, line, number)


def _take_change(section: Section, line: str, number: int) -> None:
    if line.startswith("@@"):
        if not section.hunks or section.hunks[-1].lines:
            section.hunks.append(Hunk())
        anchor = line[2:].strip()
        if anchor and not NUMBERS.fullmatch(anchor):
            section.hunks[-1].anchors.append(anchor)
        return
    if not section.hunks:
        section.hunks.append(Hunk())
    hunk = section.hunks[-1]
    if hunk.at_end:
        if line.strip():
            raise BadPatch(f"line {number}: after {END_OF_FILE} only @@ or another file can follow")
        return
    hunk.gap = 0 if line else hunk.gap + 1
    if line.rstrip() == END_OF_FILE:
        hunk.at_end = True
    elif not line:
        hunk.lines.append((" ", ""))  # editors take away the blank that stood there
    elif line[0] in " -+":
        hunk.lines.append((line[0], line[1:]))
    elif not line.startswith("\\ "):  # git's "\ No newline at end of file": the file keeps what it has
        raise BadPatch(f"line {number}: a line of a hunk begins with a blank, - or +, got {line[:80]!r}")


def _check(section: Section) -> None:
    for hunk in section.hunks:
        del hunk.lines[len(hunk.lines) - hunk.gap :]
    if len(section.hunks) > MAX_HUNKS:
        raise BadPatch(f"{section.path} has {len(section.hunks)} hunks; at most {MAX_HUNKS} in one call")
    if section.kind == "Update" and not section.hunks and not section.move_to:
        raise BadPatch(f"*** Update File: {section.path} has no hunk: nothing says what becomes of it")
    for place, hunk in enumerate(section.hunks, start=1):
        if len(hunk.anchors) > MAX_ANCHORS:
            raise BadPatch(f"{section.path}, hunk {place} has more than {MAX_ANCHORS} @@ lines")
        if all(mark == " " for mark, _ in hunk.lines):
            raise BadPatch(f"{section.path}, hunk {place} neither adds nor takes away a line")
