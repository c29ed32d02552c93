"""A graph that ticks: each tick is marked in a file, with who ticked and when, and told at once."""

import asyncio
import os
import time
from pathlib import Path
from typing import TypedDict

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    """How often to tick, how far apart, where to mark it, and how often it ticked."""

    n: int
    pause_s: float
    marks: str
    ticked: int


async def tick(state: State) -> dict[str, int]:
    """Tick `n` times within one step: only the fence stops it in the middle."""
    tell = get_stream_writer()
    for number in range(state["n"]):
        now = time.time()
        await asyncio.to_thread(mark, Path(state["marks"]), f"{os.getpid()} {number} {now}\n")
        tell({"number": number, "at": now})
        await asyncio.sleep(state["pause_s"])
    return {"ticked": state["n"]}


def mark(marks: Path, line: str) -> None:
    """Append a line to the marks."""
    with marks.open("a") as file:
        file.write(line)


builder = StateGraph(State)
builder.add_node(tick)
builder.add_edge(START, "tick")
builder.add_edge("tick", END)
graph = builder.compile()
