"""POST /threads/{id}/commands: what a client of protocol v2 wants done, one command a request."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from artel.server.errors import answers
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, ThreadId
from artel.server.protocol.orders import GivenCall
from artel.server.protocol.v2 import asking, starting
from artel.server.protocol.v2.desk import Desk, Refused, Result
from artel.storage.errors import ArtelError, Unavailable
from artel.storage.runs import RateLimited

router = APIRouter(prefix="/threads/{thread_id}", route_class=JsonRoute, tags=["Protocol v2"])

Handler: TypeAlias = Callable[[Desk, dict[str, Any]], Awaitable[Result]]
Envelope: TypeAlias = dict[str, Any]

HANDLERS: Mapping[str, Handler] = {
    "run.start": starting.start,
    "input.respond": starting.respond,
    "input.inject": starting.inject,
    "state.fork": starting.fork,
    "agent.getTree": asking.tree,
    "state.get": asking.state,
    "state.listCheckpoints": asking.checkpoints,
}
SUBSCRIBING = frozenset({"subscription.subscribe", "subscription.unsubscribe", "subscription.reconnect"})
SHAPE = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["id", "method"],
                    "properties": {
                        "id": {"type": "integer"},
                        "method": {"type": "string"},
                        "params": {"type": "object"},
                    },
                }
            }
        },
    }
}
ANSWERS = {**answers(), 400: {"description": "The envelope is none; the body says why, as an `error`."}}


@router.post("/commands", responses=ANSWERS, openapi_extra=SHAPE)
async def command(
    thread_id: ThreadId, request: Request, engine: GivenEngine, catalog: GivenCatalog, call: GivenCall
) -> Response:
    """Do what a command says; the thread need not exist for `run.start`. Refusals are answers too (200)."""
    envelope, wrong = read(await request.body())
    if wrong:
        return Json(wrong, status_code=400)
    return Json(await answer(Desk(engine, catalog, thread_id, call), envelope))


def read(text: bytes | str) -> tuple[Envelope, Envelope | None]:
    """Return a command, and what is wrong with its envelope."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}, error(None, "invalid_argument", "a command must be JSON")
    if not isinstance(given, dict):
        return {}, error(None, "invalid_argument", "a command must be an object with an id and a method")
    number, method = given.get("id"), given.get("method")
    if type(number) is not int or not isinstance(method, str):
        told = "a command must have an integer id and a method, a string"
        return {}, error(number if type(number) is int else None, "invalid_argument", told)
    return given, None


async def answer(desk: Desk, envelope: Envelope, more: Mapping[str, Handler] | None = None) -> Envelope:
    """Do a command and say what came of it; `more` are commands that only some transports have.

    Raises:
        Unavailable, RateLimited: the same command may succeed later.
    """
    number, method = envelope["id"], envelope["method"]
    handler = {**HANDLERS, **(more or {})}.get(method)
    if handler is None:
        if method in SUBSCRIBING:
            return error(number, "not_supported", f"{method} needs a WebSocket; open an event stream instead")
        return error(number, "unknown_command", f"there is no command {method!r}")
    params = envelope.get("params")
    if params is not None and not isinstance(params, dict):
        return error(number, "invalid_argument", f"params must be an object, got {params!r:.120}")
    try:
        result = await handler(desk, params or {})
    except Refused as refused:
        return error(number, refused.code, str(refused))
    except (Unavailable, RateLimited):
        raise
    except ArtelError as known:
        return error(number, Refused.by(known), str(known))
    meta = {} if result.through is None else {"meta": {"applied_through_seq": result.through}}
    return {"type": "success", "id": number, "result": result.value, **meta}


def error(number: int | None, code: str, message: str) -> Envelope:
    """Return the answer that refuses a command."""
    return {"type": "error", "id": number, "error": code, "message": message}


def thread_of(text: str) -> UUID | None:
    """Return the id of a thread as it stands in a path; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
