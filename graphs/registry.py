"""The agents: the only list of them; `langgraph.json` holds the same names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.pregel import Pregel

from artel.graphs import agent, agents, orchestrator
from artel.graphs.kinds import openai_responses, remote_graph
from artel.graphs.roles import built_in
from artel.graphs.workflows import publish


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent and how people see it."""

    graph: Pregel[Any, Any, Any, Any] | Callable[..., Any]
    "The graph, or what makes it when it is first used."
    title: str
    description: str
    check_assistant: Callable[[Mapping[str, Any]], None] | None = None
    "Refuses a context that no assistant of it can have; None: any will do."


AGENTS: dict[str, Agent] = {
    "orchestrator": Agent(
        orchestrator.graph, "Orchestrator", "Reads a request, says who should work on it, and hands it over."
    ),
    **{name: Agent(agents.MAKERS[name], role.title, role.description) for name, role in built_in().items()},
    "agent": Agent(agent.graph, agent.TITLE, agent.DESCRIPTION),
    "publish": Agent(
        publish.graph,
        "Publish",
        "Checks the changes of a workspace, asks, and opens a request to merge them; talks to nobody.",
    ),
    **{
        name: Agent(kind.graph, kind.TITLE, kind.DESCRIPTION, kind.check_assistant)
        for name, kind in (("openai_responses", openai_responses), ("remote_graph", remote_graph))
    },
}
