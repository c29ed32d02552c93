"""Turns: what came of requests, and what that was worth, from a log with known answers."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.fakes.worked import asked, ran
from tests.storage.test_approvals import APPROVE, EDIT, REJECT

from artel.storage import approvals, turns
from artel.storage.approvals import CLOCK
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.runs import Run
from artel.storage.turns import Figures, Turn


async def judged(conn: Connection, run: Run) -> list[Turn]:
    return await turns.judged(conn, [run.thread_id], owner="local")


async def only(conn: Connection, run: Run) -> Turn:
    (turn,) = await judged(conn, run)
    return turn


async def figures(conn: Connection, name: str = "coder") -> Figures:
    return next(one for one in await turns.statistics(conn, owner="local", by="agent") if one.name == name)


async def test_the_reward_is_made_of_what_was_approved_executed_and_liked(
    conn: Connection,
) -> None:
    first = await ran(conn)
    second = await ran(conn, thread_id=first.thread_id, calls=("ok", "ok", "ok", "failed"), thumbs=(1, 1, -1))
    await asked(conn, first, APPROVE, second, tool_call_id="c1")
    await asked(conn, first, EDIT, second, tool_call_id="c2")
    await asked(conn, first, REJECT, second, tool_call_id="c3")
    turn = await only(conn, first)
    assert (turn.turn_id, turn.last_run_id, turn.run_ids) == (
        first.run_id,
        second.run_id,
        [first.run_id, second.run_id],
    )
    assert (turn.approved, turn.executed) == (0.5, 0.75)
    assert turn.quality == pytest.approx(2 / 3)
    assert turn.reward == pytest.approx(0.5 * 0.5 + 0.3 * 0.75 + 0.2 * 2 / 3)


async def test_what_nobody_judged_counts_half_and_no_call_is_none_that_failed(
    conn: Connection,
) -> None:
    turn = await only(conn, await ran(conn))
    assert (turn.status, turn.approved, turn.executed, turn.quality) == ("completed", 0.5, 1, 0.5)
    assert turn.reward == pytest.approx(0.65)


@pytest.mark.parametrize(
    ("status", "came_to", "reward"),
    [
        ("success", "completed", 0.65),
        ("error", "failed", 0.35),
        ("timeout", "failed", 0.35),
        ("interrupted", "stopped", 0.35),
        ("running", "open", None),
        ("pending", "open", None),
    ],
)
async def test_a_turn_is_what_became_of_its_last_run(
    conn: Connection, status: str, came_to: str, reward: float | None
) -> None:
    first = await ran(conn)
    last = await ran(conn, status, thread_id=first.thread_id)
    await asked(conn, first, {"type": "respond", "message": "go on"}, last, by=CLOCK)
    turn = await only(conn, first)
    assert (turn.status, turn.reward) == (came_to, reward if reward is None else pytest.approx(reward))


async def test_a_turn_that_waits_has_no_worth_and_one_set_aside_was_stopped(conn: Connection) -> None:
    run = await ran(conn)
    await asked(conn, run, None)
    assert ((await only(conn, run)).status, (await only(conn, run)).reward) == ("waiting", None)
    await approvals.supersede(conn, run.thread_id)
    assert (await only(conn, run)).status == "stopped"


async def test_two_answers_to_one_run_are_one_turn(conn: Connection) -> None:
    first = await ran(conn)
    second, third = [await ran(conn, thread_id=first.thread_id) for _ in range(2)]
    await asked(conn, first, APPROVE, second, tool_call_id="c1")
    await asked(conn, first, APPROVE, third, tool_call_id="c2")
    fourth = await ran(conn, thread_id=first.thread_id)
    await asked(conn, third, APPROVE, fourth, tool_call_id="c3")
    new = await ran(conn, thread_id=first.thread_id)
    found = await judged(conn, first)
    assert [(one.turn_id, len(one.run_ids)) for one in found] == [(first.run_id, 4), (new.run_id, 1)]
    assert found[0].last_run_id == fourth.run_id


async def test_silence_is_no_judgement_of_a_person(conn: Connection) -> None:
    first = await ran(conn)
    await asked(conn, first, REJECT, await ran(conn, thread_id=first.thread_id), by=CLOCK)
    turn = await only(conn, first)
    assert (turn.asked, turn.answered, turn.approved) == (1, 0, 0.5)


async def test_rates_of_a_log_with_known_answers(conn: Connection) -> None:
    for status, thumbs in (("success", (1,)), ("success", (1, 1)), ("success", ()), ("error", (-1,))):
        await ran(conn, status, calls=("ok", "failed"), thumbs=thumbs)  # type: ignore[arg-type]
    await ran(conn, "interrupted")
    await ran(conn, "running")
    waits = await ran(conn, "success")
    await asked(conn, waits, None)
    answered = await ran(conn)
    await asked(conn, answered, APPROVE, await ran(conn, thread_id=answered.thread_id))
    refused = await ran(conn)
    await asked(conn, refused, REJECT, await ran(conn, thread_id=refused.thread_id))
    await ran(conn, graph="ask")
    told = await figures(conn)
    assert (told.turns, told.completed, told.failed, told.stopped, told.unfinished) == (9, 5, 1, 1, 2)
    assert told.completion_rate == pytest.approx(5 / 7)
    assert told.error_rate == pytest.approx(1 / 7)
    assert (told.thumbs_up, told.thumbs_down, told.up_rate, told.down_rate) == (3, 1, 0.75, 0.25)
    assert (told.asked, told.approval_rate) == (3, 0.5)
    assert (told.calls, told.executed_rate) == (8, 0.5)
    rewards = [0.6, 0.6, 0.5, 0.25, 0.35, 0.9, 0.4]
    assert told.reward == pytest.approx(sum(rewards) / 7)
    assert (await figures(conn, "ask")).turns == 1


async def test_a_group_in_which_nothing_has_ended_has_no_rates(conn: Connection) -> None:
    await ran(conn, "pending")
    told = await figures(conn)
    assert (told.turns, told.unfinished, told.thumbs_up) == (1, 1, 0)
    assert (told.completion_rate, told.up_rate, told.approval_rate, told.executed_rate, told.reward) == (
        None,
        None,
        None,
        None,
        None,
    )


async def test_only_an_owner_s_turns_count_and_only_those_that_began_since(conn: Connection) -> None:
    await ran(conn)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert await turns.statistics(conn, owner="local", by="agent", since=later) == []
    assert await turns.statistics(conn, owner="other", by="agent") == []
    nobody = "strict ($.nobody == true)"
    assert await turns.statistics(conn, owner="local", by="agent", allowed=nobody) == []


async def test_the_threads_of_an_experiment_count_once_each(conn: Connection) -> None:
    experiment = new_id()

    def of(variant: str) -> dict[str, str]:
        return {"experiment_id": str(experiment), "experiment_variant": variant}

    first = await ran(conn, metadata=of("control"))
    await ran(conn, "error", thread_id=first.thread_id, metadata=of("control"), thumbs=(-1,))
    await ran(conn, metadata=of("short"), thumbs=(1,))
    await ran(conn)
    found = await turns.outcomes(conn, experiment, owner="local")
    assert [(one.variant, one.failed, one.up, one.down) for one in found] == [
        ("control", 0.5, 0, 1),
        ("short", 0.0, 1, 0),
    ]
    assert [one.reward for one in found] == [pytest.approx((0.65 + 0.25) / 2), pytest.approx(0.75)]
    (group,) = [x for x in await turns.statistics(conn, owner="local", by="variant") if "short" in x.name]
    assert group.name == f"{experiment}/short"
