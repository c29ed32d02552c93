"""Counts to `n` with `pause_s` between, and fails at number `fail_at`."""

import asyncio
import operator
from typing import Annotated, Any, Literal, NotRequired

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    """How far to count, how slowly, where to fail, and what was counted."""

    n: int
    pause_s: NotRequired[float]
    fail_at: NotRequired[int]
    counted: Annotated[list[int], operator.add]


async def count(state: State) -> dict[str, Any]:
    """Count on."""
    number = len(state.get("counted", []))
    if number == state.get("fail_at"):
        raise ValueError(f"{number} is too many")
    await asyncio.sleep(state.get("pause_s", 0))
    return {"counted": [number]}


def more(state: State) -> Literal["count", "__end__"]:
    """Go on until `n` numbers are counted."""
    return "count" if len(state["counted"]) < state["n"] else "__end__"


builder = StateGraph(State)
builder.add_node(count)
builder.add_edge(START, "count")
builder.add_conditional_edges("count", more)
graph = builder.compile()
