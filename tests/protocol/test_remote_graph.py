"""LangGraph's own RemoteGraph: a served graph used as if it were here, also as a node of another."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import LangGraphClient

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("protocol")]

HI: Any = {"messages": [{"role": "user", "content": "hi"}]}


def remote(name: str, client: LangGraphClient) -> RemoteGraph:
    """Return a graph that is served elsewhere."""
    return RemoteGraph(name, client=client)


def on_a_thread() -> Any:
    """Return a config for a new thread."""
    return {"configurable": {"thread_id": str(uuid4())}}


async def test_it_is_invoked(client: LangGraphClient) -> None:
    result: Any = await remote("chat", client).ainvoke(HI)
    assert result["messages"][-1]["content"] == "You said: hi"


async def test_it_streams_every_mode(client: LangGraphClient) -> None:
    modes: Any = ["values", "updates", "messages", "custom"]
    parts: Any = remote("nests", client).astream(HI, stream_mode=modes)
    assert {part.event async for part in parts} == {*modes}


async def test_it_streams_the_graphs_inside(client: LangGraphClient) -> None:
    spaces = [
        ns async for ns, _ in remote("nests", client).astream(HI, stream_mode="updates", subgraphs=True)
    ]
    assert any(ns and ns[0].startswith("child:") for ns in spaces)


async def test_its_state_is_read_changed_and_looked_back_at(client: LangGraphClient) -> None:
    graph, config = remote("steps", client), on_a_thread()
    await client.threads.create(thread_id=config["configurable"]["thread_id"])
    await graph.ainvoke({"n": 2}, config)
    assert (await graph.aget_state(config)).values["counted"] == [0, 1]
    changed = await graph.aupdate_state(config, {"n": 3}, as_node="count")
    assert changed["configurable"]["checkpoint_id"]
    past = [state async for state in graph.aget_state_history(config, limit=10)]
    assert len(past) == 5
    result: Any = await graph.ainvoke(None, config)
    assert result["counted"] == [0, 1, 2]


async def test_its_question_is_answered_by_a_command(client: LangGraphClient) -> None:
    graph, config = remote("asks", client), on_a_thread()
    await client.threads.create(thread_id=config["configurable"]["thread_id"])
    await graph.ainvoke({}, config)
    assert (await graph.aget_state(config)).next == ("first",)
    result: Any = await graph.ainvoke(Command(resume="yes"), config)
    assert result["answers"] == ["yes"]


async def test_it_streams_events_of_the_streaming_protocol(client: LangGraphClient) -> None:
    async with asyncio.timeout(15), await remote("chat", client).astream_events(HI, version="v3") as run:
        said = [await message.text for message in [message async for message in run.messages]]
        result: Any = await run.output()
    assert said == ["You said: hi"]
    assert len(result["messages"]) == 2


async def test_it_is_drawn(client: LangGraphClient) -> None:
    drawn = await remote("nests", client).aget_graph()
    assert set(drawn.nodes) == {"__start__", "outer", "child", "__end__"}


async def test_it_is_a_node_of_another_graph(client: LangGraphClient) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("far", remote("chat", client))
    builder.add_edge(START, "far")
    builder.add_edge("far", END)
    result = await builder.compile().ainvoke(HI)
    assert result["messages"][-1].content == "You said: hi"


def test_it_works_without_async(url: str) -> None:
    with get_sync_client(url=url, api_key=None) as client:
        result: Any = RemoteGraph("chat", sync_client=client).invoke(HI)
    assert result["messages"][-1]["content"] == "You said: hi"
