"""/assistants: graphs with a configuration."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from artel.server.catalog import Catalog, UnknownGraph
from artel.server.errors import answers
from artel.server.protocol import drawing
from artel.server.protocol.bodies import AssistantBody, AssistantFilter, AssistantSearch
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, pages, selected
from artel.server.protocol.orders import TwoContexts, resolve
from artel.server.protocol.records import assistant_record
from artel.storage import assistants
from artel.storage.assistants import AssistantExists, OfTheGraph, UnknownAssistant
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database

router = APIRouter(prefix="/assistants", route_class=JsonRoute, tags=["Assistants"])

AssistantId = Annotated[UUID, Path(description="The assistant's id.")]


async def prepare(db: Database, catalog: Catalog) -> None:
    """Make sure that every graph that is served has its own assistant."""
    async with db.transaction() as conn:
        await assistants.keep_system(conn, {name: catalog.description(name) for name in catalog.names()})


@router.post("", responses=answers(AssistantExists, UnknownGraph, TwoContexts))
async def create(body: AssistantBody, engine: GivenEngine, catalog: GivenCatalog) -> Response:
    """Make an assistant."""
    catalog.description(body.graph_id)
    config = body.config.model_dump(exclude_unset=True)
    configurable = config.get("configurable") or {}
    if body.context and configurable:
        raise TwoContexts("give context or config.configurable, not both: each stands for the other")
    if body.context:
        config["configurable"] = body.context
    async with engine.db.connection() as conn:
        made = await assistants.create(
            conn,
            body.assistant_id or new_id(),
            body.graph_id,
            name=body.name,
            description=body.description,
            config=config,
            context=body.context or configurable,
            metadata=body.metadata,
            if_exists=body.if_exists,
        )
    return Json(assistant_record(made))


@router.post("/search", responses=answers())
async def search(body: AssistantSearch, engine: GivenEngine, catalog: GivenCatalog) -> Response:
    """Find assistants."""
    async with engine.db.connection() as conn:
        found = await assistants.search(
            conn,
            served=catalog.names(),
            metadata=body.metadata,
            graph_id=body.graph_id,
            name=body.name,
            limit=body.limit,
            offset=body.offset,
            sort_by=body.sort_by,
            sort_order=body.sort_order,
        )
        total = await _count(conn, catalog, body)
    headers = pages(total, limit=body.limit, offset=body.offset, here=len(found))
    return Json([selected(assistant_record(one), body.select) for one in found], headers=headers)


@router.post("/count", responses=answers())
async def count(body: AssistantFilter, engine: GivenEngine, catalog: GivenCatalog) -> int:
    """Count assistants."""
    async with engine.db.connection() as conn:
        return await _count(conn, catalog, body)


@router.get("/{assistant_id}", responses=answers(UnknownAssistant))
async def get(assistant_id: AssistantId, engine: GivenEngine) -> Response:
    """Return an assistant."""
    async with engine.db.connection() as conn:
        return Json(assistant_record(await assistants.get(conn, assistant_id)))


@router.delete("/{assistant_id}", status_code=204, responses=answers(UnknownAssistant, OfTheGraph))
async def delete(assistant_id: AssistantId, engine: GivenEngine) -> None:
    """Remove an assistant; one that came with its graph stays."""
    async with engine.db.transaction() as conn:
        await assistants.delete(conn, assistant_id)


@router.get("/{assistant_id}/graph", responses=answers(UnknownAssistant))
async def graph(
    assistant_id: str,
    engine: GivenEngine,
    catalog: GivenCatalog,
    xray: Annotated[str | None, Query(description="true, false, or how many levels deep")] = None,
) -> Response:
    """Draw an assistant's graph; the name of a graph does for an id."""
    levels = drawing.xray_of(xray)
    assistant = await resolve(engine.db, catalog, assistant_id)
    async with catalog.graph(assistant.graph_id, {}, access="assistants.read") as opened:
        return Json(drawing.draw(opened, xray=levels))


@router.get("/{assistant_id}/schemas", responses=answers(UnknownAssistant))
async def schemas(assistant_id: AssistantId, engine: GivenEngine, catalog: GivenCatalog) -> Response:
    """Return the JSON schemas of an assistant's graph."""
    assistant = await resolve(engine.db, catalog, str(assistant_id))
    async with catalog.graph(assistant.graph_id, {}, access="assistants.read") as opened:
        return Json(drawing.schemas(assistant.graph_id, opened))


async def _count(conn: Connection, catalog: Catalog, body: AssistantFilter) -> int:
    return await assistants.count(
        conn, served=catalog.names(), metadata=body.metadata, graph_id=body.graph_id, name=body.name
    )
