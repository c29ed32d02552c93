"""What a running command uses altogether: the kernel limits each process, and the super user's not at all."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from artel.tools.sandbox.settings import SandboxSettings

_PAGE = os.sysconf("SC_PAGE_SIZE")


def over(pid: int, root: Path, settings: SandboxSettings) -> str:
    """Return the limit that the processes below `pid` are over, in words, or nothing.

    `root` lies on the disk that has to keep some space free.
    """
    found: list[int] = []
    for found_pid in below(pid):
        found.append(found_pid)
        if len(found) > settings.processes:
            return f"the limit of {settings.processes} processes"
    limit = settings.memory_mb << 20
    # Pages that processes share count for each of them, which is cheap to read; those over are counted well.
    if sum(map(_resident, found)) > limit and sum(map(_proportional, found)) > limit:
        return f"the limit of {settings.memory_mb} MB of memory"
    if free_mb(root) < settings.disk_free_mb:
        return f"less than {settings.disk_free_mb} MB left on the disk"
    return ""


def free_mb(root: Path) -> int:
    """Return the free space of the disk that `root` is on, in MB; of a folder that is gone, as if endless."""
    try:
        disk = os.statvfs(root)
    except OSError:
        return sys.maxsize
    return disk.f_bavail * disk.f_frsize >> 20


def below(pid: int) -> Iterator[int]:
    """Yield the children of a process, their children and so on; nothing where the kernel does not tell."""
    todo = [pid]
    while todo:
        for child in _children(todo.pop()):
            yield child
            todo.append(child)


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        with os.scandir(f"/proc/{pid}/task") as threads:
            for thread in threads:
                children += map(int, Path(thread.path, "children").read_text().split())
    except OSError:  # it ended meanwhile
        pass
    return children


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)
