"""What is said to a run that is on is heard once: by its next step, or the next run; on any replica."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from json import loads
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.driver import OneModel, call, calls
from tests.fakes.engines import FAST, Driver
from tests.fakes.waiting import eventually
from tests.graphs.test_on_the_engine import Agents

from artel.graphs.budget import AgentSettings
from artel.graphs.context import Handles
from artel.graphs.models.scripted import Scripted, scripted
from artel.server.engine import EngineSettings, dispatch, open_engine, steering, stream
from artel.server.engine.steering import NothingRuns
from artel.storage import approvals, runs
from artel.storage import steering as said
from artel.storage.broker import open_broker
from artel.storage.errors import Forbidden
from artel.storage.postgres import open_database
from artel.storage.runs import Run
from artel.tools.policy import DEFAULT, Policy

READ = calls(call("read_file", file_path="notes.txt"))
SLOW = {**READ, "delay_s": 0.7}
ME: dict[str, Any] = {"owner": "local", "user_id": "local"}

Serve = Callable[..., Awaitable[Driver]]


@pytest.fixture
async def serve(fresh_dsn: str, folder: Path) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def serving(
            model: Scripted,
            agents: AgentSettings | None = None,
            policy: Policy = DEFAULT,
            **settings: Any,
        ) -> Driver:
            handles = Handles(
                OneModel(model),
                (folder.parent,),
                folder,
                snapshot_home=folder.parent / "snapshots",
                agents=agents or AgentSettings(),
                policy=policy,
            )
            db = await stack.enter_async_context(open_database(fresh_dsn, pool_size=8))
            broker = await stack.enter_async_context(open_broker(fresh_dsn))
            chosen = EngineSettings(**{**FAST, **settings})
            opened = open_engine(db, broker, Agents(), settings=chosen, handles=handles)
            return Driver(await stack.enter_async_context(opened))

        yield serving


async def asked(model: Scripted, times: int) -> None:
    """Wait until a model was asked so often."""
    await eventually(lambda: len(model.asked) >= times)


def heard(model: Scripted, text: str) -> list[int]:
    """The calls of the model in which it was shown a text, and how often."""
    return [sum(m.text == text for m in messages) for messages in model.asked]


async def humans(driver: Driver, thread_id: UUID) -> list[str]:
    state = await stream.outcome(driver.engine, (await newest(driver, thread_id)).run_id)
    return [m["content"] for m in loads(state.values)["messages"] if m["type"] == "human"]


async def newest(driver: Driver, thread_id: UUID) -> Run:
    async with driver.db.connection() as conn:
        return (await runs.of_thread(conn, thread_id, owner="local"))[0]


async def waiting(driver: Driver, thread_id: UUID) -> list[str]:
    async with driver.db.connection() as conn:
        return [one.status for one in await said.of_thread(conn, thread_id, owner="local")]


async def test_the_next_step_hears_it_and_a_running_one_is_not_stopped(serve: Serve) -> None:
    model = scripted(SLOW, "done")
    driver = await serve(model)
    run = await driver.start("coder")
    await asked(model, 1)
    await steering.say(driver.engine, run.thread_id, "briefly", **ME)
    assert (await driver.end(run)).status == "success"
    assert heard(model, "briefly") == [0, 1]
    assert await humans(driver, run.thread_id) == ["hi", "briefly"]
    assert await waiting(driver, run.thread_id) == []
    told = [loads(e.data) for e in await driver.events(run) if e.type == "custom"]
    assert [one["messages"][0]["text"] for one in told if one["type"] == "steered"] == ["briefly"]


async def test_a_replica_that_runs_nothing_steers_too(serve: Serve) -> None:
    model = scripted(SLOW, "done")
    worker, api = await serve(model), await serve(model, worker=False)
    run = await worker.start("coder")
    await asked(model, 1)
    await steering.say(api.engine, run.thread_id, "briefly", **ME)
    await worker.end(run)
    assert heard(model, "briefly") == [0, 1]


async def test_an_agent_inside_another_hears_it(serve: Serve) -> None:
    model = scripted(SLOW, "done")
    driver = await serve(model)
    request = {"messages": [{"role": "user", "content": "Fix the bug in notes.txt"}]}
    run = await driver.start("orchestrator", input=request)
    await asked(model, 1)
    await steering.say(driver.engine, run.thread_id, "briefly", **ME)
    await driver.end(run)
    assert heard(model, "briefly") == [0, 1]
    assert (await humans(driver, run.thread_id))[1:] == ["briefly"]


async def test_a_step_that_was_broken_off_hears_it_again_and_the_thread_keeps_it_once(serve: Serve) -> None:
    model = scripted(SLOW, {"text": "done at last", "delay_s": 0.5})
    driver = await serve(model)
    run = await driver.start("coder")
    await asked(model, 1)
    await steering.say(driver.engine, run.thread_id, "briefly", **ME)
    await asked(model, 2)  # a step has it, and no checkpoint does
    assert await waiting(driver, run.thread_id) == ["taken"]
    driver.engine.live[run.run_id].hand_over()
    ended = await driver.end(run)
    assert (ended.status, ended.attempt) == ("success", 2)
    assert heard(model, "briefly") == [0, 1, 1]
    assert await humans(driver, run.thread_id) == ["hi", "briefly"]


async def test_what_no_step_took_begins_the_next_run_as_a_message(serve: Serve) -> None:
    model = scripted({"text": "all done here", "delay_s": 0.4}, "that too")
    driver = await serve(model)
    run = await driver.start("coder", context={"approvals": "batched"})
    await asked(model, 1)
    await steering.say(driver.engine, run.thread_id, "and that", **ME)
    await steering.say(driver.engine, run.thread_id, "and this", **ME)
    await driver.end(run)
    await asked(model, 2)
    following = await newest(driver, run.thread_id)
    assert following.run_id != run.run_id
    assert following.kwargs["context"] == {"approvals": "batched"}
    assert (await driver.end(following)).status == "success"
    assert await humans(driver, run.thread_id) == ["hi", "and that", "and this"]
    assert len(model.asked) == 2


async def test_what_a_worker_left_that_died_after_its_run_is_carried_on(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = scripted({"text": "all done here", "delay_s": 0.4}, "that too")
    driver = await serve(model)

    async def dies(*_: Any, **__: Any) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr("artel.server.engine.endings.steering.carry_on", dies)
        run = await driver.start("coder")
        await asked(model, 1)
        await steering.say(driver.engine, run.thread_id, "and that", **ME)
        await driver.end(run)
    await asked(model, 2)
    await driver.end(await newest(driver, run.thread_id))
    assert await humans(driver, run.thread_id) == ["hi", "and that"]


async def test_a_run_that_was_stopped_is_not_begun_again_by_what_was_said(serve: Serve) -> None:
    model = scripted({"match": "hi", "text": "a long tale", "delay_s": 4}, "yes")
    driver = await serve(model)
    run = await driver.start("coder")
    await asked(model, 1)
    await steering.say(driver.engine, run.thread_id, "and that", **ME)
    await dispatch.cancel(driver.engine, run.thread_id, run.run_id, wait=True)
    assert await waiting(driver, run.thread_id) == ["waiting"]
    assert (await newest(driver, run.thread_id)).run_id == run.run_id
    with pytest.raises(NothingRuns, match="no run is on"):
        await steering.say(driver.engine, run.thread_id, "hello?", **ME)
    await driver.run("coder", run.thread_id)
    assert (await humans(driver, run.thread_id))[-1] == "and that"


async def test_a_question_to_its_person_keeps_what_was_said(serve: Serve) -> None:
    model = scripted(SLOW, "done")
    driver = await serve(model, AgentSettings(steps=1))
    run = await driver.start("coder")
    await asked(model, 1)
    await steering.say(driver.engine, run.thread_id, "briefly", **ME)
    await driver.end(run)
    assert await waiting(driver, run.thread_id) == ["waiting"]
    assert driver.engine.metrics.stops.values == {("coder", "steps"): 1}
    async with driver.db.connection() as conn:
        (question,) = await approvals.open_of_thread(conn, run.thread_id)
    answer = {"type": "respond", "message": "go_on"}
    going = await dispatch.answer(driver.engine, question.approval_id, answer, by="me", owner="local")
    await driver.end(going)
    assert heard(model, "briefly") == [0, 1]


async def test_only_who_is_worked_for_steers(serve: Serve) -> None:
    model = scripted(SLOW, "done")
    driver = await serve(model)
    run = await driver.start("coder")
    await asked(model, 1)
    with pytest.raises(Forbidden, match="in the name of local"):
        await steering.say(driver.engine, run.thread_id, "x", owner="local", user_id="bob")
    await driver.end(run)
