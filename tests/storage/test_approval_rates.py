"""What people answered, counted by rule, tool and agent; undone changes are told from those that stand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.begun import begin
from tests.storage.test_approvals import APPROVE, EDIT, LONG_AGO_S, REJECT, ask, decide

from artel.storage import approval_rates, approvals, snapshots
from artel.storage.approval_rates import ENOUGH, By, Rate
from artel.storage.approvals import CLOCK
from artel.storage.effects import EffectKey
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.runs import Run


def about(tool: str, rule: str, call_id: str = "call_0", **more: Any) -> dict[str, Any]:
    ours = {"kind": "tool_call", "agent": "coder", "rule": rule, **more}
    return {"type": "tool_approval", "tool_call_id": call_id, "name": tool, "args": {}, "artel": ours}


async def rate(conn: Connection, name: str, by: By = "rule", **more: Any) -> Rate:
    rates = await approval_rates.rates(conn, owner="local", by=by, **more)
    return next(one for one in rates if one.name == name)


async def answered(
    conn: Connection, run: Run, value: Any, decision: Any = APPROVE, *, waited_s: int = 10
) -> Any:
    row = await ask(conn, run, value, asked=str(new_id()))
    back = (
        "update approvals set asked_at = clock_timestamp() - make_interval(secs => %s) where approval_id = %s"
    )
    await conn.execute(back, [waited_s, row.approval_id])
    row = await decide(conn, row, decision)
    await approvals.answered_by(conn, row.approval_id, run.run_id)
    return row


async def test_answers_are_counted_by_what_they_were(conn: Connection) -> None:
    run = await begin(conn)
    value = about("write_file", "write")
    for decision, waited_s in ((APPROVE, 1), (APPROVE, 2), (EDIT, 3), (REJECT, 4)):
        await answered(conn, run, value, decision, waited_s=waited_s)
    await answered(conn, run, value, {"type": "respond", "message": "why?"}, waited_s=5)
    late = await ask(conn, run, value, asked="late", expires_in_s=LONG_AGO_S)
    await decide(conn, late, REJECT, by=CLOCK)
    await ask(conn, run, value, asked="open")
    told = await rate(conn, "write")
    assert (told.asked, told.approved, told.edited, told.rejected) == (7, 2, 1, 2)
    assert (told.timed_out, told.pending, told.superseded, told.approve_rate) == (1, 1, 0, 0.6)
    assert told.waited_p50_s == pytest.approx(3, abs=0.2)
    assert told.waited_p95_s == pytest.approx(4.8, abs=0.2)
    assert (await rate(conn, "write_file", "tool")).asked == 7
    assert (await rate(conn, "coder", "agent")).asked == 7


async def test_each_call_of_a_batch_counts_for_itself(conn: Connection) -> None:
    calls = [
        {"name": "a", "rule": "r1", "tool_call_id": "c1"},
        {"name": "b", "rule": "r2", "tool_call_id": "c2"},
    ]
    batch = {
        "action_requests": [{"name": "a", "args": {}}, {"name": "b", "args": {}}],
        "review_configs": [],
        "artel": {"kind": "tool_call", "agent": "coder", "calls": calls},
    }
    await answered(conn, await begin(conn), batch, {"decisions": [APPROVE, REJECT]})
    assert ((await rate(conn, "r1")).approved, (await rate(conn, "r1")).rejected) == (1, 0)
    assert ((await rate(conn, "b", "tool")).approved, (await rate(conn, "b", "tool")).rejected) == (0, 1)


async def test_a_group_of_which_nothing_is_known_has_no_name_and_no_rate(conn: Connection) -> None:
    await ask(conn, await begin(conn), {"type": "tool_approval", "tool_call_id": "c", "name": "x"})
    told = await rate(conn, "")
    assert (told.asked, told.approve_rate, told.waited_p50_s, told.reverted_rate) == (1, None, None, None)


async def test_only_what_was_asked_since_then_and_by_this_owner_counts(conn: Connection) -> None:
    await answered(conn, await begin(conn), about("a", "r"))
    later = datetime.now(UTC) + timedelta(hours=1)
    assert await approval_rates.rates(conn, owner="local", by="rule", since=later) == []
    assert await approval_rates.rates(conn, owner="other", by="rule") == []
    nobody = "strict ($.nobody == true)"
    assert await approval_rates.rates(conn, owner="local", by="rule", allowed=nobody) == []


async def change(conn: Connection, run: Run, call_id: str) -> UUID:
    key = EffectKey(run.thread_id, "", str(new_id()), call_id, "sha")
    change_id, _ = await snapshots.begin(
        conn, key, tool="write_file", workspace="/w", run_id=run.run_id, before="t"
    )
    await snapshots.finish(conn, change_id, "u", [])
    return change_id


async def undo(conn: Connection, run: Run, *undone: UUID) -> UUID:
    change_id = await snapshots.add(
        conn, run.thread_id, tool="undo", workspace="/w", before="u", undoes=undone
    )
    await snapshots.finish(conn, change_id, "t", [])
    return change_id


async def test_a_change_that_was_undone_counts_as_reverted_until_the_undo_is_undone(conn: Connection) -> None:
    run = await begin(conn)
    for call_id in ("c1", "c2"):
        await answered(conn, run, about("write_file", "write", call_id))
    first, _ = [await change(conn, run, call_id) for call_id in ("c1", "c2")]
    assert (await rate(conn, "write")).reverted == 0
    back = await undo(conn, run, first)
    assert ((await rate(conn, "write")).reverted, (await rate(conn, "write")).reverted_rate) == (1, 0.5)
    again = await undo(conn, run, back)
    assert (await rate(conn, "write")).reverted == 0
    await undo(conn, run, again)
    assert (await rate(conn, "write")).reverted == 1


async def test_a_later_call_with_the_same_id_is_another_one(conn: Connection) -> None:
    run, other = await begin(conn), await begin(conn)
    await answered(conn, run, about("write_file", "write"))
    await undo(conn, other, await change(conn, other, "call_0"))
    assert (await rate(conn, "write")).reverted == 0


async def test_calls_that_were_always_approved_are_suggested(conn: Connection) -> None:
    run = await begin(conn)
    for _ in range(ENOUGH):
        await answered(conn, run, about("execute", "default", covers="exec pytest **"))
        await answered(conn, run, about("edit_file", "write", covers="fs.write src/*"))
        await answered(conn, run, about("move_file", "write"))
    await answered(conn, run, about("edit_file", "write", covers="fs.write src/*"), REJECT)
    (only,) = await approval_rates.suggestions(conn, owner="local")
    assert (only.tool, only.agent, only.covers) == ("execute", "coder", "exec pytest **")
    assert (only.approved, only.rejected) == (ENOUGH, 0)
