"""What is said to a run of any graph: one that takes nothing gets it as its next message."""

import pytest
from tests.fakes.engines import Driver, Stage

from artel.server.engine import steering
from artel.server.engine.steering import NothingRuns
from artel.storage import runs
from artel.storage.threads import UnknownThread


async def test_a_graph_that_takes_nothing_gets_it_as_its_next_message(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow", metadata={"x": 1})
    await stage.reached.wait()
    await steering.say(driver.engine, run.thread_id, "and that", owner="local", user_id="local")
    stage.gate.set()
    await driver.end(run)
    async with driver.db.connection() as conn:
        following = (await runs.of_thread(conn, run.thread_id, owner="local"))[0]
    assert following.run_id != run.run_id
    (message,) = following.kwargs["input"]["messages"]
    assert (message["type"], message["content"]) == ("human", "and that")
    assert (following.graph_id, following.assistant_id) == (run.graph_id, run.assistant_id)
    assert (await driver.end(following)).status == "success"


async def test_a_run_that_waits_behind_takes_what_is_left(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    await driver.start("three", run.thread_id, fast=False)
    await steering.say(driver.engine, run.thread_id, "and that", owner="local", user_id="local")
    stage.gate.set()
    await driver.end(run)
    async with driver.db.connection() as conn:
        there = await runs.of_thread(conn, run.thread_id, owner="local")
    for one in there:
        await driver.end(one)
    async with driver.db.connection() as conn:
        last = (await runs.of_thread(conn, run.thread_id, owner="local"))[0]
    assert (last.graph_id, len(last.kwargs["input"]["messages"])) == ("three", 1)
    assert last.kwargs["input"]["messages"][0]["content"] == "and that"


async def test_nothing_is_said_where_nothing_runs(driver: Driver) -> None:
    run = await driver.run("three")
    with pytest.raises(NothingRuns, match="no run is on"):
        await steering.say(driver.engine, run.thread_id, "x", owner="local", user_id="local")
    with pytest.raises(UnknownThread):
        await steering.say(driver.engine, run.thread_id, "x", owner="else", user_id="local")
