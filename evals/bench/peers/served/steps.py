"""A graph of `n` trivial steps; the first notes when it began."""

import operator
import time
from typing import Annotated, Any, Literal

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """How many steps to take, when the first began, and the steps taken."""

    n: int
    began: int
    trail: Annotated[list[str], operator.add]


async def step(state: State) -> dict[str, Any]:
    """Take a step."""
    return {"trail": ["x"]} | ({} if state.get("trail") else {"began": time.monotonic_ns()})


def more(state: State) -> Literal["step", "__end__"]:
    """Go on until all are taken."""
    return "step" if len(state["trail"]) < state["n"] else "__end__"


builder = StateGraph(State)
builder.add_node(step)
builder.add_edge(START, "step")
builder.add_conditional_edges("step", more)
graph = builder.compile()
