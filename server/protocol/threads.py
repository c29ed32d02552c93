"""/threads: dialogues."""

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.engine import dispatch
from artel.server.errors import answers
from artel.server.protocol import snapshots
from artel.server.protocol.bodies import ThreadBody, ThreadFilter, ThreadPatch, ThreadSearch
from artel.server.protocol.given import (
    GivenCatalog,
    GivenEngine,
    Json,
    JsonRoute,
    ThreadId,
    not_yet,
    pages,
    selected,
)
from artel.server.protocol.records import thread_record
from artel.storage import threads
from artel.storage.ids import new_id
from artel.storage.threads import ThreadExists, UnknownThread

router = APIRouter(prefix="/threads", route_class=JsonRoute, tags=["Threads"])


@router.post("", responses=answers(ThreadExists))
async def create(
    body: ThreadBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Make a thread."""
    not_yet(supersteps=body.supersteps, ttl=body.ttl)
    async with engine.db.connection() as conn:
        made = await threads.create(
            conn,
            body.thread_id or new_id(),
            owner=caller.owner,
            metadata=body.metadata,
            if_exists=body.if_exists,
        )
    values = await snapshots.values_of(engine, catalog, [made])
    return Json(thread_record(made, values[made.thread_id]))


@router.post("/search", responses=answers())
async def search(
    body: ThreadSearch, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Find threads; their values are only read when they are asked for."""
    not_yet(values=body.values, extract=body.extract)
    async with engine.db.connection() as conn:
        found = await threads.search(
            conn,
            owner=caller.owner,
            metadata=body.metadata,
            status=body.status,
            ids=body.ids,
            limit=body.limit,
            offset=body.offset,
            sort_by=body.sort_by,
            sort_order=body.sort_order,
        )
        total = await threads.count(
            conn, owner=caller.owner, metadata=body.metadata, status=body.status, ids=body.ids
        )
    wants_values = not body.select or "values" in body.select
    values = await snapshots.values_of(engine, catalog, found) if wants_values else {}
    records = [selected(thread_record(one, values.get(one.thread_id)), body.select) for one in found]
    return Json(records, headers=pages(total, limit=body.limit, offset=body.offset, here=len(found)))


@router.post("/count", responses=answers())
async def count(body: ThreadFilter, engine: GivenEngine, caller: GivenCaller) -> int:
    """Count threads."""
    not_yet(values=body.values)
    async with engine.db.connection() as conn:
        return await threads.count(
            conn, owner=caller.owner, metadata=body.metadata, status=body.status, ids=body.ids
        )


@router.get("/{thread_id}", responses=answers(UnknownThread))
async def get(
    thread_id: ThreadId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Return a thread with its newest values."""
    async with engine.db.connection() as conn:
        found = await threads.get(conn, thread_id, owner=caller.owner)
    values = await snapshots.values_of(engine, catalog, [found])
    return Json(thread_record(found, values[thread_id]))


@router.patch("/{thread_id}", responses=answers(UnknownThread))
async def patch(
    thread_id: ThreadId,
    body: ThreadPatch,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    prefer: Annotated[str | None, Header(description="`return=minimal`: answer 204.")] = None,
) -> Response:
    """Merge metadata into a thread's."""
    not_yet(ttl=body.ttl)
    async with engine.db.connection() as conn:
        changed = await threads.patch(conn, thread_id, body.metadata, owner=caller.owner)
    if prefer and "return=minimal" in prefer:
        return Response(status_code=204)
    values = await snapshots.values_of(engine, catalog, [changed])
    return Json(thread_record(changed, values[thread_id]))


@router.delete("/{thread_id}", status_code=204, responses=answers(UnknownThread))
async def delete(thread_id: ThreadId, engine: GivenEngine, caller: GivenCaller) -> None:
    """Remove a thread and all that is on it; what runs there is stopped first."""
    await dispatch.delete_thread(engine, thread_id, owner=caller.owner)
