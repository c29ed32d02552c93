"""The past of a thread as a light list, and the branches that come of going on from it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.served import HI, calling, serving
from tests.server.protocol.conftest import Wire


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


async def ran(wire: Wire, thread: str, given: Any = HI, graph: str = "said", **body: Any) -> None:
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": graph, "input": given, **body})


async def past(wire: Wire, thread: str, **query: Any) -> list[dict[str, Any]]:
    return list(await wire.ok("GET", f"/api/v1/threads/{thread}/checkpoints", params=query))


async def test_a_thread_tells_its_checkpoints_without_values(wire: Wire) -> None:
    thread = await wire.thread()
    assert await past(wire, thread) == []
    await ran(wire, thread)
    found = await past(wire, thread)
    history = await wire.ok("POST", f"/threads/{thread}/history", {"limit": 10})
    assert [one["checkpoint_id"] for one in found] == [one["checkpoint_id"] for one in history]
    assert not any("values" in one for one in found)
    assert [(one["nodes"], one["next"]) for one in found] == [
        (["sub"], []),
        (["plain"], ["sub"]),
        ([], ["plain"]),
        ([], []),
    ]
    deep, seen, hi, _ = found
    assert deep["message"] == {"id": "deep-1", "type": "ai", "preview": "deep words", "tools": []}
    assert (seen["message"]["type"], hi["message"]["preview"]) == ("tool", "hi")
    assert deep["run_id"] == history[0]["metadata"]["run_id"]


async def test_it_comes_in_pages(wire: Wire) -> None:
    thread = await wire.thread()
    await ran(wire, thread)
    whole = await past(wire, thread)
    first = await past(wire, thread, limit=3)
    assert [*first, *await past(wire, thread, before=first[-1]["checkpoint_id"])] == whole
    assert (await wire.refused("GET", f"/api/v1/threads/{thread}/checkpoints?limit=0"))[0] == 422


async def test_a_message_said_otherwise_and_an_answer_given_anew_are_branches(wire: Wire) -> None:
    thread = await wire.thread()
    await ran(wire, thread)
    *_, asked, begun = await past(wire, thread)
    again = {"messages": [{"role": "user", "content": "hello", "id": "h2"}]}
    await ran(wire, thread, again, checkpoint={"checkpoint_id": begun["checkpoint_id"]})
    await ran(wire, thread, None, checkpoint={"checkpoint_id": asked["checkpoint_id"]})
    found = await past(wire, thread)
    follows = [(one["parent_checkpoint_id"], one["source"]) for one in found]
    assert sorted(source for parent, source in follows if parent == begun["checkpoint_id"]) == [
        "input",
        "loop",
    ]
    assert sorted(source for parent, source in follows if parent == asked["checkpoint_id"]) == [
        "fork",
        "loop",
    ]
    said = await wire.ok("GET", f"/threads/{thread}/state")
    assert said["values"]["messages"][0]["id"] == "h1"


async def test_going_on_from_before_an_open_question_sets_it_aside(wire: Wire) -> None:
    thread = await wire.thread()
    await ran(wire, thread, {"n": 1}, "gated")
    (asked,) = await wire.ok("GET", f"/api/v1/approvals?status=pending&thread_id={thread}")
    *_, begun = await past(wire, thread)
    await ran(wire, thread, {"n": 2}, "gated", checkpoint={"checkpoint_id": begun["checkpoint_id"]})
    pending = await wire.ok("GET", f"/api/v1/approvals?status=pending&thread_id={thread}")
    assert asked["approval_id"] not in [one["approval_id"] for one in pending]
    assert len(pending) == 1


async def test_only_who_may_see_a_thread_sees_its_past(wire: Wire) -> None:
    ann, bob = (called_by(wire.app, name, OwnOnly()) for name in ("ann", "bob"))
    async with ann, bob:
        mine = Wire(wire.app, ann)
        thread = await mine.thread()
        await ran(mine, thread)
        assert len(await past(mine, thread)) == 4
        path = f"/api/v1/threads/{thread}/checkpoints"
        assert (await Wire(wire.app, bob).refused("GET", path))[0] == 404
    assert (await wire.refused("GET", f"/api/v1/threads/{uuid4()}/checkpoints"))[0] == 404
