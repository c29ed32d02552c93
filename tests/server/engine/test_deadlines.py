"""When nobody answers in time: a no, a question that is parked, or one that others are asked too."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.types import interrupt
from tests.fakes.engines import ASKED, Driver, Graphs, Open, Stage, chain

from artel.server.engine import dispatch
from artel.storage import approvals
from artel.storage.approvals import Approval

SOON_S = 0.3


@pytest.fixture
def asking(graphs: Graphs, stage: Stage) -> Callable[..., None]:
    """Serve a graph that asks with this in its block, and does it only after a yes."""

    def serve(**ours: Any) -> None:
        async def node(state: Any) -> dict[str, Any]:
            answer = interrupt({**ASKED, "artel": {"kind": "tool_call", "expires_in_s": SOON_S, **ours}})
            if answer["type"] == "approve":
                stage.did.append("made")
            return {"answer": answer}

        graphs.known["asking"] = chain({"ask": node})

    return serve


async def the_question(driver: Driver, **known: Any) -> Approval:
    """The question, once it is as said."""
    for _ in range(200):
        async with driver.db.connection() as conn:
            found = await approvals.search(conn, owner="local")
        for row in found:
            if all(bool(getattr(row, name)) == wanted for name, wanted in known.items()):
                return row
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def entries(driver: Driver) -> list[str]:
    query = "select entry ->> 'decision' as said from audit where entry ->> 'kind' = 'decision' order by seq"
    return [row["said"] for row in await driver.rows(query)]


async def test_a_parked_question_stays_open_and_nothing_is_done(
    opened: Open, asking: Callable[..., None], stage: Stage
) -> None:
    asking(on_timeout="park")
    driver, other = await opened(), await opened()
    run = await driver.run("asking")
    row = await the_question(driver, parked_at=True)
    await asyncio.sleep(2 * SOON_S)
    assert (await the_question(other)).status == "pending"
    assert (stage.did, await entries(driver)) == ([], ["park"])
    assert (await driver.of_thread(run.thread_id)).status == "interrupted"
    answered = await dispatch.answer(
        other.engine, row.approval_id, {"type": "approve"}, by="me", owner="local"
    )
    await other.end(answered)
    assert (stage.did, await entries(driver)) == (["made"], ["park", "approve"])


async def test_an_escalated_question_is_answered_by_whom_it_names(
    opened: Open, asking: Callable[..., None], stage: Stage
) -> None:
    asking(on_timeout="escalate", escalate_to=["eve"], expires_in_s=1.0)
    driver = await opened()
    await driver.run("asking")
    row = await the_question(driver)
    with pytest.raises(approvals.UnknownApproval):
        await dispatch.answer(
            driver.engine, row.approval_id, {"type": "approve"}, by="eve", owner="other", user="eve"
        )
    row = await the_question(driver, escalated_at=True)
    run = await dispatch.answer(
        driver.engine, row.approval_id, {"type": "approve"}, by="eve", owner="other", user="eve"
    )
    await driver.end(run)
    assert (stage.did, run.owner) == (["made"], "local")
    assert (await the_question(driver)).decided_by == "eve"


async def test_after_an_escalation_that_nobody_answers_it_is_a_no(
    opened: Open, asking: Callable[..., None], stage: Stage
) -> None:
    asking(on_timeout="escalate", escalate_to=["eve"])
    driver, _ = await opened(), await opened()
    await driver.run("asking")
    row = await the_question(driver, answer_run_id=True)
    assert (row.status, row.decision["timeout"]) == ("timeout", True)
    assert row.escalated_at
    assert (stage.did, await entries(driver)) == ([], ["escalate", "reject"])


async def test_a_server_that_starts_later_parks_what_is_overdue(
    opened: Open, asking: Callable[..., None], stage: Stage
) -> None:
    asking(on_timeout="park", expires_in_s=0.0)
    first = await opened(worker=False)
    await first.start("asking", fast=False)
    await opened()
    assert (await the_question(first, parked_at=True)).status == "pending"


@pytest.mark.parametrize("said", [1e300, -5, True, "soon", None, [1]])
async def test_a_time_that_makes_no_sense_breaks_no_run(
    driver: Driver, asking: Callable[..., None], said: Any
) -> None:
    asking(expires_in_s=said, on_timeout="park")
    assert (await driver.run("asking")).status == "success"
