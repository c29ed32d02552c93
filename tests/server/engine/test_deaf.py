"""A worker whose carrier of wake-ups is away looks for itself, often."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.fakes.carriers import RedisServer
from tests.fakes.engines import FAST, Driver, Graphs

from artel.server.engine import EngineSettings, open_engine
from artel.storage.broker import LonelyBroker
from artel.storage.opening import open_storage
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


@pytest.mark.needs("redis-server")
async def test_a_worker_that_starts_without_redis_looks_often_and_hears_when_it_comes(
    fresh_dsn: str, graphs: Graphs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never lost what it never had: the first look was the last for a slow poll."""
    monkeypatch.setattr("artel.storage.broker.redis.ANSWER_S", 0.2)
    redis = RedisServer(tmp_path)
    async with AsyncExitStack() as stack:
        stack.callback(redis.stop)

        async def opening(*, worker: bool) -> Driver:
            storage = await stack.enter_async_context(open_storage(fresh_dsn, redis=redis.url, pool_size=4))
            settings = EngineSettings(**{**FAST, "worker": worker, "poll_s": 60})
            engine = open_engine(storage.db, storage.broker, graphs, settings=settings)
            return Driver(await stack.enter_async_context(engine))

        api, worker = await opening(worker=False), await opening(worker=True)
        assert worker.engine.broker.deaf
        await asyncio.sleep(0.1)
        assert (await took(api)) < 3

        hears = asyncio.Event()
        worker.engine.broker.on_restored.append(hears.set)
        redis.start()
        async with asyncio.timeout(10):
            await hears.wait()
        assert (worker.engine.broker.deaf, worker.engine.poll_s) == (False, 60)
        await asyncio.sleep(1)  # the last of the frequent looks is over
        assert (await took(api)) < 3


async def took(api: Driver) -> float:
    """Return the seconds that a run took which another process was to begin."""
    started = time.monotonic()
    assert (await api.run("three")).status == "success"
    return time.monotonic() - started
