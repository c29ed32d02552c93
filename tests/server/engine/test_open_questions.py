"""A thread goes on saying what is open when a run that answered something else comes to nothing."""

from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send, interrupt
from tests.fakes.engines import Driver, Graphs, Stage, State

from artel.server.engine import dispatch


@pytest.fixture
def two(graphs: Graphs, stage: Stage) -> None:
    """A graph that asks about x and y at once, and then fails or waits over an answer."""

    async def ask(state: Any) -> dict[str, Any]:
        answer = interrupt({"about": state["about"]})
        if answer == "fail":
            raise ValueError("no luck")
        if answer == "wait":
            await stage.wait("wait")
        return {"trail": [f"{state['about']}={answer}"]}

    both: Any = [Send("ask", {"about": "x"}), Send("ask", {"about": "y"})]
    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_conditional_edges(START, lambda _: both, ["ask"])
    graph.add_edge("ask", END)
    graphs.known["two"] = graph.compile()


async def asked(driver: Driver, thread_id: Any) -> dict[str, str]:
    """What is open on a thread: the ids of the questions by what they are about."""
    thread = await driver.of_thread(thread_id)
    return {one["value"]["about"]: one["id"] for tasks in thread.interrupts.values() for one in tasks}


@pytest.mark.usefixtures("two")
async def test_when_it_fails_the_other_question_stays_and_can_be_answered(driver: Driver) -> None:
    thread = (await driver.run("two")).thread_id
    ids = await asked(driver, thread)
    failed = await driver.run("two", thread, command={"resume": {ids["x"]: "fail"}})

    assert (failed.status, (await driver.of_thread(thread)).status) == ("error", "error")
    assert await asked(driver, thread) == {"y": ids["y"]}
    await driver.run("two", thread, command={"resume": {ids["y"]: "fine"}})
    assert await asked(driver, thread) == {}


@pytest.mark.usefixtures("two")
async def test_when_it_is_cancelled_the_other_question_stays(driver: Driver, stage: Stage) -> None:
    thread = (await driver.run("two")).thread_id
    ids = await asked(driver, thread)
    run = await driver.start("two", thread, command={"resume": {ids["x"]: "wait"}})
    await stage.reached.wait()
    await dispatch.cancel(driver.engine, thread, run.run_id, wait=True)

    assert (await driver.row(run)).status == "interrupted"
    assert await asked(driver, thread) == {"y": ids["y"]}


@pytest.mark.usefixtures("two")
async def test_new_input_that_fails_leaves_nothing_open(driver: Driver, stage: Stage) -> None:
    thread = (await driver.run("two")).thread_id
    stage.fail = 1
    assert (await driver.run("fail", thread)).status == "error"
    assert await asked(driver, thread) == {}
