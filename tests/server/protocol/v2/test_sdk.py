"""The official Python client on `threads.stream()`: all of its projections, over SSE and WebSocket."""

import asyncio
from typing import Any, Literal

import pytest
from langgraph_sdk.client import LangGraphClient
from tests.fakes.speaking import Stage

from .conftest import HI

TRANSPORTS: list[Literal["sse", "websocket"]] = ["sse", "websocket"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_messages_come_word_by_word(client: LangGraphClient, transport: Any) -> None:
    async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=HI)
        messages = [message async for message in thread.messages]
        said = [(await one.text, [delta async for delta in one.text]) for one in messages]
    assert said == [("let me", ["let me"]), ("done now", ["done", " now"])]


async def test_a_message_is_put_together_with_its_thoughts_calls_and_usage(client: LangGraphClient) -> None:
    async with client.threads.stream(assistant_id="agent") as thread:
        await thread.run.start(input=HI)
        messages = [message async for message in thread.messages]
        thought, done = [await message.output for message in messages]
    assert [block["type"] for block in thought.content] == ["reasoning", "text", "tool_call"]
    assert thought.tool_calls == [{"name": "look", "args": {"at": 1}, "id": "c1", "type": "tool_call"}]
    assert done.usage_metadata == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


async def test_two_models_that_speak_at_once_are_kept_apart(client: LangGraphClient, stage: Stage) -> None:
    async with client.threads.stream(assistant_id="choir") as thread:
        await thread.run.start(input=HI)
        opened: list[Any] = []
        async for message in thread.messages:
            opened.append(message)
            if len(opened) == 2:
                stage.gate.set()
        assert sorted([await message.text for message in opened]) == ["alto sings", "bass sings"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_values_output_and_tool_calls(client: LangGraphClient, transport: Any) -> None:
    async with client.threads.stream(assistant_id="agent", transport=transport) as thread:
        await thread.run.start(input=HI)
        calls = [call async for call in thread.tool_calls]
        output = await thread.output
    async with client.threads.stream(thread.thread_id, assistant_id="agent", transport=transport) as again:
        await again.run.start(input=HI)
        states = [state async for state in again.values]
    assert [(call.name, call.input, (await call.output)["content"]) for call in calls] == [
        ("look", {"at": 1}, "seen 1")
    ]
    assert [message["type"] for message in output["messages"]] == ["human", "ai", "tool", "ai"]
    assert len(states[-1]["messages"]) == 7
    assert states[-1]["messages"][-1]["content"] == [{"type": "text", "text": "done now"}]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_question_is_heard_and_answered(client: LangGraphClient, transport: Any) -> None:
    async with client.threads.stream(assistant_id="nest", transport=transport) as thread:
        await thread.run.start(input={"n": 1})
        states = [state async for state in thread.values]
        await _until(lambda: thread.interrupted)
        (asked,) = thread.interrupts
        assert asked["value"] == {"question": "ok?"}
        assert asked["namespace"][0].startswith("sub:")
        await thread.run.respond("yes")
        output = await thread.output
    assert states[-1] == {"n": 1, "answers": []}
    assert output == {"n": 1, "answers": ["yes"]}
    assert thread.interrupts == []


async def test_graphs_inside_are_found_and_read(client: LangGraphClient) -> None:
    async with client.threads.stream(assistant_id="deep") as thread:
        await thread.run.start(input=HI)
        graphs = [graph async for graph in thread.subgraphs]
        inner = [(one, [await said.text for said in [said async for said in one.messages]]) for one in graphs]
    ((graph, said),) = inner
    assert (graph.graph_name, graph.status, said) == ("sub", "completed", ["deep words"])


async def test_what_nodes_write_under_a_name_has_a_channel_of_its_own(client: LangGraphClient) -> None:
    async with client.threads.stream(assistant_id="plain") as thread:
        await thread.run.start(input=HI)
        charts = [chart async for chart in thread.extensions["chart"]]
    assert charts == [{"name": "chart", "payload": [1, 2]}]


async def test_projections_interleave_in_the_order_of_the_server(client: LangGraphClient) -> None:
    async with client.threads.stream(assistant_id="plain") as thread:
        await thread.run.start(input=HI)
        channels = ["updates", "checkpoints", "tasks", "messages", "chart"]
        seen = [channel async for channel, _ in thread.interleave_projections(channels)]
    assert set(seen) == set(channels)
    assert seen.index("messages") < seen.index("updates") < seen.index("chart")


async def test_a_failure_reaches_who_waits_for_the_output(client: LangGraphClient) -> None:
    async with client.threads.stream(assistant_id="fail") as thread:
        await thread.run.start(input=HI)
        with pytest.raises(RuntimeError, match="no luck"):
            await thread.output


async def test_a_client_whose_connection_drops_goes_on_in_the_middle_of_a_message(
    client: LangGraphClient, stage: Stage
) -> None:
    async with client.threads.stream(assistant_id="slow") as thread:
        await thread.run.start(input=HI)
        deltas: list[str] = []

        async def read(message: Any) -> None:
            async for delta in message.text:
                deltas.append(delta)

        async def listen() -> None:
            reading = [asyncio.create_task(read(message)) async for message in thread.messages]
            await asyncio.gather(*reading)

        listening = asyncio.create_task(listen())
        await _until(lambda: deltas == ["one", " two"])
        stream = thread._shared_stream  # as if the network had cut it
        assert stream is not None
        stream.done.set_result(ConnectionError("cut"))
        await stream.close()
        stage.gate.set()
        await listening
    assert deltas == ["one", " two", " three"]


async def _until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the client has no event for it
            await asyncio.sleep(0.01)
