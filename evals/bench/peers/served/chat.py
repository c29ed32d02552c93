"""A graph that keeps a dialogue with ordinary `add_messages` and answers with 250 bytes."""

import random

from langchain_core.messages import AIMessage, BaseMessage
from langgraph.graph import END, START, MessagesState, StateGraph

RANDOM = random.Random(7)
WORDS = ["".join(RANDOM.choice("etaoinshrdlu") for _ in range(RANDOM.randint(2, 8))) for _ in range(800)]


async def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
    """Say something that compresses like prose."""
    return {"messages": [AIMessage(" ".join(RANDOM.choice(WORDS) for _ in range(42)))]}


builder = StateGraph(MessagesState)
builder.add_node(answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)
graph = builder.compile()
