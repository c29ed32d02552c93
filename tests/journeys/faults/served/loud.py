"""A graph that says `n` numbered things of `size` characters each, in one step."""

import asyncio
from typing import TypedDict

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    """How many things to say, how big, how far apart, and how many were said."""

    n: int
    size: int
    pause_s: float
    said: int


async def say(state: State) -> State:
    """Say all of it."""
    tell = get_stream_writer()
    for number in range(state["n"]):
        tell({"number": number, "noise": "x" * state["size"]})
        await asyncio.sleep(state["pause_s"])
    return {"said": state["n"]}


builder = StateGraph(State)
builder.add_node(say)
builder.add_edge(START, "say")
builder.add_edge("say", END)
graph = builder.compile()
