"""Keeps what it is told in the long-term store, and says all it knows."""

from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """What to remember, about whom, and what is known."""

    who: str
    fact: str
    known: list[str]


async def keep(state: State, runtime: Runtime[Any]) -> dict[str, Any]:
    """Put the fact down, then recall everything."""
    assert runtime.store is not None
    place = ("facts", state["who"])
    if fact := state.get("fact"):
        await runtime.store.aput(place, fact.split()[0], {"text": fact})
    found = await runtime.store.asearch(place, limit=100)
    return {"known": sorted(item.value["text"] for item in found)}


builder = StateGraph(State)
builder.add_node(keep)
builder.add_edge(START, "keep")
builder.add_edge("keep", END)
graph = builder.compile()
