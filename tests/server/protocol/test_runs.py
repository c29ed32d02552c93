"""Runs are started, waited for, found, stopped and removed."""

import time
from typing import Any

import pytest
from tests.fakes.served import HI

from .conftest import Wire


async def test_a_run_in_the_background_tells_all_about_itself(wire: Wire) -> None:
    thread = await wire.thread()
    body = {
        "assistant_id": "slow",
        "input": {"n": 0},
        "metadata": {"m": 1},
        "config": {"tags": ["a"]},
        "stream_mode": "updates",
        "unknown": 1,
        "webhook": None,
    }
    response = await wire("POST", f"/threads/{thread}/runs", body)
    run = response.json()
    path = f"/threads/{thread}/runs/{run['run_id']}"

    assert response.headers["content-location"] == path
    assert run["metadata"]["m"] == 1
    assert run["metadata"]["created_by"] == "system"
    assert run["kwargs"]["input"] == {"n": 0}
    assert run["kwargs"]["config"]["tags"] == ["a"]
    assert run["kwargs"]["stream_mode"] == ["updates"]
    assert (run["multitask_strategy"], run["kwargs"]["durability"]) == ("enqueue", "async")
    assert await wire.ok("GET", f"{path}/join") == {"answer": "slept", "n": 0}
    assert (await wire.ok("GET", path))["status"] == "success"


async def test_waiting_gives_the_values_the_error_or_the_question(wire: Wire) -> None:
    async def waited(assistant: str, given: Any) -> Any:
        thread = await wire.thread()
        body = {"assistant_id": assistant, "input": given}
        response = await wire("POST", f"/threads/{thread}/runs/wait", body)
        run = (await wire.ok("GET", f"/threads/{thread}/runs"))[0]["run_id"]
        assert response.headers["location"] == f"/threads/{thread}/runs/{run}/join"
        assert response.json() == await wire.ok("GET", f"/threads/{thread}/runs/{run}/join")
        return response.json()

    assert await waited("slow", {"n": 0}) == {"answer": "slept", "n": 0}
    assert await waited("fails", {}) == {"__error__": {"error": "ValueError", "message": "boom"}}
    asked = await waited("asks", {"n": 1})
    assert asked["n"] == 1
    assert [(one["value"], one["response_schema"]) for one in asked["__interrupt__"]] == [
        ({"question": "ok?"}, None)
    ]


async def test_an_answer_a_goto_and_an_update_go_on_from_a_question(wire: Wire) -> None:
    async def asked() -> str:
        thread = await wire.thread()
        await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "asks", "input": {"n": 1}})
        return f"/threads/{thread}/runs/wait"

    async def go_on(path: str, command: Any) -> Any:
        return await wire.ok("POST", path, {"assistant_id": "asks", "command": command})

    assert await go_on(await asked(), {"resume": "yes"}) == {"answer": "yes", "n": 2}
    path = await asked()
    question = (await wire.ok("GET", f"{path.removesuffix('/runs/wait')}/state"))["interrupts"][0]["id"]
    assert await go_on(path, {"resume": {question: "yes"}}) == {"answer": "yes", "n": 2}
    assert (await go_on(await asked(), {"goto": "after", "update": {"n": 5}}))["n"] == 6


async def test_a_run_stops_before_and_after_nodes_and_goes_on_with_nothing(wire: Wire) -> None:
    breakpoints: list[Any] = [["nap"], "*"]
    for where in breakpoints:
        thread = await wire.thread()
        path = f"/threads/{thread}/runs/wait"
        body = {"assistant_id": "slow", "input": {"n": 0}, "interrupt_before": where}
        assert await wire.ok("POST", path, body) == {"n": 0}
        assert (await wire.ok("GET", f"/threads/{thread}"))["status"] == "interrupted"
        assert (await wire.ok("GET", f"/threads/{thread}/state"))["next"] == ["nap"]
        gone_on = await wire.ok("POST", path, {"assistant_id": "slow"})
        assert gone_on == {"answer": "slept", "n": 0}


async def test_a_run_begins_where_it_is_told_to(wire: Wire) -> None:
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": HI})
    past = (await wire.ok("GET", f"/threads/{thread}/history?limit=10"))[1]

    again = {"assistant_id": "flow", "checkpoint": past["checkpoint"]}
    await wire.ok("POST", f"/threads/{thread}/runs/wait", again)
    newest, fork = await wire.ok("GET", f"/threads/{thread}/history?limit=2")
    assert (newest["next"], newest["parent_checkpoint"]) == ([], fork["checkpoint"])
    assert (fork["metadata"]["source"], fork["parent_checkpoint"]) == ("fork", past["checkpoint"])


async def test_context_and_configurable_stand_for_each_other(wire: Wire) -> None:
    async def told(**body: Any) -> Any:
        return (await wire.ok("POST", "/runs/wait", {"assistant_id": "tells", "input": {"out": 0}, **body}))[
            "out"
        ]

    assert (await told(context={"who": "a", "x": 1})) == {"who": "a", "x": 1, "tags": None}
    assert (await told(config={"configurable": {"who": "b", "x": 2}})) == {"who": "b", "x": 2, "tags": None}
    both = {"assistant_id": "tells", "context": {"who": "a"}, "config": {"configurable": {"who": "b"}}}
    assert (await wire.refused("POST", "/runs/wait", both))[0] == 400


async def test_one_run_a_thread_at_a_time_in_order(wire: Wire) -> None:
    thread = await wire.thread()
    path = f"/threads/{thread}/runs"
    first = await wire.ok("POST", path, {"assistant_id": "slow", "input": {"n": 0.2}})
    second = await wire.ok("POST", path, {"assistant_id": "slow", "input": {"n": 0.1}})

    status, detail = await wire.refused(
        "POST", path, {"assistant_id": "slow", "input": {}, "multitask_strategy": "reject"}
    )
    assert (status, thread in detail) == (409, True)
    assert (await wire.ok("GET", f"/threads/{thread}"))["status"] == "busy"
    assert (await wire.ok("GET", f"{path}/{second['run_id']}/join"))["n"] == 0.1
    assert (await wire.ok("GET", f"{path}/{first['run_id']}"))["status"] == "success"
    newest = [run["run_id"] for run in await wire.ok("GET", path)]
    assert newest == [second["run_id"], first["run_id"]]


@pytest.mark.parametrize("strategy", ["interrupt", "rollback"])
async def test_a_new_run_may_push_the_old_one_away(strategy: str, wire: Wire) -> None:
    thread = await wire.thread()
    path = f"/threads/{thread}/runs"
    old = await wire.ok("POST", path, {"assistant_id": "slow", "input": {"n": 30}})
    body = {"assistant_id": "slow", "input": {"n": 0}, "multitask_strategy": strategy}

    assert await wire.ok("POST", f"{path}/wait", body) == {"answer": "slept", "n": 0}
    told = await wire("GET", f"{path}/{old['run_id']}")
    assert told.status_code == (404 if strategy == "rollback" else 200)
    if strategy == "interrupt":
        assert told.json()["status"] == "interrupted"


async def test_a_cancelled_run_has_stopped_when_waited_for(wire: Wire) -> None:
    thread = await wire.thread()
    run = await wire.ok("POST", f"/threads/{thread}/runs", {"assistant_id": "slow", "input": {"n": 30}})
    path = f"/threads/{thread}/runs/{run['run_id']}"
    stopped = await wire("POST", f"{path}/cancel?wait=1")

    assert (stopped.status_code, stopped.json()) == (200, {})
    assert stopped.headers["location"] == f"{path}/join"
    assert (await wire.ok("GET", path))["status"] == "interrupted"
    assert (await wire.ok("GET", f"/threads/{thread}"))["status"] == "interrupted"
    assert (await wire.refused("POST", f"{path}/cancel"))[0] == 404  # it has ended


async def test_a_run_is_cancelled_in_passing_or_rolled_back(wire: Wire) -> None:
    thread = await wire.thread()
    body = {"assistant_id": "slow", "input": {"n": 30}}
    run = await wire.ok("POST", f"/threads/{thread}/runs", body)
    path = f"/threads/{thread}/runs/{run['run_id']}"
    accepted = await wire("POST", f"{path}/cancel")
    assert (accepted.status_code, accepted.content) == (202, b"")
    await wire.ok("GET", f"{path}/join")

    run = await wire.ok("POST", f"/threads/{thread}/runs", body)
    path = f"/threads/{thread}/runs/{run['run_id']}"
    assert await wire.ok("POST", f"{path}/cancel?wait=1&action=rollback") == {}
    assert (await wire.refused("GET", path))[0] == 404
    assert (await wire.refused("POST", f"{path}/cancel?action=odd"))[0] == 422


async def test_a_delayed_run_waits_for_its_time(wire: Wire) -> None:
    thread = await wire.thread()
    begun = time.monotonic()
    body = {"assistant_id": "slow", "input": {"n": 0}, "after_seconds": 0.5}

    assert await wire.ok("POST", f"/threads/{thread}/runs/wait", body) == {"answer": "slept", "n": 0}
    assert time.monotonic() - begun >= 0.5


async def test_a_missing_thread_is_made_only_when_asked_for(wire: Wire, nowhere: str) -> None:
    body = {"assistant_id": "slow", "input": {"n": 0}}
    for way in ("", "/wait", "/stream"):
        assert (await wire.refused("POST", f"/threads/{nowhere}/runs{way}", body))[0] == 404
    made = {**body, "if_not_exists": "create"}
    assert (await wire.ok("POST", f"/threads/{nowhere}/runs/wait", made))["answer"] == "slept"
    assert (await wire.ok("GET", f"/threads/{nowhere}"))["status"] == "idle"


async def test_a_removed_run_is_gone(wire: Wire) -> None:
    thread = await wire.thread()
    run = await wire.ok("POST", f"/threads/{thread}/runs", {"assistant_id": "slow", "input": {"n": 30}})
    path = f"/threads/{thread}/runs/{run['run_id']}"

    assert (await wire("DELETE", path)).status_code == 204
    for method, after in [
        ("GET", ""),
        ("GET", "/join"),
        ("GET", "/stream"),
        ("DELETE", ""),
        ("POST", "/cancel"),
    ]:
        assert (await wire.refused(method, f"{path}{after}"))[0] == 404


async def test_runs_without_a_thread_leave_none(wire: Wire) -> None:
    body = {"assistant_id": "slow", "input": {"n": 0}}
    assert await wire.ok("POST", "/runs/wait", body) == {"answer": "slept", "n": 0}
    streamed = await wire("POST", "/runs/stream", body)
    assert 'data: {"answer":"slept","n":0}' in streamed.text
    assert streamed.headers["location"] == f"{streamed.headers['content-location']}/stream"
    run = (await wire("POST", "/runs", body)).json()
    await wire("GET", f"/runs/{run['run_id']}/stream", headers={"Last-Event-ID": "-1"})
    assert (await wire.refused("GET", f"/threads/{run['thread_id']}"))[0] == 404
    assert await wire.ok("POST", "/threads/count", {}) == 0
    await wire.ok("POST", "/runs/wait", {**body, "on_completion": "keep"})
    assert await wire.ok("POST", "/threads/count", {}) == 1


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"assistant_id": "none"}, 422, "'none'"),
    ({"assistant_id": "00000000-0000-4000-8000-000000000000"}, 404, "00000000"),
    ({"assistant_id": None}, 422, "assistant_id is required"),
    ({"assistant_id": 5}, 422, "assistant_id"),
    ({"stream_mode": "odd"}, 422, "stream_mode"),
    ({"stream_mode": ["values", "odd"]}, 422, "stream_mode[1]"),
    ({"multitask_strategy": "odd"}, 422, "multitask_strategy"),
    ({"on_disconnect": "odd"}, 422, "on_disconnect"),
    ({"durability": "odd"}, 422, "durability"),
    ({"after_seconds": "x"}, 422, "after_seconds"),
    ({"after_seconds": -1}, 422, "after_seconds"),
    ({"config": "x"}, 422, "config"),
    ({"config": {"recursion_limit": "x"}}, 422, "config.recursion_limit"),
    ({"config": {"tags": "x"}}, 422, "config.tags"),
    ({"config": {"tags": [1]}}, 422, "config.tags[0]"),
    ({"metadata": []}, 422, "metadata"),
    ({"command": "x"}, 422, "command"),
    ({"command": {"goto": 5}}, 422, "command.goto"),
    ({"interrupt_before": 5}, 422, "interrupt_before"),
    ({"if_not_exists": "x"}, 422, "if_not_exists"),
    ({"checkpoint": "x"}, 422, "checkpoint"),
    ({"checkpoint_id": "x"}, 422, "checkpoint_id"),
    ({"stream_subgraphs": "maybe"}, 422, "stream_subgraphs"),
    ({"webhook": 5}, 422, "webhook"),
    ({"webhook": ""}, 422, "webhook"),
    ({"webhook": "/hook"}, 422, "webhook"),
    ({"priority": 6}, 422, "priority"),
    ({"priority": "high"}, 422, "priority"),
]


async def test_a_wrong_field_is_named(wire: Wire) -> None:
    for wrong, status, named in WRONG:
        body = {"assistant_id": "slow", "input": {"n": 0}, **wrong}
        got, detail = await wire.refused("POST", "/runs/wait", body)
        assert (wrong, got, named in detail) == (wrong, status, True), detail


async def test_odd_input_is_an_error_of_the_run(wire: Wire) -> None:
    for given in (None, "text", [1], 5):
        said = await wire.ok("POST", "/runs/wait", {"assistant_id": "slow", "input": given})
        assert said["__error__"]["message"]
