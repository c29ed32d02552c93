"""An agent that calls a tool once, then says what it saw."""

from langchain.agents import create_agent
from langchain_core.tools import tool

from artel.graphs.models.scripted import scripted


@tool
def look(at: str) -> str:
    """Look at something."""
    return f"{at} is red"


model = scripted(
    {"tool_calls": [{"name": "look", "args": {"at": "the door"}, "id": "call-1"}]},
    {"text": "The door is red."},
    per_turn=True,
)
graph = create_agent(model, [look], name="looker")
