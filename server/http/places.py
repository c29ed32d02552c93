"""Whose route a request is for, before it gets there."""

from typing import Any

from fastapi import FastAPI
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from artel.server.routes import docs, page

ALIVE = "/ok"
SAYS_WHAT_IT_IS = {"/info", "/health", "/metrics", "/openapi.json", *docs.OPEN}


def route_of(app: Any, scope: Scope) -> BaseRoute | None:
    """Return the route, or the router, of an application that takes a request; None when none does."""
    return next((route for route in app.routes if route.matches(scope)[0] is Match.FULL), None)


def is_page(route: BaseRoute | None) -> bool:
    """Say whether a route is the page's, which takes all names that nothing else has."""
    return getattr(route, "original_router", None) is page.router


class Open:
    """Which requests need no key: is it up, what is it, the page's files, routes of the folder's own."""

    def __init__(self, app: FastAPI, custom: Any, *, all_ask: bool) -> None:
        self._app = app
        self._custom = custom
        self._all_ask = all_ask

    def __call__(self, scope: Scope) -> bool:
        """Say whether a request needs no key."""
        path = get_route_path(scope)
        if path == ALIVE:
            return True
        if self._all_ask:
            return False
        if self._custom and self._custom.has(scope):
            return True
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        return path in SAYS_WHAT_IT_IS or is_page(route_of(self._app, scope))
