"""What a stream is on the wire, byte for byte.

The expectations in `streams/` were compared with the reference server once, event by event: the same but for
ids, which we always send, and for what names a version or a host.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.served import HI

from .conftest import Wire

EXPECTED = Path(__file__).parent / "streams"
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
UNSTABLE = [
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hash>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00"), "<time>"),
    (re.compile(r'"lc_versions":\{[^}]*\}'), '"lc_versions":{}'),
]
CASES: dict[str, dict[str, Any]] = {
    "values": {"assistant_id": "flow", "stream_mode": ["values"]},
    "updates": {"assistant_id": "flow", "stream_mode": "updates"},
    "messages-tuple": {"assistant_id": "flow", "stream_mode": ["messages-tuple"]},
    "messages": {"assistant_id": "flow", "stream_mode": ["messages"]},
    "custom": {"assistant_id": "flow", "stream_mode": ["custom"]},
    "tasks": {"assistant_id": "flow", "stream_mode": ["tasks"]},
    "checkpoints": {"assistant_id": "flow", "stream_mode": ["checkpoints"]},
    "debug": {"assistant_id": "flow", "stream_mode": ["debug"]},
    "events": {"assistant_id": "flow", "stream_mode": ["events", "updates"]},
    "subgraphs": {
        "assistant_id": "flow",
        "stream_mode": ["values", "updates", "messages-tuple", "custom", "tasks"],
        "stream_subgraphs": True,
    },
    "whole-messages": {"assistant_id": "said", "stream_mode": ["messages"]},
    "inner-messages": {"assistant_id": "said", "stream_mode": ["messages-tuple"], "stream_subgraphs": True},
    "outer-messages": {"assistant_id": "said", "stream_mode": ["messages-tuple"]},
    "question": {"assistant_id": "asks", "stream_mode": ["values", "updates"], "input": {"n": 1}},
    "error": {"assistant_id": "fails", "stream_mode": ["values", "tasks"], "input": {"n": 1}},
    "breakpoint": {
        "assistant_id": "asks",
        "stream_mode": ["values", "updates"],
        "input": {"n": 1},
        "interrupt_before": "*",
    },
}


def normal(text: str) -> str:
    """Replace what differs from run to run; ids by the order in which they appear."""
    names: dict[str, str] = {}
    text = UUID.sub(lambda found: names.setdefault(found[0], f"<id {len(names) + 1}>"), text)
    for pattern, name in UNSTABLE:
        text = pattern.sub(name, text)
    return text


async def test_a_stream_is_what_clients_expect(wire: Wire, subtests: pytest.Subtests) -> None:
    for case, asked in CASES.items():
        with subtests.test(case):
            path = f"/threads/{await wire.thread()}/runs/stream"
            response = await wire("POST", path, {"input": HI, **asked})
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            got, expected = normal(response.text), (EXPECTED / f"{case}.sse").read_bytes().decode()
            if case == "events":  # callbacks and chunks meet in any order, so what is not sent shifts numbers
                got, expected = (re.sub(r"id: \d+", "id: <n>", text) for text in (got, expected))
            assert got == expected


async def test_a_stream_says_where_it_goes_on_and_that_nobody_should_keep_it(wire: Wire) -> None:
    thread = await wire.thread()
    body = {"assistant_id": "slow", "input": {"n": 0}}
    response = await wire("POST", f"/threads/{thread}/runs/stream", body)

    run = (await wire.ok("GET", f"/threads/{thread}/runs"))[0]["run_id"]
    assert response.headers["content-location"] == f"/threads/{thread}/runs/{run}"
    assert response.headers["location"] == f"/threads/{thread}/runs/{run}/stream"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"


async def test_a_reader_gets_what_came_after_the_last_event_it_has(wire: Wire) -> None:
    thread = await wire.thread()
    body = {"assistant_id": "flow", "input": HI, "stream_mode": ["updates", "values"]}
    whole = (await wire("POST", f"/threads/{thread}/runs/stream", body)).text
    path = (await wire.ok("GET", f"/threads/{thread}/runs"))[0]["run_id"]
    path = f"/threads/{thread}/runs/{path}/stream"

    async def after(last: str) -> str:
        return (await wire("GET", path, headers={"Last-Event-ID": last})).text

    assert await after("-1") == whole
    for last in re.findall(r"id: (\d+)", whole):
        assert await after(last) == whole.partition(f"id: {last}\r\n\r\n")[2]
    assert (await wire("GET", path)).text == ""  # only what is new, and there is nothing new any more


async def test_messages_so_far_go_on_for_a_reader_that_comes_back(wire: Wire) -> None:
    thread = await wire.thread()
    body = {"assistant_id": "flow", "input": HI, "stream_mode": "messages"}
    whole = (await wire("POST", f"/threads/{thread}/runs/stream", body)).text
    run = (await wire.ok("GET", f"/threads/{thread}/runs"))[0]["run_id"]
    ids = re.findall(r"id: (\d+)", whole)

    for last in ids:
        headers = {"Last-Event-ID": last}
        rest = (await wire("GET", f"/threads/{thread}/runs/{run}/stream", headers=headers)).text
        assert rest == whole.partition(f"id: {last}\r\n\r\n")[2]
    assert '"content":"one two three"' in whole


async def test_a_late_reader_may_ask_for_some_modes_only(wire: Wire) -> None:
    thread = await wire.thread()
    run = await wire.ok("POST", f"/threads/{thread}/runs", {"assistant_id": "flow", "input": HI})
    path = f"/threads/{thread}/runs/{run['run_id']}"
    await wire.ok("GET", f"{path}/join")

    for modes in ("updates&stream_mode=custom", "updates,custom", '["updates","custom"]'):
        every = {"Last-Event-ID": "-1"}
        shown = (await wire("GET", f"{path}/stream?stream_mode={modes}", headers=every)).text
        assert re.findall(r"event: (.*)\r\n", shown) == ["custom", "updates", "updates", "updates"]


async def test_a_failure_is_told_to_readers_that_come_later(wire: Wire) -> None:
    thread = await wire.thread()
    run = await wire.ok("POST", f"/threads/{thread}/runs", {"assistant_id": "fails", "input": {"n": 1}})
    path = f"/threads/{thread}/runs/{run['run_id']}"
    await wire.ok("GET", f"{path}/join")

    shown = (await wire("GET", f"{path}/stream", headers={"Last-Event-ID": "-1"})).text
    assert 'event: error\r\ndata: {"error":"ValueError","message":"boom"}\r\n' in shown


async def test_what_is_no_event_id_or_mode_is_refused(wire: Wire) -> None:
    thread = await wire.thread()
    run = await wire.ok("POST", f"/threads/{thread}/runs", {"assistant_id": "slow", "input": {"n": 0}})
    path = f"/threads/{thread}/runs/{run['run_id']}/stream"

    status, detail = await wire.refused("GET", path, headers={"Last-Event-ID": "1795205799011-0"})
    assert (status, "1795205799011-0" in detail) == (422, True)
    status, detail = await wire.refused("GET", f"{path}?stream_mode=all")
    assert (status, "stream_mode" in detail) == (422, True)
