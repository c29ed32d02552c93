"""One writer of a repository at a time, in this process; between processes git's own locks stand."""

from asyncio import AbstractEventLoop, Lock, get_running_loop
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakValueDictionary

_locks: WeakValueDictionary[tuple[AbstractEventLoop, Path], Lock] = WeakValueDictionary()


@asynccontextmanager
async def turn(root: Path) -> AsyncIterator[None]:
    """Wait until nobody else here writes in the repository at `root`."""
    lock = _locks.setdefault((get_running_loop(), root), Lock())
    async with lock:
        yield
