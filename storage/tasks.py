"""Ends background tasks for certain, and lets others end."""

import asyncio
from collections.abc import Coroutine
from typing import Any

AGAIN_S = 0.2

_finishing: set[asyncio.Task[Any]] = set()


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Do a piece of work to its end, also when whoever waits for it is cancelled, once or at every turn."""
    task = asyncio.create_task(work)
    _finishing.add(task)
    task.add_done_callback(_finishing.discard)
    await asyncio.shield(task)


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
