"""The short way to our own routes: found by one look, their arguments solved without FastAPI's general means.

FastAPI describes the routes and answers everything that is odd about a request: routes of another form,
unknown paths, other methods. What a route is given, and how a bad request is refused, is the same both ways.
"""

import inspect
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic_core import PydanticUndefined
from starlette._utils import get_route_path
from starlette.convertors import StringConvertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artel.server import errors
from artel.server.protocol.given import JsonRoute
from artel.server.telemetry.requests import SEEN
from artel.storage.errors import ArtelError

Place = tuple[str, int]  # a method, and how many segments a path has


@dataclass(frozen=True, slots=True)
class Handler:
    """A route whose arguments can be solved here."""

    takes: Dependant

    async def answer(self, request: Request) -> Response:
        """Call the route.

        Raises:
            RequestValidationError: the request is not what the route takes.
        """
        wrong: list[Any] = []
        body = await _json(request) if self.takes.body_params else None
        values = await _solve(self.takes, request, {}, wrong)
        if self.takes.body_params:
            given, problems = await request_body_to_args(
                self.takes.body_params, body, embed_body_fields=False
            )
            values |= given
            wrong += problems
        if wrong:
            raise RequestValidationError(wrong)
        assert self.takes.call
        answer = await self.takes.call(**values)
        return answer if isinstance(answer, Response) else Response(None, 204, media_type="application/json")


async def _solve(
    takes: Dependant, request: Request, known: dict[Any, Any], wrong: list[Any]
) -> dict[str, Any]:
    """Return what a function takes of a request, but its body; `known` is what was given already, by whom."""
    values: dict[str, Any] = {}
    for one in takes.dependencies:
        assert one.call
        if one.call not in known:
            problems: list[Any] = []
            given = await _solve(one, request, known, problems)
            if problems:
                wrong += problems
                continue
            known[one.call] = await one.call(**given)
        if one.name:
            values[one.name] = known[one.call]
    for fields, source in (
        (takes.path_params, "path_params"),
        (takes.query_params, "query_params"),
        (takes.header_params, "headers"),
    ):
        if fields:
            given, problems = request_params_to_args(fields, getattr(request, source))
            values |= given
            wrong += problems
    for name in (takes.request_param_name, takes.http_connection_param_name):
        if name:
            values[name] = request
    return values


async def _json(request: Request) -> Any:
    whole = await request.body()
    if not whole:
        return PydanticUndefined
    try:
        return orjson.loads(whole)
    except orjson.JSONDecodeError as no:
        problem = {"type": "json_invalid", "loc": ("body", no.pos), "msg": "JSON decode error", "input": {}}
        raise RequestValidationError([problem]) from no


@dataclass(frozen=True, slots=True)
class Candidate:
    """One route of those with the same number of segments."""

    route: RouteContext
    segments: tuple[str | None, ...]  # None: a parameter
    names: tuple[str, ...]
    handler: Handler | None  # None: FastAPI answers

    def matches(self, path: list[str]) -> bool:
        """Say whether a path is this route's."""
        return all(
            there == here or (there is None and here) for there, here in zip(self.segments, path, strict=True)
        )

    def parameters(self, path: list[str]) -> dict[str, str]:
        """Return what stands where the parameters are."""
        found = [here for there, here in zip(self.segments, path, strict=True) if there is None]
        return dict(zip(self.names, found, strict=True))


class Direct:
    """Stands next to the routes, answers for ours, and notes the route for whoever watches."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._table: dict[Place, list[Candidate]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if seen := scope.get(SEEN):
            seen.scope = scope
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._table is None:
            self._table = _table(scope["app"])
        path = get_route_path(scope).split("/")[1:]
        for candidate in self._table.get((scope["method"], len(path)), ()):
            if candidate.matches(path):
                if candidate.handler is None:
                    break
                scope["route"] = candidate.route
                scope["endpoint"] = candidate.route.endpoint
                scope["path_params"] = candidate.parameters(path)
                await _serve(candidate.handler, scope, receive, send)
                return
        await self.app(scope, receive, send)


async def _serve(handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
    begun = False

    async def noting(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        answer = await handler.answer(Request(scope, receive))
        await answer(scope, receive, noting)
    except ClientDisconnect:
        return  # nobody is there to be told
    except (ArtelError, HTTPException, RequestValidationError) as error:
        if begun:
            raise
        await errors.answer_to(error)(scope, receive, send)


def _table(app: FastAPI) -> dict[Place, list[Candidate]]:
    """Order the routes of an application by method and length, in the order in which they stand."""
    table: dict[Place, list[Candidate]] = {}
    shadowed: set[str | None] = set()  # first segments below which a route takes paths of any length
    for route in iter_route_contexts(app.routes):
        segments, names = _segments(route.path or "/{any}")
        if not _is_plain(route):
            shadowed.add(segments[0])
        if None in shadowed:
            break
        if not route.methods or not _is_plain(route):
            continue
        handler = None if segments[0] in shadowed else handler_of(route)
        for method in route.methods:
            candidate = Candidate(route, segments, names, handler)
            table.setdefault((method, len(segments)), []).append(candidate)
    return table


def _is_plain(route: RouteContext) -> bool:
    convertors = getattr(route, "param_convertors", None) or {}
    return all(type(one) is StringConvertor for one in convertors.values())


def _segments(path: str) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """Split the template of a path.

    >>> _segments("/threads/{thread_id}/runs")
    (('threads', None, 'runs'), ('thread_id',))
    """
    parts = path.split("/")[1:]
    names = tuple(part[1:-1] for part in parts if part.startswith("{"))
    return tuple(None if part.startswith("{") else part for part in parts), names


def handler_of(route: RouteContext) -> Handler | None:
    """Return how a route is answered here; None when only FastAPI can."""
    takes: Dependant | None = getattr(route, "dependant", None)
    if not isinstance(route.original_route, JsonRoute) or takes is None or not _is_simple(takes):
        return None
    if len(takes.body_params) > 1 or getattr(route, "_embed_body_fields", False):
        return None
    if getattr(route, "status_code", None) != 204 and not _gives_response(takes.call):
        return None
    return Handler(takes)


def _gives_response(call: object) -> bool:
    given = inspect.signature(call).return_annotation if callable(call) else None
    return isinstance(given, type) and issubclass(given, Response)


def _is_simple(takes: Dependant) -> bool:
    others = (
        takes.cookie_params,
        takes.websocket_param_name,
        takes.response_param_name,
        takes.background_tasks_param_name,
        takes.security_scopes_param_name,
    )
    return (
        not any(others)
        and inspect.iscoroutinefunction(takes.call)
        and all(_is_simple(one) and not one.body_params for one in takes.dependencies)
    )
