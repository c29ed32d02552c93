"""MCP: as the official client sees it over a real socket, and as raw requests."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.listening import listening
from tests.fakes.served import calling, graphs, serving
from tests.server.protocol.conftest import Wire

from artel.server.catalog import Catalog, Entry
from artel.server.served import Served

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}


@pytest.fixture
async def url(fresh_dsn: str) -> AsyncIterator[str]:
    async with serving(fresh_dsn) as app, listening(app) as url:
        yield f"{url}/mcp"


async def _rpc(wire: Wire, method: str, params: Any = None) -> Any:
    response = await wire("POST", "/mcp", {"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    message = response.json()
    assert (message["jsonrpc"], message["id"]) == ("2.0", 7)
    return message


async def _called(wire: Wire, name: str, arguments: Any) -> Any:
    return (await _rpc(wire, "tools/call", {"name": name, "arguments": arguments}))["result"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_lists_and_calls_graphs(url: str, mode: Any) -> None:
    async with Client(url, mode=mode) as client:
        known = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(graphs()) <= known.keys()
        assert known["flow"].description == "Graph flow"
        assert known["flow"].input_schema["properties"]["messages"]["type"] == "string"
        result = await client.call_tool("flow", {"messages": "hi", "log": []})
        assert not result.is_error
        assert [block.text for block in result.content if block.type == "text"] == ["one two three"]
        assert result.structured_content
        assert result.structured_content["messages"][0]["content"] == "hi"


async def test_the_official_client_is_told_of_failures_and_unknown_tools(url: str) -> None:
    async with Client(url) as client:
        failed = await client.call_tool("fails", {})
        assert failed.is_error
        assert failed.content[0].type == "text"
        assert failed.content[0].text == "ValueError: boom"
        with pytest.raises(MCPError, match="there is no tool 'nothing'"):
            await client.call_tool("nothing", {})


async def test_a_call_is_a_run_that_stays_visible(wire: Wire) -> None:
    result = await _called(wire, "asks", {"n": 1})
    where = result["_meta"]
    run = await wire.ok("GET", f"/threads/{where['thread_id']}/runs/{where['run_id']}")
    assert (run["status"], run["metadata"]["source"]) == ("success", "mcp")


async def test_a_question_is_told_and_can_be_answered_on_the_thread(wire: Wire) -> None:
    result = await _called(wire, "asks", {"n": 1})
    assert not result["isError"]
    thread = result["_meta"]["thread_id"]
    assert thread in result["content"][0]["text"]
    assert '{"question":"ok?"}' in result["content"][0]["text"]
    assert result["structuredContent"]["__interrupt__"][0]["value"] == {"question": "ok?"}
    body = {"assistant_id": "asks", "command": {"resume": "yes"}}
    assert (await wire.ok("POST", f"/threads/{thread}/runs/wait", body))["answer"] == "yes"


async def test_what_is_not_said_in_messages_comes_as_json(wire: Wire) -> None:
    result = await _called(wire, "slow", {"n": 0.01})
    assert json.loads(result["content"][0]["text"]) == {"n": 0.01, "answer": "slept"}


async def test_assistants_are_tools_too_each_with_a_name_of_its_own(wire: Wire) -> None:
    made = [
        await wire.ok("POST", "/assistants", {"graph_id": "tells", "name": name, "context": {"who": who}})
        for name, who in (("My Bot!", "bot"), ("Twin", "one"), ("Twin", "two"), ("flow", "impostor"))
    ]
    tools = (await _rpc(wire, "tools/list"))["result"]["tools"]
    names = [tool["name"] for tool in tools]
    assert len(names) == len(set(names)) == len(graphs()) + 4
    assert "My_Bot" in names
    twin = f"Twin-{made[1]['assistant_id'][-8:]}"
    assert twin in names
    assert (await _called(wire, twin, {"out": 0}))["structuredContent"]["out"]["who"] == "one"
    assert (await _called(wire, "flow", {"messages": "hi", "log": []}))["content"][0][
        "text"
    ] == "one two three"


async def test_the_version_is_negotiated(wire: Wire) -> None:
    for asked, spoken in (("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25"), (None, "2025-11-25")):
        result = (await _rpc(wire, "initialize", HELLO | {"protocolVersion": asked}))["result"]
        assert result["protocolVersion"] == spoken
        assert result["capabilities"] == {"tools": {"listChanged": False}}
    body = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
    assert (await wire("POST", "/mcp", body)).json()["result"] == {}
    refused = await wire("POST", "/mcp", body, headers={"MCP-Protocol-Version": "1990-01-01"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, -32022)
    assert "2025-11-25" in refused.json()["error"]["data"]["supported"]


async def test_notifications_and_answers_are_taken_without_an_answer(wire: Wire) -> None:
    for body in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
    ):
        response = await wire("POST", "/mcp", body)
        assert (response.status_code, response.content) == (202, b"")


async def test_there_is_no_stream_and_no_session(wire: Wire) -> None:
    assert (await wire("GET", "/mcp")).status_code == 405
    assert (await wire("DELETE", "/mcp")).status_code == 405


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"garbage", 400, -32700),
        (b"\xff\xfe", 400, -32700),
        (b"", 400, -32700),
        (b"[]", 400, -32600),
        (b'{"id": 3}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 3, "method": 5}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 3, "method": "ping", "params": []}', 200, -32602),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "bogus"}', 200, -32601),
        (b'{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {}}', 200, -32602),
        (b'{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": []}}', 200, -32602),
        (
            b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"asks","arguments":"x"}}',
            200,
            -32602,
        ),
    ],
)
async def test_what_is_no_call_is_refused(wire: Wire, body: bytes, status: int, code: int) -> None:
    response = await wire.http.post("/mcp", content=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_a_graph_that_cannot_be_made_hides_no_other_tool(fresh_dsn: str) -> None:
    def broken(config: Any, runtime: Any) -> Any:
        raise RuntimeError("no such model")

    known = {"good": Entry(None, graphs()["tells"]), "bad": Entry(None, None, broken)}
    async with serving(fresh_dsn, catalog=Catalog(known)) as app, calling(app) as http:
        tools = (await _rpc(Wire(app, http), "tools/list"))["result"]["tools"]
    assert [(tool["name"], "properties" in tool["inputSchema"]) for tool in tools] == [
        ("good", True),
        ("bad", False),
    ]


async def test_a_caller_has_the_tools_they_may_see_and_runs_of_their_own(wire: Wire) -> None:
    policy = OwnOnly()
    ann, bob = (Wire(wire.app, called_by(wire.app, name, policy)) for name in ("ann", "bob"))
    await ann.ok("POST", "/assistants", {"graph_id": "tells", "name": "hers"})
    for one, sees in ((ann, True), (bob, False)):
        names = [tool["name"] for tool in (await _rpc(one, "tools/list"))["result"]["tools"]]
        assert set(graphs()) <= set(names)
        assert ("hers" in names) is sees
    thread = (await _called(ann, "hers", {"out": 0}))["_meta"]["thread_id"]
    assert (await ann.ok("GET", f"/threads/{thread}"))["status"] == "idle"
    assert (await bob.refused("GET", f"/threads/{thread}"))[0] == 404
    refused = Wire(wire.app, called_by(wire.app, "eve", OwnOnly(("threads.create_run",))))
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "asks"}}
    assert (await refused.refused("POST", "/mcp", body))[0] == 403


async def test_it_is_off_where_the_configuration_says_so(fresh_dsn: str, tmp_path: Path) -> None:
    http = {"disable_mcp": True, "disable_a2a": True}
    config = Served(tmp_path / "langgraph.json", (), (), {}, {"http": http})
    catalog = Catalog({"flow": Entry(None, graphs()["flow"])}, config)
    async with serving(fresh_dsn, catalog=catalog) as app, calling(app) as client:
        for path in ("/mcp", "/a2a/flow"):
            body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            assert (await client.post(path, json=body)).status_code in (404, 405)
        assert (await client.get("/.well-known/agent-card.json?assistant_id=flow")).status_code == 404


def test_serving_it_imports_none_of_the_package() -> None:
    program = (
        "import sys; import artel.server.app; print([m for m in sys.modules if m.split('.')[0] == 'mcp'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
