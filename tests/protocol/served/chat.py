"""Says back the last message, a word at a time; `slowly: …` takes 50 ms a word."""

from typing import Any

from langgraph.graph import END, START, MessagesState, StateGraph

from artel.graphs.models.scripted import scripted


async def say(state: MessagesState) -> dict[str, Any]:
    """Let the model speak."""
    heard = str(state["messages"][-1].text)
    slow = heard.startswith("slowly")
    model = scripted(
        {"match": "", "text": f"You said: {heard}", "delay_s": 0.05 if slow else 0}, per_turn=True
    )
    return {"messages": [await model.ainvoke([state["messages"][-1]])]}


builder = StateGraph(MessagesState)
builder.add_node(say)
builder.add_edge(START, "say")
builder.add_edge("say", END)
graph = builder.compile()
