"""The stream of a whole thread, byte for byte where bytes count."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest
from tests.fakes.served import HI, calling, serving
from tests.fakes.streaming import Streamed, streaming

from .conftest import Wire

RUN = {"assistant_id": "asks", "input": {"n": 1}, "stream_mode": ["values", "updates"]}
Open: TypeAlias = Callable[..., Any]


@pytest.fixture
def opened(wire: Wire) -> Open:
    @asynccontextmanager
    async def opening(thread: str, last: str | None = None, **params: Any) -> AsyncIterator[Streamed]:
        headers = {"Last-Event-ID": last} if last is not None else {}
        path = f"/threads/{thread}/stream"
        async with streaming(wire.app, "GET", path, params=params, headers=headers) as stream:
            yield stream

    return opening


async def test_runs_come_one_after_the_other_each_between_its_begin_and_its_end(
    wire: Wire, opened: Open
) -> None:
    thread = await wire.thread()
    async with opened(thread) as stream:
        await wire.ok("POST", f"/threads/{thread}/runs/wait", RUN)
        await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "fails", "input": {"n": 2}})
        await stream.until("run_done", times=2)
    first, second = [run["run_id"] for run in reversed(await wire.ok("GET", f"/threads/{thread}/runs"))]
    asked = stream.events[2][1]["__interrupt__"]
    assert [(name, data) for name, data, _ in stream.events] == [
        ("metadata", {"run_id": first, "attempt": 1}),
        ("values", {"n": 1}),
        ("updates", {"__interrupt__": asked}),
        ("values", {"n": 1, "__interrupt__": asked}),
        ("metadata", {"status": "run_done", "run_id": first}),
        ("metadata", {"run_id": second, "attempt": 1}),
        ("values", {"n": 2}),
        ("error", {"error": "ValueError", "message": "boom"}),
        ("metadata", {"status": "run_done", "run_id": second}),
    ]
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["cache-control"] == "no-store"
    ids = [int(re.fullmatch(r"(\d+)-0", place)[1]) for *_, place in stream.events]  # type: ignore[index]
    assert ids == sorted(set(ids))


async def test_every_id_leads_back_to_what_came_after_it(wire: Wire, opened: Open) -> None:
    thread = await wire.thread()
    body = {"assistant_id": "flow", "input": HI, "stream_mode": ["messages", "updates"]}
    for _ in range(2):
        await wire.ok("POST", f"/threads/{thread}/runs/wait", body)
    texts = {}
    for zero in ("0", "0-0"):
        async with opened(thread, zero) as stream:
            await stream.until("run_done", times=2)
        texts[zero] = stream.text
    whole = texts["0"]
    assert whole == texts["0-0"]
    assert '"content":"one two three"' in whole
    for place in re.findall(r"id: (\d+-0)", whole)[3:-1:4]:
        rest = whole.partition(f"id: {place}\r\n\r\n")[2]
        async with opened(thread, place) as stream:
            await stream.until("run_done", times=rest.count("run_done"))
        assert stream.text == rest


async def test_without_an_id_only_what_is_new_is_told(wire: Wire, opened: Open) -> None:
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", RUN)
    async with opened(thread) as stream:
        await wire.ok("POST", f"/threads/{thread}/runs/wait", {**RUN, "input": {"n": 7}})
        await stream.until("run_done")
    assert stream.events[1][:2] == ("values", {"n": 7})


async def test_begin_and_end_alone_are_the_lifecycle(wire: Wire, opened: Open) -> None:
    thread = await wire.thread()
    async with opened(thread, stream_modes="lifecycle") as stream:
        run = await wire.ok("POST", f"/threads/{thread}/runs", {"assistant_id": "fails", "input": {"n": 2}})
        await stream.until("run_done")
    assert [data for _, data, _ in stream.events] == [
        {"run_id": run["run_id"], "attempt": 1},
        {"status": "run_done", "run_id": run["run_id"]},
    ]


@pytest.mark.parametrize("name", ["stream_mode", "stream_modes"])
async def test_changes_of_the_state_from_outside_are_told(wire: Wire, opened: Open, name: str) -> None:
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", RUN)
    await wire.ok("POST", f"/threads/{thread}/state", {"values": {"n": 5}})
    async with opened(thread, **{name: "state_update"}) as stream:
        await asyncio.sleep(0.3)  # it looked
        for n in (7, 8):
            await wire.ok("POST", f"/threads/{thread}/state", {"values": {"n": n}})
        await wire.ok("POST", f"/threads/{thread}/runs/wait", RUN)
        await stream.until("state_update", times=2)
    assert [(event, data["state"]["values"]["n"]) for event, data, _ in stream.events] == [
        ("state_update", 7),
        ("state_update", 8),
    ]
    assert {data["thread_id"] for _, data, _ in stream.events} == {thread}
    assert stream.events[0][1]["state"]["metadata"]["source"] == "update"


async def test_a_wrong_id_mode_or_thread_is_refused(wire: Wire, nowhere: str) -> None:
    path = f"/threads/{await wire.thread()}/stream"
    for last in ("-1", "x", "1-x", "²-0", "9" * 30):
        headers = {"Last-Event-ID": last.encode()}
        status, detail = await wire.refused("GET", path, headers=headers)
        assert (status, "Last-Event-ID" in detail) == (422, True)
    status, detail = await wire.refused("GET", f"{path}?stream_modes=sideways")
    assert (status, "sideways" in detail) == (422, True)
    assert (await wire.refused("GET", f"/threads/{nowhere}/stream"))[0] == 404
    assert (await wire.refused("GET", "/threads/x/stream"))[0] == 422


async def test_a_run_of_another_replica_is_on_the_stream(fresh_dsn: str) -> None:
    async with serving(fresh_dsn) as here, serving(fresh_dsn) as there, calling(here) as http:
        thread = (await http.post("/threads", json={})).json()["thread_id"]
        async with streaming(there, "GET", f"/threads/{thread}/stream") as stream:
            await http.post(f"/threads/{thread}/runs/wait", json=RUN)
            await stream.until("run_done")
    assert [name for name, *_ in stream.events][:2] == ["metadata", "values"]


async def test_a_run_that_never_began_is_told_by_its_end_and_only_once(wire: Wire, opened: Open) -> None:
    thread = await wire.thread()
    made = await wire.ok("POST", f"/threads/{thread}/runs", {**RUN, "after_seconds": 3600})
    async with opened(thread) as stream:
        await wire.ok("POST", f"/threads/{thread}/runs/{made['run_id']}/cancel?wait=true")
        await stream.until("run_done")
    assert stream.data == [{"status": "run_done", "run_id": made["run_id"]}]
    async with opened(thread) as later:
        await later.quiet()
        assert later.data == []
        await wire.ok("POST", f"/threads/{thread}/runs/wait", RUN)
        await later.until("run_done")
    async with opened(thread, last="0") as whole:
        await whole.until("run_done", times=2)
    assert whole.data == stream.data + later.data
