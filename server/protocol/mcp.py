"""/mcp: each assistant is a tool of the Model Context Protocol; a call of it is a run.

Stateless streamable HTTP: one request, one answer, no session. The few methods of it are spoken here
directly: the `mcp` package takes a second to import, and its server wants to own the whole exchange.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Annotated, Any

import orjson
import structlog
from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from artel.server.auth.caller import Caller
from artel.server.catalog import Catalog
from artel.server.engine import Engine, stream
from artel.server.errors import answers
from artel.server.protocol import drawing, orders, rpc
from artel.server.protocol.bodies import RunBody
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json
from artel.server.protocol.held import Held
from artel.server.protocol.orders import GivenCall
from artel.server.protocol.rpc import Refused
from artel.server.protocol.spoken import last_said
from artel.storage import assistants
from artel.storage.assistants import Assistant
from artel.storage.encoding import dumps
from artel.storage.errors import BadRequest, Invalid, NotFound
from artel.storage.ids import system_assistant_id
from artel.storage.runs import Run

router = APIRouter(tags=["MCP"])

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
UNSUPPORTED_VERSION = -32022
MOST_TOOLS = 1000
MAX_NAME = 64  # characters: what models' own interfaces take
HINTS = {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": True}
ONE_MESSAGE = {"type": "string", "title": "Messages", "description": "What to say to the agent."}

log = structlog.get_logger(__name__)


@router.post(
    "/mcp",
    responses={**answers(), **rpc.NO_CALL, 202: {"description": "Nothing to answer."}},
    openapi_extra=rpc.CALL,
)
async def call(
    request: Request,
    engine: GivenEngine,
    catalog: GivenCatalog,
    given: GivenCall,
    mcp_protocol_version: Annotated[str | None, Header()] = None,
) -> Response:
    """Answer one message: `initialize`, `ping`, `tools/list` or `tools/call`."""
    try:
        message = rpc.read(await request.body())
        if message is None or not message.awaited:
            return Response(status_code=202)
    except Refused as refused:
        return Json(rpc.refusal(refused), refused.status)
    try:
        _check(message, mcp_protocol_version)
        if message.method == "tools/call":
            run = await _start(engine, catalog, message, given)
            return _awaited(engine, run, message.id)
        return Json(rpc.answer(message.id, await _answer(engine, catalog, message, given.caller)))
    except Refused as refused:
        return Json(rpc.refusal(refused, message.id), refused.status)
    except (Invalid, BadRequest, NotFound) as error:
        return Json(rpc.refusal(rpc.wrong(error), message.id))


@router.api_route("/mcp", methods=["GET", "DELETE"], include_in_schema=False)
async def neither() -> Response:
    """Say that there is no stream to listen to, and no session to end."""
    return Response(status_code=405, headers={"Allow": "POST"})


def _check(message: rpc.Call, spoken: str | None) -> None:
    if spoken and spoken not in VERSIONS and message.method != "initialize":
        data = {"supported": list(VERSIONS), "requested": spoken}
        said = f"MCP-Protocol-Version must be one of {', '.join(VERSIONS)}, got {spoken!r}"
        raise Refused(UNSUPPORTED_VERSION, said, data=data, status=400)


async def _answer(engine: Engine, catalog: Catalog, message: rpc.Call, caller: Caller) -> Any:
    match message.method:
        case "initialize":
            wished = message.params.get("protocolVersion")
            return {
                "protocolVersion": wished if wished in VERSIONS else VERSIONS[-1],
                "capabilities": {"tools": {"listChanged": False}},
                "serverInfo": {"name": "Artel", "version": version("artel")},
            }
        case "ping":
            return {}
        case "tools/list":
            known = await tools(engine, catalog, caller)
            return {"tools": [await _described(catalog, name, one) for name, one in known.items()]}
    raise Refused(rpc.METHOD_NOT_FOUND, f"there is no method {message.method!r}")


async def tools(engine: Engine, catalog: Catalog, caller: Caller) -> dict[str, Assistant]:
    """Return the assistants that the caller may see, and the graphs' own, by the names of their tools.

    A graph's own assistant has the name of the graph; of others that would have the same, each has the end
    of its id behind it.
    """
    value: dict[str, Any] = {"metadata": {}, "limit": MOST_TOOLS, "offset": 0}
    allowed = await caller.may("assistants", "search", value)
    async with engine.db.connection() as conn:
        found = await assistants.search(
            conn,
            served=catalog.names(),
            metadata=value["metadata"],
            limit=MOST_TOOLS,
            sort_order="asc",
            allowed=allowed,
        )
        own = {one.graph_id: one for one in found if one.is_system}
        for name in catalog.names():
            if name not in own:  # what limits the caller does not hide a graph's own
                own[name] = await assistants.get(conn, system_assistant_id(name))
    found = [own[name] for name in catalog.names()] + [one for one in found if not one.is_system]
    names = [_named(one) for one in found]
    often = Counter(names)
    named: dict[str, Assistant] = {}
    for one, name in zip(found, names, strict=True):
        plain = one.is_system or often[name] == 1
        named.setdefault(name if plain else f"{name}-{one.assistant_id.hex[-8:]}", one)
    return named


def _named(assistant: Assistant) -> str:
    name = assistant.graph_id if assistant.is_system else assistant.name
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[: MAX_NAME - 9] or "assistant"


async def _described(catalog: Catalog, name: str, assistant: Assistant) -> dict[str, Any]:
    return {
        "name": name,
        "title": assistant.name,
        "description": assistant.description or f"Ask the assistant {assistant.name}.",
        "inputSchema": await _input_schema(catalog, assistant),
        "annotations": HINTS,
    }


async def _input_schema(catalog: Catalog, assistant: Assistant) -> dict[str, Any]:
    """Return what a tool takes: the input of its graph, where one text stands for messages."""
    try:
        async with catalog.graph(assistant.graph_id, {}, access="assistants.read") as graph:
            derived = drawing.schemas(assistant.graph_id, graph)["input_schema"]
    except Exception:
        log.exception("the input of a graph cannot be described", graph_id=assistant.graph_id)
        derived = None
    schema = {**(derived or {}), "type": "object"}
    if "messages" in schema.get("properties", {}):
        schema["properties"] = {**schema["properties"], "messages": ONE_MESSAGE}
        if b"#/$defs/" not in orjson.dumps(schema["properties"]):
            schema.pop("$defs", None)
    return schema


async def _start(engine: Engine, catalog: Catalog, message: rpc.Call, given: orders.Call) -> Run:
    """Start the run of a call, on a thread that stays: what it asks can be answered there."""
    name, arguments = message.params.get("name"), message.params.get("arguments") or {}
    known = await tools(engine, catalog, given.caller)
    if not isinstance(name, str) or name not in known:
        raise Refused(rpc.INVALID_PARAMS, f"there is no tool {name!r}; there are: {', '.join(known)}")
    if not isinstance(arguments, dict):
        raise Refused(rpc.INVALID_PARAMS, f"arguments must be an object, got {arguments!r:.80}")
    if isinstance(arguments.get("messages"), str):
        arguments = {**arguments, "messages": [{"role": "user", "content": arguments["messages"]}]}
    body = RunBody(
        assistant_id=str(known[name].assistant_id),
        input=arguments,
        on_completion="keep",
        metadata={"source": "mcp"},
    )
    return await orders.accept(engine, catalog, body, given, thread_id=None, fast=True)


def _awaited(engine: Engine, run: Run, id_: rpc.Id) -> Held:
    async def pieces() -> AsyncIterator[bytes]:
        outcome = await stream.outcome(engine, run.run_id)
        yield rpc.answer(id_, _result(run, outcome))

    return Held(pieces(), alive=b"\n", media_type="application/json", headers={})


def _result(run: Run, outcome: stream.Outcome) -> dict[str, Any]:
    """Say what came of a run: what was said last, or the whole state, and the state beside it."""
    where = {"thread_id": run.thread_id, "run_id": run.run_id}
    if outcome.error:
        return {
            **_text(f"{outcome.error['error']}: {outcome.error['message']}"),
            "isError": True,
            "_meta": where,
        }
    if outcome.status != "success":
        return {**_text(f"the run was stopped ({outcome.status})"), "isError": True, "_meta": where}
    values = orjson.loads(outcome.values)
    if questions := values.get("__interrupt__"):
        asked = "\n".join(orjson.dumps(one.get("value")).decode() for one in questions)
        text = f"The agent waits for an answer before it goes on, in thread {run.thread_id}:\n{asked}"
    else:
        text = last_said(values) or dumps(values).decode()
    return {**_text(text), "structuredContent": values, "isError": False, "_meta": where}


def _text(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}
