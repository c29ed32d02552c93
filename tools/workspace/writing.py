"""Putting bytes where a file stands, durably: at every instant the old file or the new one."""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import opening
from artel.tools.workspace.opening import Found, folder, translated
from artel.tools.workspace.paths import NoSuchFile, Place
from artel.tools.workspace.read import MAX_FILE_BYTES

TEMPORARY = re.compile(r"\.artel-[0-9a-f]{16}\.tmp")

CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def lock(folders: Iterable[int]) -> None:
    """Let one writer of Artel's at a time into open folders, over all processes, until they are closed.

    All writers lock in one order, so that no two wait for each other. What a writer that was killed left
    there is then nobody's, and removed.
    """
    once = {(info.st_dev, info.st_ino): handle for handle in folders for info in [os.fstat(handle)]}
    for _, handle in sorted(once.items()):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            continue  # some network file systems have no locks; the sha is still compared
        with os.scandir(handle) as scanned:
            left = [entry.name for entry in scanned if TEMPORARY.fullmatch(entry.name)]
        for name in left:
            discard(handle, name)


def found(parent: int, place: Place) -> Found | None:
    """Return the file at `place`, None if there is nothing."""
    try:
        return opening.read_entry(parent, place, limit=MAX_FILE_BYTES)
    except NoSuchFile:
        return None


def stage(parent: int, place: Place, data: bytes, like: Found | None, mode: int | None = None) -> str:
    """Write `data` durably beside `place` and return the name; only `land` makes it the file.

    It has owner and permissions of the file `like`, else the permissions `mode`, else the usual ones.
    """
    name = f".artel-{secrets.token_hex(8)}.tmp"
    with translated(place):
        handle = os.open(name, CREATE, 0o666, dir_fd=parent)
        try:
            _write(handle, data, like, mode)
        except BaseException:
            discard(parent, name)
            raise
        finally:
            os.close(handle)
    return name


def land(parent: int, place: Place, staged: str, *, over: bool) -> None:
    """Make what was staged the file at `place`, over the one there or where there is none; then `settle`."""
    with translated(place):
        if over:
            os.rename(staged, place.name, src_dir_fd=parent, dst_dir_fd=parent)
        else:  # unlike rename, a link never takes the place of another file
            os.link(staged, place.name, src_dir_fd=parent, dst_dir_fd=parent)
            discard(parent, staged)


def remove(parent: int, place: Place) -> None:
    """Remove the file at `place`; then `settle`."""
    with translated(place):
        os.unlink(place.name, dir_fd=parent)


def settle(parent: int, place: Place) -> None:
    """Make durable what landed at `place` or was removed there."""
    with translated(place):
        os.fsync(parent)


def discard(parent: int, name: str) -> None:
    """Remove what was staged and did not land; what cannot be removed now is by the next `lock`."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=parent)


def missing_folders(place: Place) -> list[Place]:
    """Return the folders on the way to `place` that are not there, outermost first."""
    ways = [Place(place.root, place.parts[:depth]) for depth in range(1, len(place.parts))]
    return [way for way in ways if not os.path.lexists(Path(way.root, *way.parts))]


def remove_folders(made: Iterable[Place]) -> None:
    """Remove folders that were made, innermost first, unless something is in them by now."""
    for place in sorted(made, key=lambda one: -len(one.parts)):
        with contextlib.suppress(OSError, ToolFailed, ToolRefused), folder(place.parent) as parent:
            os.rmdir(place.name, dir_fd=parent)


def _write(handle: int, data: bytes, like: Found | None, mode: int | None) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    if like is not None:
        with contextlib.suppress(PermissionError):
            os.fchown(handle, like.uid, like.gid)
        os.fchmod(handle, like.mode)
    elif mode is not None:
        os.fchmod(handle, mode & 0o777)  # a copy is nobody's licence: no setuid
    os.fsync(handle)
