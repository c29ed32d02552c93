"""How errors reach a client: always `{"detail": "one sentence"}`, with a code for programs."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from artel.storage.errors import ArtelError, Invalid, Unavailable
from artel.storage.runs import RateLimited

POLICY = 1008  # the WebSocket code for "you may not"
_AS_IN_PYTHON = {"body", "query", "path", "header"}


class TooLarge(ArtelError):
    """The request is bigger than this server takes."""

    code = "body_too_large"
    status = 413


class TooSlow(ArtelError):
    """The body of the request did not come in time."""

    code = "body_too_slow"
    status = 408


class Answered(ArtelError):
    """Code of the served folder refused a request in its own words and by its own status."""

    code = "refused"

    def __init__(self, detail: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.answer_status = status
        self.headers = headers


def install(app: FastAPI) -> None:
    """Answer all errors that somebody can act on; bugs go on to the edge of the application."""
    for error in (ArtelError, RequestValidationError, HTTPException):
        app.add_exception_handler(error, known)


def answers(*errors: type[ArtelError]) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route for the OpenAPI page."""
    told: dict[int | str, dict[str, Any]] = {}
    documented: list[type[ArtelError]] = [*errors, Invalid]
    for error in documented:
        line = f"`{error.code}`: {(error.__doc__ or '').strip().splitlines()[0]}"
        known = told.setdefault(error.status, {"description": "", "content": _SHAPE})
        known["description"] = f"{known['description']} {line}".strip()
    return told


_SHAPE = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["detail", "code"],
            "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
        }
    }
}


def said(error: ArtelError) -> Response:
    """Return the response that says an error."""
    if isinstance(error, Answered):
        return told(str(error), error.answer_status, error.headers)
    headers = {"retry-after": "1"} if isinstance(error, Unavailable) else None
    if isinstance(error, TooLarge | TooSlow):  # what is left of the body is not read
        headers = {"connection": "close"}
    if isinstance(error, RateLimited):
        headers = {"retry-after": str(max(1, ceil(error.retry_after_s)))}
    return JSONResponse({"detail": str(error), "code": error.code}, error.status, headers)


async def refuse(error: ArtelError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the reason; a WebSocket is closed before it is open where a server can say no more."""
    if scope["type"] == "websocket" and "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": POLICY, "reason": error.code})
    else:
        await said(error)(scope, receive, send)


def answer_to(error: ArtelError | HTTPException | RequestValidationError) -> Response:
    """Return the response to an error that somebody can act on."""
    if isinstance(error, ArtelError):
        return said(error)
    if isinstance(error, HTTPException):
        return told(str(error.detail), error.status_code, error.headers)
    return said(Invalid(explain(error.errors())))


async def known(_: Request, error: Exception) -> Response:
    """Answer by an error of ours, an exception that has a status only, or what a request has wrong."""
    assert isinstance(error, ArtelError | HTTPException | RequestValidationError)
    return answer_to(error)


async def bug(request: Request, _: Exception) -> Response:
    """Answer when nobody knows what went wrong: the log does, under the id of the request."""
    return internal(str(request.scope.get("artel.request_id", "")))


def internal(request_id: str) -> Response:
    """Return the answer that stands for a bug."""
    detail = f"this is a bug of the server; its log says more under request {request_id}"
    return JSONResponse({"detail": detail, "code": "internal", "request_id": request_id}, 500)


def told(detail: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return a refusal that has a status only: its code is the name of the status."""
    return JSONResponse({"detail": detail, "code": _code(status)}, status, dict(headers) if headers else None)


def _code(status: int) -> str:
    match status:
        case 401:
            return "unauthenticated"
        case 413:
            return TooLarge.code
        case 422:
            return Invalid.code
    try:
        return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_").replace("'", "")
    except ValueError:
        return f"http_{status}"


def explain(problems: Sequence[Any]) -> str:
    """Say the first problem of a request: where it is, what would be right, what was given.

    Of the branches of a union the one that got furthest into the value is the one that was meant.
    """
    problem = max(problems, key=lambda one: len(_path(one["loc"])))
    if problem["type"] == "json_invalid":
        return "Invalid JSON in request body"
    where = _path(problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{where or 'the body'} is required"
    given = repr(problem.get("input"))
    return f"{where or 'the body'}: {message}, got {given if len(given) <= 120 else given[:117] + '...'}"


def _path(location: Sequence[str | int]) -> str:
    """Write a place in a body as one writes it in Python: `config.tags[0]`."""
    path = ""
    for part in location[1:] if location and location[0] in _AS_IN_PYTHON else location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier():  # others name a branch of a union, not a field
            path += f".{part}" if path else part
    return path
