"""Accepting, answering and stopping runs."""

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.fakes.engines import Driver, Open, Stage

from artel.server.engine import dispatch, stream
from artel.server.engine.dispatch import ThreadBusy
from artel.storage.approvals import AlreadyDecided
from artel.storage.errors import Invalid
from artel.storage.ids import new_id
from artel.storage.runs import UnknownRun
from artel.storage.threads import UnknownThread


async def test_a_run_on_a_free_thread_is_running_when_it_is_accepted(driver: Driver) -> None:
    run = await driver.start("three")
    assert (run.status, run.attempt, run.worker_id) == ("running", 1, driver.engine.worker_id)
    assert run.run_id in driver.engine.live
    await driver.end(run)


async def test_a_background_run_is_picked_up_at_once(driver: Driver, stage: Stage) -> None:
    run = await driver.start("three", fast=False)
    assert run.status == "pending"
    assert (await driver.of_thread(run.thread_id)).status == "busy"
    assert (await driver.end(run)).status == "success"


async def test_runs_of_a_thread_wait_for_each_other_in_order(driver: Driver, stage: Stage) -> None:
    thread = await driver.thread()
    first = await driver.start("slow", thread)
    others = [await driver.start("three", thread) for _ in range(3)]
    await stage.reached.wait()
    assert [(await driver.row(run)).status for run in others] == ["pending"] * 3
    stage.gate.set()
    ended = [await driver.end(run) for run in [first, *others]]
    assert [run.status for run in ended] == ["success"] * 4
    for before, after in itertools.pairwise(ended):
        assert before.ended_at
        assert after.started_at
        assert before.ended_at <= after.started_at
    assert stage.did == ["a", "wait", "c", *["a", "b", "c"] * 3]


async def test_reject_refuses_while_the_thread_is_busy(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    with pytest.raises(ThreadBusy):
        await driver.start("three", run.thread_id, multitask_strategy="reject")
    stage.gate.set()
    await driver.end(run)
    assert (await driver.run("three", run.thread_id, multitask_strategy="reject")).status == "success"


async def test_interrupt_stops_what_runs_and_keeps_what_it_did(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    waiting = await driver.start("three", run.thread_id)
    new = await driver.start("three", run.thread_id, multitask_strategy="interrupt")
    assert (await driver.end(run)).status == "interrupted"
    assert (await driver.end(waiting)).status == "interrupted"
    assert (await driver.end(new)).status == "success"
    assert (await driver.of_thread(run.thread_id)).status == "idle"
    kept = await driver.rows("select 1 from checkpoints where metadata->>'run_id' = %s", str(run.run_id))
    assert kept


async def test_rollback_leaves_nothing_of_what_ran(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    new = await driver.start("three", run.thread_id, multitask_strategy="rollback")
    assert (await driver.end(new)).status == "success"
    assert await driver.find(run) is None
    left = await driver.rows("select 1 from checkpoints where metadata->>'run_id' = %s", str(run.run_id))
    assert not left
    assert not await driver.rows("select 1 from run_events where run_id = %s", run.run_id)


async def test_an_unknown_thread_is_refused_or_made(driver: Driver) -> None:
    unknown = new_id()
    with pytest.raises(UnknownThread):
        await driver.start("three", unknown)
    run = await driver.run("three", unknown, if_not_exists="create")
    assert run.status == "success"
    assert (await driver.of_thread(unknown)).metadata["graph_id"] == "three"


async def test_the_thread_of_a_stateless_run_goes_with_it(driver: Driver) -> None:
    run = await driver.start("three", new_id(), temporary=True)
    outcome = await stream.outcome(driver.engine, run.run_id)
    assert (outcome.status, json.loads(outcome.values)["trail"]) == ("success", ["a", "b", "c"])
    with pytest.raises(UnknownThread):
        await driver.of_thread(run.thread_id)
    assert not await driver.rows("select 1 from checkpoints where thread_id = %s", str(run.thread_id))
    assert (await driver.events(run))[-1].type == "run.ended"


async def test_a_delayed_run_starts_when_it_is_due(driver: Driver, stage: Stage) -> None:
    due = datetime.now(UTC) + timedelta(seconds=0.4)
    later = await driver.start("three", due_at=due)
    now = await driver.run("three", later.thread_id)
    assert now.status == "success"
    assert (await driver.row(later)).status == "pending"
    assert (await driver.of_thread(later.thread_id)).status == "busy"
    ended = await driver.end(later)
    assert ended.started_at
    assert ended.started_at >= due
    assert (ended.started_at - due) < timedelta(seconds=0.2)


async def test_a_higher_priority_is_taken_first(opened: Open, stage: Stage) -> None:
    driver = await opened(slots=1)
    blocker = await driver.start("slow")
    low = await driver.start("three", priority=0)
    high = await driver.start("three", priority=5)
    stage.gate.set()
    ended = [await driver.end(run) for run in (blocker, low, high)]
    first, second = ended[2].started_at, ended[1].started_at
    assert first
    assert second
    assert first < second


async def test_cancel_returns_when_the_run_has_really_stopped(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    await dispatch.cancel(driver.engine, run.thread_id, run.run_id, wait=True)
    assert run.run_id not in driver.engine.live
    assert (await driver.row(run)).status == "interrupted"
    assert (await driver.of_thread(run.thread_id)).status == "interrupted"
    assert "c" not in stage.did
    events = await driver.events(run)
    assert json.loads(events[-1].data)["status"] == "interrupted"


async def test_cancel_of_a_waiting_run_ends_it_where_it_stands(driver: Driver, stage: Stage) -> None:
    running = await driver.start("slow")
    waiting = await driver.start("three", running.thread_id)
    await dispatch.cancel(driver.engine, waiting.thread_id, waiting.run_id, wait=True)
    assert (await driver.row(waiting)).status == "interrupted"
    assert [e.type for e in await driver.events(waiting)] == ["run.ended"]
    assert (await driver.of_thread(running.thread_id)).status == "busy"
    stage.gate.set()
    assert (await driver.end(running)).status == "success"


async def test_cancel_with_rollback_removes_the_run(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    reader = asyncio.create_task(driver.events(run))
    await asyncio.sleep(0)
    await dispatch.cancel(driver.engine, run.thread_id, run.run_id, action="rollback", wait=True)
    assert await driver.find(run) is None
    assert (await driver.of_thread(run.thread_id)).status == "idle"
    assert json.loads((await reader)[-1].data)["status"] == "rolled_back"


async def test_cancel_of_an_ended_run_changes_nothing(driver: Driver) -> None:
    run = await driver.run("three")
    await dispatch.cancel(driver.engine, run.thread_id, run.run_id, wait=True)
    assert (await driver.row(run)).status == "success"
    with pytest.raises(UnknownRun):
        await dispatch.cancel(driver.engine, run.thread_id, new_id())


async def test_a_deleted_run_does_not_live_on(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    await dispatch.delete_run(driver.engine, run.thread_id, run.run_id)
    assert await driver.find(run) is None
    stage.gate.set()
    await asyncio.sleep(0.05)
    assert "c" not in stage.did


async def test_a_deleted_thread_takes_its_runs_along(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await driver.start("three", run.thread_id)
    await stage.reached.wait()
    await dispatch.delete_thread(driver.engine, run.thread_id)
    assert await driver.find(run) is None
    assert not await driver.rows("select 1 from run_events")
    assert not await driver.rows("select 1 from checkpoints")
    with pytest.raises(UnknownThread):
        await dispatch.delete_thread(driver.engine, run.thread_id)


async def test_a_failed_run_says_why_also_on_replay(driver: Driver, stage: Stage) -> None:
    stage.fail = 1
    run = await driver.start("fail")
    events = await driver.events(run)
    assert [e.type for e in events[-2:]] == ["error", "run.ended"]
    assert json.loads(events[-2].data) == {"error": "ValueError", "message": "no luck"}
    assert await driver.events(run) == events
    ended = await driver.end(run)
    assert (ended.status, ended.error) == ("error", {"error": "ValueError", "message": "no luck"})
    thread = await driver.of_thread(run.thread_id)
    assert (thread.status, thread.error) == ("error", {"error": "ValueError", "message": "no luck"})
    outcome = await stream.outcome(driver.engine, run.run_id)
    assert outcome.error == {"error": "ValueError", "message": "no luck"}
    again = await driver.run("fail", run.thread_id, input=None)
    assert again.status == "success"
    assert stage.did == ["a", "fail", "fail"]


async def test_an_unknown_graph_ends_the_run_visibly(driver: Driver) -> None:
    run = await driver.run("nosuch")
    assert run.error
    assert (run.status, run.error["error"]) == ("error", "KeyError")


async def test_a_question_ends_the_run_and_parks_the_thread(driver: Driver) -> None:
    run = await driver.run("ask")
    assert run.status == "success"
    thread = await driver.of_thread(run.thread_id)
    assert thread.status == "interrupted"
    ((question,),) = thread.interrupts.values()
    assert question["value"] == {"question": "why?"}
    (row,) = await driver.rows("select * from approvals")
    assert (row["interrupt_id"], row["kind"], row["expires_at"]) == (question["id"], "foreign", None)
    events = await driver.events(run)
    assert [e.type for e in events[-2:]] == ["approval.asked", "run.ended"]
    assert json.loads(events[-2].data)["approval_id"] == str(row["approval_id"])
    outcome = await stream.outcome(driver.engine, run.run_id)
    assert json.loads(outcome.values)["__interrupt__"][0]["id"] == question["id"]


async def test_a_bare_answer_reaches_the_one_open_question(driver: Driver, stage: Stage) -> None:
    asked = await driver.run("ask")
    run = await driver.run("ask", asked.thread_id, command={"resume": "because"})
    assert run.status == "success"
    assert stage.did == ["before", "answered because", "after"]
    thread = await driver.of_thread(asked.thread_id)
    assert (thread.status, thread.interrupts) == ("idle", {})
    (row,) = await driver.rows("select * from approvals")
    assert (row["decision"], row["answer_run_id"]) == ("because", run.run_id)
    assert "approval.decided" in [e.type for e in await driver.events(run)]


async def test_a_bare_answer_to_two_questions_is_refused_and_nothing_saved(driver: Driver) -> None:
    asked = await driver.run("ask_two")
    with pytest.raises(Invalid, match="2 questions are open"):
        await driver.start("ask_two", asked.thread_id, command={"resume": "yes"})
    assert len(await driver.rows("select 1 from runs")) == 1
    assert not await driver.rows("select 1 from approvals where decision is not null")


async def test_two_questions_are_answered_one_by_one(driver: Driver, stage: Stage) -> None:
    asked = await driver.run("ask_two")
    rows = {r["value"]["about"]: r["interrupt_id"] for r in await driver.rows("select * from approvals")}
    await driver.run("ask_two", asked.thread_id, command={"resume": {rows["y"]: 2}})
    thread = await driver.of_thread(asked.thread_id)
    assert thread.status == "interrupted"
    assert [q["id"] for qs in thread.interrupts.values() for q in qs] == [rows["x"]]
    assert len(await driver.rows("select 1 from approvals")) == 2
    await driver.run("ask_two", asked.thread_id, command={"resume": {rows["x"]: 1}})
    assert sorted(stage.did) == ["x=1", "y=2"]
    assert (await driver.of_thread(asked.thread_id)).status == "idle"


async def test_the_first_of_two_answers_wins(driver: Driver, stage: Stage) -> None:
    asked = await driver.run("ask")
    (row,) = await driver.rows("select * from approvals")
    command = {"resume": {row["interrupt_id"]: "one"}}
    tries = await asyncio.gather(
        *(driver.start("ask", asked.thread_id, command=command) for _ in range(4)), return_exceptions=True
    )
    accepted = [run for run in tries if not isinstance(run, BaseException)]
    assert len(accepted) == 1
    assert all(isinstance(e, AlreadyDecided) for e in tries if isinstance(e, BaseException))
    await driver.end(accepted[0])
    assert stage.did == ["before", "answered one", "after"]


async def test_an_answer_to_nothing_is_refused(driver: Driver) -> None:
    asked = await driver.run("ask")
    with pytest.raises(Invalid, match="no open question"):
        await driver.start("ask", asked.thread_id, command={"resume": {"0" * 32: "x"}})


async def test_a_malformed_decision_is_refused_and_nothing_saved(driver: Driver, stage: Stage) -> None:
    asked = await driver.run("approve")
    (row,) = await driver.rows("select * from approvals")
    assert row["kind"] == "tool_call"
    with pytest.raises(Invalid):
        await driver.start("approve", asked.thread_id, command={"resume": {"type": "maybe"}})
    with pytest.raises(Invalid):
        await dispatch.answer(driver.engine, row["approval_id"], {"type": "maybe"}, by="me", owner="local")
    assert not await driver.rows("select 1 from approvals where decision is not null")
    run = await dispatch.answer(
        driver.engine, row["approval_id"], {"type": "approve"}, by="me", owner="local"
    )
    await driver.end(run)
    with pytest.raises(AlreadyDecided):
        await dispatch.answer(driver.engine, row["approval_id"], {"type": "reject"}, by="me", owner="local")
    assert stage.did == ["approve"]


async def test_a_new_message_sets_the_open_question_aside(driver: Driver, stage: Stage) -> None:
    asked = await driver.run("ask")
    await driver.run("ask", asked.thread_id)
    rows = await driver.rows("select * from approvals order by asked_at")
    assert len(rows) == 2
    assert rows[0]["superseded_at"] is not None
    assert rows[1]["superseded_at"] is None


async def test_silence_becomes_a_no_in_time_and_once(opened: Open, stage: Stage) -> None:
    one, two = await opened(approval_timeout_s=0.3), await opened(approval_timeout_s=0.3)
    asked = await one.run("approve")
    for _ in range(100):
        if stage.did:
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    assert stage.did == ["reject"]
    (row,) = await two.rows("select * from approvals")
    assert row["decision"]["timeout"] is True
    assert row["decided_by"] == "timeout"
    assert len(await two.rows("select 1 from runs")) == 2
    thread = await one.of_thread(asked.thread_id)
    assert thread.status == "idle"


async def test_goto_and_update_pass_through(driver: Driver, stage: Stage) -> None:
    run = await driver.run("three")
    await driver.run("three", run.thread_id, command={"goto": "c", "update": {"trail": ["u"]}})
    outcome = await driver.rows("select count(*) as n from runs where status = 'success'")
    assert outcome[0]["n"] == 2
    assert stage.did == ["a", "b", "c", "c"]
    with pytest.raises(Invalid):
        await driver.start("three", run.thread_id, command={"goto": {"nope": 1}})


async def test_breakpoints_park_the_thread_and_none_goes_on(driver: Driver, stage: Stage) -> None:
    run = await driver.run("three", interrupt_before=["b"])
    assert (run.status, stage.did) == ("success", ["a"])
    assert (await driver.of_thread(run.thread_id)).status == "interrupted"
    await driver.run("three", run.thread_id, input=None, interrupt_after=["b"])
    assert stage.did == ["a", "b"]
    await driver.run("three", run.thread_id, input=None)
    assert stage.did == ["a", "b", "c"]
    assert (await driver.of_thread(run.thread_id)).status == "idle"
