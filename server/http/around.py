"""What stands around our routes because a configuration says so; without one nothing does."""

from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from artel.server import encryption
from artel.server.auth import section as auth
from artel.server.auth.gatekeeper import Authentication, Gatekeeper
from artel.server.http.custom import Custom
from artel.server.http.document import extend
from artel.server.http.places import Open
from artel.server.http.prefix import Prefix
from artel.server.http.section import HttpSection
from artel.server.served import Served

_included: dict[tuple[int, str], BaseRoute] = {}  # of routers of modules, which stay as long as we do


def include(app: FastAPI, router: APIRouter, http: HttpSection | None = None, prefix: str = "") -> None:
    """Give an application the routes of a module of ours; of those of the wire, the ones that are served.

    FastAPI works out a router at its first request: half a second for all of ours, spent once a process.
    """
    served = served_of(router, http) if http else router
    if served is not router:
        app.include_router(served, prefix=prefix)
        return
    key = (id(router), prefix)
    if key not in _included:
        around = APIRouter()
        around.include_router(router, prefix=prefix)
        (_included[key],) = around.routes
    app.router.routes.append(_included[key])


def served_of(router: APIRouter, http: HttpSection) -> APIRouter:
    """Return those routes of a router that are served."""
    routes = [route for route in router.routes if http.serves(getattr(route, "path", ""))]
    if len(routes) == len(router.routes):
        return router
    kept = APIRouter()
    kept.routes.extend(routes)
    return kept


def surround(
    app: FastAPI, config: Served | None, http: HttpSection, custom: Custom | None, *, studio_key: str
) -> None:
    """Put prefix, keys, and the folder's own application around ours, within edge and gate.

    Raises:
        ConfigWrong: `auth` or `encryption` of the configuration cannot be used.
    """
    configured = auth.read(config)
    asking: list[Middleware] = []
    if configured:
        keeper = Gatekeeper(*configured, studio_key=studio_key)
        is_open = Open(app, custom, all_ask=http.enable_custom_route_auth)
        asking = [Middleware(Authentication, keeper=keeper, is_open=is_open)]
    if sealing := encryption.read(config):
        asking.append(Middleware(encryption.Telling, encryption=sealing))
    if http.mount_prefix:
        app.user_middleware.append(Middleware(Prefix, prefix=http.mount_prefix))
    if custom is None or http.middleware_order == "auth_first":
        app.user_middleware.extend(asking)
    if custom:
        inner = [] if http.middleware_order == "auth_first" else asking
        app.user_middleware.append(Middleware(_Around, custom=custom, inner=inner))
    if custom or configured or http.mount_prefix:
        told = configured[0].openapi if configured else None
        extend(app, custom.app if custom else None, told, http.mount_prefix)


def _Around(app: ASGIApp, custom: Custom, inner: Any) -> ASGIApp:  # noqa: N802 - stands where a class would
    return custom.around(app, inner)
