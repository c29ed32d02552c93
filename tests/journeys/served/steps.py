"""A graph that counts to `n`, or until it is told to end, and leaves a mark in a file at every step."""

import asyncio
import operator
from pathlib import Path
from typing import Annotated, Literal, NotRequired, TypedDict

from langgraph.graph import START, StateGraph


class State(TypedDict):
    """How far to count, how slowly, where to leave marks, what file ends it, and what was counted."""

    n: int
    pause_s: float
    marks: str
    until: NotRequired[str]
    counted: Annotated[list[int], operator.add]


async def count(state: State) -> dict[str, list[int]]:
    """Leave the next mark, then take a while: a crash in the pause repeats the mark."""
    number = len(state.get("counted", []))
    await asyncio.to_thread(leave, Path(state["marks"]), number)
    await asyncio.sleep(state["pause_s"])
    return {"counted": [number]}


def leave(marks: Path, number: int) -> None:
    """Append a number to the marks."""
    with marks.open("a") as file:
        file.write(f"{number}\n")


def more(state: State) -> Literal["count", "__end__"]:
    """Go on until `n` numbers are counted, or the file is there that ends it."""
    told = "until" in state and Path(state["until"]).exists()
    return "__end__" if told or len(state["counted"]) >= state["n"] else "count"


builder = StateGraph(State)
builder.add_node(count)
builder.add_edge(START, "count")
builder.add_conditional_edges("count", more)
graph = builder.compile()
