"""A graph inside a graph: the inner one speaks and reports progress."""

from typing import Any

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph

from artel.graphs.models.scripted import scripted


async def deep(state: MessagesState) -> dict[str, Any]:
    """Report progress, then speak."""
    get_stream_writer()({"progress": 1})
    model = scripted({"text": "from deep inside"}, per_turn=True)
    return {"messages": [await model.ainvoke([state["messages"][-1]])]}


def outer(state: MessagesState) -> dict[str, Any]:
    """Do nothing but be there."""
    get_stream_writer()({"name": "outer", "progress": 0})
    return {}


inner = StateGraph(MessagesState)
inner.add_node(deep)
inner.add_edge(START, "deep")
inner.add_edge("deep", END)

builder = StateGraph(MessagesState)
builder.add_node(outer)
builder.add_node("child", inner.compile(name="child"))
builder.add_edge(START, "outer")
builder.add_edge("outer", "child")
builder.add_edge("child", END)
graph = builder.compile()
