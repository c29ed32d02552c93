"""Opening what a path names, from the workspace down, one component at a time and never through a link.

Resolving a path says where it leads now; a link swapped in a moment later must be an error and not a way out.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from artel.tools.errors import ToolFailed
from artel.tools.workspace.paths import (
    BadPath,
    NoSuchFile,
    OutsideWorkspace,
    Place,
    TooLarge,
    WrongKind,
    printable,
)

ABOVE = (
    getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
)  # needs no right to list
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a pipe must not block us
BLOCK = 262_144  # bytes of a file that is never held whole
FULL = " (tell the user that room is needed, or delete what is not)"
FORBIDDEN = " (the user has to allow it: tell them)"
ADVICE = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: " (it is larger than the server may write)",
    errno.EROFS: FORBIDDEN,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
}


@dataclass(frozen=True, slots=True)
class Found:
    """The bytes of a regular file, and what must survive a rewrite."""

    data: bytes
    mode: int
    uid: int
    gid: int


@contextmanager
def folder(place: Place, *, make: bool = False) -> Iterator[int]:
    """Open the folder at `place`, component by component and through no link; yield its descriptor.

    `make` creates the folders that are missing.
    """
    current = _open_root(place)
    try:
        for depth, name in enumerate(place.parts, start=1):
            inner = _enter(current, name, Place(place.root, place.parts[:depth]), make=make)
            os.close(current)
            current = inner
        yield current
    finally:
        os.close(current)


def read_bytes(place: Place, *, limit: int) -> Found:
    """Return the content of the regular file at `place`, at most `limit` bytes of it.

    Raises:
        NoSuchFile, WrongKind, TooLarge: nothing is there, it is no regular file, it is over the limit.
        OutsideWorkspace: a component became a link since `place` was resolved.
    """
    if not place.parts:
        raise WrongKind("the workspace itself is a folder, not a file")
    with folder(place.parent) as parent:
        return read_entry(parent, place, limit=limit)


def reader(place: Place, *, limit: int) -> tuple[int, Iterator[bytes]]:
    """Open the regular file at `place`: its size, and its content block by block: it is never held whole.

    Raises:
        NoSuchFile, WrongKind, TooLarge, OutsideWorkspace: as in reading it.
    """
    if not place.parts:
        raise WrongKind("the workspace itself is a folder, not a file")
    with folder(place.parent) as parent, translated(place):
        _check_regular(os.stat(place.name, dir_fd=parent, follow_symlinks=False), place)
        opened = os.fdopen(os.open(place.name, FILE, dir_fd=parent), "rb")
    info = os.fstat(opened.fileno())
    try:
        _check_regular(info, place)
        _check_size(info.st_size, place, limit)
    except BaseException:
        opened.close()
        raise
    return info.st_size, _blocks(opened)


def _blocks(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while block := opened.read(BLOCK):
            yield block


def read_entry(parent: int, place: Place, *, limit: int) -> Found:
    """Return the content of the file at `place` through the descriptor of its folder."""
    with translated(place):
        _check_regular(os.stat(place.name, dir_fd=parent, follow_symlinks=False), place)
        handle = os.open(place.name, FILE, dir_fd=parent)
        try:
            info = os.fstat(handle)
            _check_regular(info, place)
            data = b"" if info.st_size > limit else _read_up_to(handle, info.st_size, limit)
        finally:
            os.close(handle)
    _check_size(max(info.st_size, len(data)), place, limit)
    return Found(data, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid)


def check_regular(parent: int, place: Place) -> None:
    """Refuse what is no regular file, through the descriptor of its folder.

    Raises:
        NoSuchFile, WrongKind, OutsideWorkspace: nothing is there, or a pipe, a device, a link.
    """
    with translated(place):
        _check_regular(os.stat(place.name, dir_fd=parent, follow_symlinks=False), place)


@contextmanager
def translated(place: Place) -> Iterator[None]:
    """Say what an error of the operating system means for `place`."""
    try:
        yield
    except FileNotFoundError as error:
        raise NoSuchFile(f"there is no {place.relative}{_near(place)}") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OutsideWorkspace(f"{place.relative} is a link that may not be followed") from error
        if error.errno == errno.ENAMETOOLONG:
            raise BadPath(f"{place.relative[:80]}… is too long for a path") from error
        advice = ADVICE.get(error.errno or 0, "")
        raise ToolFailed(f"{place.relative}: {error.strerror or error}{advice}") from error


def _open_root(place: Place) -> int:
    """Open the workspace itself, through no link either: its parents may be another agent's workspace."""
    above, names = "/", place.root.parts[1:]
    with translated(place):
        current = os.open(above, ABOVE if names else FOLDER)
        for depth, name in enumerate(names, start=1):
            try:
                inner = os.open(name, FOLDER if depth == len(names) else ABOVE, dir_fd=current)
            except NotADirectoryError as error:
                raise OutsideWorkspace(f"the workspace {place.root} is a link, or became one") from error
            finally:
                os.close(current)
            current = inner
    return current


def _enter(parent: int, name: str, place: Place, *, make: bool) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise NoSuchFile(f"there is no {place.relative}{_near(place)}") from None
    except NotADirectoryError:  # also what Linux says of a link
        with translated(place):
            link = stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
        if link:
            raise OutsideWorkspace(f"{place.relative} is a link that may not be followed") from None
        raise WrongKind(f"{place.relative} is a file, not a folder") from None
    except OSError:
        with translated(place):
            raise
    with translated(place):
        with contextlib.suppress(FileExistsError):  # somebody was faster; a link is refused below
            os.mkdir(name, dir_fd=parent)
            os.fsync(parent)
        return os.open(name, FOLDER, dir_fd=parent)


def _check_size(size: int, place: Place, limit: int) -> None:
    if size > limit:
        most = f"{limit / 1_048_576:.0f} MB"
        raise TooLarge(
            f"{place.relative} has {size / 1_048_576:.1f} MB; files over {most} are not read; "
            "look at a part of it with a command, if you can run one"
        )


def _check_regular(info: os.stat_result, place: Place) -> None:
    kind = stat.S_IFMT(info.st_mode)
    if kind == stat.S_IFREG:
        return
    if kind == stat.S_IFLNK:
        raise OutsideWorkspace(f"{place.relative} is a link that may not be followed")
    name = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }.get(kind, "something else")
    raise WrongKind(f"{place.relative} is {name}, not a file")


def _read_up_to(handle: int, size: int, limit: int) -> bytes:
    """Read until the end or just past `limit`; the size is only a hint (files grow, /proc says 0)."""
    pieces, total = [], 0
    while total <= limit and (piece := os.read(handle, min(max(size, 65_536), limit) + 1)):
        pieces.append(piece)
        total += len(piece)
    return b"".join(pieces)


def _near(place: Place) -> str:
    try:
        names = [entry.name for entry in place.root.joinpath(*place.parts[:-1]).iterdir()]
    except OSError:
        return ""
    same = [name for name in names if name.casefold() == place.name.casefold() and name != place.name]
    return f" (but there is {printable(same[0])})" if same else "; ls and glob show what there is"
