"""How MCP servers stand is told without their secrets; one can be started anew."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.fakes.mcp_configured import configured, fake
from tests.fakes.served import calling, serving

from artel.graphs.context import Handles
from artel.graphs.models import Models, ModelSettings
from artel.tools.mcp.servers import Servers


@pytest.fixture
async def http(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    entry = fake(tmp_path / "notes") | {"env": {"TOKEN": "s3cret-token"}}
    servers = Servers([configured(tmp_path, entry)])
    models = Models(ModelSettings(model="offline"))
    handles = Handles(models=models, roots=(tmp_path,), default_workspace=tmp_path, mcp=servers)
    async with serving(fresh_dsn, handles=handles) as app, calling(app) as client:
        yield client
    await servers.aclose()


async def test_a_server_is_idle_until_somebody_needs_it_or_restarts_it(http: httpx.AsyncClient) -> None:
    (before,) = (await http.get("/api/v1/mcp/servers")).json()
    assert (before["name"], before["transport"], before["state"], before["tools"]) == (
        "fake",
        "stdio",
        "idle",
        [],
    )
    told = await http.post("/api/v1/mcp/servers/fake/restart")
    assert (told.status_code, told.json()["state"]) == (200, "ready")
    listed = await http.get("/api/v1/mcp/servers")
    (after,) = listed.json()
    add = next(tool for tool in after["tools"] if tool["name"] == "mcp__fake__add")
    assert (add["action"], add["description"]) == ("mcp.fake.add", "Add two numbers.")
    assert "s3cret" not in told.text + listed.text


async def test_a_server_that_nobody_named_is_not_there(http: httpx.AsyncClient) -> None:
    told = await http.post("/api/v1/mcp/servers/other/restart")
    assert (told.status_code, told.json()["code"]) == (404, "unknown_server")
    assert "there are: fake" in told.text


async def test_the_policy_explains_a_call_of_a_server(http: httpx.AsyncClient) -> None:
    call = {"agent": "coder", "tool": "mcp__fake__add", "args": {"a": 1, "b": 2}}
    told = (await http.post("/api/v1/policy/explain", json=call)).json()
    assert (told["verdict"], told["rule"], told["calls"][0]["action"]) == ("ask", "mcp", "mcp.fake.add")


async def test_without_agents_of_ours_there_are_none(fresh_dsn: str) -> None:
    async with serving(fresh_dsn) as app, calling(app) as client:
        assert (await client.get("/api/v1/mcp/servers")).json() == []
