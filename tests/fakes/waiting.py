"""Waiting for what happens in another task, process, or database."""

import asyncio
import time
from collections.abc import Callable


async def eventually(true: Callable[[], bool], *, within_s: float = 15) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
