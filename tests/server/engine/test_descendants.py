"""Questions of agents inside agents inside agents: in the root thread's list, and the right one goes on."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import pytest
from langchain_core.messages import AIMessage, ToolCall
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Send, interrupt
from tests.fakes.engines import ASKED, Driver, Graphs, Stage, State, chain
from typing_extensions import TypedDict

from artel.server.engine import dispatch
from artel.storage import approvals
from artel.storage.approvals import Approval

Answering = Callable[[Driver, Approval, dict[str, Any]], Awaitable[Any]]


class About(TypedDict, total=False):
    about: Annotated[str, lambda old, new: new]
    trail: Annotated[list[str], lambda old, new: [*old, *new]]


async def by_product(driver: Driver, row: Approval, decision: dict[str, Any]) -> Any:
    run = await dispatch.answer(driver.engine, row.approval_id, decision, by="me", owner="local")
    return await driver.end(run)


async def by_wire(driver: Driver, row: Approval, decision: dict[str, Any]) -> Any:
    command = {"resume": {row.interrupt_id: decision}}
    return await driver.run("root", row.thread_id, command=command)


SURFACES = [by_product, by_wire]
MODES: list[dict[str, Any]] = [{}, {"stream_mode": ["messages-tuple"]}]  # which look inside, and do not


def question(about: str) -> dict[str, Any]:
    return {**ASKED, "tool_call_id": about, "args": {"path": about}}


def leaf(stage: Stage) -> Any:
    """The innermost agent: asks, and does it after a yes."""

    async def gate(state: About) -> dict[str, Any]:
        answer = interrupt(question(state["about"]))
        stage.did.append(f"{state['about']}: {answer['type']}")
        return {"trail": [f"{state['about']} {answer['type']}"]}

    graph = StateGraph(About)
    graph.add_node("gate", gate)
    graph.add_edge(START, "gate")
    graph.add_edge("gate", END)
    return graph.compile(name="leaf")


def middle(inner: Any, name: str = "middle") -> Any:
    graph = StateGraph(About)
    graph.add_node("inner", inner)
    graph.add_edge(START, "inner")
    graph.add_edge("inner", END)
    return graph.compile(name=name)


def fan(child: Any) -> Any:
    """The root: sends x and y to a child each."""
    graph = StateGraph(About)
    graph.add_node("child", child)
    both: Any = [Send("child", {"about": "x"}), Send("child", {"about": "y"})]
    graph.add_conditional_edges(START, lambda _: both, ["child"])
    graph.add_edge("child", END)
    return graph.compile(name="root")


def as_nodes(stage: Stage) -> Any:
    return fan(middle(leaf(stage)))


def as_calls(stage: Stage) -> Any:
    """Each level is a node that calls a compiled graph with its parent's config."""

    def calling(graph: Any) -> Any:
        async def call(state: About, config: RunnableConfig) -> Any:
            done = await graph.ainvoke({"about": state["about"]}, config)
            return {"trail": done["trail"]}

        return call

    return fan(middle(calling(middle(calling(leaf(stage))))))


def as_tools(stage: Stage) -> Any:
    """The lower levels are tools that call a compiled graph, two of them from one message."""

    @tool
    async def delegate(about: str, config: RunnableConfig) -> str:
        """Have another agent do it."""
        done = await middle(leaf(stage)).ainvoke({"about": about}, config)
        return str(done["trail"])

    async def speak(state: State) -> dict[str, Any]:
        calls = [ToolCall(name="delegate", args={"about": one}, id=f"call_{one}") for one in "xy"]
        return {"messages": [AIMessage("", tool_calls=calls)]}

    return chain({"speak": speak, "tools": ToolNode([delegate])})


async def open_rows(driver: Driver, thread_id: UUID) -> dict[str, Approval]:
    async with driver.db.connection() as conn:
        rows = await approvals.open_of_thread(conn, thread_id)
    return {row.args["path"]: row for row in rows if row.args}


@pytest.mark.parametrize("answer", SURFACES)
@pytest.mark.parametrize("build", [as_nodes, as_calls])
@pytest.mark.parametrize("order", ["xy", "yx"])
@pytest.mark.parametrize("kwargs", MODES)
async def test_each_child_gets_its_own_answer(
    driver: Driver, graphs: Graphs, stage: Stage, build: Any, answer: Answering, order: str, kwargs: Any
) -> None:
    graphs.known["root"] = build(stage)
    run = await driver.run("root", **kwargs)
    rows = await open_rows(driver, run.thread_id)
    assert set(rows) == {"x", "y"}
    for row in rows.values():
        path = row.namespace.split("|")
        assert [part.split(":")[0] for part in path[:2]] == ["child", "inner"]
    decisions = {"x": {"type": "approve"}, "y": {"type": "reject"}}
    for about in order:
        row = (await open_rows(driver, run.thread_id))[about]
        assert (await answer(driver, row, decisions[about])).status == "success"
    assert sorted(stage.did) == ["x: approve", "y: reject"]
    assert await open_rows(driver, run.thread_id) == {}
    assert (await driver.of_thread(run.thread_id)).status == "idle"


@pytest.mark.parametrize("answer", SURFACES)
@pytest.mark.parametrize("kwargs", MODES)
async def test_two_agents_called_as_tools_each_get_their_own_answer(
    driver: Driver, graphs: Graphs, stage: Stage, answer: Answering, kwargs: Any
) -> None:
    graphs.known["root"] = as_tools(stage)
    run = await driver.run("root", **kwargs)
    decisions = {"x": {"type": "approve"}, "y": {"type": "reject"}}
    for _ in range(4):
        rows = await open_rows(driver, run.thread_id)
        if not rows:
            break
        about, row = sorted(rows.items())[-1]
        path = row.namespace.split("|")
        assert (path[0].split(":")[0], path[-1].split(":")[0]) == ("tools", "inner")
        assert (await answer(driver, row, decisions[about])).status == "success"
    assert sorted(set(stage.did)) == ["x: approve", "y: reject"]
    assert (await driver.of_thread(run.thread_id)).status == "idle"
