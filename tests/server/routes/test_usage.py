"""What calls of models used: written as they end, added up over the product's own API, each owner's own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from tests.fakes.driver import BUILDERS, OneModel
from tests.fakes.openai_server import openai_server
from tests.fakes.plans import SILENT, plan, step, submits
from tests.fakes.served import calling, serving
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

from artel.graphs.context import Handles
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.scripted import scripted
from artel.server.catalog import Catalog, Entry
from artel.storage import usage
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.usage import Call

USED = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 800},
    "completion_tokens_details": {"reasoning_tokens": 40},
}
TURN = {"deltas": [{"content": "hi"}], "usage": USED}


def asking(models: Models) -> Any:
    """A graph that asks a model twice."""

    async def ask(state: MessagesState) -> Any:
        return {"messages": await models.chat("asking").ainvoke([HumanMessage("hello")])}

    graph = StateGraph(MessagesState)
    graph.add_node("first", ask)
    graph.add_node("second", ask)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    return graph.compile()


@pytest.fixture
async def wire(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Wire]:
    async with openai_server(503, *[TURN] * 8) as server:
        prices = {"vllm:tiny": {"input": 1, "cached": 0.1, "output": 10}}
        given = {"openai_base_url": server.url, "vllm_base_url": server.url, "retries": 0, "prices": prices}
        models = Models(
            ModelSettings.model_validate({**given, "model": "openai:tiny", "fallbacks": ["vllm:tiny"]})
        )
        catalog = Catalog({"asking": Entry("Asks twice", asking(models))})
        handles = Handles(models=models, roots=(tmp_path,), default_workspace=tmp_path)
        async with serving(fresh_dsn, catalog=catalog, handles=handles) as app, calling(app) as http:
            yield Wire(app, http)
        await models.aclose()


async def run(wire: Wire) -> str:
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "asking", "input": {}})
    return thread


async def test_each_call_is_there_when_its_run_is_over_under_the_model_that_answered(wire: Wire) -> None:
    thread = await run(wire)
    told = await wire.ok("GET", f"/api/v1/usage?thread_id={thread}&group_by=model")
    total = told["total"]
    assert (total["calls"], total["input_tokens"], total["cached_tokens"]) == (2, 2000, 1600)
    assert (total["output_tokens"], total["thought"], total["cache_share"]) == (200, 80, 0.8)
    assert {one["key"]: one["usd"] for one in told["groups"]} == {
        "vllm:tiny": pytest.approx((200 * 1 + 800 * 0.1 + 100 * 10) / 1e6),  # the first fell back
        "openai:tiny": None,
    }
    assert (total["unpriced"], total["usd"]) == (1, pytest.approx(0.00128))
    by_step = await wire.ok("GET", f"/api/v1/usage?thread_id={thread}&group_by=step")
    assert [one["key"].split("/")[1] for one in by_step["groups"]] == ["2", "1"]
    (by_agent,) = (await wire.ok("GET", "/api/v1/usage?group_by=agent&limit=1"))["groups"]
    assert (by_agent["key"], by_agent["calls"]) == ("asking", 2)
    (run_of,) = (await wire.ok("GET", "/api/v1/usage?group_by=run"))["groups"]
    assert (await wire.ok("GET", f"/api/v1/usage?run_id={run_of['key']}"))["total"]["calls"] == 2
    text = (await wire("GET", "/metrics")).text
    assert 'artel_model_cached_tokens_total{model="tiny"} 1600.0' in text
    assert 'artel_model_usd_total{model="tiny"}' in text


async def test_what_a_plan_says_its_steps_cost_is_what_was_noted_of_them(
    fresh_dsn: str, tmp_path: Path
) -> None:
    made = plan(step("look", "Look around", agent="ask"), step("sum", "Sum it up", agent="ask"))
    model = scripted(made, SILENT, submits("seen"))
    handles = Handles(models=OneModel(model), roots=(tmp_path,), default_workspace=tmp_path)
    catalog = Catalog({"orchestrator": Entry("Plans", BUILDERS["orchestrator"]())})
    async with serving(fresh_dsn, catalog=catalog, handles=handles) as app, calling(app) as http:
        wire = Wire(app, http)
        thread = await wire.thread()
        asked = {"messages": [{"role": "user", "content": "Make a plan and change it all"}]}
        path = f"/threads/{thread}/runs/wait"
        await wire.ok("POST", path, {"assistant_id": "orchestrator", "input": asked})
        yes = {"resume": {"type": "approve"}}
        state = await wire.ok("POST", path, {"assistant_id": "orchestrator", "command": yes})
        told = await wire.ok("GET", f"/api/v1/usage?thread_id={thread}&group_by=step")
        agents = await wire.ok("GET", f"/api/v1/usage?thread_id={thread}&group_by=agent")
    cost = state["result"]["cost"]
    assert (cost["input"], cost["output"]) == tokens(told["total"])
    by_step = {one["key"].partition("/")[2]: tokens(one) for one in told["groups"]}
    for one in state["result"]["steps"]:
        assert by_step[f"plan/{one['id']}"] == (one["cost"]["input"], one["cost"]["output"]) > (0, -1)
    assert {one["key"] for one in agents["groups"]} == {"orchestrator", "ask"}


def tokens(of: dict[str, Any]) -> tuple[int, int]:
    return of["input_tokens"], of["output_tokens"]


async def test_nothing_is_nothing(wire: Wire) -> None:
    told = await wire.ok("GET", f"/api/v1/usage?thread_id={uuid4()}&group_by=day")
    assert (told["groups"], told["total"]["calls"], told["total"]["usd"]) == ([], 0, None)


@pytest.mark.parametrize(
    "query", ["group_by=colour", "thread_id=1", "limit=0", "since=soon", "limit=99999999999"]
)
async def test_what_makes_no_sense_is_refused(wire: Wire, query: str) -> None:
    assert (await wire.refused("GET", f"/api/v1/usage?{query}"))[0] == 422


async def test_what_another_owns_is_not_counted(folder: Open) -> None:
    async with folder({"auth.py": AUTH}, auth={"path": "./auth.py:auth"}) as guarded:
        ada, bob = As(guarded, "ada"), As(guarded, "bob")
        thread = await ada.thread()
        async with guarded.app.state.engine.db.connection() as conn:
            await usage.add(conn, [call(thread_id=thread)])
        for user, calls in ((ada, 1), (bob, 0)):
            for query in (f"thread_id={thread}", "group_by=thread"):
                assert (await user.ok("GET", f"/api/v1/usage?{query}"))["total"]["calls"] == calls


def call(**more: Any) -> Call:
    made: dict[str, Any] = {
        "run_id": new_id(), "call_id": new_id(), "thread_id": new_id(), "owner": "local", "agent": "a",
        "model": "m", "step": 1, "took_ms": 5, "input_tokens": 10, "cached_tokens": 0, "cache_written": 0,
        "output_tokens": 2, "thought": 0, "usd": None,
    }  # fmt: skip
    return Call(**{**made, **more})


async def test_a_call_written_twice_is_one_and_no_count_is_too_large(conn: Connection) -> None:
    once = call(input_tokens=2**40)
    await usage.add(conn, [once])
    await usage.add(conn, [once, call(usd=0.25)])
    (found,) = await usage.sums(conn, owner="local")
    assert (found.calls, found.input_tokens, found.usd, found.unpriced) == (2, 2**31 - 1 + 10, 0.25, 1)
    assert await usage.sums(conn, owner="another") == []


async def test_the_health_of_models_is_shown_for_each_agent(wire: Wire) -> None:
    await run(wire)
    told = await wire.ok("GET", "/api/v1/models")
    assert told["default"] == ["openai:tiny", "vllm:tiny"]
    assert told["agents"]["coder"] == told["default"]
    first, second = told["models"]
    assert (first["model"], first["state"], second["latency"]["answers"]) == ("openai:tiny", "closed", 1)
    assert "told to answer 503" in first["last_error"]
    assert first["latency"]["whole_p95_s"] >= first["latency"]["first_p50_s"] > 0
    assert told["problem"] is None


async def test_models_that_are_left_alone_are_a_reason_to_look(wire: Wire) -> None:
    models = wire.app.state.engine.handles.models
    wire.app.state.catalog.config = None

    async def model() -> Any:
        return (await wire.ok("GET", "/health"))["dependencies"]["model"]

    assert (await model())["status"] == "ok"
    for name, said in (("openai:tiny", "vllm:tiny answers"), ("vllm:tiny", "are left alone")):
        for _ in range(5):
            models._standing(name).failed("gone", at_fault=True)
        assert (await model())["status"] == "degraded"
        assert said in (await model())["reason"]
