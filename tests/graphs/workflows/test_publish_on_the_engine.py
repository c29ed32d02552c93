"""Publishing on the real engine: an answer counts as the database has it, and a restart goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.engines import FAST, Driver
from tests.graphs.workflows.conftest import ASKED, YES, Publisher

from artel.graphs.workflows import publish
from artel.server.engine import EngineSettings, dispatch, open_engine
from artel.storage import approvals, runs
from artel.storage.broker import open_broker
from artel.storage.postgres import open_database
from artel.tools.git import publishing

Opens = Callable[[], AbstractAsyncContextManager[Driver]]


class Served:
    """A catalog of the one graph."""

    @asynccontextmanager
    async def graph(self, graph_id: str, config: Any, **_: Any) -> AsyncIterator[Any]:
        del graph_id, config
        yield publish.build()


@pytest.fixture
def opens(fresh_dsn: str, publisher: Publisher) -> Opens:
    """Open an engine; another one after it is the server, started again."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Driver]:
        async with open_database(fresh_dsn, pool_size=8) as db, open_broker(fresh_dsn) as broker:
            settings = EngineSettings(**{**FAST, "grace_s": 0.2})
            async with open_engine(
                db, broker, Served(), settings=settings, handles=publisher.handles
            ) as engine:
                yield Driver(engine)

    return opened


def wanted(publisher: Publisher) -> dict[str, Any]:
    return {**ASKED, "workspace": str(publisher.folder)}


async def questions(driver: Driver, thread_id: UUID) -> list[approvals.Approval]:
    async with driver.db.connection() as conn:
        return await approvals.open_of_thread(conn, thread_id)


async def said_yes(driver: Driver, asked: approvals.Approval) -> runs.Run:
    return await dispatch.answer(driver.engine, asked.approval_id, YES, by="test", owner="local")


def pulls(publisher: Publisher) -> list[str]:
    return [ref for ref in publisher.sent if "pulls" in ref]


@pytest.mark.parametrize("step", ["commit", "push", "request"])
async def test_a_server_that_goes_down_after_an_effect_makes_it_once_when_it_is_back(
    opens: Opens, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real, reached = getattr(publishing, step), asyncio.Event()

    async def never_ends(*args: Any) -> Any:
        await real(*args)
        reached.set()
        await asyncio.sleep(60)

    async with opens() as driver:
        thread_id = await driver.thread()
        await driver.run("publish", thread_id, input=wanted(publisher))
        (asked,) = await questions(driver, thread_id)
        assert (asked.kind, asked.tool) == ("tool_call", "publish")
        with monkeypatch.context() as patch:
            patch.setattr(publishing, step, never_ends)
            run = await said_yes(driver, asked)
            await asyncio.wait_for(reached.wait(), 20)
    async with opens() as again:
        ended = await again.end(run)
        assert (ended.status, ended.attempt > 1) == ("success", True)
        assert await questions(again, thread_id) == []
    (branch,) = [ref for ref in publisher.sent if "feature" in ref]
    assert publisher.git("rev-list", "--count", branch, at=publisher.bare) == "2"
    assert pulls(publisher) == ["refs/artel/pulls/1"]


async def test_the_answer_to_a_question_that_newer_input_replaced_publishes_nothing(
    opens: Opens, publisher: Publisher
) -> None:
    async with opens() as driver:
        thread_id = await driver.thread()
        both = [await driver.start("publish", thread_id, input=wanted(publisher)) for _ in range(2)]
        for run in both:
            await driver.end(run)
        stale, live = await questions(driver, thread_id)
        await driver.end(await said_yes(driver, stale))
        assert pulls(publisher) == []
        assert [one.approval_id for one in await questions(driver, thread_id)] == [live.approval_id]
        await driver.end(await said_yes(driver, live))
    assert pulls(publisher) == ["refs/artel/pulls/1"]
