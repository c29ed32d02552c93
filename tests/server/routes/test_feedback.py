"""Thumbs over the product's own API: on messages and runs, changed, taken back, one's own."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.served import calling, serving
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

FEEDBACK = "/api/v1/feedback"


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


@pytest.fixture
async def people(folder: Open) -> AsyncIterator[tuple[As, As]]:
    async with folder({"auth.py": AUTH}, auth={"path": "./auth.py:auth"}) as wire:
        yield As(wire, "ada"), As(wire, "bob")


async def talked(wire: Wire, *texts: str) -> tuple[str, list[str], list[str]]:
    """Have a thread with a run for each text; its id, those of its runs, and those of what was said."""
    thread = await wire.thread()
    runs, said = [], []
    for place, text in enumerate(texts or ("hi",)):
        words = {"messages": [{"role": "user", "content": text, "id": f"h{place}"}]}
        body = {"assistant_id": "flow", "input": words}
        await wire.ok("POST", f"/threads/{thread}/runs/wait", body)
        newest = (await wire.ok("GET", f"/threads/{thread}/runs"))[0]
        runs.append(newest["run_id"])
        state = await wire.ok("GET", f"/threads/{thread}/state")
        said.append(state["values"]["messages"][-1]["id"])
    return thread, runs, said


async def test_a_thumb_on_a_message_knows_its_run_and_can_be_turned(wire: Wire) -> None:
    thread, (run,), _ = await talked(wire)
    words = {"thread_id": thread, "message_id": "h0", "score": 1, "comment": "well done"}
    up = await wire.ok("PUT", FEEDBACK, words)
    assert (up["run_id"], up["score"], up["comment"]) == (run, 1, "well done")
    down = await wire.ok("PUT", FEEDBACK, {**words, "score": -1, "comment": ""})
    assert (down["feedback_id"], down["score"], down["comment"]) == (up["feedback_id"], -1, None)
    assert await wire.ok("GET", f"{FEEDBACK}?thread_id={thread}") == [down]
    assert await wire.ok("GET", f"{FEEDBACK}?score=1") == []
    await wire.ok("DELETE", f"{FEEDBACK}/{up['feedback_id']}")
    assert await wire.ok("GET", FEEDBACK) == []
    assert (await wire.refused("DELETE", f"{FEEDBACK}/{up['feedback_id']}"))[0] == 404


async def test_each_message_belongs_to_the_run_that_said_it(wire: Wire) -> None:
    thread, runs, _ = await talked(wire, "one", "two", "three", "four", "five")
    for place, run in enumerate(runs):
        told = await wire.ok("PUT", FEEDBACK, {"thread_id": thread, "message_id": f"h{place}", "score": 1})
        assert told["run_id"] == run


async def test_a_run_as_a_whole_and_what_agents_inside_said(wire: Wire) -> None:
    thread, (run,), _ = await talked(wire)
    whole = {"thread_id": thread, "run_id": run, "score": -1}
    assert (await wire.ok("PUT", FEEDBACK, whole))["message_id"] is None
    inside = {**whole, "message_id": "said-within"}
    assert (await wire.ok("PUT", FEEDBACK, inside))["message_id"] == "said-within"
    assert len(await wire.ok("GET", f"{FEEDBACK}?run_id={run}")) == 2


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"score": 0}, 422, "score: Input should be -1 or 1"),
        ({"score": 2**70}, 422, "score"),
        ({"message_id": None}, 422, "give message_id, or run_id"),
        ({"message_id": "nowhere"}, 404, "no message 'nowhere'; give its run_id"),
        ({"message_id": "a\0"}, 422, "NUL"),
        ({"message_id": "m" * 201}, 422, "message_id"),
        ({"comment": "x" * 4001}, 422, "comment"),
        ({"comment": "\0"}, 422, "NUL"),
        ({"thread_id": str(uuid4())}, 404, "no thread"),
        ({"message_id": None, "run_id": str(uuid4())}, 404, "no run"),
    ],
)
async def test_what_cannot_be_meant_is_not_written(
    wire: Wire, change: dict[str, Any], status: int, says: str
) -> None:
    thread, _, _ = await talked(wire)
    words = {"thread_id": thread, "message_id": "h0", "score": 1}
    told = await wire.refused("PUT", FEEDBACK, {**words, **change})
    assert told[0] == status, told
    assert says in told[1]
    assert await wire.ok("GET", FEEDBACK) == []


async def test_a_run_of_another_thread_is_not_this_one_s(wire: Wire) -> None:
    thread, _, _ = await talked(wire)
    _, (elsewhere,), _ = await talked(wire)
    words = {"thread_id": thread, "run_id": elsewhere, "score": 1}
    assert (await wire.refused("PUT", FEEDBACK, words))[0] == 404


async def test_statistics_count_what_was_said(wire: Wire) -> None:
    thread, _, _ = await talked(wire, "one", "two")
    await wire.ok("PUT", FEEDBACK, {"thread_id": thread, "message_id": "h0", "score": 1})
    told = await wire.ok("GET", "/api/v1/statistics")
    (flow,) = told["groups"]
    assert (flow["name"], flow["turns"], flow["completed"], flow["thumbs_up"]) == ("flow", 2, 2, 1)
    assert flow["reward"] == pytest.approx((0.75 + 0.65) / 2)
    assert (await wire.ok("GET", "/api/v1/statistics?by=variant"))["groups"][0]["name"] == ""
    assert (await wire.refused("GET", "/api/v1/statistics?by=moon"))[0] == 422
    assert (await wire.refused("GET", "/api/v1/statistics?since=2026-01-01"))[0] == 422


async def test_nobody_judges_or_sees_what_is_another_s(people: tuple[As, As]) -> None:
    ada, bob = people
    thread, _, _ = await talked(ada)
    words = {"thread_id": thread, "message_id": "h0", "score": 1}
    made = await ada.ok("PUT", FEEDBACK, words)
    assert (await bob.refused("PUT", FEEDBACK, words))[0] == 404
    assert await bob.ok("GET", FEEDBACK) == []
    assert (await bob.refused("DELETE", f"{FEEDBACK}/{made['feedback_id']}"))[0] == 404
    assert (await bob.ok("GET", "/api/v1/statistics"))["groups"] == []
    assert len((await ada.ok("GET", "/api/v1/statistics"))["groups"]) == 1


async def test_what_was_said_goes_with_its_thread(wire: Wire) -> None:
    thread, _, _ = await talked(wire)
    await wire.ok("PUT", FEEDBACK, {"thread_id": thread, "message_id": "h0", "score": 1})
    await wire.ok("DELETE", f"/threads/{thread}")
    assert await wire.ok("GET", FEEDBACK) == []
