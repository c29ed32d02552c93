"""Assistants by the official client, over a real socket."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import BadRequestError, ConflictError, NotFoundError, UnprocessableEntityError
from tests.fakes.listening import listening
from tests.fakes.served import HI, graphs, serving

from artel.storage.ids import system_assistant_id

FLOW = str(system_assistant_id("flow"))


@pytest.fixture
async def client(fresh_dsn: str) -> AsyncIterator[LangGraphClient]:
    async with serving(fresh_dsn) as app, listening(app) as url:
        client = get_client(url=url, api_key=None)
        yield client
        await client.aclose()


async def test_an_assistant_lives_through_its_versions(client: LangGraphClient) -> None:
    ours = client.assistants
    made = await ours.create("tells", context={"who": "ann"}, metadata={"k": 1}, name="one", description="d")
    mine = made["assistant_id"]
    assert (made["version"], made["config"]) == (1, {"configurable": {"who": "ann"}})
    again = await ours.create("tells", assistant_id=mine, if_exists="do_nothing")
    assert again == made
    with pytest.raises(ConflictError):
        await ours.create("tells", assistant_id=mine)

    changed = await ours.update(mine, context={"who": "bob"}, metadata={"l": 2}, name="two")
    assert (changed["version"], changed["metadata"]) == (2, {"k": 1, "l": 2})
    assert await ours.get(mine) == changed
    assert (await ours.update(mine, graph_id="flow"))["graph_id"] == "flow"
    assert [one["version"] for one in await ours.get_versions(mine)] == [3, 2, 1]
    assert [one["name"] for one in await ours.get_versions(mine, metadata={"l": 2}, limit=1)] == ["two"]

    back = await ours.set_latest(mine, 1)
    assert (back["version"], back["graph_id"], back["context"]) == (1, "tells", {"who": "ann"})
    said: Any = await client.runs.wait(None, mine, input={"out": 0})
    assert said["out"]["who"] == "ann"
    assert (await ours.update(mine, metadata={}))["version"] == 4
    with pytest.raises(NotFoundError, match="no version 9"):
        await ours.set_latest(mine, 9)
    with pytest.raises(BadRequestError, match="not both"):
        await ours.update(mine, context={"a": 1}, config={"configurable": {"a": 1}})
    with pytest.raises(UnprocessableEntityError, match="UUID"):
        await ours.get_versions("tells")


async def test_assistants_are_searched_and_counted_in_pages(client: LangGraphClient) -> None:
    for name in ("Blue", "green", "red"):
        await client.assistants.create("tells", name=name, metadata={"colour": True})

    wanted: Any = {"metadata": {"colour": True}, "sort_by": "name", "sort_order": "asc", "limit": 2}
    first = await client.assistants.search(**wanted, response_format="object")
    assert ([one["name"] for one in first["assistants"]], first["next"]) == (["Blue", "green"], "2")
    rest = await client.assistants.search(**wanted, offset=2, response_format="object")
    assert ([one["name"] for one in rest["assistants"]], rest["next"]) == (["red"], None)
    assert await client.assistants.count(metadata={"colour": True}) == 3
    assert await client.assistants.count(name="RE") == 2
    assert await client.assistants.count() == len(graphs()) + 3
    (only,) = await client.assistants.search(name="blue", select=["name", "version"])
    assert only == {"name": "Blue", "version": 1}
    with pytest.raises(NotFoundError, match='"none"'):
        await client.assistants.search(graph_id="none")


async def test_a_graph_is_looked_at_from_all_sides(client: LangGraphClient) -> None:
    ours = client.assistants
    whole = await ours.get_graph("flow", xray=True)
    assert "child:inner_step" in [node["id"] for node in whole["nodes"]]
    assert await ours.get_graph(FLOW, xray=1) == whole
    assert "child" in [node["id"] for node in (await ours.get_graph(FLOW))["nodes"]]
    assert (await ours.get_schemas(FLOW))["graph_id"] == "flow"
    inside = await ours.get_subgraphs(FLOW, recurse=True)
    assert list(inside) == ["child"]
    assert await ours.get_subgraphs(FLOW, namespace="child") == inside
    assert await ours.get_subgraphs(FLOW, namespace="child|deeper", recurse=True) == {}


async def test_an_assistant_goes_with_its_threads(client: LangGraphClient) -> None:
    made = await client.assistants.create("flow")
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, made["assistant_id"], input=HI)

    await client.assistants.delete(made["assistant_id"], delete_threads=True)
    with pytest.raises(NotFoundError):
        await client.assistants.get(made["assistant_id"])
    with pytest.raises(NotFoundError):
        await client.threads.get(thread)
    with pytest.raises(ConflictError, match="came with its graph"):
        await client.assistants.delete(FLOW, delete_threads=True)
