"""Remove a folder that we made, whatever an agent left in it: through no link, and however deep."""

import os
from pathlib import Path
from uuid import uuid4

from artel.tools.workspace.opening import ABOVE, FOLDER

GONE = ".gone-"  # what a folder is called from the moment on that it is no workspace any more
DEEP = 64  # folders; what lies deeper is moved up first, so that we run out of nothing


def take_away(folder: Path) -> Path | None:
    """Rename a folder, so that nobody works in it any more; return its new name, None if it is not there."""
    gone = folder.with_name(f"{GONE}{uuid4().hex}")
    try:
        folder.rename(gone)
    except FileNotFoundError:
        return None
    return gone


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it; a link in its place is removed itself.

    Raises:
        OSError: something in it cannot be removed.
    """
    if folder.is_symlink():
        folder.unlink()
        return
    top = os.open(folder, FOLDER)
    try:
        while _empty(top, top, 0):
            pass
    finally:
        os.close(top)
    folder.rmdir()


def _empty(folder: int, top: int, depth: int) -> bool:
    """Empty an open folder; return whether something was moved up into `top`."""
    os.fchmod(folder, 0o700)
    with os.scandir(folder) as scanned:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in scanned]
    moved = False
    for name, is_folder in entries:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
        elif depth >= DEEP:
            os.rename(name, uuid4().hex, src_dir_fd=folder, dst_dir_fd=top)
            moved = True
        else:
            inner = _enter(name, folder)
            try:
                moved |= _empty(inner, top, depth + 1)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=folder)
    return moved


def _enter(name: str, folder: int) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=folder)
    except PermissionError:
        closed = os.open(name, ABOVE, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{closed}", 0o700)  # noqa: PTH101 - what is open, wherever its name leads
        finally:
            os.close(closed)
        return os.open(name, FOLDER, dir_fd=folder)
