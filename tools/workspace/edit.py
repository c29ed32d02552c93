"""Replace text in a file, where it is certain which text is meant."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import matching, opening, paths, text
from artel.tools.workspace.change import Change, rewritten
from artel.tools.workspace.draft import Draft, unix
from artel.tools.workspace.paths import TooLarge
from artel.tools.workspace.read import MAX_FILE_BYTES

MAX_CONTENT_BYTES = 1_000_000  # new text in one call (C6: below 1 MB)
MAX_EDITS = 100  # in one call


class Edit(NamedTuple):
    """One replacement."""

    old: str
    new: str
    replace_all: bool = False


def plan(root: Path, path: str, old: str, new: str, *, replace_all: bool = False) -> Change:
    """Return the change that puts `new` in place of `old`, touching nothing.

    Line ends, byte order mark, encoding and final newline stay as the file has them.

    Raises:
        NotUnique, NotFound: `old` means no place or several; the message says where to look.
        ToolRefused: nothing would change, or the new text cannot stand in this file.
        OutsideWorkspace, DeniedPath, NoSuchFile, WrongKind, TooLarge: as in reading.
    """
    return plan_all(root, path, [Edit(old, new, replace_all)])


def plan_all(root: Path, path: str, edits: Sequence[Edit]) -> Change:
    """Return the change that makes all `edits` in turn: each sees what the one before it left.

    Raises:
        ToolRefused, ToolFailed: as `plan`; the message names the edit, and none is made.
    """
    if not 0 < len(edits) <= MAX_EDITS:
        raise ToolRefused(f"edits must have 1 to {MAX_EDITS} entries, got {len(edits)}")
    for number, edit in enumerate(edits):
        _check(edit, f"edits[{number}]." if len(edits) > 1 else "")
    check_content("".join(edit.new for edit in edits), "new_string" if len(edits) == 1 else "edits")
    place = paths.resolve(root, path)
    found = opening.read_bytes(place, limit=MAX_FILE_BYTES)
    check_writable(found, place)
    before = text.decode(found.data, place.relative)
    draft = Draft(before.text)
    how = [_made(draft, edit, number, len(edits)) for number, edit in enumerate(edits)]
    if draft.after == before.text:
        raise ToolRefused("the edit would change nothing" if len(edits) == 1 else "the edits change nothing")
    strategy = how[0] if len(how) == 1 else f"{len(how)} edits: {'; '.join(how)}"
    return rewritten(place.relative, found.data, before, draft.after, strategy, compared=draft.compared())


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


def check_writable(found: opening.Found, place: paths.Place) -> None:
    """Refuse a file that its owner made read-only; replacing it would succeed all the same."""
    if not found.mode & 0o222:
        raise ToolRefused(f"{place.relative} is read-only (mode {found.mode:o}); leave it, or ask the user")


def _check(edit: Edit, where: str) -> None:
    if not edit.old:
        raise ToolRefused(f"{where}old_string is empty; write_file makes new files")
    if edit.old == edit.new:
        raise ToolRefused(f"{where}old_string and {where}new_string are the same")


def _made(draft: Draft, edit: Edit, number: int, count: int) -> str:
    """Make one edit and return how its place was found."""
    view = draft.view
    try:
        match = matching.find(view, unix(edit.old), unix(edit.new), replace_all=edit.replace_all)
    except (ToolRefused, ToolFailed) as error:
        if count == 1:
            raise
        seen = ", in the text that the edits before it leave" if number else ""
        raise type(error)(f"edits[{number}]{seen}: {error}. No edit was made.") from None
    draft.put(match.hits)
    if (places := len(match.hits)) > 1:
        return f"{match.strategy}, {places} places"
    return f"{match.strategy}, line {view.count(chr(10), 0, match.hits[0].start) + 1}"
