"""Tasks end, also those that miss a cancellation."""

import asyncio

from artel.storage import tasks


async def test_a_task_that_loses_a_cancellation_ends_all_the_same() -> None:
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost > 2:
                    raise

    async def failing() -> None:
        raise ValueError("as it ends")

    working = [asyncio.create_task(deaf()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await tasks.end(*working)
        await tasks.end()
    assert lost == 3
    assert all(task.done() for task in working)
    assert isinstance(working[1].exception(), ValueError)
