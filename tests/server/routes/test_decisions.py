"""Decisions over the product's own API: listed with who made them, edited, taken back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.driver import BUILDERS, OneModel, call, calls
from tests.fakes.served import calling, graphs, serving
from tests.server.protocol.conftest import Wire

from artel.graphs.context import Handles
from artel.graphs.models.scripted import Scripted, scripted
from artel.server.catalog import Catalog, Entry

DATABASE = {
    "id": "database",
    "question": "Which database should we use?",
    "options": ["PostgreSQL", "SQLite"],
}
ASK = calls(call("question", questions=[DATABASE]))


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    entries = {name: Entry(name, BUILDERS[name]()) for name in ("coder", "orchestrator")}
    entries |= {name: Entry(name, graph) for name, graph in graphs().items()}
    async with serving(fresh_dsn, catalog=Catalog(entries)) as app, calling(app) as http:
        yield Wire(app, http)


async def say(wire: Wire, folder: Path, thread: str, *replies: Any, agent: str = "coder") -> Scripted:
    model = scripted(*replies)
    wire.app.state.engine.handles = Handles(models=OneModel(model), roots=(folder,), default_workspace=folder)
    words = {"messages": [{"role": "user", "content": "create a service"}]}
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": agent, "input": words})
    return model


async def answered(wire: Wire, thread: str, decision: Any) -> None:
    (asked,) = await wire.ok("GET", f"/api/v1/approvals?status=pending&thread_id={thread}")
    run = await wire.ok("POST", f"/api/v1/approvals/{asked['approval_id']}", {"decision": decision})
    await wire.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join")


@pytest.mark.parametrize("agent", ["coder", "orchestrator"])
async def test_what_was_answered_is_listed_edited_and_told_to_the_agent_so(
    wire: Wire, tmp_path: Path, agent: str
) -> None:
    thread = await wire.thread()
    await say(wire, tmp_path, thread, ASK, "done", agent=agent)
    (asked,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={thread}")
    assert (asked["kind"], asked["expires_at"], asked["agent"]) == ("question", None, "coder")
    status, said = await wire.refused(
        "POST",
        f"/api/v1/approvals/{asked['approval_id']}",
        {"decision": {"type": "respond", "answers": {"database": ["MySQL"]}}},
    )
    assert (status, "no option 'MySQL'; offered were PostgreSQL, SQLite" in said) == (422, True)
    await answered(wire, thread, {"type": "respond", "answers": {"database": "SQLite"}})
    place = f"/api/v1/threads/{thread}/decisions"
    (made,) = await wire.ok("GET", place)
    assert (made["answer"], made["by"], made["agent"], made["status"]) == (
        ["SQLite"],
        "local",
        "coder",
        "active",
    )
    assert made["run_id"]
    changed = await wire.ok("PATCH", f"{place}/{made['id']}", {"answer": ["PostgreSQL"]})
    assert (changed["answer"], changed["given"]) == (["PostgreSQL"], ["SQLite"])
    assert (changed["edits"][0]["by"], changed["edits"][0]["answer"]) == ("local", ["PostgreSQL"])
    assert await wire.ok("GET", f"{place}/{made['id']}") == changed
    model = await say(wire, tmp_path, thread, "", "", ASK, "done", agent=agent)
    assert "→ PostgreSQL" in model.asked[0][-1].text
    assert "database: PostgreSQL" in [m.text for m in model.asked[1] if m.type == "tool"][-1]
    entries = await wire.ok("GET", f"/api/v1/audit?thread_id={thread}&kind=decision")
    assert [one["decision"] for one in entries] == ["edit", "respond"]


async def test_what_is_revoked_stays_in_the_list_and_is_asked_anew(wire: Wire, tmp_path: Path) -> None:
    thread = await wire.thread()
    await say(wire, tmp_path, thread, ASK, "done")
    await answered(wire, thread, {"type": "respond", "message": "SQLite"})
    place = f"/api/v1/threads/{thread}/decisions"
    (made,) = await wire.ok("GET", place)
    gone = await wire.ok("DELETE", f"{place}/{made['id']}")
    assert gone["status"] == "revoked"
    assert await wire.ok("DELETE", f"{place}/{made['id']}") == gone
    status, said = await wire.refused("PATCH", f"{place}/{made['id']}", {"answer": "SQLite"})
    assert (status, "is revoked and stays so" in said) == (409, True)
    model = await say(wire, tmp_path, thread, "", "", ASK, "done")
    assert "Decided" not in model.asked[0][-1].text
    status, said = await wire.refused("DELETE", f"{place}/{made['id']}x")
    assert status == 404
    await answered(wire, thread, {"answers": {"database": "PostgreSQL"}})
    assert [one["status"] for one in await wire.ok("GET", place)] == ["active", "revoked"]


async def test_while_a_question_is_open_nothing_is_changed_over_it(wire: Wire, tmp_path: Path) -> None:
    thread = await wire.thread()
    other = calls(call("question", questions=[{"id": "title", "question": "What is its title?"}]))
    await say(wire, tmp_path, thread, ASK, other, "done", agent="orchestrator")
    await answered(wire, thread, {"type": "respond", "message": "SQLite"})
    place = f"/api/v1/threads/{thread}/decisions"
    (made,) = await wire.ok("GET", place)  # the agent inside has not given it back yet
    status, said = await wire.refused("PATCH", f"{place}/{made['id']}", {"answer": "PostgreSQL"})
    assert (status, "waits for an answer" in said) == (409, True)
    await answered(wire, thread, {"type": "respond", "message": "Home"})
    assert len(await wire.ok("GET", place)) == 2


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("", 422),
        ([], 422),
        (["x"], 422),
        (["SQLite", "PostgreSQL"], 422),
        ("\u0000", 422),
        (5, 422),
        ("x" * 4_001, 422),
        ("in memory", 200),
    ],
)
async def test_an_edit_is_checked_as_an_answer_is(
    wire: Wire, tmp_path: Path, answer: Any, status: int
) -> None:
    thread = await wire.thread()
    await say(wire, tmp_path, thread, ASK, "done")
    await answered(wire, thread, {"type": "respond", "message": "SQLite"})
    (made,) = await wire.ok("GET", f"/api/v1/threads/{thread}/decisions")
    told = await wire("PATCH", f"/api/v1/threads/{thread}/decisions/{made['id']}", {"answer": answer})
    assert told.status_code == status, told.text


async def test_a_thread_that_decided_nothing_has_none(wire: Wire) -> None:
    thread = await wire.thread()
    assert await wire.ok("GET", f"/api/v1/threads/{thread}/decisions") == []
    assert (await wire.refused("DELETE", f"/api/v1/threads/{thread}/decisions/x"))[0] == 404
    assert (await wire.refused("GET", f"/api/v1/threads/{uuid4()}/decisions"))[0] == 404


async def test_what_somebody_wrote_into_the_state_breaks_nothing(wire: Wire, tmp_path: Path) -> None:
    thread = await wire.thread()
    await say(wire, tmp_path, thread, "hello")
    wrong = {"resolved_context": {"x": {"id": "x"}}, "todos": [5]}
    await wire.ok("POST", f"/threads/{thread}/state", {"values": wrong})
    assert await wire.ok("GET", f"/api/v1/threads/{thread}/decisions") == []
    model = await say(wire, tmp_path, thread, "", "again")
    assert model.asked[0][-1].type == "human"


async def test_strangers_see_and_change_nothing(wire: Wire) -> None:
    ann = Wire(wire.app, called_by(wire.app, "ann", OwnOnly()))
    bob = Wire(wire.app, called_by(wire.app, "bob", OwnOnly()))
    place = f"/api/v1/threads/{await ann.thread()}/decisions"
    assert await ann.ok("GET", place) == []
    assert (await bob.refused("GET", place))[0] == 404
    assert (await bob.refused("DELETE", f"{place}/x"))[0] == 404
    assert (await bob.refused("PATCH", f"{place}/x", {"answer": "y"}))[0] == 404
