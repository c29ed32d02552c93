"""Urgent runs begin first: as the configuration says of their threads, and as they ask themselves."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.engines import FAST, Driver

from artel.server import served
from artel.server.catalog import Catalog
from artel.server.engine import EngineSettings, open_engine
from artel.server.engine.priority import assign_of
from artel.server.served import ConfigWrong
from artel.storage.broker import open_broker
from artel.storage.ids import new_id
from artel.storage.postgres import open_database
from artel.storage.runs import Order

AGENT = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict, total=False):
    n: int

made = StateGraph(State)
made.add_node("step", lambda state: {"n": 1})
made.add_edge(START, "step")
made.add_edge("step", END)
graph = made.compile()
"""
RULES = """
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langgraph_sdk import Priority
    priority = Priority()
asked = []

@priority.assign
async def assign(ctx):
    asked.append(ctx)
    wish = ctx.run_metadata.get("wish")
    if wish == "broken":
        raise ValueError("no idea")
    return {"priority": wish} if wish is not None else None

empty = "x"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agent_of_rank.py").write_text(AGENT)
    (tmp_path / "ranking.py").write_text(RULES)
    return tmp_path


def configured(folder: Path, path: object) -> Catalog:
    file = folder / "langgraph.json"
    file.write_text(json.dumps({"graphs": {"a": "./agent_of_rank.py:graph"}, "priority": {"path": path}}))
    return Catalog.of(served.read(file))


class Asking(Driver):
    """A driver whose orders carry metadata, and what they ask for as the wire has it."""

    def order(self, graph: str, thread_id: UUID, **kwargs: Any) -> Order:
        asks, metadata = kwargs.pop("asks", None), kwargs.pop("metadata", {})
        made = super().order(graph, thread_id, **kwargs)
        return replace(made, metadata=metadata, kwargs={**made.kwargs, "priority": asks})


@asynccontextmanager
async def waiting_only(dsn: str, catalog: Catalog) -> AsyncIterator[Asking]:
    """Open an engine that runs nothing: the queue stays as it is."""
    settings = EngineSettings(**{**FAST, "worker": False})
    async with (
        open_database(dsn) as db,
        open_broker(dsn) as broker,
        open_engine(db, broker, catalog, settings=settings) as engine,
    ):
        yield Asking(engine)


@pytest.fixture(autouse=True)
def _forgotten() -> Any:
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in ("ranking", "agent_of_rank"):
        sys.modules.pop(name, None)


async def test_a_thread_keeps_what_was_first_said_of_it(fresh_dsn: str, folder: Path) -> None:
    async with waiting_only(fresh_dsn, configured(folder, "./ranking.py:priority")) as driver:
        asked = sys.modules["ranking"].asked
        thread = await driver.thread()
        first = await driver.start("a", thread, metadata={"wish": -5})
        second = await driver.start("a", thread, metadata={"wish": 5})
        assert (first.priority, second.priority) == (5, 5)
        (told,) = asked
        assert (told.thread_id, told.graph_id, told.user.identity) == (str(thread), "a", "")
        assert told.cron_id is None


async def test_a_run_may_ask_to_go_later_than_its_thread_but_not_sooner(fresh_dsn: str, folder: Path) -> None:
    async with waiting_only(fresh_dsn, configured(folder, "./ranking.py:priority")) as driver:
        thread = await driver.thread()
        meant: dict[str, Any] = {"metadata": {"wish": -2}}
        later = await driver.start("a", thread, priority=-3, asks=3, **meant)
        sooner = await driver.start("a", thread, priority=5, asks=-5, **meant)
        assert (later.priority, sooner.priority) == (-3, 2)


async def test_a_function_that_fails_stops_no_run_and_is_asked_again(fresh_dsn: str, folder: Path) -> None:
    async with waiting_only(fresh_dsn, configured(folder, "./ranking.py:priority")) as driver:
        thread = await driver.thread()
        for wish in ("broken", 9, True, "high"):
            assert (await driver.start("a", thread, metadata={"wish": wish})).priority == 0
        assert (await driver.start("a", thread, metadata={"wish": 4})).priority == -4
        made = await driver.start("a", new_id(), if_not_exists="create", metadata={"wish": 1})
        assert (await driver.start("a", made.thread_id)).priority == -1


def test_a_priority_that_cannot_be_used_is_named(folder: Path) -> None:
    for path, said in [
        ("./ranking.py:empty", "must be a Priority"),
        ("./ranking.py:nothing", "nothing"),
        ("./missing.py:priority", "missing.py"),
        ("ranking", "file.py:name"),
        (5, "priority.path"),
    ]:
        catalog = configured(folder, path)
        with pytest.raises(ConfigWrong, match=said):
            assign_of(catalog.config)
