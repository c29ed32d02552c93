"""Our agents on the real engine: the gate believes the approvals table, and effects are remembered there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.driver import BUILDERS, OneModel, call, calls, edit
from tests.fakes.engines import FAST, Driver
from tests.fakes.plans import SILENT, on, plan, step, submits

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.server.engine import EngineSettings, dispatch, open_engine
from artel.storage import approvals, runs
from artel.storage.broker import open_broker
from artel.storage.errors import Invalid
from artel.storage.postgres import open_database
from artel.tools.policy import DEFAULT, Policy, Rule

YES = {"type": "approve"}
TO_BYE = edit("notes.txt", "hello", "bye")
TO_TWO = edit("other.txt", "two", "2")

Serve = Callable[..., Awaitable[Driver]]


class Agents:
    """A catalog of our own agents."""

    @asynccontextmanager
    async def graph(self, graph_id: str, config: Any, **_: Any) -> AsyncIterator[Any]:
        del config
        yield BUILDERS[graph_id]()


@pytest.fixture
async def serve(fresh_dsn: str, folder: Path) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def serving(
            *replies: Any, approval_timeout_s: int = 300, policy: Policy = DEFAULT, **settings: Any
        ) -> Driver:
            handles = Handles(
                OneModel(scripted(*replies)),
                (folder.parent,),
                folder,
                approval_timeout_s=approval_timeout_s,
                policy=policy,
                snapshot_home=folder.parent / "snapshots",
            )
            db = await stack.enter_async_context(open_database(fresh_dsn, pool_size=8))
            broker = await stack.enter_async_context(open_broker(fresh_dsn))
            chosen = EngineSettings(**{**FAST, **settings})
            opened = open_engine(db, broker, Agents(), settings=chosen, handles=handles)
            return Driver(await stack.enter_async_context(opened))

        yield serving


async def asked(driver: Driver, thread_id: UUID) -> dict[str, approvals.Approval]:
    """The open questions of a thread, by the file they are about."""
    async with driver.db.connection() as conn:
        rows = await approvals.open_of_thread(conn, thread_id)
    return {row.args["file_path"] if row.args else "": row for row in rows}


async def decide(driver: Driver, row: approvals.Approval, decision: Any) -> Any:
    run = await dispatch.answer(driver.engine, row.approval_id, decision, by="test", owner="local")
    return await driver.end(run)


@pytest.mark.parametrize("agent", ["coder", "orchestrator"])
async def test_a_change_is_asked_about_approved_and_made(serve: Serve, folder: Path, agent: str) -> None:
    driver = await serve(calls(TO_BYE), "done")
    thread_id = await driver.thread()
    request = {"messages": [{"role": "user", "content": "change the greeting"}]}
    await driver.run(agent, thread_id, input=request)
    row = (await asked(driver, thread_id))["notes.txt"]
    assert (row.kind, row.tool) == ("tool_call", "edit_file")
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    ended = await decide(driver, row, YES)
    assert ended.status == "success"
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    (effect,) = await driver.rows("select tool, result from effects where thread_id = %s", thread_id)
    assert (effect["tool"], "Changed notes.txt" in str(effect["result"])) == ("edit_file", True)


async def test_two_questions_are_answered_one_by_one(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE, TO_TWO), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    rows = await asked(driver, thread_id)
    assert set(rows) == {"notes.txt", "other.txt"}
    await decide(driver, rows["other.txt"], YES)
    assert (folder / "other.txt").read_text() == "one\n2\n"
    left = await asked(driver, thread_id)
    assert set(left) == {"notes.txt"}
    await decide(driver, left["notes.txt"], {"type": "reject", "message": "no"})
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert (await driver.of_thread(thread_id)).status == "idle"


async def test_an_edited_call_is_made_as_edited(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    row = (await asked(driver, thread_id))["notes.txt"]
    args = {"file_path": "notes.txt", "old_string": "world", "new_string": "all"}
    wrong = {"name": "edit_file", "args": {"file_path": "notes.txt"}}
    with pytest.raises(Invalid, match="old_string"):
        await decide(driver, row, {"type": "edit", "edited_action": wrong})
    await decide(driver, row, {"type": "edit", "edited_action": {"name": "edit_file", "args": args}})
    assert (folder / "notes.txt").read_text() == "hello\nall\n"


async def test_silence_is_a_no(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE), "I stop", approval_timeout_s=1)
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    row = await answered(driver, thread_id)
    assert row["decision"]["timeout"] is True
    async with driver.db.connection() as conn:
        run = await runs.find(conn, row["answer_run_id"])
    assert run is not None
    assert (await driver.end(run)).status == "success"
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


async def answered(driver: Driver, thread_id: UUID) -> dict[str, Any]:
    query = "select decision, answer_run_id from approvals where thread_id = %s and answer_run_id is not null"
    for _ in range(200):
        if rows := await driver.rows(query, thread_id):
            return rows[0]
        await asyncio.sleep(0.05)
    raise AssertionError("nobody answered")


async def test_a_batched_question_is_answered_over_the_wire(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE, TO_TWO), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id, context={"approvals": "batched"})
    (row,) = (await asked(driver, thread_id)).values()
    assert len(row.value["action_requests"]) == 2
    with pytest.raises(Invalid, match="2 entries"):
        await driver.run("coder", thread_id, command={"resume": {"decisions": [YES]}})
    await driver.run("coder", thread_id, command={"resume": {"decisions": [YES, {"type": "reject"}]}})
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert (folder / "other.txt").read_text() == "one\ntwo\n"
    assert (await driver.of_thread(thread_id)).status == "idle"


async def test_only_the_hunks_of_an_answer_are_made_and_strange_ones_are_refused_unsaved(
    serve: Serve, folder: Path
) -> None:
    (folder / "notes.txt").write_text("hello\n" + "\n" * 20 + "world\n")
    edits = [{"old_string": "hello", "new_string": "bye"}, {"old_string": "world", "new_string": "all"}]
    driver = await serve(calls(call("multi_edit", file_path="notes.txt", edits=edits)), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id, input={"messages": [{"role": "user", "content": "go"}]})
    row = (await asked(driver, thread_id))["notes.txt"]
    (file,) = row.value["artel"]["files"]
    with pytest.raises(Invalid, match=r"decision\.hunks must be of"):
        await decide(driver, row, {**YES, "hunks": ["nothing"]})
    assert (await asked(driver, thread_id))["notes.txt"].open
    ended = await decide(driver, row, {**YES, "hunks": [file["hunks"][1]["id"]]})
    assert ended.status == "success"
    assert (folder / "notes.txt").read_text() == "hello\n" + "\n" * 20 + "all\n"


@pytest.mark.parametrize("surface", ["product", "wire", "inbox"])
async def test_a_question_in_the_form_of_agent_inbox_is_answered_over_each_surface(
    serve: Serve, folder: Path, surface: str
) -> None:
    driver = await serve(calls(TO_BYE), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id, context={"approvals": "agent_inbox"})
    async with driver.db.connection() as conn:
        (row,) = await approvals.open_of_thread(conn, thread_id)
    assert (row.kind, row.tool, row.agent, row.calls[0]["rule"]) == (
        "tool_call",
        "edit_file",
        "coder",
        "write",
    )
    assert row.expires_at
    if surface == "product":
        await decide(driver, row, YES)
    else:
        answer = YES if surface == "wire" else [{"type": "accept", "args": None}]
        await driver.run("coder", thread_id, command={"resume": {row.interrupt_id: answer}})
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    (told,) = await driver.rows("select status, decision from approvals where thread_id = %s", thread_id)
    assert (told["status"], told["decision"]) == ("approved", YES)


async def test_parts_of_a_change_are_taken_in_the_form_of_agent_inbox_too(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id, context={"approvals": "agent_inbox"})
    async with driver.db.connection() as conn:
        (row,) = await approvals.open_of_thread(conn, thread_id)
    (file,) = row.value[0]["artel"]["files"]
    await decide(driver, row, {**YES, "hunks": [file["hunks"][0]["id"]]})
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"


async def test_a_no_to_one_call_leaves_its_sibling_to_be_made(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE, TO_TWO), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    await decide(driver, (await asked(driver, thread_id))["notes.txt"], {"type": "reject"})
    assert (await driver.of_thread(thread_id)).status == "interrupted"
    await decide(driver, (await asked(driver, thread_id))["other.txt"], YES)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert (folder / "other.txt").read_text() == "one\n2\n"


async def test_a_rule_parks_what_nobody_answers_and_a_late_yes_makes_it(serve: Serve, folder: Path) -> None:
    rule = Rule(id="slow", effect="ask", action="fs.write", timeout_s=1, on_timeout="park")
    driver = await serve(calls(TO_BYE), "done", policy=Policy(rules=(rule,)))
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    for _ in range(200):
        row = (await asked(driver, thread_id))["notes.txt"]
        if row.parked_at:
            break
        await asyncio.sleep(0.05)
    assert (row.status, row.expires_at, row.calls[0]["rule"]) == ("pending", None, "slow")
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    await decide(driver, row, YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"


async def test_a_plan_waits_for_its_person_and_a_wrong_edit_saves_nothing(serve: Serve, folder: Path) -> None:
    made = plan(step("notes", "Change the greeting"), step("look", "Look at it", agent="ask"))
    work = [on("Look at it", submits("seen")), on("Change the greeting", calls(TO_BYE))]
    driver = await serve(made, SILENT, *work, "unused", submits("it is so"), approval_timeout_s=1)
    thread_id = await driver.thread()
    said = {"messages": [{"role": "user", "content": "Make a plan and change the greeting"}]}
    await driver.run("orchestrator", thread_id, input=said)
    (row,) = await opened(driver, thread_id)
    assert (row.kind, row.tool, row.expires_at) == ("plan", None, None)
    steps = row.value["args"]["steps"]
    wrong = {"name": "plan", "args": {"steps": [{**steps[0], "agent": "nobody"}]}}
    with pytest.raises(Invalid, match="there is no agent 'nobody'"):
        await decide(driver, row, {"type": "edit", "edited_action": wrong})
    assert [one.approval_id for one in await opened(driver, thread_id)] == [row.approval_id]
    await decide(driver, row, YES)
    (change,) = await opened(driver, thread_id)
    assert (change.kind, change.tool) == ("tool_call", "edit_file")
    ended = await decide(driver, change, YES)
    assert ended.status == "success"
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert (await driver.of_thread(thread_id)).status == "idle"


async def test_two_lanes_ask_in_one_queue_though_their_calls_have_one_id(serve: Serve, folder: Path) -> None:
    made = plan(
        step("a", "Change the greeting", paths=["notes.txt"]),
        step("b", "Change the number", paths=["other.txt"]),
    )
    work = [on("Change the number", calls(TO_TWO)), on("Change the greeting", calls(TO_BYE))]
    driver = await serve(made, SILENT, *work, "unused", submits("it is so"))
    thread_id = await driver.thread()
    said = {"messages": [{"role": "user", "content": "Make a plan and change both"}]}
    await driver.run("orchestrator", thread_id, input=said, context={"lanes": 2})
    (row,) = await opened(driver, thread_id)
    await decide(driver, row, YES)
    rows = await asked(driver, thread_id)
    assert set(rows) == {"notes.txt", "other.txt"}
    assert len({row.tool_call_id for row in rows.values()}) == 2
    await decide(driver, rows["other.txt"], YES)
    left = await asked(driver, thread_id)
    await decide(driver, left["notes.txt"], YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert (folder / "other.txt").read_text() == "one\n2\n"


async def opened(driver: Driver, thread_id: UUID) -> list[approvals.Approval]:
    async with driver.db.connection() as conn:
        return list(await approvals.open_of_thread(conn, thread_id))
