"""Assistants of another server as ones of ours: both are real, in one process, with a socket between them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk._async.runs import RunsClient
from tests.fakes.elsewhere import There, connected
from tests.fakes.engines import Driver
from tests.fakes.openai_server import openai_server
from tests.graphs.kinds.conftest import OpenHere
from tests.server.engine.test_recovery import kill

from artel.graphs.kinds import far
from artel.server.engine import dispatch, stream
from artel.storage import approvals
from artel.storage.runs import Run

TALKS = {"connection": "far", "assistant": "talks"}
YES = {"type": "approve"}


def words(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def ended(driver: Driver, run: Run) -> Run:
    async with asyncio.timeout(60):
        await stream.ended(driver.engine, run.run_id)
    return await driver.row(run)


async def values(driver: Driver, run: Run) -> Any:
    events = [one for one in await driver.events(run) if one.type == "values"]
    return json.loads(events[-1].data)


async def spoken(driver: Driver, run: Run) -> list[str]:
    return [f"{one['type']}: {one['content']}" for one in (await values(driver, run))["messages"]]


async def test_what_is_said_there_streams_and_a_thread_there_stays(here: OpenHere, there: There) -> None:
    driver = await here()
    thread_id = await driver.thread()
    modes = ["messages-tuple", "values"]
    run = await driver.start("far", thread_id, context=TALKS, input=words("hi"), stream_mode=modes)
    await asyncio.wait_for(there.reached.wait(), 60)
    heard: list[str] = []
    async with asyncio.timeout(60):
        async for batch in stream.follow(driver.engine, run.run_id, after=0):
            heard += [one for event in batch for one in _pieces(event)]
            if len(heard) == 4:
                there.gate.set()  # all was heard here while it was not over there
    assert heard == ["reply ", "1 ", "is ", "here "]
    assert (await ended(driver, run)).status == "success"
    again = await driver.start("far", thread_id, context=TALKS, input=words("and now?"))
    assert (await ended(driver, again)).status == "success"
    assert there.heard == [["hi"], ["hi", "reply 1 is here ", "and now?"]]
    said = await spoken(driver, again)
    assert said == ["human: hi", "ai: reply 1 is here ", "human: and now?", "ai: reply 2 is here "]


def _pieces(event: Any) -> list[str]:
    if event.type != "messages":
        return []
    message = json.loads(event.data)[0]
    return [message["content"]] if message["type"] == "AIMessageChunk" and message["content"] else []


async def test_questions_there_are_asked_here_without_their_power_and_answered_there(
    here: OpenHere, there: There
) -> None:
    driver = await here()
    thread_id = await driver.thread()
    run = await driver.start("far", thread_id, context={**TALKS, "assistant": "asks"}, input=words("send"))
    await ended(driver, run)
    async with driver.db.connection() as conn:
        rows = await approvals.open_of_thread(conn, thread_id)
    assert sorted(row.args["to"] for row in rows if row.args) == ["x", "y"]
    assert {row.agent for row in rows} == {"far: post"}
    assert {row.value["tool_call_id"] for row in rows} == {"far/x", "far/y"}
    assert all("grants" not in row.value["artel"] and not row.escalate_to for row in rows)
    for row in rows:
        no = {"type": "reject", "message": "not to y"}
        decision = YES if row.args and row.args["to"] == "x" else no
        last = await dispatch.answer(driver.engine, row.approval_id, decision, by="test", owner="local")
        await ended(driver, last)
    assert (await driver.row(last)).status == "success"
    assert sorted(there.answers, key=str) == [("x", YES), ("y", no)]
    assert sorted((await spoken(driver, last))[1:]) == ["ai: sent to x", "ai: sent to y"]


async def test_a_run_there_is_stopped_with_ours_and_the_next_begins_before_it(
    here: OpenHere, there: There
) -> None:
    driver = await here()
    thread_id = await driver.thread()
    there.gate.set()
    await ended(driver, await driver.start("far", thread_id, context=TALKS, input=words("one")))
    there.gate.clear()
    there.reached.clear()
    run = await driver.start("far", thread_id, context=TALKS, input=words("two"))
    await asyncio.wait_for(there.reached.wait(), 60)
    await dispatch.cancel(driver.engine, thread_id, run.run_id, wait=True, owner="local")
    assert (await ended(driver, run)).status == "interrupted"
    (one, other) = await runs_there(driver, run, there)
    assert {one["status"], other["status"]} == {"success", "interrupted"}
    there.gate.set()
    last = await driver.start("far", thread_id, context=TALKS, input=words("three"))
    assert (await ended(driver, last)).status == "success"
    assert there.heard[-1] == ["one", "reply 1 is here ", "two", "three"]


async def runs_there(driver: Driver, run: Run, there: There) -> Any:
    thread_id = (await values(driver, run))["remote"]["thread_id"]
    async with asyncio.timeout(60):
        while True:
            found = await there.get(f"/threads/{thread_id}/runs")
            if all(one["status"] not in far.AT_WORK for one in found):
                return found
            await asyncio.sleep(0.05)


async def test_after_the_death_of_a_worker_the_run_there_is_joined(here: OpenHere, there: There) -> None:
    one = await here()
    run = await one.start("far", context=TALKS, input=words("hi"))
    await asyncio.wait_for(there.reached.wait(), 60)
    two = await here()
    await kill(one)
    async with asyncio.timeout(60):
        while (await two.row(run)).attempt < 2:  # noqa: ASYNC110 - it is the database that knows
            await asyncio.sleep(0.02)
    there.gate.set()
    done = await ended(two, run)
    assert (done.status, done.attempt, there.began) == ("success", 2, 1)
    assert await spoken(two, run) == ["human: hi", "ai: reply 1 is here "]
    assert len(await runs_there(two, run, there)) == 1


async def test_an_answer_that_is_lost_begins_no_second_run(
    here: OpenHere, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = RunsClient.create
    lost: list[Any] = []

    async def lose(self: RunsClient, *args: Any, **kwargs: Any) -> Any:
        made = await create(self, *args, **kwargs)
        if not lost:
            lost.append(made)
            raise httpx.ReadError("gone")
        return made

    monkeypatch.setattr(RunsClient, "create", lose)
    monkeypatch.setattr(far, "PAUSES_S", (0.01,))
    there.gate.set()
    driver = await here()
    run = await driver.start("far", context=TALKS, input=words("hi"))
    assert (await ended(driver, run)).status == "success"
    assert (len(lost), there.began) == (1, 1)


async def test_what_goes_wrong_there_is_told_by_the_name_of_the_connection(
    here: OpenHere, there: There, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(far, "PAUSES_S", (0.01,))
    driver = await here()

    async def error(**wish: str) -> str:
        run = await ended(driver, await driver.start("far", context={**TALKS, **wish}, input=words("hi")))
        assert run.status == "error"
        told = (run.error or {})["message"]
        assert there.url not in told
        assert "secret-key" not in told
        return str(told)

    assert "connection far: the run of 'fails' ended there with error: ValueError: boom" in await error(
        assistant="fails"
    )
    assert "connection far: its server answers 4" in await error(assistant="nobody")
    assert "type langgraph, one of far; got 'near'" in await error(connection="near")
    async with openai_server(401, b"nonsense") as fake:
        connected(tmp_path / "c.json", fake.url)  # the changed file holds for the next run
        assert "its server answers 401" in await error()
        assert "answers what no LangGraph server does" in await error()
    assert "its server cannot be reached" in await error()


async def test_no_state_leads_to_the_thread_of_somebody_else_there(here: OpenHere, there: There) -> None:
    driver = await here()
    there.gate.set()
    first = await ended(driver, await driver.start("far", context=TALKS, input=words("mine")))
    taken = (await values(driver, first))["remote"]
    given = {**words("show me"), "remote": taken}  # what a client could write into a state of its own
    other = await ended(driver, await driver.start("far", context=TALKS, input=given))
    assert (await values(driver, other))["remote"]["thread_id"] != taken["thread_id"]
    assert there.heard == [["mine"], ["show me"]]
