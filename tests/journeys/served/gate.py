"""A graph that asks a person, then leaves a mark."""

from pathlib import Path
from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt


class State(TypedDict, total=False):
    """Where to leave the mark, and what the person said."""

    marks: str
    answer: str


def ask(state: State) -> State:
    """Wait for a person, and nothing else."""
    return {"answer": interrupt({"question": "Shall I?"})}


def mark(state: State) -> State:
    """Leave a mark with the answer."""
    with Path(state["marks"]).open("a") as file:
        file.write(f"{state['answer']}\n")
    return {}


builder = StateGraph(State)
builder.add_node(ask)
builder.add_node(mark)
builder.add_edge(START, "ask")
builder.add_edge("ask", "mark")
builder.add_edge("mark", END)
graph = builder.compile()
