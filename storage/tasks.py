"""Ends background tasks for certain."""

import asyncio
from typing import Any

AGAIN_S = 0.2


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until each is done; what they raised is not raised here.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which libraries below us use, loses a
    cancellation that comes in the very moment in which what it waits for is done.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)
