"""Read a text file, with line numbers."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.workspace import opening, paths, text

MAX_LINES = 2_000  # a call; most modules fit
MAX_CHARS = 40_000  # about 10k tokens: a long module fits, a lock file does not
MAX_LINE_CHARS = 2_000  # a minified file has one line
MAX_FILE_BYTES = 10 * 1_048_576
BLOCK = 16_384  # characters
WORTH_A_THREAD = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """Part of a file as the model sees it."""

    path: str
    text: str
    sha256: str
    "Of the whole file: what a later overwriting must still find."


def read(root: Path, path: str, *, offset: int = 0, limit: int = MAX_LINES) -> Reading:
    """Return up to `limit` numbered lines of a text file, after skipping `offset` lines.

    Lines end at a line feed only. Output is cut at MAX_CHARS and says so.

    Raises:
        OutsideWorkspace, DeniedPath: `path` leads where no tool reads.
        NoSuchFile, WrongKind, TooLarge: nothing is there, or no text of at most MAX_FILE_BYTES.
        ToolRefused: `offset` is behind the end, or a number is out of range.
    """
    if offset < 0:
        raise ToolRefused(f"offset must be 0 or more, got {offset}")
    if limit < 1:
        raise ToolRefused(f"limit must be 1 or more, got {limit}")
    place = paths.resolve(root, path)
    data = opening.read_bytes(place, limit=MAX_FILE_BYTES).data
    with _hashed(data) as digest:
        shown = _numbered(text.decode(data, place.relative), offset, limit)
    return Reading(place.relative, shown, digest.hexdigest())


@contextmanager
def _hashed(data: bytes) -> Iterator["hashlib._Hash"]:
    """Hash meanwhile: of ten megabytes it takes as long as all the rest."""
    digest = hashlib.sha256()
    hashing = threading.Thread(target=digest.update, args=(data,))
    hashing.start() if len(data) > WORTH_A_THREAD else digest.update(data)
    try:
        yield digest
    finally:
        if hashing.ident:
            hashing.join()


def line_start(content: str, skipped: int) -> int:
    """Return where the line after `skipped` line feeds begins, counting block by block."""
    start = 0
    while skipped and (here := content.count("\n", start, start + BLOCK)) < skipped:
        skipped -= here
        start += BLOCK
    for _ in range(skipped):
        start = content.index("\n", start) + 1
    return start


def _numbered(file: text.Text, offset: int, limit: int) -> str:
    notes = [] if file.label == "utf-8" else [f"encoding: {file.label}"]
    total = file.text.count("\n") + (not file.text.endswith("\n"))
    if not file.text:
        return _noted([], ["the file is empty", *notes])
    if offset >= total:
        raise ToolRefused(f"offset must be below {total}, the number of lines, got {offset}")
    shown = _fitting(file.text, offset, min(limit, MAX_LINES))
    if offset or offset + len(shown) < total:
        notes.append(f"lines {offset + 1}-{offset + len(shown)} of {total}")
    if (end := offset + len(shown)) < total:
        notes.append(f"go on with offset={end}")
    return _noted(shown, notes)


def _fitting(content: str, offset: int, limit: int) -> list[str]:
    """Return the numbered lines after `offset` that fit, at least one."""
    start = line_start(content, offset)
    shown: list[str] = []
    chars = 0
    for number in range(offset + 1, offset + limit + 1):
        end = content.find("\n", start)
        line = f"{number:6}\t{_cut(content[start : len(content) if end < 0 else end].removesuffix(chr(13)))}"
        chars += len(line) + 1
        if chars > MAX_CHARS and shown:
            break
        shown.append(line)
        start = end + 1
        if end < 0 or start == len(content):
            break
    return shown


def _cut(line: str) -> str:
    if len(line) <= MAX_LINE_CHARS:
        return line
    return f"{line[:MAX_LINE_CHARS]} [line cut: {len(line)} characters]"


def _noted(lines: list[str], notes: list[str]) -> str:
    return "\n".join([*lines, f"[{'; '.join(notes)}]"] if notes else lines)
