"""/assistants: graphs with a configuration, in versions."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from artel.graphs.errors import RoleWrong
from artel.graphs.kinds.connections import NotOffered, UnknownConnection
from artel.server.auth.caller import Caller, GivenCaller
from artel.server.catalog import Catalog, UnknownGraph
from artel.server.engine import Engine
from artel.server.errors import answers
from artel.server.protocol import drawing, removing
from artel.server.protocol.assistant_bodies import (
    AssistantBody,
    AssistantFilter,
    AssistantPatch,
    AssistantSearch,
    Latest,
    VersionsQuery,
)
from artel.server.protocol.drawing import GraphNotMade
from artel.server.protocol.fitting import fit
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, pages, selected
from artel.server.protocol.orders import TwoContexts
from artel.server.protocol.records import assistant_record, version_record
from artel.storage import assistants
from artel.storage.assistants import Assistant, AssistantExists, OfTheGraph, UnknownAssistant, UnknownVersion
from artel.storage.errors import Forbidden, Invalid
from artel.storage.ids import new_id, system_assistant_id
from artel.storage.postgres import Database

router = APIRouter(prefix="/assistants", route_class=JsonRoute, tags=["Assistants"])

AssistantId = Annotated[UUID, Path(description="The assistant's id.")]
Recurse = Annotated[bool, Query(description="Those inside them too, as `child|deep`.")]


async def prepare(db: Database, catalog: Catalog) -> None:
    """Make sure that every graph that is served has its own assistant."""
    async with db.transaction() as conn:
        known = {name: catalog.description(name) for name in catalog.names()}
        kinds = {name: kind for name in known if (kind := catalog.kind(name))}
        await assistants.keep_system(conn, known, kinds)


@router.post(
    "",
    responses=answers(
        AssistantExists,
        UnknownGraph,
        TwoContexts,
        RoleWrong,
        UnknownConnection,
        NotOffered,
        Forbidden,
    ),
)
async def create(
    body: AssistantBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Make an assistant."""
    catalog.description(body.graph_id)
    config, context = body.mirrored()
    await fit(engine, catalog, body.graph_id, context)
    made_of: dict[str, Any] = {
        "assistant_id": body.assistant_id or new_id(),
        "graph_id": body.graph_id,
        "config": config or {},
        "context": context or {},
        "metadata": body.metadata,
        "name": body.name or "Untitled",
        "if_exists": body.if_exists,
    }
    asked = dict(made_of)
    allowed = await caller.may("assistants", "create", asked)
    made_of |= {"metadata": asked["metadata"], "description": body.description, "allowed": allowed}
    async with engine.db.connection() as conn:
        made = await assistants.create(conn, **made_of)
    return Json(assistant_record(made))


@router.post("/search", responses=answers(UnknownGraph, Forbidden))
async def search(
    body: AssistantSearch, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Find assistants."""
    wanted = await _wanted(body, catalog, caller, limit=body.limit, offset=body.offset)
    async with engine.db.connection() as conn:
        found = await assistants.search(
            conn,
            **wanted,
            limit=body.limit,
            offset=body.offset,
            sort_by=body.sort_by,
            sort_order=body.sort_order,
        )
        total = await assistants.count(conn, **wanted)
    headers = pages(total, limit=body.limit, offset=body.offset, here=len(found))
    return Json([selected(assistant_record(one), body.select) for one in found], headers=headers)


@router.post("/count", responses=answers(UnknownGraph, Forbidden))
async def count(
    body: AssistantFilter, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> int:
    """Count assistants."""
    wanted = await _wanted(body, catalog, caller, limit=0, offset=0)
    async with engine.db.connection() as conn:
        return await assistants.count(conn, **wanted)


@router.get("/{assistant_id}", responses=answers(UnknownAssistant, Forbidden))
async def get(assistant_id: AssistantId, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return an assistant."""
    return Json(assistant_record(await _seen(engine, assistant_id, caller)))


@router.patch(
    "/{assistant_id}",
    responses=answers(
        UnknownAssistant,
        UnknownGraph,
        TwoContexts,
        OfTheGraph,
        RoleWrong,
        UnknownConnection,
        NotOffered,
        Forbidden,
    ),
)
async def patch(
    assistant_id: AssistantId,
    body: AssistantPatch,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
) -> Response:
    """Make a new version of an assistant: metadata is merged, what else is given is replaced."""
    if body.graph_id is not None:
        catalog.description(body.graph_id)
    change = body.change()
    asked: dict[str, Any] = {
        "assistant_id": assistant_id,
        "graph_id": change.graph_id,
        "config": change.config or {},
        "context": change.context,
        "metadata": change.metadata,
        "name": change.name,
    }
    allowed = await caller.may("assistants", "update", asked)
    async with engine.db.transaction() as conn:
        change = replace(change, metadata=asked["metadata"])
        changed = await assistants.patch(conn, assistant_id, change, allowed=allowed)
        if change.graph_id or change.context is not None:
            await fit(engine, catalog, changed.graph_id, changed.context)
    return Json(assistant_record(changed))


@router.delete("/{assistant_id}", status_code=204, responses=answers(UnknownAssistant, OfTheGraph, Forbidden))
async def delete(
    assistant_id: AssistantId,
    engine: GivenEngine,
    caller: GivenCaller,
    delete_threads: Annotated[bool, Query(description="Its threads too, with all that is on them.")] = False,
) -> None:
    """Remove an assistant with its versions and schedules; one that came with its graph stays."""
    await removing.remove(engine, assistant_id, caller, threads=delete_threads)


@router.post("/{assistant_id}/versions", responses=answers(UnknownAssistant, Forbidden))
async def versions(
    assistant_id: AssistantId, body: VersionsQuery, engine: GivenEngine, caller: GivenCaller
) -> Response:
    """Return the versions of an assistant, newest first."""
    asked: dict[str, Any] = {"assistant_id": assistant_id, "metadata": body.metadata}
    allowed = await caller.may("assistants", "read", asked)
    async with engine.db.connection() as conn:
        await assistants.get(conn, assistant_id, allowed=allowed)
        found = await assistants.versions(
            conn,
            assistant_id,
            metadata=asked["metadata"],
            limit=body.limit,
            offset=body.offset,
            allowed=allowed,
        )
    return Json([version_record(one) for one in found])


@router.post("/{assistant_id}/latest", responses=answers(UnknownAssistant, UnknownVersion, Forbidden))
async def latest(
    assistant_id: AssistantId, body: Latest, engine: GivenEngine, caller: GivenCaller
) -> Response:
    """Make an assistant what it was in a version; the next one is numbered after the highest."""
    asked = {"assistant_id": assistant_id, "version": body.version}
    allowed = await caller.may("assistants", "update", asked)
    async with engine.db.transaction() as conn:
        pointed = await assistants.point(conn, assistant_id, body.version, allowed=allowed)
    return Json(assistant_record(pointed))


@router.get("/{assistant_id}/graph", responses=answers(UnknownAssistant, GraphNotMade, Forbidden))
async def graph(
    assistant_id: Annotated[str, Path(description="The assistant's id, or the name of a graph.")],
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    xray: Annotated[str | None, Query(description="true, false, or how many levels deep")] = None,
) -> Response:
    """Draw an assistant's graph."""
    levels = drawing.xray_of(xray)
    assistant = await _seen(engine, _id_of(assistant_id, catalog), caller, catalog)
    async with drawing.opened(catalog, assistant, caller) as opened:
        return Json(await drawing.draw(opened, xray=levels))


@router.get("/{assistant_id}/schemas", responses=answers(UnknownAssistant, GraphNotMade, Forbidden))
async def schemas(
    assistant_id: AssistantId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Return the JSON schemas of an assistant's graph; null where a type cannot be described."""
    assistant = await _seen(engine, assistant_id, caller, catalog)
    async with drawing.opened(catalog, assistant, caller) as opened:
        return Json(drawing.schemas(assistant.graph_id, opened))


@router.get("/{assistant_id}/subgraphs", responses=answers(UnknownAssistant, GraphNotMade, Forbidden))
async def subgraphs(
    assistant_id: AssistantId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    recurse: Recurse = False,
) -> Response:
    """Return the JSON schemas of the graphs inside an assistant's graph."""
    assistant = await _seen(engine, assistant_id, caller, catalog)
    async with drawing.opened(catalog, assistant, caller) as opened:
        return Json(drawing.subgraphs(opened, recurse=recurse))


@router.get(
    "/{assistant_id}/subgraphs/{namespace:path}",
    responses=answers(UnknownAssistant, GraphNotMade, Forbidden),
)
async def subgraph(
    assistant_id: AssistantId,
    namespace: Annotated[str, Path(description="Its place, such as `child` or `child|deep`.")],
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    recurse: Recurse = False,
) -> Response:
    """Return the JSON schemas of one graph inside; none when it is not there, or deeper than was looked."""
    assistant = await _seen(engine, assistant_id, caller, catalog)
    async with drawing.opened(catalog, assistant, caller) as opened:
        return Json(drawing.subgraphs(opened, namespace=namespace, recurse=recurse))


async def _wanted(
    body: AssistantFilter, catalog: Catalog, caller: Caller, *, limit: int, offset: int
) -> dict[str, Any]:
    """Return which assistants are asked for, among those that the caller may see."""
    if body.graph_id is not None:
        catalog.description(body.graph_id)
    asked = {"graph_id": body.graph_id, "metadata": body.metadata, "limit": limit, "offset": offset}
    allowed = await caller.may("assistants", "search", asked)
    return {
        "served": catalog.names(),
        "metadata": asked["metadata"],
        "graph_id": body.graph_id,
        "name": body.name,
        "allowed": allowed,
    }


async def _seen(
    engine: Engine, assistant_id: UUID, caller: Caller, catalog: Catalog | None = None
) -> Assistant:
    """Return an assistant that the caller may see; with a catalog one whose graph is in it."""
    allowed = await caller.may("assistants", "read", {"assistant_id": assistant_id})
    async with engine.db.connection() as conn:
        assistant = await assistants.get(conn, assistant_id, allowed=allowed)
    if catalog and assistant.graph_id not in catalog.names():
        raise UnknownAssistant(f'the graph "{assistant.graph_id}" of {assistant_id} is not served here')
    return assistant


def _id_of(name: str, catalog: Catalog) -> UUID:
    if name in catalog.names():
        return system_assistant_id(name)
    try:
        return UUID(name)
    except ValueError:
        known = ", ".join(catalog.names())
        raise Invalid(f"assistant_id must be an assistant's id or one of {known}; got {name!r}") from None
