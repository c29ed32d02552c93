"""A run never waits for what nobody can see, and never passes over a question in silence."""

from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from tests.fakes.engines import Driver, Graphs, Stage, State, chain

from artel.storage import approvals

MODES: list[dict[str, Any]] = [{}, {"stream_mode": ["messages-tuple"]}]


async def ask(state: State) -> dict[str, Any]:
    return {"answer": interrupt("which?")}


def asking(**compiled: Any) -> Any:
    graph = StateGraph(State)
    graph.add_node("before", lambda _: {})
    graph.add_node("ask", ask)
    graph.add_edge(START, "before")
    graph.add_edge("before", "ask")
    graph.add_edge("ask", END)
    return graph.compile(**compiled)


async def raises_it_bare(state: State) -> None:
    try:
        interrupt("which?")
    except GraphInterrupt:
        raise GraphInterrupt from None


async def catches_it(state: State, config: RunnableConfig) -> dict[str, Any]:
    try:
        return dict(await asking().ainvoke({}, config))
    except Exception as lost:  # noqa: BLE001 - as careless tools do
        return {"answer": str(type(lost).__name__)}


async def stops_inside(state: State, config: RunnableConfig) -> Any:
    return await asking(interrupt_before=["ask"]).ainvoke({}, config)


async def run(driver: Driver, graphs: Graphs, node: Any, stage: Stage, **kwargs: Any) -> Any:
    async def after(state: State) -> dict[str, Any]:
        return await stage.step("after")

    graphs.known["unseen"] = chain({"node": node, "after": after})
    return await driver.run("unseen", **kwargs)


async def the_error(driver: Driver, run: Any) -> tuple[str, str, str]:
    ended = await driver.row(run)
    assert ended.error is not None
    return ended.status, ended.error["error"], ended.error["message"]


@pytest.mark.parametrize("kwargs", MODES)
async def test_a_question_raised_without_its_text_fails(
    driver: Driver, graphs: Graphs, stage: Stage, kwargs: dict[str, Any]
) -> None:
    ended = await run(driver, graphs, raises_it_bare, stage, **kwargs)
    status, error, message = await the_error(driver, ended)
    assert (status, error) == ("error", "WaitsForNobody")
    assert "node stopped without a question" in message
    assert (await driver.of_thread(ended.thread_id)).status == "error"
    assert stage.did == []


async def test_one_inside_a_graph_inside_fails_too(driver: Driver, graphs: Graphs, stage: Stage) -> None:
    ended = await run(driver, graphs, chain({"bare": raises_it_bare}), stage)
    assert (await the_error(driver, ended))[1] == "WaitsForNobody"


@pytest.mark.parametrize("kwargs", MODES)
async def test_a_question_that_was_caught_is_no_success(
    driver: Driver, graphs: Graphs, stage: Stage, kwargs: dict[str, Any]
) -> None:
    ended = await run(driver, graphs, catches_it, stage, **kwargs)
    status, error, message = await the_error(driver, ended)
    assert (status, error) == ("error", "QuestionLost")
    assert "catch only the errors you expect" in message


async def test_a_breakpoint_in_a_graph_without_checkpoints_fails(
    driver: Driver, graphs: Graphs, stage: Stage
) -> None:
    ended = await run(driver, graphs, asking(checkpointer=False, interrupt_before=["ask"]), stage)
    assert (await the_error(driver, ended))[1] == "WaitsForNobody"


async def test_an_answer_that_reaches_no_graph_fails_instead_of_asking_for_ever(
    driver: Driver, graphs: Graphs, stage: Stage
) -> None:
    first = await run(driver, graphs, asking(checkpointer=False), stage)
    async with driver.db.connection() as conn:
        (row,) = await approvals.open_of_thread(conn, first.thread_id)
    answer = {"resume": {row.interrupt_id: "that"}}
    ended = await driver.run("unseen", first.thread_id, command=answer)
    status, error, message = await the_error(driver, ended)
    assert (status, error) == ("error", "AnswerLost")
    assert "Compile it without checkpointer=False" in message
    async with driver.db.connection() as conn:
        assert await approvals.open_of_thread(conn, first.thread_id) == []


@pytest.mark.parametrize("compiled", [{}, {"checkpointer": True}, {"checkpointer": InMemorySaver()}])
async def test_a_graph_inside_that_keeps_checkpoints_gets_its_answer(
    driver: Driver, graphs: Graphs, stage: Stage, compiled: dict[str, Any]
) -> None:
    first = await run(driver, graphs, asking(**compiled), stage)
    async with driver.db.connection() as conn:
        (row,) = await approvals.open_of_thread(conn, first.thread_id)
    answer = {"resume": {row.interrupt_id: "that"}}
    assert (await driver.run("unseen", first.thread_id, command=answer)).status == "success"
    assert stage.did == ["after"]


async def test_a_node_that_asks_the_same_until_it_is_told_goes_on(
    driver: Driver, graphs: Graphs, stage: Stage
) -> None:
    async def insists(state: State) -> dict[str, Any]:
        while (answer := interrupt("a number?")) != "7":
            stage.did.append(answer)
        return {"answer": answer}

    ended = await run(driver, graphs, chain({"insists": insists}), stage)
    for said in ("x", "y", "7"):
        assert ended.status == "success"
        async with driver.db.connection() as conn:
            (row,) = await approvals.open_of_thread(conn, ended.thread_id)
        answer = {"resume": {row.interrupt_id: said}}
        ended = await driver.run("unseen", ended.thread_id, command=answer)
    assert (ended.status, stage.did[-1]) == ("success", "after")


@pytest.mark.parametrize(
    "given",
    [
        {"interrupt_before": ["after"]},
        {"interrupt_after": ["node"]},
        {"interrupt_before": "*"},
        {"interrupt_after": "*"},
    ],
)
async def test_a_breakpoint_of_the_run_is_waited_at(
    driver: Driver, graphs: Graphs, stage: Stage, given: dict[str, Any]
) -> None:
    async def node(state: State) -> dict[str, Any]:
        return await stage.step("node")

    ended = await run(driver, graphs, node, stage, **given)
    assert ended.status == "success"
    assert (await driver.of_thread(ended.thread_id)).status == "interrupted"


@pytest.mark.parametrize("given", [{"interrupt_before": ["ask"]}, {"interrupt_after": ["before"]}])
async def test_a_breakpoint_of_a_graph_is_waited_at_in_whatever_depth(
    driver: Driver, graphs: Graphs, stage: Stage, given: dict[str, Any]
) -> None:
    graphs.known["own"] = asking(**given)
    inside = await run(driver, graphs, chain({"deep": asking(**given)}), stage)
    for ended in (await driver.run("own"), inside, await run(driver, graphs, stops_inside, stage)):
        assert (ended.status, ended.error) == ("success", None)
        assert (await driver.of_thread(ended.thread_id)).status == "interrupted"
