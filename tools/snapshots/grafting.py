"""A snapshot in which only some files are looked at: what others change at the same time stays out of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.snapshots import disk
from artel.tools.snapshots.disk import Standing
from artel.tools.snapshots.repository import Repository, SnapshotFailed, Writer, opened
from artel.tools.snapshots.trees import FOLDER, LINK, PLAIN, About, rows_of, write_top, write_tree
from artel.tools.workspace import opening
from artel.tools.workspace.paths import NoSuchFile, Place

Rows: TypeAlias = dict[str, tuple[str, str]]
Parts: TypeAlias = tuple[str, ...]


def graft(repository: Repository, tree: str, paths: Iterable[str]) -> str:
    """Return `tree` with these files as they are now; ignored ones stay as they are in it.

    Raises:
        SnapshotFailed: what is there now cannot be kept.
        SnapshotGone: the tree is not here any more.
    """
    with opened(repository):
        repository.check(tree)
        wanted = [path for path in paths if is_heeded(repository, path)]
        if not wanted:
            return tree
        writer = Writer(repository)
        (top,) = repository.read([tree])
        rows = rows_of(top)
        about, now = About.loads(next(repository.read([rows["about"][1]]))), {}
        for path in wanted:
            about, now[path] = _seen(repository, about, path)
        new = {
            tuple(path.split("/")): (found.entry.mode, writer.add("blob", found.content)) if found else None
            for path, found in now.items()
        }
        files = grafted(repository, writer, rows["files"][1], new)
        made = write_top(writer, files or write_tree(writer, {}, {}), about)
        writer.flush()
        repository.keep(made)
        return made


def is_heeded(repository: Repository, path: str) -> bool:
    """Say whether the file at `path` is one that snapshots hold: not ignored, and not out of bounds."""
    try:
        return not disk.is_ignored(disk.place_of(Place(repository.root, ()), path))
    except NoSuchFile:
        return True  # its folder went: so did it
    except (ToolFailed, ToolRefused):
        return False


def _seen(repository: Repository, about: About, path: str) -> tuple[About, Standing | None]:
    """Return a file as it is now, and what git could not say of all files."""
    place = disk.place_of(Place(repository.root, ()), path)
    permissions = {other: mode for other, mode in about.permissions.items() if other != path}
    unkept = about.unkept - {path}
    found: Standing | None = None
    try:
        with opening.folder(place.parent) as parent:
            found = disk.standing(parent, place)
    except NoSuchFile:
        pass
    except (ToolFailed, ToolRefused):
        unkept |= {path}
    except OSError as error:
        raise SnapshotFailed(f"{place.shown}: {error.strerror or error}") from error
    if found and found.entry.mode != LINK and found.entry.permissions != PLAIN[found.entry.mode]:
        permissions[path] = found.entry.permissions
    above = {path[:at] for at, char in enumerate(path) if char == "/"}
    bare = about.bare - above if found else about.bare
    return replace(about, permissions=permissions, bare=bare, unkept=unkept), found


def grafted(
    repository: Repository, writer: Writer, tree: str, new: Mapping[Parts, tuple[str, str] | None]
) -> str:
    """Return the tree of a folder with these files in it, or without them; empty when nothing is left."""
    rows: Rows = rows_of(next(repository.read([tree]))) if tree else {}
    folders = {name: child for name, (mode, child) in rows.items() if mode == FOLDER}
    files = {name: row for name, row in rows.items() if row[0] != FOLDER}
    inner: dict[str, dict[Parts, tuple[str, str] | None]] = {}
    for parts, row in new.items():
        if len(parts) > 1:
            inner.setdefault(parts[0], {})[parts[1:]] = row
        else:
            files.pop(parts[0], None)
            if row:
                files[parts[0]] = row
                folders.pop(parts[0], None)
    for name, below in inner.items():
        child = grafted(repository, writer, folders.pop(name, ""), below)
        if child:
            folders[name] = child
            files.pop(name, None)
    return write_tree(writer, files, folders) if files or folders else ""
