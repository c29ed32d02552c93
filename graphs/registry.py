"""The agents: the only list of them; `langgraph.json` holds the same names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langgraph.pregel import Pregel

from artel.graphs import ask, coder, orchestrator
from artel.graphs.workflows import publish


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent and how people see it."""

    build: Callable[[], Pregel[Any, Any, Any, Any]]
    title: str
    description: str


AGENTS: dict[str, Agent] = {
    "orchestrator": Agent(
        orchestrator.build, "Orchestrator", "Reads a request, says who should work on it, and hands it over."
    ),
    "coder": Agent(
        coder.build, "Coder", "Reads and changes files of the workspace; every change asks first."
    ),
    "ask": Agent(ask.build, "Ask", "Answers questions about the workspace; changes nothing."),
    "publish": Agent(
        publish.build,
        "Publish",
        "Checks the changes of a workspace, asks, and opens a request to merge them; talks to nobody.",
    ),
}
