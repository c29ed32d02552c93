"""A graph that keeps what it is told for a user, and finds what is near to it again."""

from typing import Any

from langgraph.config import get_store
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """What it is told, by whom, and what it remembered."""

    user: str
    text: str
    found: list[str]


def embed(texts: list[str]) -> list[list[float]]:
    """Count words into 16 boxes: texts that share words are near."""
    vectors = []
    for text in texts:
        vector = [0.0] * 16
        for word in text.lower().split():
            vector[sum(word.encode()) % 16] += 1
        vectors.append(vector)
    return vectors


async def recall(state: State) -> dict[str, Any]:
    """Find the two nearest memories of this user."""
    near = await get_store().asearch(("notes", state["user"]), query=state["text"], limit=2)
    return {"found": [item.value["text"] for item in near]}


def keep(state: State) -> dict[str, Any]:
    """Keep it, from a thread."""
    get_store().put(("notes", state["user"]), state["text"][:20], {"text": state["text"]})
    return {}


def build() -> Any:
    """Compile the graph."""
    made = StateGraph(State)
    made.add_node("recall", recall)
    made.add_node("keep", keep)
    made.add_edge(START, "recall")
    made.add_edge("recall", "keep")
    made.add_edge("keep", END)
    return made.compile()


graph = build()
