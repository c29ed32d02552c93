"""Processes that cannot wake each other, behind a pooler alone: slower by the poll, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.fakes.engines import FAST, Driver, Graphs, Open, Stage

from artel.server.engine import EngineSettings, dispatch, open_engine
from artel.storage.broker import LonelyBroker
from artel.storage.postgres import open_database


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
async def lonely(fresh_dsn: str, stage: Stage) -> AsyncIterator[Open]:
    """Open engines that hear only themselves."""
    async with AsyncExitStack() as stack:

        async def opening(**settings: Any) -> Driver:
            broker = LonelyBroker()
            db = await stack.enter_async_context(open_database(fresh_dsn, pool_size=8, tell=broker.tell))
            chosen = EngineSettings(**{**FAST, **settings})
            return Driver(
                await stack.enter_async_context(open_engine(db, broker, Graphs(stage), settings=chosen))
            )

        yield opening


async def test_a_run_is_found_followed_and_cancelled_without_wake_ups(lonely: Open, stage: Stage) -> None:
    api, worker = await lonely(worker=False), await lonely()
    run = await api.start("slow")
    reader = asyncio.create_task(api.events(run))
    async with asyncio.timeout(5):
        await stage.reached.wait()
        await dispatch.cancel(api.engine, run.thread_id, run.run_id, wait=True)
        assert (await worker.row(run)).status == "interrupted"
        assert (await reader)[-1].type == "run.ended"


async def test_a_worker_without_a_lock_that_stops_renewing_is_taken_over(lonely: Open, stage: Stage) -> None:
    one = await lonely()
    run = await one.start("slow", durability="sync")
    await stage.reached.wait()
    two = await lonely()
    for job in asyncio.all_tasks():
        if job.get_name() == f"{one.engine.worker_id} keep_lease":
            job.cancel()
    async with asyncio.timeout(5):
        while run.run_id not in two.engine.live:
            assert not (await two.row(run)).ended
            await asyncio.sleep(0.02)
        held = one.engine.live.get(run.run_id)
        assert held is None or held.lost, "it has stopped before the other began"
    stage.gate.set()
    ended = await two.end(run)
    assert (ended.status, ended.attempt) == ("success", 2)
