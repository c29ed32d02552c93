"""What a graph looks like from outside: its drawing, the graphs inside it, and the schemas of all of them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol
from typing_extensions import is_typeddict

from artel.server.auth.caller import OWNER, Caller
from artel.server.catalog import Catalog, Graph, GraphBroken
from artel.server.engine.configuration import User
from artel.server.engine.translate import name_of
from artel.server.protocol.describing import Schema, derived, of_fields, of_type
from artel.storage.assistants import Assistant
from artel.storage.errors import ArtelError, BadRequest, Invalid

Inner = PregelProtocol[Any, Any, Any, Any]

MOST_LEVELS = 10**6

log = structlog.get_logger(__name__)


class GraphNotMade(BadRequest):
    """The function that makes a graph failed, or the graph cannot say what it looks like."""

    code = "graph_not_made"


@asynccontextmanager
async def opened(catalog: Catalog, assistant: Assistant, caller: Caller = OWNER) -> AsyncIterator[Graph]:
    """Open the graph of an assistant to look at it; a function gets what the assistant is configured with.

    Raises:
        GraphNotMade: it cannot be made, or raised something when it was looked at.
    """
    graph_id = assistant.graph_id
    try:
        async with catalog.graph(graph_id, _config(assistant, caller), access="assistants.read") as graph:
            yield graph
    except GraphBroken as wrong:
        raise GraphNotMade(str(wrong)) from wrong
    except ArtelError:
        raise
    except Exception as wrong:
        log.warning("a graph cannot be shown", graph_id=graph_id, exc_info=True)
        raise GraphNotMade(f'the graph "{graph_id}" raised {type(wrong).__name__}: {wrong}') from wrong


def _config(assistant: Assistant, caller: Caller) -> RunnableConfig:
    user = caller.user
    configurable = {
        **(assistant.config.get("configurable") or {}),
        **assistant.context,
        "langgraph_auth_user": User(user) if user else None,
        "langgraph_auth_user_id": str(user.get("identity") or "") if user else "",
        "langgraph_auth_permissions": list(caller.permissions),
    }
    return {"configurable": configurable}


async def draw(graph: Graph, *, xray: bool | int = False) -> dict[str, Any]:
    """Return nodes and edges of a graph; `xray` draws the graphs inside it too, as many levels deep."""
    levels = _depth(graph) if xray is True else min(xray, _depth(graph))
    drawn = (await graph.aget_graph(xray=levels)).to_json()
    return {"nodes": [_node(node) for node in drawn["nodes"]], "edges": drawn["edges"]}


def _depth(graph: Graph) -> int:
    """Return how deep graphs lie in one another; LangGraph would draw one that holds itself for ever."""
    return max((place.count("|") + 1 for place, _ in _inside(graph, recurse=True)), default=0)


def _node(node: dict[str, Any]) -> dict[str, Any]:
    data = node.get("data")
    return {**node, "data": {"name": data["name"]}} if isinstance(data, dict) and "name" in data else node


def xray_of(text: str | None) -> bool | int:
    """Read the `xray` of a query: true, false, or a number of levels.

    Raises:
        Invalid: it is none of these.
    """
    match (text or "false").lower():
        case "true":
            return True
        case "false":
            return False
        case number if number.isdecimal() and len(number) < 10 and 0 < int(number) <= MOST_LEVELS:
            return int(number)
    raise Invalid(f"xray must be true, false or from 1 to {MOST_LEVELS} levels, got {(text or '')[:40]!r}")


def subgraphs(graph: Graph, *, namespace: str | None = None, recurse: bool = False) -> dict[str, Schema]:
    """Return the schemas of the graphs inside one, by their place: `child`, with `recurse` also `child|deep`.

    With `namespace` of that place only.
    """
    return {
        place: _schemas(inner)
        for place, inner in _inside(graph, recurse=recurse)
        if namespace in (None, place)
    }


def _inside(graph: Graph, *, recurse: bool, above: tuple[Inner, ...] = ()) -> Iterator[tuple[str, Inner]]:
    above = (*above, graph)
    for name, inner in graph.get_subgraphs():
        yield name, inner
        if recurse and isinstance(inner, Pregel) and not any(inner is one for one in above):
            yield from ((f"{name}|{place}", one) for place, one in _inside(inner, recurse=True, above=above))


def schemas(graph_id: str, graph: Graph) -> dict[str, Any]:
    """Return the JSON schemas of a graph; null where a type cannot be described."""
    named = graph.copy(update={"name": name_of(graph, graph_id)})
    return {"graph_id": graph_id, **_schemas(named)}


def _schemas(graph: Any) -> Schema:
    context = getattr(graph, "context_schema", None)
    described = derived(lambda: of_type(context)) if context else None
    return {
        "input_schema": derived(lambda: _side(graph, "input")),
        "output_schema": derived(lambda: _side(graph, "output")),
        "state_schema": derived(lambda: _state(graph)),
        "config_schema": described if context else {},
        "context_schema": described,
    }


def _side(graph: Any, side: Literal["input", "output"]) -> Schema:
    declared = getattr(getattr(graph, "builder", None), f"{side}_schema", None)
    if is_typeddict(declared):
        return of_type(declared)
    schema: Schema = graph.get_input_jsonschema() if side == "input" else graph.get_output_jsonschema()
    return schema


def _state(graph: Graph) -> Schema:
    channels = {name: graph.channels[name] for name in graph.stream_channels_list}
    fields = {
        name: channel.UpdateType for name, channel in channels.items() if hasattr(channel, "UpdateType")
    }
    return of_fields(graph.get_name("State"), fields)
