"""One file of a workspace, through the descriptor of its folder: what it is now, and what it becomes.

The same promises as of the other tools that write: no link is followed, and at every instant a file is the
old one or the new one.
"""

import contextlib
import fcntl
import os
import secrets
import stat
from dataclasses import dataclass

from artel.tools.errors import ToolFailed
from artel.tools.snapshots.index import on_disk
from artel.tools.snapshots.repository import name_of
from artel.tools.snapshots.trees import LINK, PLAIN, Entry, State, git_mode
from artel.tools.workspace import ignore, opening, paths, tree
from artel.tools.workspace.paths import Place
from artel.tools.workspace.read import MAX_FILE_BYTES
from artel.tools.workspace.writing import CREATE, TEMPORARY


class InTheWay(ToolFailed):
    """Something else stands where a file would be written or removed."""

    code = "in_the_way"


@dataclass(frozen=True, slots=True)
class Standing:
    """A file or link as it is on the disk."""

    entry: Entry
    content: bytes
    uid: int
    gid: int


def place_of(repository_root: Place, path: str) -> Place:
    """Return the place of a file by its path in a tree.

    Raises:
        DeniedPath: a part of the path is none that a tool may touch.
    """
    parts = tuple(map(on_disk, path.split("/")))
    if any(part in ("", ".", "..") or paths.is_denied(part) for part in parts):
        raise paths.DeniedPath(f"{'/'.join(parts)} is not a path that is restored")
    return Place(repository_root.root, parts)


def standing(parent: int, place: Place) -> Standing | None:
    """Return the file or link at `place`; None: nothing is there, or a folder.

    Raises:
        InTheWay: a device, or a file too large to be kept stands there.
    """
    try:
        info = os.stat(place.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(info.st_mode):
        target = os.fsencode(os.readlink(place.name, dir_fd=parent))
        return Standing(Entry(LINK, name_of("blob", target), PLAIN[LINK]), target, info.st_uid, info.st_gid)
    if stat.S_ISDIR(info.st_mode):
        return None
    if not stat.S_ISREG(info.st_mode):
        raise InTheWay(f"{place.shown} is neither file nor link, so it is left alone")
    if info.st_size > MAX_FILE_BYTES:
        raise InTheWay(f"{place.shown} is too large to be kept, so it is left alone")
    found = opening.read_entry(parent, place, limit=MAX_FILE_BYTES)
    entry = Entry(git_mode(found.mode), name_of("blob", found.data), found.mode & 0o777)
    return Standing(entry, found.data, found.uid, found.gid)


def is_ignored(place: Place) -> bool:
    """Say whether the file at `place` is ignored, or lies in a folder that is."""
    root = Place(place.root, ())
    rules = ignore.above(place.root)
    for depth in range(len(place.parts)):
        folder = Place(root.root, place.parts[:depth])
        with opening.folder(folder) as handle:
            rules = tree.heeding(handle, folder, rules)
        if rules.ignores(place.parts[: depth + 1], is_folder=depth + 1 < len(place.parts)):
            return True
    return False


def write(place: Place, was: State, becomes: Entry, content: bytes) -> None:
    """Make the file at `place` what it becomes, if it is what it was. Folders on the way are made.

    Raises:
        InTheWay: it is something else now; nothing was written.
        OutsideWorkspace: a folder on the way became a link.
    """
    with opening.folder(place.parent, make=True) as parent:
        _lock(parent)
        if was is None:
            _clear(parent, place)
        now = _expected(parent, place, was)
        _put(parent, place, becomes, content, now)
        os.fsync(parent)


def remove(place: Place, was: Entry) -> None:
    """Remove the file at `place`, if it is what it was and no ignored one.

    Raises:
        InTheWay: it is something else now, or ignored; it stays.
    """
    if is_ignored(place):
        raise InTheWay(f"{place.shown} is ignored, so it is left alone")
    with opening.folder(place.parent) as parent:
        _lock(parent)
        if _expected(parent, place, was) is not None:
            os.unlink(place.name, dir_fd=parent)
            os.fsync(parent)


def remove_folder(place: Place) -> bool:
    """Remove an empty folder; False when it is not empty, or not there."""
    try:
        with opening.folder(place.parent) as parent:
            os.rmdir(place.name, dir_fd=parent)
    except (OSError, ToolFailed):
        return False
    return True


def _expected(parent: int, place: Place, was: State) -> Standing | None:
    now = standing(parent, place)
    if (now.entry if now else None) != was:
        raise InTheWay(f"{place.shown} is not as it was a moment ago, or is not kept, so it is left alone")
    return now


def _clear(parent: int, place: Place) -> None:
    """Take away a folder where a file will be, if there is nothing in it but empty folders."""
    try:
        if _is_hollow(parent, place.name):
            _remove_hollow(parent, place.name)
            return
    except OSError:
        return  # there is no folder; or what is there will be in the way
    raise InTheWay(f"{place.shown} is a folder with something in it")


def _is_hollow(parent: int, name: str, depth: int = 0) -> bool:
    handle = os.open(name, opening.FOLDER, dir_fd=parent)
    try:
        with os.scandir(handle) as scanned:
            inner = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in scanned]
        if depth > paths.MAX_DEPTH or not all(is_folder for _, is_folder in inner):
            return False
        return all(not paths.is_denied(each) and _is_hollow(handle, each, depth + 1) for each, _ in inner)
    finally:
        os.close(handle)


def _remove_hollow(parent: int, name: str) -> None:
    handle = os.open(name, opening.FOLDER, dir_fd=parent)
    try:
        for each in os.listdir(handle):  # noqa: PTH208 - of a descriptor
            _remove_hollow(handle, each)
    finally:
        os.close(handle)
    os.rmdir(name, dir_fd=parent)


def _put(parent: int, place: Place, becomes: Entry, content: bytes, now: Standing | None) -> None:
    temporary = f".artel-{secrets.token_hex(8)}.tmp"
    try:
        if becomes.mode == LINK:
            os.symlink(os.fsdecode(content), temporary, dir_fd=parent)
        else:
            _fill(parent, temporary, becomes, content, now)
        if now is None:  # unlike rename, never over another
            os.link(temporary, place.name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        else:
            os.rename(temporary, place.name, src_dir_fd=parent, dst_dir_fd=parent)
    except FileExistsError as error:
        raise InTheWay(f"{place.shown} was made by somebody else meanwhile") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)


def _fill(parent: int, temporary: str, becomes: Entry, content: bytes, now: Standing | None) -> None:
    handle = os.open(temporary, CREATE, 0o600, dir_fd=parent)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        if now is not None:
            with contextlib.suppress(PermissionError):
                os.fchown(handle, now.uid, now.gid)
        os.fchmod(handle, becomes.permissions)
        os.fsync(handle)
    finally:
        os.close(handle)


def _lock(parent: int) -> None:
    """Let one writer into a folder at a time; what one that was killed left there is removed."""
    try:
        fcntl.flock(parent, fcntl.LOCK_EX)
    except OSError:
        return  # some network file systems have no locks; what stands there is still compared
    with os.scandir(parent) as scanned:
        left = [entry.name for entry in scanned if TEMPORARY.fullmatch(entry.name)]
    for name in left:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=parent)
