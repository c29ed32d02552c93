"""How errors reach a client: always `{"detail": "one sentence"}`, with a code for programs."""

from collections.abc import Sequence
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from artel.storage.errors import ArtelError, Invalid, Unavailable
from artel.storage.runs import RateLimited

_AS_IN_PYTHON = {"body", "query", "path", "header"}


class TooLarge(ArtelError):
    """The request is bigger than this server takes."""

    code = "body_too_large"
    status = 413


def install(app: FastAPI) -> None:
    """Answer all errors that somebody can act on; bugs go on to the edge of the application."""
    app.add_exception_handler(ArtelError, _known)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _refused)


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
            "required": ["detail"],
            "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
        }
    }
}


def said(error: ArtelError) -> Response:
    """Return the response that says an error."""
    headers = {"retry-after": "1"} if isinstance(error, Unavailable) else None
    if isinstance(error, RateLimited):
        headers = {"retry-after": str(max(1, ceil(error.retry_after_s)))}
    return JSONResponse({"detail": str(error), "code": error.code}, error.status, headers)


async def _known(_: Request, error: Exception) -> Response:
    assert isinstance(error, ArtelError)
    return said(error)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": str(error.detail)}, error.status_code, error.headers)


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return said(Invalid(explain(error.errors())))


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
