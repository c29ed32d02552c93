"""Write a whole file: a new one, or one whose content the model has read."""

from collections.abc import Mapping
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.workspace import opening, paths, text
from artel.tools.workspace.change import Change, Stale, created, digest, rewritten
from artel.tools.workspace.edit import check_content, check_writable
from artel.tools.workspace.paths import NoSuchFile, Place
from artel.tools.workspace.read import MAX_FILE_BYTES


class NotRead(ToolRefused):
    """The file exists and was not read, so what would be lost is unknown."""

    code = "not_read"


def plan(root: Path, path: str, content: str, *, seen: Mapping[str, str] | None = None) -> Change:
    """Return the change that makes the file at `path` hold `content`, touching nothing.

    An existing file is overwritten only if its sha256 is the one `seen` (path → sha256) when it was last
    read; its encoding, byte order mark and (if all lines have them) Windows line ends are kept. Missing
    folders will be made.

    Raises:
        NotRead, Stale: the file exists and was not read, or changed since.
        ToolRefused: it already has this content.
        OutsideWorkspace, DeniedPath, WrongKind, TooLarge: as in reading.
    """
    check_content(content, "content")
    place = paths.resolve(root, path)
    if not place.parts:
        raise paths.WrongKind("the workspace itself is a folder, not a file")
    try:
        found = opening.read_bytes(place, limit=MAX_FILE_BYTES)
    except NoSuchFile:
        return created(place, content)
    check_writable(found, place)
    known = (seen or {}).get(place.relative)
    if known is None:
        raise NotRead(f"{place.relative} exists and was not read; read it first, or use edit_file")
    if known != digest(found.data):
        raise Stale(f"{place.relative} changed since it was read; read it again")
    return _over(place, text.decode(found.data, place.relative), found.data, content)


def _over(place: Place, before: text.Text, data: bytes, content: str) -> Change:
    windows = before.text.count("\r\n")
    if windows and windows == before.text.count("\n") and "\r" not in content:
        content = content.replace("\n", "\r\n")
    if content == before.text:
        raise ToolRefused(f"{place.relative} already has this content")
    return rewritten(place.relative, data, before, content, "whole file", whole=True)
