"""The coder: reads and changes the files of a workspace; every change asks first."""

from typing import Any

from langgraph.graph.state import CompiledStateGraph

from artel.graphs.agent_loop import loop
from artel.graphs.context import Context
from artel.graphs.roles import built_in


def build() -> CompiledStateGraph[Any, Context, Any, Any]:
    """Return the graph: model ⇄ tools."""
    return loop(built_in()["coder"])


graph = build()
