"""Replace text in a file, where it is certain which text is meant."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.workspace import diff, matching, opening, paths, syntax, text
from artel.tools.workspace.change import Change
from artel.tools.workspace.matching import Hit
from artel.tools.workspace.paths import TooLarge
from artel.tools.workspace.read import MAX_FILE_BYTES

MAX_CONTENT_BYTES = 1_000_000  # new text in one call (C6: below 1 MB)


def plan(root: Path, path: str, old: str, new: str, *, replace_all: bool = False) -> Change:
    """Return the change that puts `new` in place of `old`, touching nothing.

    Line ends, byte order mark, encoding and final newline stay as the file has them.

    Raises:
        NotUnique, NotFound: `old` means no place or several; the message says where to look.
        ToolRefused: nothing would change, or the new text cannot stand in this file.
        OutsideWorkspace, DeniedPath, NoSuchFile, WrongKind, TooLarge: as in reading.
    """
    if not old:
        raise ToolRefused("old_string is empty; write_file makes new files")
    if old == new:
        raise ToolRefused("old_string and new_string are the same")
    check_content(new, "new_string")
    place = paths.resolve(root, path)
    found = opening.read_bytes(place, limit=MAX_FILE_BYTES)
    check_writable(found, place)
    before = text.decode(found.data, place.relative)
    view = before.text.replace("\r\n", "\n")
    match = matching.find(view, _unix(old), _unix(new), replace_all=replace_all)
    raw = _raw_hits(before.text, match.hits)
    after = _applied(before.text, raw)
    if after == before.text:
        raise ToolRefused("the edit would change nothing")
    data = before.encode(after)
    check_size(data, place)
    return Change(
        path=place.relative,
        before_sha=hashlib.sha256(found.data).hexdigest(),
        after=data,
        diff=_diff(place.relative, before.text, after, raw),
        strategy=_strategy(view, match),
        problems=(*text.hidden(before.text, after), *syntax.introduced(place.relative, before.text, after)),
    )


def check_content(content: str, name: str) -> None:
    """Refuse content that is too long, or that would make a text file binary."""
    if "\0" in content:
        raise ToolRefused(f"{name} holds a NUL character, which no text file has")
    try:
        size = len(content.encode())
    except UnicodeEncodeError as error:
        raise ToolRefused(f"{name} holds half a character at {error.start} (a lone surrogate)") from None
    if size >= MAX_CONTENT_BYTES:
        raise TooLarge(f"{name} has {size} bytes; one call writes less than {MAX_CONTENT_BYTES}")


def check_size(data: bytes, place: paths.Place) -> None:
    """Refuse a change after which we could not read the file any more."""
    if len(data) >= MAX_FILE_BYTES:
        raise TooLarge(f"{place.relative} would have {len(data)} bytes; files stay below {MAX_FILE_BYTES}")


def check_writable(found: opening.Found, place: paths.Place) -> None:
    """Refuse a file that its owner made read-only; replacing it would succeed all the same."""
    if not found.mode & 0o222:
        raise ToolRefused(f"{place.relative} is read-only (mode {found.mode:o})")


def _unix(given: str) -> str:
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


def _applied(content: str, hits: Sequence[Hit]) -> str:
    pieces, at = [], 0
    for hit in hits:
        pieces += [content[at : hit.start], hit.new]
        at = hit.end
    return "".join([*pieces, content[at:]])


def _diff(path: str, before: str, after: str, hits: Sequence[Hit]) -> str:
    old, new = diff.lines_of(before), diff.lines_of(after)
    edits, grown = [], 0
    for hit in hits:
        start = hit.start + grown
        edits.append((hit.start, hit.end, start, start + len(hit.new)))
        grown += len(hit.new) - (hit.end - hit.start)
    return diff.unified(path, old, new, diff.changed_within(old, new, edits))


def _strategy(view: str, match: matching.Match) -> str:
    if (count := len(match.hits)) > 1:
        return f"{match.strategy}, {count} places"
    return f"{match.strategy}, line {view.count(chr(10), 0, match.hits[0].start) + 1}"
