"""What a thread knows, knew, and is told from outside."""

from typing import Any

from langgraph.types import Interrupt, PregelTask, StateSnapshot
from tests.fakes.served import HI

from artel.server.protocol.snapshots import state_record

from .conftest import Wire


async def flowed(wire: Wire) -> str:
    """A thread on which `flow` ran once."""
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": HI})
    return thread


async def test_a_new_thread_knows_nothing(wire: Wire) -> None:
    thread = await wire.thread()
    state = await wire.ok("GET", f"/threads/{thread}/state")

    assert (state["values"], state["next"], state["tasks"], state["checkpoint"]) == ({}, [], [], None)
    assert await wire.ok("GET", f"/threads/{thread}/history") == []


async def test_a_state_says_where_it_is_and_what_comes_next(wire: Wire) -> None:
    thread = await flowed(wire)
    state = await wire.ok("GET", f"/threads/{thread}/state")

    assert state["values"]["log"] == ["first", "first", "inner"]
    assert state["next"] == []
    assert state["checkpoint"]["thread_id"] == thread
    assert state["checkpoint"]["checkpoint_ns"] == ""
    assert state["checkpoint_id"] == state["checkpoint"]["checkpoint_id"]
    assert state["parent_checkpoint_id"] == state["parent_checkpoint"]["checkpoint_id"]
    assert state["metadata"]["step"] == 3
    assert state["metadata"]["thread_id"] == thread


async def test_history_goes_back_step_by_step(wire: Wire) -> None:
    thread = await flowed(wire)
    path = f"/threads/{thread}/history"

    assert len(await wire.ok("GET", path)) == 1
    states = await wire.ok("GET", f"{path}?limit=10")
    assert [state["metadata"]["step"] for state in states] == [3, 2, 1, 0, -1]
    assert [state["metadata"]["source"] for state in states] == ["loop"] * 4 + ["input"]
    assert states[-1]["next"] == ["__start__"]
    assert await wire.ok("POST", path, {"limit": 10}) == states
    assert states[0]["parent_checkpoint"] == states[1]["checkpoint"]
    second = states[1]["checkpoint_id"]
    for before in (second, {"checkpoint_id": second}, {"configurable": {"checkpoint_id": second}}):
        assert await wire.ok("POST", path, {"limit": 10, "before": before}) == states[2:]
    assert await wire.ok("GET", f"{path}?limit=10&before={second}") == states[2:]
    assert await wire.ok("POST", path, {"limit": 10, "metadata": {"step": 1}}) == states[2:3]
    assert await wire.ok("POST", path, {"checkpoint": {"checkpoint_id": second}}) == states[1:2]


async def test_a_state_of_the_past_is_read_by_its_checkpoint(wire: Wire, nowhere: str) -> None:
    thread = await flowed(wire)
    past = (await wire.ok("GET", f"/threads/{thread}/history?limit=10"))[3]
    path = f"/threads/{thread}/state"

    assert await wire.ok("GET", f"{path}/{past['checkpoint_id']}") == past
    assert await wire.ok("POST", f"{path}/checkpoint", {"checkpoint": past["checkpoint"]}) == past
    assert (await wire.refused("GET", f"{path}/{nowhere}"))[0] == 404
    assert (await wire.refused("POST", f"{path}/checkpoint", {}))[0] == 422


async def test_a_state_shows_the_graphs_inside_when_asked(wire: Wire) -> None:
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "nest", "input": {"n": 1}})
    (outer,) = (await wire.ok("GET", f"/threads/{thread}/state"))["tasks"]
    (inner,) = (await wire.ok("GET", f"/threads/{thread}/state?subgraphs=true"))["tasks"]

    assert outer["state"] is None
    assert outer["checkpoint"]["checkpoint_ns"] == f"sub:{outer['id']}"
    assert inner["state"]["next"] == ["ask"]
    assert inner["state"]["tasks"][0]["interrupts"] == outer["interrupts"]
    place = {"checkpoint": outer["checkpoint"]}
    inside: Any = await wire.ok("POST", f"/threads/{thread}/state/checkpoint", place)
    assert inside["next"] == ["ask"]


async def test_a_state_shows_only_what_is_asked_for(wire: Wire) -> None:
    thread = await flowed(wire)
    path = f"/threads/{thread}/state"
    state = await wire.ok("GET", path)
    here = {"checkpoint": state["checkpoint"]}

    assert await wire.ok("GET", f"{path}?select=next&select=values.log") == {
        "values": {"log": state["values"]["log"]},
        "next": [],
    }
    assert await wire.ok("GET", f"{path}?select=next,checkpoint") == {"next": [], **here}
    assert await wire.ok("GET", f"{path}?select=values&select=values.log") == {"values": state["values"]}
    assert await wire.ok("GET", f"{path}/{state['checkpoint_id']}?select=values.none") == {"values": {}}
    assert await wire.ok("POST", f"{path}/checkpoint", {**here, "select": ["checkpoint"]}) == here
    some = await wire.ok("POST", f"/threads/{thread}/history", {"limit": 2, "select": ["metadata"]})
    assert [list(one) for one in some] == [["metadata"]] * 2
    for wrong in ("nope", "values."):
        for refused in (
            wire.refused("GET", f"{path}?select={wrong}"),
            wire.refused("POST", f"/threads/{thread}/history", {"select": [wrong]}),
        ):
            status, detail = await refused
            assert (status, "select[0]" in detail, wrong in detail) == (422, True, True)


async def test_history_of_a_graph_inside(wire: Wire) -> None:
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "nest", "input": {"n": 1}})
    (outer,) = (await wire.ok("GET", f"/threads/{thread}/state"))["tasks"]
    path = f"/threads/{thread}/history"
    inside = await wire.ok("POST", path, {"limit": 10, "checkpoint": outer["checkpoint"]})

    assert [state["next"] for state in inside] == [["ask"], ["__start__"]]
    assert {state["checkpoint"]["checkpoint_ns"] for state in inside} == {
        outer["checkpoint"]["checkpoint_ns"]
    }
    assert await wire.ok("POST", path, {"checkpoint": {"checkpoint_ns": "none"}}) == []
    unknown = {"checkpoint": {"checkpoint_ns": "none:1"}}
    assert (await wire.refused("POST", f"/threads/{thread}/state/checkpoint", unknown))[0] == 404
    changed = {"values": {"answer": "mine"}, "as_node": "ask", "checkpoint": outer["checkpoint"]}
    await wire.ok("POST", f"/threads/{thread}/state", changed)
    (task,) = (await wire.ok("GET", f"/threads/{thread}/state?subgraphs=true"))["tasks"]
    assert task["state"]["values"]["answer"] == "mine"


async def test_a_graph_that_is_not_served_any_more_is_named(wire: Wire) -> None:
    thread = await wire.thread(metadata={"graph_id": "gone"})
    for method, path, body in (
        ("GET", "state", None),
        ("GET", "history", None),
        ("POST", "state", {"values": {}}),
    ):
        status, detail = await wire.refused(method, f"/threads/{thread}/{path}", body)
        assert (status, '"gone"' in detail) == (404, True)
    assert (await wire.ok("GET", f"/threads/{thread}"))["values"] is None


async def test_a_state_is_changed_as_if_a_node_had_written(wire: Wire) -> None:
    thread = await flowed(wire)
    path = f"/threads/{thread}/state"
    before = await wire.ok("GET", path)
    changed = await wire.ok("POST", path, {"values": {"log": ["z"]}, "as_node": "first"})
    state = await wire.ok("GET", path)

    assert changed["checkpoint_id"] == state["checkpoint_id"]
    assert changed["checkpoint"] == changed["configurable"] == state["checkpoint"]
    assert state["values"]["log"] == [*before["values"]["log"], "z"]
    assert (state["next"], state["metadata"]["source"]) == (["child"], "update")
    assert (await wire.ok("GET", f"/threads/{thread}"))["status"] == "interrupted"
    fork = {"values": {"log": ["f"]}, "checkpoint": before["parent_checkpoint"], "as_node": "talk"}
    await wire.ok("POST", path, fork)
    assert (await wire.ok("GET", path))["parent_checkpoint"] == before["parent_checkpoint"]
    assert (await wire.ok("GET", f"/threads/{thread}"))["status"] == "idle"


async def test_a_change_that_takes_the_question_away_sets_it_aside(wire: Wire) -> None:
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "asks", "input": {"n": 1}})
    await wire.ok("POST", f"/threads/{thread}/state", {"values": {"answer": "mine"}, "as_node": "ask"})

    (asked,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={thread}")
    assert asked["status"] == "superseded"
    told = await wire.ok("GET", f"/threads/{thread}")
    assert (told["interrupts"], told["values"]) == ({}, {"answer": "mine", "n": 1})


async def test_a_change_that_makes_no_sense_is_refused(wire: Wire, nowhere: str) -> None:
    fresh, thread, busy = await wire.thread(), await flowed(wire), await wire.thread()
    await wire.ok("POST", f"/threads/{busy}/runs", {"assistant_id": "slow", "input": {"n": 30}})

    assert (await wire.refused("POST", f"/threads/{nowhere}/state", {"values": {}}))[0] == 404
    status, detail = await wire.refused("POST", f"/threads/{fresh}/state", {"values": {}})
    assert (status, "graph_id" in detail) == (400, True)
    assert (await wire.refused("POST", f"/threads/{busy}/state", {"values": {"n": 1}}))[0] == 409
    wrongs: list[dict[str, Any]] = [
        {"as_node": "none"},
        {"values": [{"log": []}]},
        {"values": {"messages": [{"role": 5}]}},
    ]
    for wrong in wrongs:
        body = {"values": {"log": ["x"]}, **wrong}
        assert (await wire.refused("POST", f"/threads/{thread}/state", body))[0] == 400
    assert (await wire.refused("POST", f"/threads/{thread}/state", {"values": "x"}))[0] == 422
    for unknown in ({"checkpoint_id": nowhere}, {"checkpoint": {"checkpoint_id": nowhere}}):
        body = {"values": {"log": ["x"]}, "as_node": "first", **unknown}
        status, detail = await wire.refused("POST", f"/threads/{thread}/state", body)
        assert (status, nowhere in detail) == (404, True)
    for odd in ({"before": 5}, {"before": {"checkpoint_id": "\0"}}, {"before": "\0"}, {"metadata": 1}):
        assert (await wire.refused("POST", f"/threads/{thread}/history", odd))[0] == 422
    for place in ({"checkpoint_map": {"": 5}}, {"checkpoint_map": {"": "\0"}}, {"checkpoint_ns": "\0"}):
        body = {"checkpoint": {"checkpoint_id": nowhere, **place}}
        assert (await wire.refused("POST", f"/threads/{thread}/state/checkpoint", body))[0] == 422
    assert (
        await wire.ok("POST", f"/threads/{thread}/history", {"before": {}, "metadata": {"a\0": "b\0"}})
    ) == []


def test_a_question_says_what_an_answer_must_look_like_where_its_graph_does() -> None:
    schema = {"type": "object", "properties": {"nights": {"type": "integer"}}}
    asked = (Interrupt("Where to?", "1", response_schema=schema), Interrupt("Sure?", "2"))
    task = PregelTask("t", "ask", (), interrupts=asked)
    state = StateSnapshot({}, ("ask",), {}, {}, None, None, (task,), asked)
    told = [{"id": "1", "value": "Where to?", "response_schema": schema}, {"id": "2", "value": "Sure?"}]
    record = state_record(state)
    assert (record["interrupts"], record["tasks"][0]["interrupts"]) == (told, told)
