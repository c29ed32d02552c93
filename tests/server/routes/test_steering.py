"""Steering over the product's own API: said, listed, changed, taken back, or a run of its own."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.served import calling, serving
from tests.server.protocol.conftest import Wire

NAPS = {"assistant_id": "slow", "input": {"n": 1.5}}


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


async def on(wire: Wire) -> tuple[str, str]:
    """A thread, and the run that is on there for a moment."""
    thread = await wire.thread()
    run = await wire.ok("POST", f"/threads/{thread}/runs", NAPS)
    return thread, run["run_id"]


async def test_it_waits_can_be_changed_and_is_taken_back(wire: Wire) -> None:
    thread, _ = await on(wire)
    path = f"/api/v1/threads/{thread}/steer"
    told = await wire.ok("POST", path, {"text": "briefly"})
    assert told["run_id"] is None
    said = told["steering"]
    assert (said["text"], said["status"], said["user_id"]) == ("briefly", "waiting", "local")
    assert await wire.ok("GET", path) == [said]
    one = f"{path}/{said['steering_id']}"
    changed = await wire.ok("PATCH", one, {"text": "at length"})
    assert await wire.ok("GET", path) == [{**said, "text": "at length"}] == [changed]
    await wire.ok("DELETE", one)
    assert await wire.ok("GET", path) == []
    assert (await wire.refused("DELETE", one))[0] == 404


async def test_what_no_step_took_is_the_next_message(wire: Wire) -> None:
    thread, run = await on(wire)
    path = f"/api/v1/threads/{thread}/steer"
    said = (await wire.ok("POST", path, {"text": "and that"}))["steering"]
    await wire.ok("GET", f"/threads/{thread}/runs/{run}/join")
    following = (await wire.ok("GET", f"/threads/{thread}/runs"))[0]
    assert following["run_id"] != run
    assert following["kwargs"]["input"]["messages"][0]["content"] == "and that"
    assert await wire.ok("GET", path) == []
    status, sentence = await wire.refused("PATCH", f"{path}/{said['steering_id']}", {"text": "x"})
    assert (status, "has message" in sentence) == (409, True)


async def test_where_nothing_runs_it_is_refused_or_begins_a_run(wire: Wire) -> None:
    thread = await wire.thread()
    path = f"/api/v1/threads/{thread}/steer"
    status, sentence = await wire.refused("POST", path, {"text": "hello"})
    assert (status, "or_start" in sentence) == (409, True)
    status, sentence = await wire.refused("POST", path, {"text": "hello", "or_start": True})
    assert (status, "no agent has worked" in sentence) == (409, True)
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": None})
    told = await wire.ok("POST", path, {"text": "hello", "or_start": True})
    assert told["steering"] is None
    ended = await wire.ok("GET", f"/threads/{thread}/runs/{told['run_id']}/join")
    assert ended["messages"][0]["content"] == "hello"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "  \n"}, "text"),
        ({"text": "a\0"}, "NUL"),
        ({"text": 7}, "text"),
        ({"text": "x" * 100_001}, "100000"),
        ({"text": "x", "or_start": "yes"}, "or_start"),
    ],
)
async def test_what_cannot_be_said_is_refused(wire: Wire, body: dict[str, Any], says: str) -> None:
    thread = await wire.thread()
    status, sentence = await wire.refused("POST", f"/api/v1/threads/{thread}/steer", body)
    assert (status, says in sentence) == (422, True), sentence


async def test_of_no_thread_and_of_no_message_nothing_is_known(wire: Wire) -> None:
    assert (await wire.refused("POST", f"/api/v1/threads/{uuid4()}/steer", {"text": "x"}))[0] == 404
    assert (await wire.refused("GET", f"/api/v1/threads/{uuid4()}/steer"))[0] == 404
    thread = await wire.thread()
    for method, body in (("PATCH", {"text": "x"}), ("DELETE", None)):
        path = f"/api/v1/threads/{thread}/steer/{uuid4()}"
        assert (await wire.refused(method, path, body))[0] == 404
