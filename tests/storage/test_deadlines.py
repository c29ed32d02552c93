"""Questions whose time is over: parked or escalated once, and never a yes by themselves."""

from typing import Any

import pytest
from tests.fakes.begun import begin
from tests.storage.test_approvals import CALL, LONG_AGO_S, SOON_S, ask, decide

from artel.storage import approvals, deadlines
from artel.storage.approvals import CLOCK, UnknownApproval
from artel.storage.postgres import Connection

PARK = {**CALL, "artel": {"kind": "tool_call", "on_timeout": "park"}}
UP = {**CALL, "artel": {"kind": "tool_call", "on_timeout": "escalate", "escalate_to": ["eve"]}}


async def overdue(conn: Connection) -> list[Any]:
    return [row.approval_id for row in await deadlines.expiring(conn)]


async def test_a_parked_question_waits_without_a_limit(conn: Connection) -> None:
    row = await ask(conn, await begin(conn), PARK, expires_in_s=LONG_AGO_S)
    assert [await deadlines.park(conn, row.approval_id) for _ in range(2)] == [True, False]
    parked = await approvals.get(conn, row.approval_id, owner="local")
    assert (parked.status, parked.expires_at) == ("pending", None)
    assert parked.parked_at
    assert await overdue(conn) == []
    assert (await decide(conn, row)).status == "approved"


async def test_an_escalated_question_has_as_much_time_again(conn: Connection) -> None:
    row = await ask(conn, await begin(conn), UP, expires_in_s=SOON_S)
    await conn.execute("update approvals set asked_at = asked_at - '2 h'::interval, "
                       "expires_at = expires_at - '2 h'::interval")  # fmt: skip
    assert await overdue(conn) == [row.approval_id]
    assert [await deadlines.escalate(conn, row.approval_id) for _ in range(2)] == [True, False]
    up = await approvals.get(conn, row.approval_id, owner="local")
    assert up.escalated_at
    assert up.expires_at
    assert abs((up.expires_at - up.escalated_at).total_seconds() - SOON_S) < 0.1
    assert await overdue(conn) == []


@pytest.mark.parametrize(("value", "turn"), [(CALL, deadlines.park), (CALL, deadlines.escalate)])
async def test_a_question_that_does_not_say_so_is_neither(conn: Connection, value: Any, turn: Any) -> None:
    row = await ask(conn, await begin(conn), value, expires_in_s=LONG_AGO_S)
    assert not await turn(conn, row.approval_id)


async def test_before_its_time_nothing_follows(conn: Connection) -> None:
    row = await ask(conn, await begin(conn), PARK, expires_in_s=SOON_S)
    assert not await deadlines.park(conn, row.approval_id)
    up = await ask(conn, await begin(conn), UP, expires_in_s=SOON_S)
    assert not await deadlines.escalate(conn, up.approval_id)
    with pytest.raises(UnknownApproval):
        await approvals.get(conn, up.approval_id, owner="other", user="eve")


async def test_what_was_answered_is_not_parked(conn: Connection) -> None:
    row = await ask(conn, await begin(conn), PARK, expires_in_s=LONG_AGO_S)
    await decide(conn, row, {"type": "reject"}, by=CLOCK)
    assert not await deadlines.park(conn, row.approval_id)


async def test_whom_it_was_escalated_to_sees_it_and_nobody_else(conn: Connection) -> None:
    row = await ask(conn, await begin(conn), UP, expires_in_s=LONG_AGO_S)
    assert await approvals.search(conn, owner="other", user="eve") == []
    await deadlines.escalate(conn, row.approval_id)
    for user, seen in (("eve", 1), ("bob", 0), (None, 0)):
        assert len(await approvals.search(conn, owner="other", user=user)) == seen
    assert (await approvals.get(conn, row.approval_id, owner="other", user="eve")).escalate_to == ["eve"]
    no_thread = "strict ($.nobody == true)"
    assert len(await approvals.search(conn, owner="local", user="eve", allowed=no_thread)) == 1
    assert await approvals.search(conn, owner="local", user="bob", allowed=no_thread) == []


async def test_a_copy_of_a_thread_asks_with_the_same_ends(conn: Connection) -> None:
    run, other = await begin(conn), await begin(conn)
    await ask(conn, run, PARK, expires_in_s=LONG_AGO_S)
    row = await ask(conn, run, UP, asked="q2", expires_in_s=LONG_AGO_S)
    await deadlines.escalate(conn, row.approval_id)
    await deadlines.ask_again(conn, run.thread_id, other.thread_id)
    copied = {one.interrupt_id: one for one in await approvals.open_of_thread(conn, other.thread_id)}
    assert (copied["q1"].on_timeout, copied["q1"].parked_at) == ("park", None)
    assert (copied["q2"].on_timeout, copied["q2"].escalate_to) == ("escalate", ["eve"])
    assert copied["q2"].escalated_at
