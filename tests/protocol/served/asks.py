"""Asks before it goes on: one question, or with `two` two at once."""

import operator
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """How many questions, and what was answered."""

    two: bool
    answers: Annotated[list[Any], operator.add]


def first(state: State) -> dict[str, Any]:
    """Ask the first question."""
    return {"answers": [interrupt({"question": "first?"})]}


def second(state: State) -> dict[str, Any]:
    """Ask the second one."""
    return {"answers": [interrupt({"question": "second?"})]}


def targets(state: State) -> list[str]:
    """Return who asks."""
    return ["first", "second"] if state.get("two") else ["first"]


builder = StateGraph(State)
builder.add_node(first)
builder.add_node(second)
builder.add_conditional_edges(START, targets, ["first", "second"])
builder.add_edge("first", END)
builder.add_edge("second", END)
graph = builder.compile()
