"""The official client, over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError, NotFoundError, UnprocessableEntityError
from tests.fakes.served import HI, serving


@pytest.fixture
async def url(fresh_dsn: str) -> AsyncIterator[str]:
    async with serving(fresh_dsn) as app:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none")
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True
            await task


@pytest.fixture
async def client(url: str) -> AsyncIterator[LangGraphClient]:
    client = get_client(url=url, api_key=None)
    yield client
    await client.aclose()


async def thread_of(client: LangGraphClient) -> str:
    return (await client.threads.create())["thread_id"]


async def test_a_conversation(client: LangGraphClient) -> None:
    (flow,) = await client.assistants.search(graph_id="flow")
    thread = await thread_of(client)
    parts = [
        part
        async for part in client.runs.stream(
            thread, flow["assistant_id"], input=HI, stream_mode=["messages-tuple", "values"]
        )
    ]

    assert parts[0].event == "metadata"
    tokens = [part.data[0]["content"] for part in parts if part.event == "messages"]
    assert "".join(tokens) == "one two three"
    assert parts[-1].data["messages"][-1]["content"] == "one two three"
    assert (await client.threads.get_state(thread))["values"] == parts[-1].data
    assert len(await client.threads.get_history(thread, limit=10)) == 5
    assert (await client.assistants.get_graph("flow", xray=True))["nodes"]
    assert (await client.assistants.get_schemas(flow["assistant_id"]))["input_schema"]


async def test_every_mode_of_the_newer_stream_format(client: LangGraphClient) -> None:
    modes: Any = ["values", "updates", "messages-tuple", "custom", "tasks", "checkpoints", "debug", "events"]
    parts = [
        part
        async for part in client.runs.stream(
            None, "flow", input=HI, stream_mode=modes, stream_subgraphs=True, version="v2"
        )
    ]
    seen = {part["type"] for part in parts}
    assert seen == {"metadata", "messages", *modes} - {"messages-tuple"}
    assert any(part["ns"] and part["ns"][0].startswith("child:") for part in parts)


async def test_a_stream_is_joined_where_it_was_left(client: LangGraphClient) -> None:
    thread = await thread_of(client)
    run = await client.runs.create(thread, "flow", input=HI, stream_mode=["values", "updates"])
    await client.runs.join(thread, run["run_id"])

    async def joined(**options: Any) -> list[Any]:
        return [part async for part in client.runs.join_stream(thread, run["run_id"], **options)]

    whole = await joined(last_event_id="-1")
    assert [part.event for part in whole].count("values") == 4
    assert await joined(last_event_id=whole[3].id) == whole[4:]
    only = await joined(last_event_id="-1", stream_mode=["updates"])
    assert [part.event for part in only] == ["updates"] * 3


async def test_a_question_is_answered(client: LangGraphClient) -> None:
    thread = await thread_of(client)
    asked: Any = await client.runs.wait(thread, "asks", input={"n": 1})
    assert asked["__interrupt__"][0]["value"] == {"question": "ok?"}
    assert (await client.threads.get(thread))["status"] == "interrupted"

    assert await client.runs.wait(thread, "asks", command={"resume": "yes"}) == {"answer": "yes", "n": 2}
    assert (await client.threads.get(thread))["status"] == "idle"


async def test_errors_reach_the_client_as_what_they_are(client: LangGraphClient) -> None:
    thread = await thread_of(client)
    with pytest.raises(Exception, match="ValueError: boom"):
        await client.runs.wait(thread, "fails", input={"n": 1})
    with pytest.raises(NotFoundError, match="no thread"):
        await client.threads.get("00000000-0000-4000-8000-000000000000")
    with pytest.raises(ConflictError, match="exists already"):
        await client.threads.create(thread_id=thread)
    with pytest.raises(UnprocessableEntityError, match="UUID"):
        await client.threads.get("nope")
    await client.runs.create(thread, "slow", input={"n": 30})
    with pytest.raises(ConflictError, match="busy"):
        await client.runs.create(thread, "slow", input={"n": 0}, multitask_strategy="reject")


async def test_cancelled_means_stopped(client: LangGraphClient) -> None:
    thread = await thread_of(client)
    run = await client.runs.create(thread, "slow", input={"n": 30})
    await client.runs.cancel(thread, run["run_id"], wait=True)

    assert (await client.runs.get(thread, run["run_id"]))["status"] == "interrupted"
    assert [one["status"] for one in await client.runs.list(thread)] == ["interrupted"]


async def test_the_client_learns_the_ids_of_what_it_started(client: LangGraphClient) -> None:
    thread = await thread_of(client)
    told: list[Any] = []
    async for _ in client.runs.stream(thread, "slow", input={"n": 0}, on_run_created=told.append):
        pass
    (run,) = await client.runs.list(thread)
    assert told == [{"run_id": run["run_id"], "thread_id": thread}]


@pytest.mark.parametrize("way", ["stream", "wait"])
@pytest.mark.parametrize(("wish", "status"), [("cancel", "interrupted"), ("continue", "success")])
async def test_hanging_up_stops_a_run_only_when_it_shall(way: str, wish: str, status: str, url: str) -> None:
    body = {"assistant_id": "slow", "input": {"n": 0.6}, "on_disconnect": wish}
    async with httpx.AsyncClient(base_url=url) as http:
        thread = (await http.post("/threads", json={})).json()["thread_id"]
        async with http.stream("POST", f"/threads/{thread}/runs/{way}", json=body):
            await asyncio.sleep(0.1)
        (run,) = (await http.get(f"/threads/{thread}/runs")).json()
        await http.get(f"/threads/{thread}/runs/{run['run_id']}/join")
        (run,) = (await http.get(f"/threads/{thread}/runs")).json()
    assert run["status"] == status
