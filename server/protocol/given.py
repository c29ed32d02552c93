"""What every route is given: the engine and the graphs; who calls is in `artel.server.auth`."""

import json
from typing import Annotated, Any, get_args
from uuid import UUID

import orjson
from fastapi import Depends, Path, Request
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.responses import Response

from artel.server.catalog import Catalog
from artel.server.engine import Engine
from artel.server.protocol.bodies import Mode
from artel.storage.encoding import dumps
from artel.storage.errors import Invalid


async def _engine(request: HTTPConnection) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


async def _catalog(request: HTTPConnection) -> Catalog:
    catalog: Catalog = request.app.state.catalog
    return catalog


GivenEngine = Annotated[Engine, Depends(_engine)]
GivenCatalog = Annotated[Catalog, Depends(_catalog)]
ThreadId = Annotated[UUID, Path(description="The thread's id.")]
RunId = Annotated[UUID, Path(description="The run's id.")]


class Json(Response):
    """A JSON response of anything that our events may hold too."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content; bytes are JSON already."""
        return content if isinstance(content, bytes) else dumps(content)


class _Request(Request):
    async def json(self) -> Any:
        """Decode the body: ten times faster, and without NaN, which is no JSON."""
        if not hasattr(self, "_json"):
            self._json = orjson.loads(await self.body())
        return self._json


class JsonRoute(APIRoute):
    """A route that takes any body for JSON, whatever its type is said to be: `curl -d` says form."""

    def get_route_handler(self) -> Any:
        """Return the handler that FastAPI makes, given our kind of request."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            scope = dict(request.scope)
            if scope["method"] in ("POST", "PATCH", "PUT"):
                others = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
                scope["headers"] = [*others, (b"content-type", b"application/json")]
            response: Response = await handle(_Request(scope, request.receive))
            return response

        return handled


def listed(values: list[str]) -> list[str]:
    """Return the items of a query field: repeated, after commas, or one JSON list as the JS client sends it.

    >>> listed(["values", "updates"]), listed(["values,updates"]), listed(['["values","updates"]'])
    (['values', 'updates'], ['values', 'updates'], ['values', 'updates'])
    """
    items: list[str] = []
    for value in values:
        if value.startswith("["):
            try:
                items += [str(item) for item in json.loads(value)]
                continue
            except ValueError:
                pass
        items += [part.strip() for part in value.strip('"').split(",") if part.strip()]
    return items


def chosen(name: str, values: list[str], allowed: object) -> list[str]:
    """Return the items of a query field, all of them among `allowed` (a Literal).

    Raises:
        Invalid: one is not.
    """
    items = listed(values)
    for item in items:
        if item not in get_args(allowed):
            raise Invalid(f"{name} must be among {', '.join(get_args(allowed))}, got {item!r}")
    return items


def modes_of(values: list[str]) -> list[str]:
    """Return the stream modes of a query.

    Raises:
        Invalid: one of them is none.
    """
    return chosen("stream_mode", values, Mode)


def selected(record: dict[str, Any], fields: list[Any] | None) -> dict[str, Any]:
    """Return what was asked for of a record; all of it when nothing was."""
    return {name: record[name] for name in record if name in fields} if fields else record


def pages(found: int, *, limit: int, offset: int, here: int) -> dict[str, str]:
    """Return the headers that say how much there is, and where to go on."""
    headers = {"X-Pagination-Total": str(found)}
    if offset + here < found and here == limit:
        headers["X-Pagination-Next"] = str(offset + limit)
    return headers


def not_yet(**fields: object) -> None:
    """Refuse what this release does not serve yet, rather than ignore it.

    Raises:
        Invalid: one of the fields was given.
    """
    for name, value in fields.items():
        if value:
            raise Invalid(f"{name} is not served by this release")
