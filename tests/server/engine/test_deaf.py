"""A worker whose carrier of wake-ups is away looks for itself, often."""

import asyncio
import time
from contextlib import AsyncExitStack

from tests.fakes.engines import FAST, Driver, Graphs

from artel.server.engine import EngineSettings, open_engine
from artel.storage.broker import LonelyBroker
from artel.storage.postgres import open_database


async def test_a_run_is_begun_soon_though_nobody_can_say_that_it_waits(
    fresh_dsn: str, graphs: Graphs
) -> None:
    async with AsyncExitStack() as stack:

        async def opening(*, worker: bool) -> Driver:
            broker = LonelyBroker()
            db = await stack.enter_async_context(open_database(fresh_dsn, pool_size=4, tell=broker.tell))
            settings = EngineSettings(**{**FAST, "worker": worker, "poll_s": 60})
            return Driver(await stack.enter_async_context(open_engine(db, broker, graphs, settings=settings)))

        api, worker = await opening(worker=False), await opening(worker=True)
        await asyncio.sleep(0.1)  # it has looked, and has gone to sleep for a minute
        for lost in worker.engine.broker.on_lost:
            lost()
        started = time.monotonic()
        assert (await api.run("three")).status == "success"
        assert time.monotonic() - started < 3
