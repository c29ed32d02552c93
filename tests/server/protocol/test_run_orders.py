"""Many runs at a time, the same run asked for twice, places in the queue, limits, and who asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from tests.fakes.served import calling, serving

from artel.server.auth.caller import Caller
from artel.storage.ids import new_id

from .conftest import Wire

NAP: dict[str, Any] = {"assistant_id": "slow", "input": {"n": 0}}
LONG: dict[str, Any] = {"assistant_id": "slow", "input": {"n": 30}}


async def test_a_batch_is_started_whole_or_not_at_all(wire: Wire) -> None:
    made = await wire.ok("POST", "/runs/batch", [NAP, {**NAP, "on_completion": "keep"}])
    assert [run["status"] for run in made] == ["pending", "pending"]
    kept = made[1]
    path = f"/threads/{kept['thread_id']}/runs/{kept['run_id']}"
    assert await wire.ok("GET", f"{path}/join") == {"answer": "slept", "n": 0}

    before = await wire.ok("POST", "/threads/count", {})
    for wrong, named in [
        ([], "at least 1"),
        ({}, "list"),
        ([NAP, {"assistant_id": "none"}], "'none'"),
        ([NAP, {**NAP, "stream_mode": "odd"}], "[1].stream_mode"),
    ]:
        status, detail = await wire.refused("POST", "/runs/batch", wrong)
        assert (status, named in detail) == (422, True), detail
    assert await wire.ok("POST", "/threads/count", {}) <= before


async def test_the_official_client_starts_a_batch_and_stops_many(wire: Wire) -> None:
    client = LangGraphClient(wire.http)
    batch = await client.runs.create_batch([{"assistant_id": "slow", "input": {"n": 30}}])  # type: ignore[typeddict-item]  # fields are optional on the wire
    assert len(batch) == 1
    await client.runs.cancel_many(status="all", action="rollback")
    with pytest.raises(httpx.HTTPError):
        await client.runs.cancel_many(thread_id=str(new_id()), run_ids=[str(new_id())])


async def test_runs_are_stopped_by_status_or_by_name(wire: Wire) -> None:
    thread = await wire.thread()
    path = f"/threads/{thread}/runs"
    first, second = [(await wire.ok("POST", path, LONG))["run_id"] for _ in range(2)]
    stopped = await wire("POST", "/runs/cancel", {"thread_id": thread, "run_ids": [second, str(new_id())]})
    assert (stopped.status_code, stopped.content) == (204, b"")
    assert (await wire.ok("GET", f"{path}/{second}"))["status"] == "interrupted"
    assert (await wire("POST", "/runs/cancel?action=rollback", {"status": "running"})).status_code == 204
    await until(lambda: _is_gone(wire, f"{path}/{first}"))
    assert (await wire.ok("GET", f"/threads/{thread}/state"))["values"] == {}

    for body, status in [
        ({}, 422),
        ({"status": "odd"}, 422),
        ({"run_ids": [first]}, 422),
        ({"thread_id": thread}, 422),
        ({"status": "all", "thread_id": thread, "run_ids": [first]}, 422),
        ({"thread_id": thread, "run_ids": ["x"]}, 422),
        ({"thread_id": thread, "run_ids": []}, 404),
        ({"thread_id": thread, "run_ids": [second]}, 404),
        ({"status": "all"}, 404),
    ]:
        assert (await wire.refused("POST", "/runs/cancel", body))[0] == status, body
    assert (await wire.refused("POST", "/runs/cancel?action=odd", {"status": "all"}))[0] == 422


async def test_the_same_key_is_the_same_run_however_it_is_asked_for(wire: Wire) -> None:
    thread = await wire.thread()
    key = {"Idempotency-Key": "ключ".encode().hex()}
    path = f"/threads/{thread}/runs"
    made = await wire.ok("POST", path, NAP, headers=key)
    again = await wire.ok("POST", path, NAP, headers=key)
    assert again["run_id"] == made["run_id"]
    waited = await wire("POST", f"{path}/wait", NAP, headers=key)
    assert waited.json() == {"answer": "slept", "n": 0}
    assert waited.headers["content-location"] == f"{path}/{made['run_id']}"
    streamed = await wire("POST", f"{path}/stream", NAP, headers=key)
    assert made["run_id"] in streamed.text
    assert '"answer":"slept"' in streamed.text
    assert len(await wire.ok("GET", path)) == 1

    other = await wire("POST", path, LONG, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    elsewhere = await wire("POST", f"/threads/{await wire.thread()}/runs", NAP, headers=key)
    assert elsewhere.json()["code"] == "idempotency_mismatch"
    for wrong in ("", "k" * 256):
        status, detail = await wire.refused("POST", path, NAP, headers={"Idempotency-Key": wrong})
        assert (status, "Idempotency-Key" in detail) == (422, True)


async def test_a_run_without_a_thread_is_the_same_by_its_key_also_when_it_has_ended(wire: Wire) -> None:
    key = {"Idempotency-Key": "once"}
    answers = [await wire("POST", "/runs/wait", NAP, headers=key) for _ in range(3)]
    assert [one.json() for one in answers] == [{"answer": "slept", "n": 0}] * 3
    assert len({one.headers["content-location"] for one in answers}) == 1


async def test_many_at_once_with_one_key_start_one_run(wire: Wire) -> None:
    for way, body in [("", NAP), ("/wait", {**NAP, "multitask_strategy": "reject"})]:
        thread = await wire.thread()
        path = f"/threads/{thread}/runs"
        key = {"Idempotency-Key": f"race{way}"}
        answers = await asyncio.gather(*(wire("POST", path + way, body, headers=key) for _ in range(8)))
        assert {one.status_code for one in answers} == {200}, [one.text for one in answers]
        assert len(await wire.ok("GET", path)) == 1


async def test_a_batch_is_the_same_runs_by_its_key_and_their_places(wire: Wire) -> None:
    key = {"Idempotency-Key": "batch"}
    bodies = [NAP, NAP, {**NAP, "metadata": {"third": True}}]
    made = await wire.ok("POST", "/runs/batch", bodies, headers=key)
    assert len({run["run_id"] for run in made}) == 3
    for run in made:
        await wire.ok("GET", f"/threads/{run['thread_id']}/runs/{run['run_id']}/join")
    again = await wire.ok("POST", "/runs/batch", bodies, headers=key)
    assert [run["run_id"] for run in again] == [run["run_id"] for run in made]
    assert [run["status"] for run in again] == ["success"] * 3
    assert again[2]["metadata"]["third"] is True

    for other in (bodies[:2], [*bodies, NAP], bodies[::-1], [NAP]):
        refused = await wire("POST", "/runs/batch", other, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_mismatch"), other
    alone = await wire("POST", "/runs", NAP, headers=key)
    assert alone.json()["code"] == "idempotency_mismatch"
    await wire.ok("POST", "/runs", NAP, headers={"Idempotency-Key": "one"})
    taken = await wire("POST", "/runs/batch", [NAP], headers={"Idempotency-Key": "one"})
    assert taken.json()["code"] == "idempotency_mismatch"
    without = [await wire.ok("POST", "/runs/batch", [NAP]) for _ in range(2)]
    assert without[0][0]["run_id"] != without[1][0]["run_id"]
    assert (await wire.refused("POST", "/runs/batch", [NAP], headers={"Idempotency-Key": "k" * 256}))[
        0
    ] == 422


async def test_many_batches_at_once_with_one_key_start_each_run_once(wire: Wire) -> None:
    key = {"Idempotency-Key": "race"}
    answers = await asyncio.gather(*(wire("POST", "/runs/batch", [NAP] * 20, headers=key) for _ in range(6)))
    assert {one.status_code for one in answers} == {200}, [one.text for one in answers]
    assert len({tuple(run["run_id"] for run in one.json()) for one in answers}) == 1
    assert len({run["run_id"] for run in answers[0].json()}) == 20


async def test_a_batch_that_comes_again_costs_no_rate(fresh_dsn: str) -> None:
    async with serving(fresh_dsn, user_rate=3) as app, calling(app) as http:
        wire = Wire(app, http)
        key = {"Idempotency-Key": "rated"}
        for _ in range(3):
            await wire.ok("POST", "/runs/batch", [NAP] * 3, headers=key)
        assert (await wire.refused("POST", "/runs/batch", [NAP]))[0] == 429


async def test_a_waiting_run_knows_its_place(fresh_dsn: str) -> None:
    async with serving(fresh_dsn, slots=1) as app, calling(app) as http:
        wire = Wire(app, http)
        await wire.ok("POST", "/runs", LONG)
        await asyncio.sleep(0.3)
        ids = []
        for expected in (1, 2, 3):
            thread = await wire.thread()
            run = await wire.ok("POST", f"/threads/{thread}/runs", NAP)
            assert run["queue_position"] == expected
            ids.append(f"/threads/{thread}/runs/{run['run_id']}")
        urgent = await wire.ok("POST", "/runs", {**NAP, "priority": -5})
        assert urgent["queue_position"] == 1
        assert [(await wire.ok("GET", path))["queue_position"] for path in ids] == [2, 3, 4]
        later = await wire.ok("POST", f"{ids[0].rpartition('/')[0]}", {**NAP, "after_seconds": 60})
        assert "queue_position" not in later
        assert "queue_position" not in (await wire.ok("GET", f"{ids[0].rpartition('/')[0]}"))[1]
        await wire("POST", "/runs/cancel", {"status": "running"})
        assert "queue_position" not in await _ended(wire, ids[2])


async def _ended(wire: Wire, path: str) -> dict[str, Any]:
    await wire.ok("GET", f"{path}/join")
    found: dict[str, Any] = await wire.ok("GET", path)
    return found


async def test_one_user_takes_no_more_than_their_share_and_others_do_not_wait(fresh_dsn: str) -> None:
    async with serving(fresh_dsn, user_runs=2) as app, calling(app) as http:
        ours = Wire(app, http)
        for _ in range(4):
            await ours.ok("POST", "/runs", LONG)
        await until(lambda: _run_at_once(ours, 2))
        fast = asyncio.create_task(ours("POST", "/runs/stream", NAP))
        async with calling(as_user(app, "other")) as theirs:
            begun = await theirs.post("/runs/wait", json=NAP)
            assert begun.json() == {"answer": "slept", "n": 0}
        assert not fast.done()
        assert await _running(ours) == 2
        await ours("POST", "/runs/cancel", {"status": "all"})
        assert (await fast).status_code == 200


async def test_the_runs_of_an_assistant_follow_one_another_within_its_limit(fresh_dsn: str) -> None:
    async with serving(fresh_dsn, assistant_runs=1) as app, calling(app) as http:
        wire = Wire(app, http)
        thread = await wire.thread()
        body = {"assistant_id": "slow", "input": {"n": 0.05}}
        runs = [wire.ok("POST", f"/threads/{thread}/runs/wait", body) for _ in range(3)]
        runs += [wire.ok("POST", "/runs/wait", body) for _ in range(5)]
        async with asyncio.timeout(10):
            assert await asyncio.gather(*runs) == [{"answer": "slept", "n": 0.05}] * 8


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await true():  # noqa: ASYNC110 - it is in the database
            await asyncio.sleep(0.02)


async def _is_gone(wire: Wire, path: str) -> bool:
    return (await wire("GET", path)).status_code == 404


async def _run_at_once(wire: Wire, many: int) -> bool:
    return await _running(wire) == many


async def _running(wire: Wire) -> int:
    engine = wire.app.state.engine
    async with engine.db.connection() as conn:
        row = await (await conn.execute("select count(*) n from runs where status = 'running'")).fetchone()
    return int(row["n"])


@pytest.mark.parametrize("limit", ["user_rate", "assistant_rate"])
async def test_more_runs_than_a_minute_allows_are_refused_for_a_while(fresh_dsn: str, limit: str) -> None:
    limits: dict[str, Any] = {limit: 3}
    async with serving(fresh_dsn, **limits) as app, calling(app) as http:
        wire = Wire(app, http)
        for way in ("/wait", "/stream", ""):
            assert (await wire("POST", f"/runs{way}", NAP)).status_code == 200
        for way in ("/wait", "/stream", ""):
            refused = await wire("POST", f"/runs{way}", NAP)
            assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
            assert 1 <= int(refused.headers["retry-after"]) <= 21
        assert (await wire.refused("POST", "/runs/batch", [NAP] * 4))[0] == 429
        if limit == "user_rate":
            async with calling(as_user(app, "other")) as theirs:
                assert (await theirs.post("/runs/wait", json=NAP)).status_code == 200


def as_user(app: Any, name: str) -> Any:
    """Return the application as it is when a user has shown who they are."""

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        scope["artel.caller"] = Caller(user={"identity": name, "team": "b"}, permissions=("read",))
        await app(scope, receive, send)

    return asked


async def test_keys_of_one_user_are_not_those_of_another(wire: Wire) -> None:
    key = {"Idempotency-Key": "k"}
    async with calling(as_user(wire.app, "a")) as a, calling(as_user(wire.app, "b")) as b:
        places = [
            (await http.post("/runs/wait", json=NAP, headers=key)).headers["content-location"]
            for http in (a, b, a)
        ]
    assert places[0] == places[2] != places[1]


async def test_a_graph_is_told_who_asked_and_by_which_request(wire: Wire) -> None:
    body = {"assistant_id": "asked_by", "input": {"out": 0}}
    named = {"X-Request-Id": "req-1"}
    nobody = (await wire.ok("POST", "/runs/wait", body, headers=named))["out"]
    assert nobody == {"user_id": "", "user": None, "id": "", "may": [], "request": "req-1", "known": None}
    async with calling(as_user(wire.app, "ann")) as ann:
        told = (await ann.post("/runs/wait", json=body, headers=named)).json()["out"]
        run = (await ann.post("/runs", json=body)).json()
    assert (told["user_id"], told["id"], told["may"]) == ("ann", "ann", ["read"])
    assert (told["user"]["team"], told["known"]) == ("b", "ann")
    assert "user" not in run["kwargs"]


async def test_a_run_whose_events_are_gone_is_joined_by_what_it_left(wire: Wire) -> None:
    for graph, given in [("slow", {"n": 0}), ("asks", {"n": 1})]:
        thread = await wire.thread()
        path = f"/threads/{thread}/runs"
        first = await wire("POST", f"{path}/wait", {"assistant_id": graph, "input": given})
        before = first.json()
        async with wire.app.state.engine.db.connection() as conn:
            await conn.execute("delete from run_events")
        if graph == "slow":
            await wire.ok("POST", f"{path}/wait", {"assistant_id": graph, "input": {"n": 0.01}})
        assert await wire.ok("GET", first.headers["location"]) == before


async def test_runs_are_listed_by_status_and_by_field(wire: Wire) -> None:
    thread = await wire.thread()
    path = f"/threads/{thread}/runs"
    await wire.ok("POST", f"{path}/wait", NAP)
    await wire.ok("POST", f"{path}/wait", {"assistant_id": "fails", "input": {}})
    assert [run["status"] for run in await wire.ok("GET", path)] == ["error", "success"]
    assert await wire.ok("GET", f"{path}?status=error&select=status&select=kwargs&limit=1")
    assert await wire.ok("GET", f"{path}?status=success&select=status") == [{"status": "success"}]
    assert (await wire.refused("GET", f"{path}?status=odd"))[0] == 422
    assert (await wire.refused("GET", f"{path}?select=odd"))[0] == 422
    assert (await wire.refused("GET", f"/threads/{new_id()}/runs"))[0] == 404


async def test_a_thread_made_for_a_run_has_the_metadata_of_the_run(wire: Wire) -> None:
    body = {**NAP, "metadata": {"x": 1}, "on_completion": "keep"}
    place = (await wire("POST", "/runs/wait", body)).headers["content-location"]
    made = (await wire.ok("GET", place.partition("/runs")[0]))["metadata"]
    assert (made["x"], made["graph_id"], "created_by" in made) == (1, "slow", False)
