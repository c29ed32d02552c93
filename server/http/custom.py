"""`http.app`: the served folder's own application, around ours and before it."""

import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from artel.server import errors, loading
from artel.server.http import places
from artel.server.http.section import HttpSection
from artel.server.served import ConfigWrong, Served
from artel.storage.errors import ArtelError, Invalid

ABOVE = "artel.above"


class Custom:
    """Their application: its middleware sees every request, its routes win, its lifespan runs once."""

    def __init__(self, app: Starlette, where: str) -> None:
        self.app = app
        self._where = where
        self._state: dict[str, Any] = {}
        hidden = _documents(app) | {places.ALIVE}  # whoever watches the process asks us
        self.routes = [route for route in app.routes if getattr(route, "path", None) not in hidden]

    def around(self, ours: ASGIApp, inner: Sequence[Middleware]) -> ASGIApp:
        """Return their application with ours where it has no route; `inner` stands within its middleware."""
        theirs = copy.copy(self.app)  # it keeps its state and routes; only this one is wrapped around ours
        theirs.user_middleware = [*self.app.user_middleware, *inner, Middleware(_Fork, self, ours)]
        theirs.exception_handlers = _handlers(self.app)
        theirs.middleware_stack = None
        return _Above(theirs, self)

    def has(self, scope: Scope) -> bool:
        """Say whether a request is for one of their routes."""
        return any(_takes(route, scope) for route in self.routes)

    def almost_has(self, scope: Scope) -> bool:
        """Say whether they would answer what none of ours does: by a 405, or from all paths below `/`."""
        return any(route.matches(scope)[0] is not Match.NONE for route in self.routes)

    @asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """Run their lifespan; what it yields is the state of every request.

        Raises:
            ConfigWrong: it could not begin.
        """
        living = self.app.router.lifespan_context(self.app)
        try:
            state = await living.__aenter__()
        except Exception as broken:
            raise ConfigWrong(f"{self._where}: its lifespan failed: {loading.told(broken)}") from broken
        self._state = dict(state or {})
        try:
            yield
        finally:
            await living.__aexit__(None, None, None)

    def begin(self, scope: Scope) -> None:
        """Give a request the state of the lifespan."""
        if self._state:
            scope["state"] = {**(scope.get("state") or {}), **self._state}


class _Above:
    """Remembers which application is ours: theirs puts itself into the scope."""

    def __init__(self, theirs: Starlette, custom: Custom) -> None:
        self.theirs = theirs
        self.custom = custom

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ABOVE] = scope.get("app")
        self.custom.begin(scope)
        await self.theirs(scope, receive, send)


class _Fork:
    """Innermost of their middleware: to their route if they have one, else to ours."""

    def __init__(self, theirs: ASGIApp, custom: Custom, ours: ASGIApp) -> None:
        self.theirs = theirs
        self.custom = custom
        self.ours = ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        above = scope.get(ABOVE)
        if self.custom.has(scope) or (self.custom.almost_has(scope) and not self._ours_has(above, scope)):
            await self.theirs(scope, receive, send)
            return
        scope["app"] = above
        await self.ours(scope, receive, send)

    def _ours_has(self, ours: Any, scope: Scope) -> bool:
        route = places.route_of(ours, scope)
        return route is not None and not places.is_page(route)


def load(config: Served | None, http: HttpSection) -> Custom | None:
    """Return the application that `http.app` names; None where it names none.

    Raises:
        ConfigWrong: there is no such application.
    """
    if config is None or http.app is None:
        return None
    source, _, name = http.app.rpartition(":")
    app = loading.load_named(config, "http.app", source, name)
    where = f"{config.file}: http.app"
    if not isinstance(app, Starlette):
        raise ConfigWrong(
            f'{where}: "{name}" in {source} must be a FastAPI or Starlette, not {type(app).__name__}'
        )
    return Custom(app, where)


def _takes(route: BaseRoute, scope: Scope) -> bool:
    if isinstance(route, Mount) and route.path == "":
        return False  # files at `/`, say: they come after ours
    return route.matches(scope)[0] is Match.FULL


def _documents(app: Starlette) -> set[str | None]:
    """Return the paths of a FastAPI's own documents: theirs are in ours."""
    if not isinstance(app, FastAPI):
        return set()
    return {app.openapi_url, app.docs_url, app.redoc_url, app.swagger_ui_oauth2_redirect_url} - {None}


def _handlers(app: Starlette) -> dict[Any, Any]:
    """Return their handlers of exceptions; where they have only those of the framework, ours with a code."""
    handlers = dict(app.exception_handlers)
    if handlers.get(HTTPException, http_exception_handler) is http_exception_handler:
        handlers[HTTPException] = errors.known
    if handlers.get(RequestValidationError) is request_validation_exception_handler:
        handlers[RequestValidationError] = _malformed
    handlers.setdefault(ArtelError, errors.known)
    if 500 not in handlers:
        handlers.setdefault(Exception, errors.bug)
    return handlers


async def _malformed(_: Request, error: Exception) -> Response:
    """Say it as FastAPI does, for that is what clients of their routes read, and add the code."""
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": jsonable_encoder(error.errors()), "code": Invalid.code}, 422)
