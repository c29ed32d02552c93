"""Search the contents of files for a regular expression."""

import codecs
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import globs, opening, paths, pattern, text, tree
from artel.tools.workspace.paths import Place, printable
from artel.tools.workspace.pattern import Pattern
from artel.tools.workspace.read import MAX_FILE_BYTES
from artel.tools.workspace.ripgrep import find_ripgrep
from artel.tools.workspace.secrets import is_secret
from artel.tools.workspace.tree import Budget

Mode = Literal["files_with_matches", "content", "count"]

MAX_RESULTS = 1_000  # files, or lines, in one answer
MAX_CHARS = 40_000
MAX_LINE_CHARS = 300
MAX_SECONDS = 5.0  # of the processor, for the pattern
MAX_SEARCHED = 200_000  # characters of a line; going back over ten million of them took 4 GB
WORTH_RIPGREP = 2_000_000  # bytes; below, starting it takes longer than searching
BATCH = 100_000  # bytes of file names on one command line
LONG_LINE = re.compile(rf"([^\n]{{{MAX_SEARCHED}}})[^\n]+")
RARE = 500  # characters of a file for each occurrence, at least
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that matches."""

    number: int
    text: str
    at: int
    "Where in it the match begins."


def grep(
    root: Path,
    wanted: str,
    path: str = ".",
    *,
    glob: str | None = None,
    output_mode: Mode = "files_with_matches",
    max_count: int = MAX_RESULTS,
    regex: bool = True,
    ignore_case: bool = False,
    ripgrep: str | None = None,
) -> str:
    """Return the files below `path` in which a line matches, or those lines, or how many each file has.

    The syntax is Python's, matched line by line; `regex=False` takes `wanted` literally. What ignore files
    name, binaries, files over MAX_FILE_BYTES and secrets are left out, unless `path` names them. Results are
    sorted by path and the same with and without ripgrep (found by itself; `""` for none). A pattern that
    takes for ever is stopped after MAX_SECONDS, with what was found so far.

    Raises:
        BadPattern: `wanted` is no regular expression; the message names the position.
        OutsideWorkspace, DeniedPath, NoSuchFile: as for every path.
        WrongKind: `path` is no folder and no text file.
    """
    if max_count < 1:
        raise ToolRefused(f"max_count must be 1 or more, got {max_count}")
    ready = pattern.compiled(wanted, ignore_case=ignore_case, literal=not regex)
    place, budget = paths.resolve(root, path), Budget(seconds=MAX_SECONDS)
    places, skipped = _candidates(root, place, glob, budget)
    program = find_ripgrep() if ripgrep is None else ripgrep
    if program and sum(size for _, size in places) >= WORTH_RIPGREP:
        chosen = _picked(program, ready, [place for place, _ in places], budget)
    else:
        chosen = [place for place, _ in places]
    answer = _Answer(output_mode, min(max_count, MAX_RESULTS))
    long_lines = 0
    for found, content in _contents(chosen, ready):
        if answer.full or budget.stopped:
            break
        searched, cut = (content, 0) if ready.plain else _shortened(content)
        long_lines += cut
        answer.add(found.shown, _lines(searched, ready, budget))
    notes = [budget.stopped] if budget.stopped else []
    if skipped:
        notes.append(f"{skipped} files over {MAX_FILE_BYTES // 1_048_576} MB were not searched")
    if long_lines:
        notes.append(f"of {long_lines} lines only the first {MAX_SEARCHED} characters were searched")
    if not answer.out and [found for found, _ in places] == [place]:
        _check_text(place)
    return answer.text(notes, f"nothing in {place.shown} matches {printable(wanted)}")


def _check_text(named: Place) -> None:
    """Refuse to find nothing in a file that is no text, when it alone was to be searched."""
    text.decode(opening.read_bytes(named, limit=MAX_FILE_BYTES).data, named.relative)


class _Answer:
    """Collects results up to the limits."""

    def __init__(self, mode: Mode, most: int) -> None:
        self.mode, self.most = mode, most
        self.out: list[str] = []
        self.chars = self.total = 0
        self.full = ""

    def add(self, path: str, lines: Iterator[Line]) -> None:
        if self.mode == "files_with_matches":
            if next(lines, None):
                self._put(path)
        elif self.mode == "count":
            if count := sum(1 for _ in lines):
                self.total += count
                self._put(f"{path}:{count}")
        else:
            for line in lines:
                if not self._put(f"{path}:{line.number}:{_cut(line)}"):
                    return

    def text(self, notes: list[str], none: str) -> str:
        if self.full:
            notes.insert(0, self.full)
        if self.mode == "count" and self.out:
            notes.insert(0, f"{self.total} lines in {len(self.out)} files")
        if not self.out:
            notes.insert(0, none)
        return "\n".join([*self.out, *(f"[{note}]" for note in notes)])

    def _put(self, line: str) -> bool:
        if len(self.out) >= self.most:
            self.full = f"only the first {self.most} results; narrow the pattern, the glob or the path"
        elif self.chars + len(line) > MAX_CHARS:
            self.full = f"cut at {MAX_CHARS} characters; narrow the pattern, the glob or the path"
        else:
            self.out.append(line)
            self.chars += len(line) + 1
        return not self.full


def _candidates(
    root: Path, start: Place, glob: str | None, budget: Budget
) -> tuple[list[tuple[Place, int]], int]:
    """Return the files to search with their sizes, and how many were too large."""
    matches = globs.matcher(glob) if glob else None
    skip, found, skipped = len(start.parts), [], 0
    named = is_secret(start.relative)
    for entry in _files(root, start, budget):
        inner = "/".join(entry.place.parts[skip:]) or entry.place.name
        if entry.kind != "file" or (matches and not matches(inner)):
            continue
        if entry.size > MAX_FILE_BYTES:
            skipped += 1
        elif entry.place == start or named or not is_secret(entry.place.relative):
            found.append((entry.place, entry.size))
    return found, skipped


def _files(root: Path, start: Place, budget: Budget) -> Iterator[tree.Entry]:
    try:
        yield from tree.walk(root, start, budget)
    except paths.WrongKind:
        with opening.folder(start.parent) as handle:
            opening.check_regular(handle, start)
            yield from (entry for entry in tree.entries(handle, start.parent) if entry.place == start)


def _picked(program: str, ready: Pattern, places: Sequence[Place], budget: Budget) -> list[Place]:
    """Let ripgrep pick the files in which a match may be; all of them when it cannot tell.

    It opens files by name, so a link swapped in could lead it out; what it says is only which files to look
    at, and they are opened our way.
    """
    if ready.rust is None or not places:
        return list(places)
    command = [program, "--no-config", "--files-with-matches", "--null", "--text", "--no-messages"]
    command += ["--encoding=utf-8", "--no-ignore", "--hidden", "--regexp", ready.rust, "--"]
    said: set[bytes] = set()
    for batch in _batches(places):
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program; file names come after `--`
                [*command, *(f"./{place.relative}" for place in batch)],
                cwd=places[0].root,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=budget.left_s + 0.01,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return list(places)
        if done.returncode not in (0, 1):
            return list(places)
        said.update(done.stdout.split(b"\0"))
    return [place for place in places if f"./{place.relative}".encode(errors="surrogateescape") in said]


def _batches(places: Sequence[Place]) -> Iterator[list[Place]]:
    batch: list[Place] = []
    size = 0
    for place in places:
        size += 4 * len(place.relative) + 16
        if size > BATCH and batch:
            yield batch
            batch, size = [], 4 * len(place.relative) + 16
        batch.append(place)
    yield batch


def _contents(places: Sequence[Place], ready: Pattern) -> Iterator[tuple[Place, str]]:
    """Yield the text of each file that may have a match; the rest is passed over in bytes."""
    literal = ready.literal.encode() if ready.literal.isascii() else b""
    for folder, group in groupby(places, key=lambda place: place.parent):
        try:
            with opening.folder(folder) as handle:
                for place in group:
                    data = _data(handle, place)
                    if literal not in data and not data.startswith(UTF16):
                        continue
                    if (content := _text(data, place)) is not None:
                        yield place, content
        except (ToolFailed, ToolRefused):
            continue  # gone or swapped meanwhile


def _data(handle: int, place: Place) -> bytes:
    try:
        return opening.read_entry(handle, place, limit=MAX_FILE_BYTES).data
    except (ToolFailed, ToolRefused):
        return b""


def _text(data: bytes, place: Place) -> str | None:
    try:
        return text.decode(data, place.relative).text.replace("\r\n", "\n")
    except paths.WrongKind:
        return None


def _shortened(content: str) -> tuple[str, int]:
    """Return the text with its longest lines cut, and how many those were."""
    return LONG_LINE.subn(r"\1", content) if len(content) > MAX_SEARCHED else (content, 0)


def _lines(content: str, ready: Pattern, budget: Budget) -> Iterator[Line]:
    """Yield the matching lines of a text, until time is up."""
    number, counted, at = 1, 0, 0
    try:
        for match in _matches(content, ready, budget.left_s):
            if match < at:
                continue  # in the same line as the last one
            start, end = _line_around(content, match)
            if start == len(content):
                return  # after the last line end there is no line
            number += content.count("\n", counted, start)
            counted, at = start, end + 1
            yield Line(number, content[start:end], match - start)
    except TimeoutError:
        budget.stopped = f"stopped after {budget.seconds:.0f} s; simplify the pattern or narrow the path"


def _matches(content: str, ready: Pattern, seconds: float) -> Iterator[int]:
    """Yield where matches begin; where the literal part is rare, only lines that have it are tried."""
    if not seconds:
        raise TimeoutError
    if not ready.literal or content.count(ready.literal) * RARE > len(content):
        for found in ready.compiled.finditer(content, timeout=seconds, concurrent=True):
            yield found.start()
        return
    at = content.find(ready.literal)
    while at >= 0:
        start, end = _line_around(content, at)
        if match := ready.compiled.search(content, start, end, timeout=seconds, concurrent=True):
            yield match.start()
        at = content.find(ready.literal, end)


def _line_around(content: str, at: int) -> tuple[int, int]:
    end = content.find("\n", at)
    return content.rfind("\n", 0, at) + 1, len(content) if end < 0 else end


def _cut(line: Line) -> str:
    if len(line.text) <= MAX_LINE_CHARS:
        return line.text
    start = max(min(line.at - MAX_LINE_CHARS // 3, len(line.text) - MAX_LINE_CHARS), 0)
    return f"{'…' * (start > 0)}{line.text[start : start + MAX_LINE_CHARS]}… [{len(line.text)} characters]"
