"""JSON-RPC 2.0, as MCP and A2A speak it: one call a request, one answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from artel.storage.encoding import dumps
from artel.storage.errors import ArtelError

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

CALL = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["jsonrpc", "method"],
                    "properties": {
                        "jsonrpc": {"const": "2.0"},
                        "id": {"type": ["string", "number", "null"]},
                        "method": {"type": "string"},
                        "params": {"type": "object"},
                    },
                }
            }
        },
    }
}
NO_CALL: dict[int | str, dict[str, Any]] = {400: {"description": "The body is no call; an `error` says why."}}

Id = str | int | float | None


class Refused(Exception):
    """A call is answered with an error; the HTTP status counts where the protocol has none of its own."""

    def __init__(
        self, code: int, message: str, *, data: Any = None, id_: Id = None, status: int = 200
    ) -> None:
        super().__init__(message)
        self.code = code
        self.data = data
        self.id = id_
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """One message of a client."""

    method: str
    params: Mapping[str, Any]
    id: Id
    awaited: bool  # False: a notification, nobody waits for an answer


def read(body: bytes) -> Call | None:
    """Return the call in a request body; None when it is an answer to something we never asked.

    Raises:
        Refused: it is not JSON, or no message of JSON-RPC.
    """
    try:
        message = orjson.loads(body)
    except ValueError:
        raise Refused(PARSE_ERROR, "the body is not JSON", status=400) from None
    if not isinstance(message, dict):
        raise Refused(INVALID_REQUEST, "the body must be one JSON-RPC message, an object", status=400)
    id_ = message.get("id")
    known: Id = id_ if isinstance(id_, str | int | float) and not isinstance(id_, bool) else None
    if message.get("jsonrpc") != "2.0":
        raise Refused(INVALID_REQUEST, 'jsonrpc must be "2.0"', id_=known, status=400)
    if "method" not in message and ("result" in message or "error" in message):
        return None
    method, params = message.get("method"), message.get("params")
    if not isinstance(method, str):
        raise Refused(INVALID_REQUEST, f"method must be a string, got {method!r}", id_=known, status=400)
    if params is not None and not isinstance(params, dict):
        raise Refused(INVALID_PARAMS, "params must be an object", id_=known)
    return Call(method, params or {}, known, "id" in message)


def answer(id_: Id, result: Any) -> bytes:
    """Return the message that carries a result."""
    return dumps({"jsonrpc": "2.0", "id": id_, "result": result})


def refusal(refused: Refused, id_: Id = None) -> bytes:
    """Return the message that carries an error."""
    error: dict[str, Any] = {"code": refused.code, "message": str(refused)}
    if refused.data is not None:
        error["data"] = refused.data
    return dumps({"jsonrpc": "2.0", "id": refused.id if id_ is None else id_, "error": error})


def wrong(error: ArtelError) -> Refused:
    """Return what a wrong value in a call is answered with."""
    return Refused(INVALID_PARAMS, str(error), data={"code": error.code})
