"""Copy a folder, from descriptor to descriptor: no link in it is followed, whoever swaps one in meanwhile.

Ignored files are copied like all others: tests need `node_modules` and `.venv`. Where the file system can,
both share their blocks until one of them is written.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from artel.tools.errors import ToolFailed
from artel.tools.workspace import opening
from artel.tools.workspace.paths import MARKER, MAX_DEPTH, Place, TooLarge

MAX_ENTRIES = 1_000_000
FICLONE = 0x40049409  # ioctl_ficlone(2)
BLOCK = 1_048_576
_ELSEWHERE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF}


class CopyStopped(ToolFailed):
    """Somebody stopped the copying."""

    code = "copy_stopped"


@dataclass(slots=True)
class _Copying:
    max_bytes: int
    stop: Event
    bytes: int = 0
    entries: int = 0

    def count(self, size: int, place: Place) -> None:
        self.bytes += size
        if self.bytes > self.max_bytes:
            raise TooLarge(
                f"{place.root} has more than {self.max_bytes >> 20} MB, so it was not copied: register it "
                "with the mode worktree or shared, remove what is not needed, or raise its max_mb or "
                "ARTEL_WORKSPACES__MAX_MB"
            )

    def folder(self, source: int, target: int, place: Place, without: Collection[str]) -> None:
        with opening.translated(place), os.scandir(source) as scanned:
            entries = [entry for entry in scanned if entry.name not in without]
        for entry in entries:
            if self.stop.is_set():
                raise CopyStopped(f"the copying of {place.root} was stopped")
            self.entries += 1
            if self.entries > MAX_ENTRIES:
                raise TooLarge(f"{place.root} has more than {MAX_ENTRIES} files, so it was not copied")
            at = place.child(entry.name)
            with opening.translated(at), contextlib.suppress(FileNotFoundError):  # gone meanwhile
                self.entry(entry, source, target, at)

    def entry(self, entry: "os.DirEntry[str]", source: int, target: int, place: Place) -> None:
        if entry.is_symlink():
            os.symlink(os.readlink(entry.name, dir_fd=source), entry.name, dir_fd=target)
        elif entry.is_dir(follow_symlinks=False):
            self.inner(entry.name, source, target, place)
        elif entry.is_file(follow_symlinks=False):
            self.file(entry.name, source, target, place)

    def inner(self, name: str, source: int, target: int, place: Place) -> None:
        if len(place.parts) > MAX_DEPTH:
            raise TooLarge(f"{place.root} is more than {MAX_DEPTH} folders deep, so it was not copied")
        within = os.open(name, opening.FOLDER, dir_fd=source)
        try:
            if _has(within, MARKER):
                return
            os.mkdir(name, 0o700, dir_fd=target)
            made = os.open(name, opening.FOLDER, dir_fd=target)
            try:
                self.folder(within, made, place, ())
                os.fchmod(made, stat.S_IMODE(os.fstat(within).st_mode) & 0o777 | 0o700)
            finally:
                os.close(made)
        finally:
            os.close(within)

    def file(self, name: str, source: int, target: int, place: Place) -> None:
        given = os.open(name, opening.FILE, dir_fd=source)
        try:
            info = os.fstat(given)
            if not stat.S_ISREG(info.st_mode):
                return
            self.count(info.st_size, place)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            made = os.open(name, flags, 0o600, dir_fd=target)
            try:
                _fill(given, made, info.st_size)
                os.fchmod(made, stat.S_IMODE(info.st_mode) & 0o777)
                os.utime(made, ns=(info.st_atime_ns, info.st_mtime_ns))
            finally:
                os.close(made)
        finally:
            os.close(given)


def copy(
    source: Path, target: Path, *, max_bytes: int, stop: Event | None = None, without: Collection[str] = ()
) -> int:
    """Copy what is in the folder `source` into the empty folder `target`; return how many bytes.

    Links stay links; devices, pipes and sockets are left out, and so are data folders of Artel's and the
    entries of `source` itself that are named in `without`. Setting `stop` ends it soon.

    Raises:
        TooLarge: it has more than `max_bytes`, or too many files, or is too deep.
        ToolFailed: a file cannot be read or written; the message names it.
    """
    copying = _Copying(max_bytes, stop or Event())
    with opening.folder(Place(source, ())) as given, opening.folder(Place(target, ())) as made:
        copying.folder(given, made, Place(source, ()), without)
    return copying.bytes


def _has(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _fill(source: int, target: int, size: int) -> None:
    with contextlib.suppress(OSError):  # most file systems cannot
        fcntl.ioctl(target, FICLONE, source)
        return
    left = size
    try:
        while left and (done := os.copy_file_range(source, target, min(left, 64 * BLOCK))):
            left -= done
    except OSError as error:
        if error.errno not in _ELSEWHERE:
            raise
        while left and (block := os.read(source, min(left, BLOCK))):
            left -= len(block)
            _write(target, block)


def _write(target: int, block: bytes) -> None:
    while block:
        block = block[os.write(target, block) :]
