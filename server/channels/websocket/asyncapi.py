"""GET /api/v1/asyncapi.json: what the gateway says and takes, made from the models that it uses itself."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from artel.server.channels.websocket import saying, telling
from artel.server.channels.websocket.introducing import KEY, PATH, PROTOCOL
from artel.server.channels.websocket.saying import name_of
from artel.server.protocol.given import Json, JsonRoute

router = APIRouter(route_class=JsonRoute, tags=["Product"])

REF = "#/components/schemas/{model}"
SESSION = "01997d5e-0000-7000-8000-000000000001"
RUN = "01997d5e-0000-7000-8000-000000000002"
COMMON = {"session_id": SESSION, "run_id": RUN, "event_id": "41-0"}
AT = "2026-01-09T12:00:00.250000Z"


@router.get("/asyncapi.json")
async def asyncapi() -> Response:
    """Return the AsyncAPI 3.0 document of the WebSocket at `/api/v1/ws`."""
    return Json(document())


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Artel: the gateway",
            "version": version("artel"),
            "description": "One WebSocket for all conversations of a client. What a session says is a view "
            "of the same event log as every stream: after a cut, `subscribe` with the last `event_id`.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "gateway": {
                "address": PATH,
                "description": f"Offer the subprotocol `{PROTOCOL}`; a client that can set no header may "
                f"bring its key beside it as `{KEY}` and the key in base64url, or in a first message `auth`.",
                "messages": {
                    name: {"$ref": f"#/components/messages/{name}"}
                    for name in map(_key, (*saying.CLIENT, *telling.SERVER))
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "say": _operation("receive", "What clients say.", saying.CLIENT),
            "tell": _operation("send", "What the server tells.", telling.SERVER),
        },
        "components": {
            "messages": {_key(kind): _message(kind) for kind in (*saying.CLIENT, *telling.SERVER)},
            "schemas": _schemas(),
        },
    }


def example_of(kind: type[BaseModel]) -> dict[str, Any]:
    """Return a message of a kind, as it is on the wire."""
    given: dict[str, Any] = dict(getattr(kind, "example", {}))
    if kind in saying.CLIENT:
        return given
    common = COMMON if "event_id" in kind.model_fields and kind is not telling.Failed else {}
    told = {"type": name_of(kind), **common, **given, "at": AT}
    return told | {name: COMMON[name] for name in told if told[name] == "…"}


def first_line(kind: type[BaseModel]) -> str:
    """Return what a message means, in a line."""
    return (kind.__doc__ or "").strip().splitlines()[0]


def _key(kind: type[BaseModel]) -> str:
    return kind.__name__


def _operation(action: str, summary: str, kinds: Iterable[type[BaseModel]]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/gateway"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/gateway/messages/{_key(kind)}"} for kind in kinds],
    }


def _message(kind: type[BaseModel]) -> dict[str, Any]:
    return {
        "name": name_of(kind),
        "title": name_of(kind),
        "summary": first_line(kind),
        "payload": {"$ref": REF.format(model=_key(kind))},
        "examples": [{"payload": example_of(kind)}],
    }


def _schemas() -> dict[str, Any]:
    mode: Any = "validation"
    kinds: Sequence[tuple[type[BaseModel], Any]] = [
        (kind, mode) for kind in (*saying.CLIENT, *telling.SERVER)
    ]
    _, made = models_json_schema(kinds, ref_template=REF)
    found: dict[str, Any] = made["$defs"]
    for kind in (*saying.CLIENT, *telling.SERVER):
        found[_key(kind)]["required"] = sorted({"type", *found[_key(kind)].get("required", ())})
    return found
