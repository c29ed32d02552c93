"""What a graph looks like from outside: its drawing, and the JSON schemas of what goes in and out."""

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, get_type_hints, is_typeddict

import typing_extensions
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol
from pydantic import TypeAdapter, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticOmit

from artel.server.engine.translate import name_of
from artel.storage.errors import Invalid

Schema = dict[str, Any]

# A type that pydantic cannot describe: the schema is null then, for the graph runs all the same.
_NOT_DERIVABLE = (PydanticUserError, PydanticOmit, NameError, TypeError, ValueError)


def draw(graph: PregelProtocol[Any, Any, Any, Any], *, xray: bool | int = False) -> dict[str, Any]:
    """Return nodes and edges of a graph; `xray` draws the graphs inside it too, as many levels deep."""
    drawn = graph.get_graph(xray=xray).to_json()
    return {"nodes": [_node(node) for node in drawn["nodes"]], "edges": drawn["edges"]}


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
        case number if number.isdecimal() and int(number) > 0:
            return int(number)
    raise Invalid(f"xray must be true, false or a number of levels from 1 up, got {text!r}")


def schemas(graph_id: str, graph: Pregel[Any, Any, Any, Any]) -> dict[str, Any]:
    """Return the JSON schemas of a graph; null where a type cannot be described."""
    context = _derived(lambda: _context(graph.context_schema)) if graph.context_schema else None
    return {
        "graph_id": graph_id,
        "input_schema": _derived(graph.get_input_jsonschema),
        "output_schema": _derived(graph.get_output_jsonschema),
        "state_schema": _derived(lambda: _state(graph_id, graph)),
        "config_schema": context or {},
        "context_schema": context,
    }


def _derived(derive: Callable[[], Schema]) -> Schema | None:
    try:
        return derive()
    except _NOT_DERIVABLE:
        return None


def _state(graph_id: str, graph: Pregel[Any, Any, Any, Any]) -> Schema:
    fields: dict[str, Any] = {
        name: (graph.channels[name].UpdateType, None)  # type: ignore[union-attr]
        for name in graph.stream_channels_list
        if hasattr(graph.channels[name], "UpdateType")
    }
    make: Any = create_model
    state: Schema = make(f"{name_of(graph, graph_id)}_state", **fields).model_json_schema()
    return state


def _context(schema: Any) -> Schema:
    return TypeAdapter(_described(schema)).json_schema()


def _described(schema: Any) -> Any:
    """Rebuild a `typing.TypedDict`, which pydantic refuses before Python 3.12, as one that it takes."""
    if not is_typeddict(schema) or is_dataclass(schema):
        return schema
    hints = get_type_hints(schema, include_extras=True)
    required = typing_extensions.Required
    optional = typing_extensions.NotRequired
    fields = {
        name: required[_bare(hint)] if name in schema.__required_keys__ else optional[_bare(hint)]
        for name, hint in hints.items()
    }
    make: Any = typing_extensions.TypedDict
    return make(schema.__name__, fields)


def _bare(hint: Any) -> Any:
    while typing_extensions.get_origin(hint) in (typing_extensions.Required, typing_extensions.NotRequired):
        hint = typing_extensions.get_args(hint)[0]
    return hint
