"""Functions that make graphs are told for whom, why, and with what context; sockets ask for keys too."""

import json
from typing import Any

import pytest
from tests.fakes.served import calling, serving
from tests.server.auth.conftest import AUTH, As
from tests.server.auth.test_authentication import said
from tests.server.protocol.conftest import Wire

from artel.server.catalog import Catalog
from artel.server.served import read

MADE = """
from typing import TypedDict
from langgraph.graph import START, StateGraph
from langgraph_sdk.runtime import ServerRuntime

told = []

class State(TypedDict, total=False):
    said: str

async def make(runtime: ServerRuntime):
    running = runtime.execution_runtime
    told.append((runtime.access_context, runtime.ensure_user().identity, running and running.context))
    graph = StateGraph(State)
    graph.add_node("say", lambda state: {"said": "x"})
    graph.add_edge(START, "say")
    return graph.compile()
"""


READ = """
@auth.on.assistants.read
async def look(ctx, value):
    return None
"""


async def test_a_function_knows_who_asks_in_every_context(fresh_dsn: str, tmp_path: Any) -> None:
    (tmp_path / "auth.py").write_text(AUTH + READ)
    (tmp_path / "made.py").write_text(MADE)
    file = tmp_path / "langgraph.json"
    file.write_text(json.dumps({"graphs": {"made": "./made.py:make"}, "auth": {"path": "./auth.py:auth"}}))
    catalog = Catalog.of(read(file))
    async with serving(fresh_dsn, catalog=catalog) as app, calling(app) as http:
        ada = As(Wire(app, http), "ada")
        thread = await ada.thread()
        body = {"assistant_id": "made", "input": {}, "context": {"a": 1}}
        await ada.ok("POST", f"/threads/{thread}/runs/wait", {**body, "input": {"said": "y"}})
        await ada.ok("GET", f"/threads/{thread}/state")
        await ada.ok("POST", f"/threads/{thread}/state", {"values": {"said": "z"}})
        await ada.ok("GET", "/assistants/made/graph")
        told = said(ada, "made.py", "told")
    assert {(access, who) for access, who, _ in told} == {
        ("threads.create_run", "ada"),
        ("threads.read", "ada"),
        ("threads.update", "ada"),
        ("assistants.read", "ada"),
    }
    assert ("threads.create_run", "ada", {"a": 1}) in told


@pytest.mark.parametrize("key", [b"", b"Bearer bob"])
async def test_a_socket_asks_for_a_key_as_well(guarded: Wire, key: bytes) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    messages = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])

    async def receive() -> Any:
        return next(messages)

    path = "/threads/0199c0de-0000-7000-8000-000000000000/stream/events"
    headers = [(b"host", b"localhost"), *([(b"authorization", key)] if key else [])]
    scope = {"type": "websocket", "path": path, "headers": headers, "query_string": b"", "subprotocols": []}
    await guarded.app(scope, receive, send)
    if key:
        assert sent[0]["type"] == "websocket.accept"
    else:
        assert sent == [{"type": "websocket.close", "code": 1008, "reason": "refused"}]
