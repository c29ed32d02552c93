"""Graphs are drawn and described, however strange they are."""

import typing
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import typing_extensions
from langgraph.func import entrypoint
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from artel.server.catalog import Catalog, Entry, GraphBroken
from artel.server.protocol import drawing
from artel.server.protocol.drawing import GraphNotMade
from artel.storage.assistants import Assistant
from artel.storage.ids import new_id, system_assistant_id

from .conftest import Wire

FLOW = str(system_assistant_id("flow"))


async def test_a_graph_is_drawn_by_id_or_name(wire: Wire) -> None:
    drawn = await wire.ok("GET", f"/assistants/{FLOW}/graph")

    assert drawn == await wire.ok("GET", "/assistants/flow/graph")
    assert drawn["nodes"][1] == {"id": "first", "type": "runnable", "data": {"name": "first"}}
    assert drawn["nodes"][-1] == {"id": "__end__"}
    assert {"source": "child", "target": "talk"} in drawn["edges"]
    inside = await wire.ok("GET", "/assistants/flow/graph?xray=1")
    assert "child:inner_step" in [node["id"] for node in inside["nodes"]]
    for same in ("true", "True", "2"):
        assert inside == await wire.ok("GET", f"/assistants/flow/graph?xray={same}")
    for same in ("", "false"):
        assert drawn == await wire.ok("GET", f"/assistants/flow/graph?xray={same}")
    for wrong in ("0", "-1", "x", "1.5", "9" * 5000):
        assert (await wire.refused("GET", f"/assistants/flow/graph?xray={wrong}"))[0] == 422
    assert (await wire.refused("GET", "/assistants/none/graph"))[0] == 422


async def test_a_graph_says_what_goes_in_and_out(wire: Wire) -> None:
    told = await wire.ok("GET", f"/assistants/{system_assistant_id('tells')}/schemas")

    assert told["graph_id"] == "tells"
    assert told["input_schema"]["properties"] == {"out": {"title": "Out"}}
    assert told["state_schema"]["title"] == "tells_state"
    wish = {"properties": {"who": {"default": "nobody", "title": "Who", "type": "string"}}}
    assert told["context_schema"] == {**wish, "title": "Wish", "type": "object"}
    assert told["config_schema"] == told["context_schema"]
    plain = await wire.ok("GET", f"/assistants/{FLOW}/schemas")
    assert (plain["config_schema"], plain["context_schema"]) == ({}, None)


class Who(typing.TypedDict, total=False):
    who: typing.Required[str]
    age: int


class Bag(typing.TypedDict):
    thing: Any


class Deep(typing.TypedDict):
    one: Who
    some: "list[Who | None]"
    named: dict[str, typing.Annotated[Who, "known"]]


class Chain(typing.TypedDict):
    next: "list[Chain]"


@dataclass
class Plain:
    who: str = "nobody"


class Model(BaseModel):
    who: str


class Newer(typing_extensions.TypedDict, total=False):
    who: typing_extensions.Required[str]


class Evil:
    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        raise SystemError("no")


class Reserved(typing_extensions.TypedDict):
    json: str
    model_config: int
    evil: Evil


def _graph(schema: Any, context: Any = None, **nodes: Any) -> Any:
    graph = StateGraph(schema, context_schema=context)
    for name, node in (nodes or {"do": lambda state: state}).items():
        graph.add_node(name, node)
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    return graph.compile()


def _assistant(graph_id: str, **context: Any) -> Assistant:
    now: Any = None
    return Assistant(new_id(), graph_id, "one", None, {}, context, {}, 1, now, now)


def test_a_context_of_the_older_typed_dict_is_described_too() -> None:
    context = drawing.schemas("g", _graph(Bag, Who))["context_schema"]
    assert context["required"] == ["who"]
    assert set(context["properties"]) == {"who", "age"}


def test_what_cannot_be_described_is_null() -> None:
    class Odd(typing.TypedDict):
        thing: typing.Callable[[object], "Unknown"]  # type: ignore[name-defined]  # noqa: F821

    assert drawing.schemas("g", _graph(Bag, Odd))["context_schema"] is None


@pytest.mark.parametrize("context", [Plain, Model, Newer, Who])
def test_every_kind_of_context_is_described(context: Any) -> None:
    told = drawing.schemas("g", _graph(Bag, context))

    assert told["context_schema"]["properties"]["who"]["type"] == "string"
    assert told["config_schema"] == told["context_schema"]
    assert told["input_schema"]["title"] == told["output_schema"]["title"] == "Bag"


def test_older_typed_dicts_are_described_wherever_they_are() -> None:
    told = drawing.schemas("g", _graph(Deep, Deep))

    for schema in (told["context_schema"], told["input_schema"]):
        assert schema["$defs"]["Who"]["required"] == ["who"]
        assert schema["properties"]["one"] == {"$ref": "#/$defs/Who"}
    assert told["state_schema"]["properties"]["named"]["additionalProperties"] == {"$ref": "#/$defs/Who"}
    assert drawing.schemas("g", _graph(Bag, Chain))["context_schema"]["required"] == ["next"]


def test_a_field_that_cannot_be_described_may_be_anything() -> None:
    told = drawing.schemas("g", _graph(Reserved, Evil))

    assert (told["context_schema"], told["config_schema"], told["input_schema"]) == (None, None, None)
    assert told["state_schema"]["properties"] == {
        "json": {"default": None, "title": "Json", "type": "string"},
        "model_config": {"default": None, "title": "Model Config", "type": "integer"},
        "evil": {"default": None, "title": "Evil"},
    }


def test_a_graph_that_is_a_function_is_described_too() -> None:
    @entrypoint()
    def count(x: int) -> str:
        return str(x)

    told = drawing.schemas("count", count)
    assert told["input_schema"] == {"title": "count_input", "type": "integer"}
    assert list(told["state_schema"]["properties"]) == ["__end__"]


async def test_graphs_inside_are_found_at_every_depth() -> None:
    deep = _graph(Bag, leaf=lambda state: state)
    graph = _graph(Bag, child=_graph(Bag, Plain, mid=lambda state: state, deep=deep))

    assert list(drawing.subgraphs(graph)) == ["child"]
    told = drawing.subgraphs(graph, recurse=True)
    assert list(told) == ["child", "child|deep"]
    assert told["child"]["context_schema"]["title"] == "Plain"
    assert "graph_id" not in told["child"]
    assert list(drawing.subgraphs(graph, namespace="child|deep", recurse=True)) == ["child|deep"]
    assert drawing.subgraphs(graph, namespace="child|deep") == {}
    drawn = {xray: await drawing.draw(graph, xray=xray) for xray in (1, 2)}
    seen = {xray: {node["id"] for node in one["nodes"]} for xray, one in drawn.items()}
    assert {"child:mid", "child:deep"} <= seen[1]
    assert seen[2] >= {"child:mid", "child:deep:leaf"}


async def test_a_graph_inside_itself_ends_somewhere() -> None:
    graph = _graph(Bag)
    graph.nodes["do"].subgraphs = [graph]

    assert list(drawing.subgraphs(graph, recurse=True)) == ["do"]
    drawn = await drawing.draw(graph, xray=True)
    assert [node["id"] for node in drawn["nodes"]] == ["__start__", "__end__", "do:do"]


async def test_a_function_makes_the_graph_that_the_assistant_is_configured_for() -> None:
    def make(config: Any, _: Any) -> Any:
        return _graph(Bag, **{config["configurable"]["who"]: lambda state: state})

    catalog = Catalog({"g": Entry(None, None, make)})
    async with drawing.opened(catalog, _assistant("g", who="ann")) as graph:
        assert "ann" in graph.nodes


async def test_a_graph_that_cannot_be_made_is_said_so() -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("MODEL")

    @contextmanager
    def odd(*_: Any) -> Any:
        yield "no graph"

    catalog = Catalog({"fails": Entry(None, None, fail), "odd": Entry(None, None, odd)})
    with pytest.raises(GraphNotMade, match="\"fails\" raised KeyError: 'MODEL'"):
        async with drawing.opened(catalog, _assistant("fails")):
            pass
    with pytest.raises(GraphNotMade, match="must return a graph, not str") as refused:
        async with drawing.opened(catalog, _assistant("odd")):
            pass
    assert isinstance(refused.value.__cause__, GraphBroken)


async def test_the_graphs_inside_are_told_by_id_only(wire: Wire, nowhere: str) -> None:
    path = f"/assistants/{FLOW}/subgraphs"

    told = await wire.ok("GET", path)
    assert list(told) == ["child"]
    assert told["child"]["state_schema"]["title"] == "LangGraphState"
    assert await wire.ok("GET", f"{path}/child") == told
    assert await wire.ok("GET", f"{path}/nope?recurse=true") == {}
    assert (await wire.refused("GET", f"{path}?recurse=x"))[0] == 422
    for way in ("subgraphs", "schemas"):
        assert (await wire.refused("GET", f"/assistants/flow/{way}"))[0] == 422
        assert (await wire.refused("GET", f"/assistants/{nowhere}/{way}"))[0] == 404
