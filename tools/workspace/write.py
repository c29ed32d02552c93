"""Write a whole file: a new one, or one whose content the model has read."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.workspace import diff, opening, paths, syntax, text
from artel.tools.workspace.change import Change, Stale
from artel.tools.workspace.edit import check_content, check_size, check_writable
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
        return _new(place, content)
    check_writable(found, place)
    sha = hashlib.sha256(found.data).hexdigest()
    known = (seen or {}).get(place.relative)
    if known is None:
        raise NotRead(f"{place.relative} exists and was not read; read it first, or use edit_file")
    if known != sha:
        raise Stale(f"{place.relative} changed since it was read; read it again")
    return _over(place, text.decode(found.data, place.relative), sha, content)


def _new(place: Place, content: str) -> Change:
    lines = diff.lines_of(content)
    return Change(
        path=place.relative,
        before_sha=None,
        after=content.encode(),
        diff=diff.unified(place.relative, None, lines, [(0, 0, 0, len(lines))] if lines else []),
        strategy=f"new file, {len(lines)} lines",
        problems=(*text.hidden("", content), *syntax.introduced(place.relative, "", content)),
        whole=True,
    )


def _over(place: Place, before: text.Text, sha: str, content: str) -> Change:
    windows = before.text.count("\r\n")
    if windows and windows == before.text.count("\n") and "\r" not in content:
        content = content.replace("\n", "\r\n")
    if content == before.text:
        raise ToolRefused(f"{place.relative} already has this content")
    data = before.encode(content)
    check_size(data, place)
    old, new = diff.lines_of(before.text), diff.lines_of(content)
    return Change(
        path=place.relative,
        before_sha=sha,
        after=data,
        diff=diff.unified(place.relative, old, new, diff.changed(old, new)),
        strategy="whole file",
        problems=(
            *text.hidden(before.text, content),
            *syntax.introduced(place.relative, before.text, content),
        ),
        whole=True,
    )
