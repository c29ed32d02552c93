"""One light list of all that waits for a person, and of what has ended since they looked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.served import calling, serving
from tests.server.protocol.conftest import Wire

from artel.storage.approvals import delete_of_run
from artel.storage.inbox import MAX_ABOUT, in_a_line

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


async def ask(wire: Wire, title: str, graph: str = "gated") -> str:
    thread = await wire.thread(metadata={"title": title})
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": graph, "input": {"n": 1}})
    return thread


async def listed(wire: Wire, query: str = "") -> dict[str, Any]:
    return dict(await wire.ok("GET", f"/api/v1/inbox{query}"))


async def test_what_waits_in_all_threads_is_told_in_a_line_until_it_is_answered(wire: Wire) -> None:
    first, second = await ask(wire, "First"), await ask(wire, "Second")
    found = await listed(wire)
    assert [(one["title"], one["thread_id"]) for one in found["waiting"]] == [
        ("Second", second),
        ("First", first),
    ]
    newest = found["waiting"][0]
    assert (newest["tool"], newest["about"], newest["graph_id"]) == ("write_file", "x", "gated")
    assert "value" not in newest
    run = await wire.ok(
        "POST", f"/api/v1/approvals/{newest['approval_id']}", {"decision": {"type": "approve"}}
    )
    await wire.ok("GET", f"/threads/{second}/runs/{run['run_id']}/join")
    assert [one["title"] for one in (await listed(wire))["waiting"]] == ["First"]


async def test_a_page_says_that_more_waits(wire: Wire) -> None:
    await ask(wire, "First")
    await ask(wire, "Second")
    page = await listed(wire, "?limit=1")
    assert ([one["title"] for one in page["waiting"]], page["more"]) == (["Second"], True)
    assert (await listed(wire, "?limit=2"))["more"] is False


async def test_a_question_that_the_ledger_does_not_know_waits_all_the_same(wire: Wire) -> None:
    thread = await ask(wire, "Copied here")
    (known,) = (await listed(wire))["waiting"]
    (run,) = await wire.ok("GET", f"/threads/{thread}/runs")
    async with wire.app.state.engine.db.connection() as conn:
        await delete_of_run(conn, run["run_id"])
        await conn.commit()
    (found,) = (await listed(wire))["waiting"]
    assert (found["approval_id"], found["kind"], found["title"]) == (None, "foreign", "Copied here")
    assert (found["interrupt_id"], found["about"]) == (known["interrupt_id"], "x")


async def test_what_has_ended_since_is_told_with_whether_it_failed(wire: Wire) -> None:
    done, broken = (
        await wire.thread(metadata={"title": "Done"}),
        await wire.thread(metadata={"title": "Broken"}),
    )
    for thread, graph in ((done, "asked_by"), (broken, "fails")):
        await wire("POST", f"/threads/{thread}/runs/wait", {"assistant_id": graph, "input": {}})
    assert (await listed(wire))["ended"] == []
    ended = (await listed(wire, f"?since={LONG_AGO}"))["ended"]
    assert [(one["title"], one["failed"]) for one in ended] == [("Broken", True), ("Done", False)]
    assert all(one["took_s"] >= 0 for one in ended)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert (await listed(wire, f"?since={now}"))["ended"] == []


async def test_nobody_sees_what_waits_for_others(wire: Wire) -> None:
    await ask(wire, "Not yours")
    async with called_by(wire.app, "ann", OwnOnly()) as ann:
        found = (await ann.get(f"/api/v1/inbox?since={LONG_AGO}")).json()
    assert found == {"waiting": [], "more": False, "ended": []}


def test_a_long_question_is_cut_to_a_line() -> None:
    line = in_a_line({"type": "question", "question": "why\n" * 500})
    assert (len(line), line[:7], line[-1]) == (MAX_ABOUT, "why why", "…")
    assert in_a_line({"action_requests": [{"name": "one"}, {"name": "two"}]}) == "one, two"
