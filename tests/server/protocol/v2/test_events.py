"""The event stream of protocol v2: what is told, to whom, from where."""

import asyncio
import itertools
import json
from typing import Any
from uuid import UUID

from tests.fakes.served import calling, serving
from tests.fakes.speaking import Stage
from tests.fakes.streaming import streaming

from artel.storage import threads

from .conftest import ALL, HI, Talk


def stable(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event without the time at which it was told."""
    params = {name: value for name, value in event["params"].items() if name != "timestamp"}
    return {**event, "params": params}


def lifecycle(events: list[Any]) -> list[tuple[int, str]]:
    return [(len(e["params"]["namespace"]), e["params"]["data"]["event"]) for e in events]


async def test_each_event_is_framed_with_its_method_and_number(talk: Talk) -> None:
    run_id = await talk.run("ask", input={"n": 1})
    async with talk.events(["lifecycle", "input"]) as stream:
        await stream.until("interrupted")
    names = [(name, data["method"], int(number)) for name, data, number in stream.events]
    assert [(name, method) for name, method, _ in names] == [
        ("lifecycle", "lifecycle"),
        ("input.requested", "input.requested"),
        ("lifecycle", "lifecycle"),
    ]
    assert [number for *_, number in names] == [data["seq"] for data in stream.data]
    asked = stream.data[1]["params"]
    assert asked["data"]["payload"] == asked["data"]["value"] == {"question": "ok?"}
    assert all(data["event_id"].startswith(f"synth:{run_id}:") for data in stream.data)
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"


async def test_every_number_leads_back_to_what_came_after_it(talk: Talk) -> None:
    for _ in range(2):
        await talk.run("agent")
    whole = [stable(event) for event in await talk.told()]
    numbers = [event["seq"] for event in whole]
    assert numbers == sorted(set(numbers))
    assert len({event["event_id"] for event in whole}) == len(whole)
    for place in range(0, len(whole) - 1, 9):
        assert [stable(e) for e in await talk.told(since=numbers[place])] == whole[place + 1 :]


async def test_who_listens_to_little_gets_the_same_numbers(talk: Talk) -> None:
    await talk.run("agent")
    whole = [stable(event) for event in await talk.told()]
    assert {event["method"] for event in whole} == {*ALL} - {"input"}
    for channel in sorted({event["method"] for event in whole}):
        alone = [stable(event) for event in await talk.told([channel])]
        assert alone == [event for event in whole if event["method"] == channel]


async def test_the_checkpoint_of_a_state_comes_right_before_it(talk: Talk) -> None:
    await talk.run("agent")
    events = await talk.told(["values", "checkpoints"])
    for before, event in itertools.pairwise(events):
        if event["method"] == "values":
            assert before["method"] == "checkpoints"
            assert set(before["params"]["data"]) == {"id", "parent_id", "step", "source"}


async def test_a_stream_may_be_opened_before_there_is_a_thread(talk: Talk) -> None:
    async with talk.events(["lifecycle"]) as stream:
        await talk.run("talk")
        await stream.until("completed")
        await talk.run("fail")
        await stream.until("no luck")
    assert lifecycle(stream.data) == [(0, "running"), (0, "completed"), (0, "running"), (0, "failed")]


async def test_a_thread_that_somebody_else_has_or_that_is_gone_is_not_there(talk: Talk) -> None:
    path = f"/threads/{talk.thread}/stream/events"
    gone = await talk.http.post(path, json={"channels": ["values"], "since": 4_000})
    assert (gone.status_code, talk.thread in gone.json()["detail"]) == (404, True)
    async with talk.app.state.engine.db.transaction() as conn:
        await threads.create(conn, UUID(talk.thread), owner="somebody else")
    for since in (0, 4_000):
        theirs = await talk.http.post(path, json={"channels": ["values"], "since": since})
        assert theirs.status_code == 404
        assert theirs.json()["detail"] == gone.json()["detail"]


async def test_graphs_inside_are_told_and_filtered(talk: Talk) -> None:
    await talk.run("deep")
    events = await talk.told(["lifecycle", "messages"])
    assert lifecycle([e for e in events if e["method"] == "lifecycle"]) == [
        (0, "running"),
        (1, "started"),
        (1, "completed"),
        (0, "completed"),
    ]
    started = next(e for e in events if e["params"]["data"]["event"] == "started")["params"]
    assert started["data"]["graph_name"] == "sub"
    assert started["data"]["trigger_call_id"] == started["namespace"][0].removeprefix("sub:")
    inside = await talk.told(["messages", "lifecycle"], namespaces=[["sub"]])
    assert {len(event["params"]["namespace"]) for event in inside} == {1}
    root = await talk.told(["messages", "lifecycle"], namespaces=[[]], depth=0)
    assert {event["method"] for event in root} == {"lifecycle"}


async def test_tools_are_told_with_what_they_return(talk: Talk) -> None:
    await talk.run("agent")
    started, finished = [event["params"]["data"] for event in await talk.told(["tools"])]
    call = {"tool_call_id": "c1"}
    assert started == {"event": "tool-started", **call, "tool_name": "look", "input": {"at": 1}}
    assert (finished["event"], finished["output"]["content"]) == ("tool-finished", "seen 1")


async def test_custom_channels_and_whole_messages(talk: Talk) -> None:
    await talk.run("plain")
    custom = [event["params"]["data"] for event in await talk.told(["custom"])]
    assert custom == [{"payload": "bare"}, {"name": "chart", "payload": [1, 2]}]
    assert [e["params"]["data"] for e in await talk.told(["custom:chart"])] == custom[1:]
    said = [event["params"]["data"]["event"] for event in await talk.told(["messages"])]
    block = ["content-block-start", "content-block-delta", "content-block-finish"]
    assert said == ["message-start", *block, "message-finish"]
    updates = [event["params"]["data"] for event in await talk.told(["updates"])]
    assert [update["node"] for update in updates] == ["talk", "write"]


async def test_states_show_messages_short_and_ai_content_as_blocks(talk: Talk) -> None:
    await talk.run("agent")
    messages = (await talk.told(["values"]))[-1]["params"]["data"]["messages"]
    assert messages[0] == {"type": "human", "content": "hi", "id": "h1"}
    assert [block["type"] for block in messages[1]["content"]] == ["reasoning", "text", "tool_call"]
    assert messages[1]["response_metadata"]["output_version"] == "v1"
    assert "additional_kwargs" not in messages[3]


async def test_a_cancelled_run_takes_back_what_was_half_said(talk: Talk, stage: Stage) -> None:
    run_id = await talk.start("slow")
    async with talk.events(["messages", "lifecycle"]) as stream:
        await stream.until('"two"'.replace("two", " two"))
        await talk.http.post(f"/threads/{talk.thread}/runs/{run_id}/cancel?wait=true")
        await stream.until("interrupted", times=2)
    *_, error, end = [event["params"]["data"] for event in stream.data]
    assert (error["event"], error["code"], end["event"]) == ("error", "aborted", "interrupted")


async def test_a_run_that_is_cancelled_in_the_queue_is_told_after_the_one_before_it(
    talk: Talk, stage: Stage
) -> None:
    first = await talk.start("slow")
    async with talk.events(["lifecycle"]) as stream:
        await stream.until("running")
        waits = [await talk.start("talk"), await talk.start("talk")]
        for run_id in waits:
            await talk.http.post(f"/threads/{talk.thread}/runs/{run_id}/cancel?wait=true")
        last = await talk.start("talk")
        stage.gate.set()
        await stream.until("completed", times=2)
    assert [(event["event_id"].split(":")[1], event["params"]["data"]["event"]) for event in stream.data] == [
        (first, "running"),
        (first, "completed"),
        (waits[0], "interrupted"),
        (waits[1], "interrupted"),
        (last, "running"),
        (last, "completed"),
    ]
    whole = [stable(event) for event in await talk.told(["lifecycle"])]
    assert whole == [stable(event) for event in stream.data]
    numbers = [event["seq"] for event in whole]
    assert numbers == sorted(numbers)
    rest = await talk.told(["lifecycle"], since=numbers[1])
    assert [stable(event) for event in rest] == whole[2:]


async def test_a_run_that_is_cancelled_before_it_was_due_is_told_at_once(talk: Talk) -> None:
    run_id = await talk.start("talk", after_seconds=3600)
    async with talk.events(["lifecycle"]) as stream:
        await stream.quiet()
        await talk.http.post(f"/threads/{talk.thread}/runs/{run_id}/cancel?wait=true")
        await stream.until("interrupted", timeout=0.9)
        await talk.run("talk")
        await stream.until("completed")
    assert lifecycle(stream.data) == [(0, "interrupted"), (0, "running"), (0, "completed")]
    numbers = [event["seq"] for event in stream.data]
    assert numbers == sorted(set(numbers))
    assert [stable(event) for event in await talk.told(["lifecycle"])] == [stable(e) for e in stream.data]


async def test_two_followers_one_of_them_at_another_replica_hear_the_same(fresh_dsn: str) -> None:
    here_stage, there_stage = Stage(), Stage()
    async with (
        serving(fresh_dsn, catalog=here_stage.catalog()) as here,
        serving(fresh_dsn, catalog=there_stage.catalog()) as there,
        calling(here) as http,
    ):
        talk = Talk(here, http)
        path = f"/threads/{talk.thread}/stream/events"
        async with (
            talk.events() as near,
            streaming(there, "POST", path, {"channels": ALL}) as far,
        ):
            await talk.start("slow")
            await near.until(" two")
            await far.until(" two", timeout=8)
            here_stage.gate.set()
            await near.until("completed")
            await far.until("completed", timeout=8)
        assert [stable(event) for event in near.data] == [stable(event) for event in far.data]


async def test_the_end_of_a_thread_ends_its_streams(talk: Talk) -> None:
    await talk.run("talk")
    async with talk.events(["lifecycle"]) as stream:
        await stream.until("completed")
        await talk.http.delete(f"/threads/{talk.thread}")
        async with asyncio.timeout(5):
            while not stream.closed:
                await stream.quiet(0.01)


async def test_a_wrong_wish_is_refused_by_name(talk: Talk) -> None:
    path = f"/threads/{talk.thread}/stream/events"
    wrong: list[tuple[Any, str]] = [
        ({}, "channels"),
        ([], "body"),
        ({"channels": []}, "channels"),
        ({"channels": ["sideways"]}, "sideways"),
        ({"channels": ["custom:"]}, "custom:"),
        ({"channels": ["values"], "since": -1}, "since"),
        ({"channels": ["values"], "since": 2**60}, "since"),
        ({"channels": ["values"], "depth": "x"}, "depth"),
        ({"channels": ["values"], "namespaces": ["x"]}, "namespaces[0]"),
    ]
    for body, name in wrong:
        response = await talk.http.post(path, json=body)
        assert (response.status_code, name in response.json()["detail"]) == (400, True), response.text
    assert (await talk.http.post(path, content=b"{")).status_code == 400
    assert (
        await talk.http.post("/threads/x/stream/events", json={"channels": ["values"]})
    ).status_code == 422


async def test_runs_started_the_old_way_are_told_too(talk: Talk) -> None:
    await talk.http.post("/threads", json={"thread_id": talk.thread})
    body = {"assistant_id": "deep", "input": HI}
    await talk.http.post(f"/threads/{talk.thread}/runs/wait", json=body)
    events = await talk.told()
    assert lifecycle([e for e in events if e["method"] == "lifecycle"]) == [
        (0, "running"),
        (1, "started"),
        (1, "completed"),
        (0, "completed"),
    ]
    assert '"deep"' in json.dumps([e for e in events if e["method"] == "messages"])
