"""/store: the long-term store, the same items that graphs see."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from langgraph.store.base import NOT_PROVIDED
from pydantic import AfterValidator, Field
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Limit, Offset, Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage.errors import BadRequest, Invalid
from artel.storage.store import EmbeddingFailed
from artel.storage.store.filters import FilterWrong
from artel.storage.store.texts import MAX_TTL_MINUTES, SEPARATOR, shown

router = APIRouter(prefix="/store", route_class=JsonRoute, tags=["Store"])

Value = dict[str, Any]
RESERVED = ("langgraph", "artel")


class NamespaceWrong(BadRequest):
    """Nothing can be kept in that namespace: it is empty, or LangGraph's own."""

    code = "namespace_wrong"


def _label(label: str) -> str:
    if not label or SEPARATOR in label:
        raise ValueError("a label of a namespace may not be empty or have a dot")
    return label


Label = Annotated[Text, AfterValidator(_label)]


class ItemBody(Body):
    """An item to keep."""

    namespace: list[Label]
    key: Text = Field(min_length=1)
    value: Value
    index: Literal[False] | list[str] | None = Field(
        None, description="Fields to embed instead of the configured ones; false: none."
    )
    ttl: float | None = Field(
        None, gt=0, le=MAX_TTL_MINUTES, description="Minutes it lives; not given: as configured."
    )


class ItemKey(Body):
    """Which item."""

    namespace: list[Label] = Field([])
    key: Text


class ItemSearch(Body):
    """Which items."""

    namespace_prefix: list[Label] = Field([])
    filter: Value | None = None
    limit: Limit = 10
    offset: Offset = 0
    query: str | None = Field(None, description="What they should be near to in meaning.")
    refresh_ttl: bool | None = Field(None, description="Whether they live on from now; else as configured.")


class NamespaceSearch(Body):
    """Which namespaces; a label `*` stands for any."""

    prefix: list[Label] | None = None
    suffix: list[Label] | None = None
    max_depth: int | None = Field(None, ge=1, le=1000)
    limit: Limit = 100
    offset: Offset = 0


@router.put("/items", status_code=204, responses=answers(NamespaceWrong, EmbeddingFailed))
async def put(body: ItemBody, engine: GivenEngine, caller: GivenCaller) -> None:
    """Keep an item, in place of what was there under its key."""
    value: Value = {
        "namespace": tuple(body.namespace),
        "key": body.key,
        "value": body.value,
        "index": body.index,
        "ttl": body.ttl,
    }
    await caller.may("store", "put", value)
    namespace = _namespace(value)
    if not namespace:
        raise NamespaceWrong("namespace may not be empty")
    if namespace[0] in RESERVED:
        raise NamespaceWrong(f'namespace may not begin with "{namespace[0]}", got {shown(list(namespace))}')
    ttl = NOT_PROVIDED if value["ttl"] is None else value["ttl"]
    await engine.store.aput(namespace, value["key"], value["value"], value["index"], ttl=ttl)


@router.get("/items", responses=answers(BadRequest))
async def get(
    engine: GivenEngine,
    caller: GivenCaller,
    namespace: Annotated[Text, Query(description="Its labels, joined by dots.")],
    key: Text | None = None,
    refresh_ttl: bool | None = None,
) -> Response:
    """Return an item, or `null`."""
    if not key:
        raise BadRequest("key is required")
    value: Value = {"namespace": _split(namespace), "key": key}
    await caller.may("store", "get", value)
    item = await engine.store.aget(_namespace(value), value["key"], refresh_ttl=refresh_ttl)
    return Json(item.dict() if item else None)


@router.delete("/items", status_code=204, responses=answers())
async def delete(body: ItemKey, engine: GivenEngine, caller: GivenCaller) -> None:
    """Remove an item; one that is not there is removed too."""
    value: Value = {"namespace": tuple(body.namespace), "key": body.key}
    await caller.may("store", "delete", value)
    await engine.store.adelete(_namespace(value), value["key"])


@router.post("/items/search", responses=answers(FilterWrong, EmbeddingFailed))
async def search(body: ItemSearch, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Find items in a namespace and those below: the newest first, or the nearest to `query`."""
    value: Value = {
        "namespace": tuple(body.namespace_prefix),
        "filter": body.filter,
        "limit": body.limit,
        "offset": body.offset,
        "query": body.query,
    }
    await caller.may("store", "search", value)
    found = await engine.store.asearch(
        _namespace(value),
        query=value["query"],
        filter=value["filter"],
        limit=value["limit"],
        offset=value["offset"],
        refresh_ttl=body.refresh_ttl,
    )
    return Json({"items": [item.dict() for item in found]})


@router.post("/namespaces", responses=answers())
async def list_namespaces(body: NamespaceSearch, engine: GivenEngine, caller: GivenCaller) -> Response:
    """List the namespaces that hold something."""
    value: Value = {
        "namespace": tuple(body.prefix) if body.prefix else None,
        "suffix": tuple(body.suffix) if body.suffix else None,
        "max_depth": body.max_depth,
        "limit": body.limit,
        "offset": body.offset,
    }
    await caller.may("store", "list_namespaces", value)
    found = await engine.store.alist_namespaces(
        prefix=_namespace(value) or None,
        suffix=value["suffix"],
        max_depth=value["max_depth"],
        limit=value["limit"],
        offset=value["offset"],
    )
    return Json({"namespaces": found})


def _split(namespace: str) -> tuple[str, ...]:
    labels = tuple(namespace.split(SEPARATOR))
    if not all(labels):
        raise Invalid(f"namespace must be labels joined by dots, got {shown(namespace)}")
    return labels


def _namespace(value: Value) -> tuple[str, ...]:
    """Return the namespace as whoever decided about the caller has left it."""
    return tuple(value["namespace"] or ())
