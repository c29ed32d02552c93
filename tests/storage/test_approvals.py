"""Approvals: asked once, answered once, by the right person, in time."""

import asyncio
from typing import Any

import pytest
from tests.fakes.begun import begin, end

from artel.storage import approvals, deadlines
from artel.storage.approvals import CLOCK, AlreadyDecided, Approval, Expired, Superseded, UnknownApproval
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database
from artel.storage.runs import Run

APPROVE = {"type": "approve"}
REJECT = {"type": "reject", "message": "no"}
EDIT = {"type": "edit", "edited_action": {"name": "write_file", "args": {"path": "y"}}}
CALL = {
    "type": "tool_approval",
    "tool_call_id": "call_0",
    "name": "write_file",
    "args": {"path": "x"},
    "description": "Write x",
    "artel": {"kind": "tool_call", "diff": "+"},
}
BATCH = {
    "action_requests": [{"name": "write_file", "args": {"path": "x"}, "description": "Write x"}],
    "review_configs": [{"action_name": "write_file", "allowed_decisions": ["approve", "reject"]}],
    "artel": {"kind": "tool_call", "calls": [{"tool_call_id": "call_7", "name": "write_file"}]},
}
LONG_AGO_S = -3600.0
SOON_S = 3600.0


async def ask(conn: Connection, run: Run, value: Any = CALL, *, asked: str = "q1", **more: Any) -> Approval:
    question: dict[str, Any] = {
        "thread_id": run.thread_id,
        "run_id": run.run_id,
        "interrupt_id": asked,
        "owner": "local",
    }
    rows = await approvals.ask(conn, value=value, **(question | more))
    assert len(rows) == 1
    return rows[0]


async def decide(conn: Connection, row: Approval, decision: Any = APPROVE, by: str = "me") -> Approval:
    return await approvals.decide(conn, row.approval_id, decision, by=by, owner="local")


async def test_a_question_says_what_it_is_about(conn: Connection) -> None:
    run = await begin(conn)
    row = await ask(conn, run, namespace="agent:1", expires_in_s=SOON_S)
    assert (row.kind, row.tool_call_id, row.tool, row.args) == (
        "tool_call",
        "call_0",
        "write_file",
        {"path": "x"},
    )
    assert (row.value, row.status, row.open, row.namespace) == (CALL, "pending", True, "agent:1")
    assert row.expires_at
    assert abs((row.expires_at - row.asked_at).total_seconds() - SOON_S) < 0.1


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (BATCH, "tool_call"),
        ({"type": "question", "text": "why?"}, "question"),
        ({"type": "plan", "steps": []}, "plan"),
        ({"artel": {"kind": "plan"}}, "plan"),
        ({"artel": {"kind": "nonsense"}}, "foreign"),
        ({"action_requests": [], "review_configs": []}, "foreign"),
        ("why?", "foreign"),
        (None, "foreign"),
        ([1, 2], "foreign"),
    ],
)
async def test_each_kind_of_interrupt_is_told_apart(conn: Connection, value: Any, kind: str) -> None:
    row = await ask(conn, await begin(conn), value)
    assert (row.kind, row.value) == (kind, value)


async def test_asking_again_writes_nothing(conn: Connection) -> None:
    run = await begin(conn)
    row = await ask(conn, run)
    question: dict[str, Any] = {
        "thread_id": run.thread_id,
        "interrupt_id": "q1",
        "owner": "local",
        "value": CALL,
    }
    assert await approvals.ask(conn, run_id=run.run_id, **question) == []
    assert await approvals.ask(conn, run_id=new_id(), **question) == []  # the next run finds it open still
    assert await approvals.open_of_thread(conn, run.thread_id) == [row]


async def test_a_question_that_was_set_aside_can_be_asked_by_another_run(conn: Connection) -> None:
    run = await begin(conn)
    first = await ask(conn, run)
    await approvals.supersede(conn, run.thread_id)
    second = await ask(conn, run, run_id=new_id())
    assert await approvals.open_of_thread(conn, run.thread_id) == [second]
    assert (await approvals.get(conn, first.approval_id, owner="local")).status == "superseded"


async def test_the_first_answer_stands(conn: Connection) -> None:
    row = await ask(conn, await begin(conn))
    decided = await decide(conn, row, REJECT, by="ann")
    assert (decided.decision, decided.decided_by, decided.status) == (REJECT, "ann", "rejected")
    with pytest.raises(AlreadyDecided, match="ann"):
        await decide(conn, row, APPROVE, by="bob")
    assert (await approvals.get(conn, row.approval_id, owner="local")).decision == REJECT


async def test_of_two_clicks_at_once_one_counts(db: Database) -> None:
    async with db.connection() as conn:
        rows = [await ask(conn, await begin(conn)) for _ in range(10)]

    async def click(row: Approval, decision: Any) -> Any:
        try:
            async with db.transaction() as conn:
                decided = await decide(conn, row, decision)
                await asyncio.sleep(0.01)
                return decided.decision
        except AlreadyDecided:
            return None

    for row in rows:
        got = await asyncio.gather(click(row, APPROVE), click(row, REJECT), click(row, EDIT))
        async with db.connection() as conn:
            kept = await approvals.get(conn, row.approval_id, owner="local")
        assert [one for one in got if one] == [kept.decision]


async def test_nobody_answers_for_somebody_else(conn: Connection) -> None:
    row = await ask(conn, await begin(conn))
    with pytest.raises(UnknownApproval):
        await approvals.decide(conn, row.approval_id, APPROVE, by="eve", owner="eve")
    with pytest.raises(UnknownApproval):
        await approvals.get(conn, row.approval_id, owner="eve")
    assert await approvals.search(conn, owner="eve") == []
    assert (await approvals.get(conn, row.approval_id, owner="local")).open


async def test_after_the_time_only_the_clock_decides(conn: Connection) -> None:
    row = await ask(conn, await begin(conn), expires_in_s=LONG_AGO_S)
    with pytest.raises(Expired):
        await decide(conn, row)
    decided = await decide(conn, row, {**REJECT, "timeout": True}, by=CLOCK)
    assert decided.status == "timeout"
    with pytest.raises(AlreadyDecided):
        await decide(conn, row)


async def test_an_answer_to_what_was_set_aside_is_refused(conn: Connection) -> None:
    run = await begin(conn)
    row = await ask(conn, run)
    await approvals.supersede(conn, run.thread_id)
    with pytest.raises(Superseded):
        await decide(conn, row)


async def test_new_input_does_not_undo_an_answer(conn: Connection) -> None:
    run = await begin(conn)
    row = await decide(conn, await ask(conn, run))
    await approvals.supersede(conn, run.thread_id)
    assert (await approvals.get(conn, row.approval_id, owner="local")).status == "approved"


@pytest.mark.parametrize(
    ("value", "decision", "status"),
    [
        (CALL, APPROVE, "approved"),
        (CALL, EDIT, "approved"),
        (CALL, REJECT, "rejected"),
        (CALL, {"type": "respond", "message": "later"}, "rejected"),
        (CALL, "approve", "rejected"),
        (BATCH, {"decisions": [APPROVE]}, "approved"),
        (BATCH, {"decisions": [REJECT]}, "rejected"),
        (BATCH, {"decisions": [REJECT, APPROVE]}, "approved"),
        ({"type": "question"}, {"type": "respond", "message": "because"}, "approved"),
        ({"type": "question"}, REJECT, "rejected"),
        ("why?", "because", "approved"),
    ],
)
async def test_the_status_says_what_the_answer_means(
    conn: Connection, value: Any, decision: Any, status: str
) -> None:
    row = await decide(conn, await ask(conn, await begin(conn), value), decision)
    assert row.status == status
    assert await approvals.search(conn, owner="local", status=row.status) == [row]


async def test_questions_are_found_newest_first_and_by_thread(conn: Connection) -> None:
    one, other = await begin(conn), await begin(conn)
    rows = [await ask(conn, one), await ask(conn, one, asked="q2"), await ask(conn, other)]
    assert await approvals.search(conn, owner="local") == rows[::-1]
    assert await approvals.search(conn, owner="local", thread_id=one.thread_id, limit=1, offset=1) == rows[:1]
    assert await approvals.search(conn, owner="local", status="approved") == []


async def test_the_clock_finds_what_is_over_and_when_the_next_is(conn: Connection) -> None:
    run = await begin(conn)
    assert await deadlines.next_expiry_in(conn) is None
    await ask(conn, run, asked="for ever")
    late = await ask(conn, run, asked="late", expires_in_s=SOON_S)
    in_s = await deadlines.next_expiry_in(conn)
    assert in_s is not None
    assert 3000 < in_s < 3700
    over = await ask(conn, run, asked="over", expires_in_s=LONG_AGO_S)
    assert await deadlines.expiring(conn) == [over]
    await decide(conn, over, REJECT, by=CLOCK)
    assert await deadlines.expiring(conn) == []
    assert late in await approvals.open_of_thread(conn, run.thread_id)


@pytest.mark.parametrize(
    ("decision", "allowed"), [(APPROVE, True), (EDIT, True), (REJECT, False), (None, False)]
)
async def test_only_an_explicit_yes_lets_a_call_run(conn: Connection, decision: Any, allowed: bool) -> None:
    run = await begin(conn)
    row = await ask(conn, run)
    if decision:
        await decide(conn, row, decision)
    found = await approvals.approved(conn, run.thread_id, "call_0")
    assert (found is not None) is allowed
    assert await approvals.approved(conn, run.thread_id, "call_1") is None
    assert await approvals.approved(conn, new_id(), "call_0") is None


async def test_a_call_of_a_batch_is_found_by_its_id(conn: Connection) -> None:
    run = await begin(conn)
    row = await decide(conn, await ask(conn, run, BATCH), {"decisions": [APPROVE]})
    assert await approvals.approved(conn, run.thread_id, "call_7") == row
    assert await approvals.approved(conn, run.thread_id, 'call_7" || true') is None


async def test_an_old_yes_says_nothing_about_a_new_call_of_the_same_id(conn: Connection) -> None:
    run = await begin(conn)
    await decide(conn, await ask(conn, run))
    again = await ask(conn, run, asked="q2")
    assert await approvals.approved(conn, run.thread_id, "call_0") is None
    await decide(conn, again)
    assert await approvals.approved(conn, run.thread_id, "call_0") is not None


async def test_a_yes_that_another_run_still_has_to_carry_is_none_for_this_one(conn: Connection) -> None:
    run = await begin(conn)
    row = await decide(conn, await ask(conn, run))
    await end(conn, run)
    answering = await begin(conn, run.thread_id)
    await approvals.answered_by(conn, row.approval_id, answering.run_id)
    assert await approvals.approved(conn, run.thread_id, "call_0", run_id=answering.run_id) is not None
    assert await approvals.approved(conn, run.thread_id, "call_0", run_id=new_id()) is None
    await end(conn, answering, "error")
    assert await approvals.approved(conn, run.thread_id, "call_0", run_id=new_id()) is not None


async def test_it_is_known_what_was_answered_before(conn: Connection) -> None:
    run = await begin(conn)
    row = await ask(conn, run)
    assert await approvals.decided(conn, run.thread_id, "q1") is False
    await decide(conn, row)
    assert await approvals.decided(conn, run.thread_id, "q1") is True


async def test_questions_go_with_the_run_that_asked(conn: Connection) -> None:
    run = await begin(conn)
    await ask(conn, run)
    await approvals.delete_of_run(conn, run.run_id)
    assert await approvals.search(conn, owner="local") == []
