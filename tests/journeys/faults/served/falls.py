"""A graph that counts to `n`, and at `at` takes its process down before that step is over, once."""

import operator
import os
import signal
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from langgraph.graph import START, StateGraph


class State(TypedDict):
    """How far to count, where to fall, where to leave marks, and what was counted."""

    n: int
    at: int
    marks: str
    counted: Annotated[list[int], operator.add]


def count(state: State) -> dict[str, list[int]]:
    """Leave the next mark; fall if it is the one to fall at and nobody fell there before."""
    number = len(state.get("counted", []))
    marks = Path(state["marks"])
    fallen = str(number) in marks.read_text().split()
    with marks.open("a") as file:
        file.write(f"{number}\n")
    if number == state["at"] and not fallen:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"counted": [number]}


def more(state: State) -> Literal["count", "__end__"]:
    """Go on until `n` numbers are counted."""
    return "count" if len(state["counted"]) < state["n"] else "__end__"


builder = StateGraph(State)
builder.add_node(count)
builder.add_edge(START, "count")
builder.add_conditional_edges("count", more)
graph = builder.compile()
