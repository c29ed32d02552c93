"""Engines in this process, with small graphs to run; the database is real."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.fakes.engines import FAST, Driver, Graphs, Open, Stage

from artel.server.engine import EngineSettings, open_engine
from artel.storage.broker import open_broker
from artel.storage.postgres import open_database


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def graphs(stage: Stage) -> Graphs:
    return Graphs(stage)


@pytest.fixture
async def opened(fresh_dsn: str, graphs: Graphs) -> AsyncIterator[Open]:
    """Open as many engines on the database of the test as it likes."""
    async with AsyncExitStack() as stack:

        async def opening(**settings: Any) -> Driver:
            db = await stack.enter_async_context(open_database(fresh_dsn, pool_size=8))
            broker = await stack.enter_async_context(open_broker(fresh_dsn))
            engine = await stack.enter_async_context(
                open_engine(db, broker, graphs, settings=EngineSettings(**{**FAST, **settings}))
            )
            return Driver(engine)

        yield opening


@pytest.fixture
async def driver(opened: Open) -> Driver:
    return await opened()
