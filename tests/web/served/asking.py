"""A graph that asks whatever it is told to ask, all at once, and keeps the answers."""

import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send, interrupt


class State(TypedDict):
    """What to ask, `{value, schema}` each, and what was answered to each."""

    asks: list[dict[str, Any]]
    answers: Annotated[list[dict[str, Any]], operator.add]


class Asked(TypedDict):
    """One of them, and its place."""

    place: int
    value: Any
    schema: dict[str, Any] | None


def each(state: State) -> list[Send]:
    """Ask all of them at the same time."""
    return [
        Send("ask", {"place": place, "value": one["value"], "schema": one.get("schema")})
        for place, one in enumerate(state["asks"])
    ]


def ask(state: Asked) -> dict[str, list[dict[str, Any]]]:
    """Wait for a person, and nothing else."""
    answer = interrupt(state["value"], response_schema=state["schema"])
    return {"answers": [{"place": state["place"], "answer": answer}]}


builder = StateGraph(State)
builder.add_node("ask", ask, input_schema=Asked)  # it is sent one question, not the state
builder.add_conditional_edges(START, each, ["ask"])
graph = builder.compile()
