"""A graph that kills the process it runs in."""

import os
import signal
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    """The thread it was started on."""

    thread: str


def die(state: State) -> State:
    """Take the whole worker down."""
    os.kill(os.getpid(), signal.SIGKILL)
    return state


builder = StateGraph(State)
builder.add_node(die)
builder.add_edge(START, "die")
builder.add_edge("die", END)
graph = builder.compile()
