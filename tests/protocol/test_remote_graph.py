"""LangGraph's own RemoteGraph: a served graph used as if it were here, also as a node of another."""

from typing import Any
from uuid import uuid4

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("protocol")]

HI: Any = {"messages": [{"role": "user", "content": "hi"}]}


def remote(name: str, url: str) -> RemoteGraph:
    """Return a graph that is served elsewhere."""
    return RemoteGraph(name, url=url)


def on_a_thread() -> Any:
    """Return a config for a new thread."""
    return {"configurable": {"thread_id": str(uuid4())}}


async def test_it_is_invoked(url: str) -> None:
    result: Any = await remote("chat", url).ainvoke(HI)
    assert result["messages"][-1]["content"] == "You said: hi"


async def test_it_streams_every_mode(url: str) -> None:
    modes = ["values", "updates", "messages", "custom"]
    seen = {part.event async for part in remote("nests", url).astream(HI, stream_mode=modes)}
    assert seen == {*modes}


async def test_it_streams_the_graphs_inside(url: str) -> None:
    spaces = [ns async for ns, _ in remote("nests", url).astream(HI, stream_mode="updates", subgraphs=True)]
    assert any(ns and ns[0].startswith("child:") for ns in spaces)


async def test_its_state_is_read_changed_and_looked_back_at(url: str) -> None:
    graph, config = remote("steps", url), on_a_thread()
    client = graph._validate_client()
    await client.threads.create(thread_id=config["configurable"]["thread_id"])
    await graph.ainvoke({"n": 2}, config)
    assert (await graph.aget_state(config)).values["counted"] == [0, 1]
    changed = await graph.aupdate_state(config, {"n": 3}, as_node="count")
    assert changed["configurable"]["checkpoint_id"]
    past = [state async for state in graph.aget_state_history(config, limit=10)]
    assert len(past) == 5
    result: Any = await graph.ainvoke(None, config)
    assert result["counted"] == [0, 1, 2]


async def test_its_question_is_answered_by_a_command(url: str) -> None:
    graph, config = remote("asks", url), on_a_thread()
    client = graph._validate_client()
    await client.threads.create(thread_id=config["configurable"]["thread_id"])
    await graph.ainvoke({}, config)
    assert (await graph.aget_state(config)).next == ("first",)
    result: Any = await graph.ainvoke(Command(resume="yes"), config)
    assert result["answers"] == ["yes"]


async def test_it_streams_events_of_the_streaming_protocol(url: str) -> None:
    async with await remote("chat", url).astream_events(HI, version="v3") as run:
        said = [await message.text async for message in run.messages]
        assert said == ["You said: hi"]
        result: Any = await run.output()
    assert result["messages"][-1]["content"]


async def test_it_is_drawn(url: str) -> None:
    drawn = await remote("nests", url).aget_graph()
    assert set(drawn.nodes) == {"__start__", "outer", "child", "__end__"}


async def test_it_is_a_node_of_another_graph(url: str) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("far", remote("chat", url))
    builder.add_edge(START, "far")
    builder.add_edge("far", END)
    result = await builder.compile().ainvoke(HI)
    assert result["messages"][-1].content == "You said: hi"


def test_it_works_without_async(url: str) -> None:
    result: Any = remote("chat", url).invoke(HI)
    assert result["messages"][-1]["content"] == "You said: hi"
