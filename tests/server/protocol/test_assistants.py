"""Every graph has an assistant; more can be made; all can be drawn and described."""

import typing
from typing import Any

from langgraph.graph import START, StateGraph
from tests.fakes.served import graphs

from artel.server.protocol import drawing
from artel.storage.ids import system_assistant_id

from .conftest import Wire

FLOW = str(system_assistant_id("flow"))


async def test_each_graph_has_an_assistant_that_nobody_made(wire: Wire) -> None:
    found = await wire.ok("POST", "/assistants/search", {"graph_id": "flow"})

    assert [(one["assistant_id"], one["name"], one["version"]) for one in found] == [(FLOW, "flow", 1)]
    assert found[0]["metadata"] == {"created_by": "system"}
    assert found[0]["description"] == "Graph flow"
    assert await wire.ok("GET", f"/assistants/{FLOW}") == found[0]


async def test_assistants_come_in_pages(wire: Wire) -> None:
    seen: list[str] = []
    offset: str | None = "0"
    while offset:
        body = {"limit": 3, "offset": int(offset), "sort_by": "name", "sort_order": "asc"}
        page = await wire("POST", "/assistants/search", body)
        assert page.headers["x-pagination-total"] == str(len(graphs()))
        seen += [one["graph_id"] for one in page.json()]
        offset = page.headers.get("x-pagination-next")

    assert seen == sorted(graphs())
    assert await wire.ok("POST", "/assistants/count", {}) == len(graphs())


async def test_only_what_was_selected_is_told(wire: Wire) -> None:
    body = {"name": "LOW", "select": ["name", "graph_id"], "sort_by": "name"}
    assert await wire.ok("POST", "/assistants/search", body) == [
        {"graph_id": "slow", "name": "slow"},
        {"graph_id": "flow", "name": "flow"},
    ]


async def test_an_assistant_is_made_found_used_and_removed(wire: Wire) -> None:
    body = {"graph_id": "tells", "context": {"who": "me"}, "config": {"tags": ["a"]}, "metadata": {"k": 1}}
    made = await wire.ok("POST", "/assistants", body)
    path = f"/assistants/{made['assistant_id']}"

    assert made["config"] == {"tags": ["a"], "configurable": {"who": "me"}}
    assert [one["name"] for one in await wire.ok("POST", "/assistants/search", {"metadata": {"k": 1}})] == [
        "Untitled"
    ]
    said = await wire.ok("POST", "/runs/wait", {"assistant_id": made["assistant_id"], "input": {"out": 0}})
    assert said["out"] == {"who": "me", "x": None, "tags": ["a"]}
    again = {**body, "assistant_id": made["assistant_id"]}
    assert (await wire.refused("POST", "/assistants", again))[0] == 409
    assert await wire.ok("POST", "/assistants", {**again, "if_exists": "do_nothing"}) == made
    assert (await wire("DELETE", path)).status_code == 204
    assert (await wire.refused("GET", path))[0] == 404
    assert (await wire.refused("DELETE", path))[0] == 404


async def test_what_belongs_to_a_graph_cannot_be_removed(wire: Wire) -> None:
    status, detail = await wire.refused("DELETE", f"/assistants/{FLOW}")
    assert (status, "came with its graph" in detail) == (409, True)


async def test_what_is_not_there_or_makes_no_sense_is_refused(wire: Wire, nowhere: str) -> None:
    assert (await wire.refused("GET", f"/assistants/{nowhere}"))[0] == 404
    assert (await wire.refused("GET", "/assistants/flow"))[0] == 422
    status, detail = await wire.refused("POST", "/assistants", {"graph_id": "none"})
    assert (status, '"none"' in detail) == (404, True)
    both = {"graph_id": "tells", "context": {"a": 1}, "config": {"configurable": {"b": 1}}}
    assert (await wire.refused("POST", "/assistants", both))[0] == 400
    for wrong, field in [
        ({"limit": 0}, "limit"),
        ({"sort_by": "x"}, "sort_by"),
        ({"select": ["x"]}, "select"),
    ]:
        status, detail = await wire.refused("POST", "/assistants/search", wrong)
        assert (status, field in detail) == (422, True)


async def test_a_graph_is_drawn_by_id_or_name(wire: Wire) -> None:
    drawn = await wire.ok("GET", f"/assistants/{FLOW}/graph")

    assert drawn == await wire.ok("GET", "/assistants/flow/graph")
    assert drawn["nodes"][1] == {"id": "first", "type": "runnable", "data": {"name": "first"}}
    assert drawn["nodes"][-1] == {"id": "__end__"}
    assert {"source": "child", "target": "talk"} in drawn["edges"]
    inside = await wire.ok("GET", "/assistants/flow/graph?xray=1")
    assert "child:inner_step" in [node["id"] for node in inside["nodes"]]
    assert inside == await wire.ok("GET", "/assistants/flow/graph?xray=true")
    for wrong in ("0", "-1", "x"):
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


def _graph(schema: Any, context: Any) -> Any:
    graph = StateGraph(schema, context_schema=context)
    graph.add_node("do", lambda state: state)
    graph.add_edge(START, "do")
    return graph.compile()


def test_a_context_of_the_older_typed_dict_is_described_too() -> None:
    context = drawing.schemas("g", _graph(Bag, Who))["context_schema"]
    assert context["required"] == ["who"]
    assert set(context["properties"]) == {"who", "age"}


def test_what_cannot_be_described_is_null() -> None:
    class Odd(typing.TypedDict):
        thing: typing.Callable[[object], "Unknown"]  # type: ignore[name-defined]  # noqa: F821

    assert drawing.schemas("g", _graph(Bag, Odd))["context_schema"] is None
