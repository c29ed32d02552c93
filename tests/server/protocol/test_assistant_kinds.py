"""Assistants of kinds that are answered elsewhere: refused when they cannot be, changed without a restart."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.openai_server import OpenAIServer, openai_server
from tests.fakes.served import calling, serving
from tests.server.protocol.conftest import Wire

from artel.graphs.context import handles
from artel.graphs.kinds import openai_responses, remote_graph
from artel.graphs.kinds.connections import Connections
from artel.graphs.models import Models, ModelSettings
from artel.server.catalog import Catalog, Entry

HI = {"messages": [{"role": "user", "content": "hi"}]}
KEY = "sk-secret-1"


@pytest.fixture
async def far() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as fake:
        yield fake


@pytest.fixture
def file(tmp_path: Path, far: OpenAIServer) -> Path:
    file = tmp_path / "connections.json"
    write(file, far=far.url)
    return file


def write(file: Path, **urls: str) -> None:
    known = {name: {"type": "openai", "url": url, "key": "${KEY}"} for name, url in urls.items()}
    file.write_text(json.dumps({"connections": known}))


@pytest.fixture
async def wire(fresh_dsn: str, file: Path) -> AsyncIterator[Wire]:
    kinds = {"openai_responses": openai_responses, "remote_graph": remote_graph}
    catalog = Catalog(
        {
            name: Entry(kind.DESCRIPTION, kind.graph, check=kind.check_assistant)
            for name, kind in kinds.items()
        }
    )
    models = Models(ModelSettings(model="offline", retries=0))
    given = replace(handles(), connections=Connections(file, {"KEY": KEY}), models=models)
    async with serving(fresh_dsn, catalog=catalog, handles=given) as app, calling(app) as http:
        yield Wire(app, http)


def body(**context: Any) -> dict[str, Any]:
    return {
        "graph_id": "openai_responses",
        "context": {"connection": "far", "model": "tiny", **context},
    }


async def test_one_that_could_never_answer_is_not_made(wire: Wire, file: Path, far: OpenAIServer) -> None:
    status, told = await wire.refused("POST", "/assistants", body(connection="OPENAI_API_KEY"))
    assert (status, "type openai, one of far; got 'OPENAI_API_KEY'" in told) == (422, True)
    elsewhere = {"graph_id": "remote_graph", "context": {"connection": "far", "assistant": "agent"}}
    status, told = await wire.refused("POST", "/assistants", elsewhere)
    assert (status, "of type langgraph" in told) == (422, True)
    made = await wire.ok("POST", "/assistants", body())
    path = f"/assistants/{made['assistant_id']}"
    status, told = await wire.refused("PATCH", path, {"context": {"connection": "far", "model": ""}})
    assert (status, "context.model must name a model of far" in told) == (422, True)
    assert (await wire.ok("GET", path))["context"] == made["context"]
    listed = await wire.ok("GET", "/api/v1/connections")
    assert [one["name"] for one in listed["connections"]] == ["far"]
    assert far.url not in json.dumps(listed)
    assert KEY not in json.dumps(listed)


async def test_changes_hold_for_the_next_run(wire: Wire, file: Path, far: OpenAIServer) -> None:
    made = await wire.ok("POST", "/assistants", body(instructions="Be brief."))
    told: list[Any] = []

    async def say() -> Any:
        thread_id = await wire.thread()
        asked = {"assistant_id": made["assistant_id"], "input": HI}
        return await wire.ok("POST", f"/threads/{thread_id}/runs/wait", asked)

    far.turns = ["one", "two"]
    told.append((await say())["messages"][-1]["content"])
    change = {"context": {"connection": "far", "model": "other", "instructions": "Be long."}}
    await wire.ok("PATCH", f"/assistants/{made['assistant_id']}", change)
    told.append((await say())["messages"][-1]["content"])
    assert told == ["one ", "two "]
    assert [(one["model"], one["instructions"]) for one in far.asked] == [
        ("tiny", "Be brief."),
        ("other", "Be long."),
    ]
    file.write_text("{")  # noqa: ASYNC240 - a few bytes
    assert (await wire.ok("GET", "/api/v1/connections"))["problem"] is True
    async with openai_server("three") as moved:
        write(file, far=moved.url)
        assert (await say())["messages"][-1]["content"] == "three "
    write(file, near=far.url)
    assert "one of near; got 'far'" in json.dumps(await say())
