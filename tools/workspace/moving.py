"""Take a file away, or give it another path."""

import os
from collections.abc import Collection
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.workspace import diff, opening, paths, text
from artel.tools.workspace.change import Change
from artel.tools.workspace.edit import check_writable
from artel.tools.workspace.opening import Found
from artel.tools.workspace.paths import Place, WrongKind
from artel.tools.workspace.read import MAX_FILE_BYTES


def delete(root: Path, path: str) -> Change:
    """Return the change that takes the file at `path` away, touching nothing; its folder stays.

    Raises:
        WrongKind: it is a folder, or a link: what a link leads to is not taken away by another name.
        ToolRefused: it is read-only.
        OutsideWorkspace, DeniedPath, NoSuchFile, TooLarge: as in reading; what is too large to be read is
            also too large to be put back.
    """
    place, found = existing(root, path)
    check_writable(found, place)
    old = _text(found, place)
    lines = diff.lines_of(old.text) if old else []
    shown = diff.unified(place.relative, lines, None, [(0, len(lines), 0, 0)] if lines else [])
    return Change(
        path=place.relative,
        before=found.data,
        after=None,
        diff=shown if old else f"Binary file {place.relative} of {len(found.data)} bytes is deleted\n",
        strategy="deleted",
    )


def move(root: Path, src: str, dst: str, *, made: Collection[str] = ()) -> list[Change]:
    """Return the changes that give the file `src` the path `dst`, which is free; bytes and permissions stay.

    Of the paths in `made` the change was made before: it is left out.

    Raises:
        ToolRefused: there is something at `dst`, or both are the same.
        WrongKind, OutsideWorkspace, DeniedPath, NoSuchFile, TooLarge: as in `delete`.
    """
    place, found = existing(root, src)
    return moved(found, place, free(root, dst, made=made), made=made)


def moved(
    found: Found, src: Place, dst: Place, after: Change | None = None, *, made: Collection[str] = ()
) -> list[Change]:
    """Return the changes of a move: the new file, as `after` would have it, and the old one gone."""
    if src == dst:
        raise ToolRefused(f"{src.relative} already is at that path")
    arrives = Change(
        path=dst.relative,
        before=None,
        after=after.after if after else found.data,
        diff=_shown(found, src, dst, after),
        strategy=f"moved from {src.relative}" + (f"; {after.strategy}" if after else ""),
        problems=after.problems if after else (),
        mode=found.mode,
        pair=src.relative,
    )
    leaves = Change(
        path=src.relative, before=found.data, after=None, diff="", strategy="moved", pair=dst.relative
    )
    return [one for one in (arrives, leaves) if one.path not in made]


def existing(root: Path, path: str) -> tuple[Place, Found]:
    """Return the file at `path`, which is named itself and not by a link."""
    place = paths.resolve(root, path)
    if (root / path).is_symlink():
        raise WrongKind(f"{path} is a link to {place.relative}; name that file itself")
    return place, opening.read_bytes(place, limit=MAX_FILE_BYTES)


def free(root: Path, path: str, *, made: Collection[str] = ()) -> Place:
    """Return where a new file can be made; one that was `made` before may be there."""
    place = paths.resolve(root, path)
    if place.relative in made:
        return place
    if place.parts and os.path.isdir(root.joinpath(*place.parts)):  # noqa: PTH112 - raises for no name
        raise WrongKind(f"{place.relative} is a folder; give the whole new path, with the file's name")
    if not place.parts or os.path.lexists(root.joinpath(*place.parts)) or (root / path).is_symlink():
        raise ToolRefused(f"{place.relative} exists, and no new file takes its place; change that one")
    return place


def _shown(found: Found, src: Place, dst: Place, after: Change | None) -> str:
    old = _text(found, src)
    if old is None or after is None or after.after is None:
        return diff.unified(dst.relative, [], [], (), moved_from=src.relative)
    lines, others = diff.lines_of(old.text), diff.lines_of(old.again(after.after))
    return diff.unified(dst.relative, lines, others, after.spans, moved_from=src.relative)


def _text(found: Found, place: Place) -> text.Text | None:
    try:
        return text.decode(found.data, place.relative)
    except WrongKind:
        return None
