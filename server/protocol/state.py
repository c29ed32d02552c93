"""/threads/{id}/state and /history: what a thread knows, knew, and is told from outside."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.engine.dispatch import ThreadBusy
from artel.server.errors import answers
from artel.server.protocol import snapshots
from artel.server.protocol.bodies import (
    Checkpoint,
    HistoryQuery,
    Limit,
    StateQuery,
    StateUpdate,
    Text,
)
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, ThreadId
from artel.server.protocol.snapshots import NoGraph, UnknownCheckpoint
from artel.storage import threads
from artel.storage.threads import UnknownThread

router = APIRouter(prefix="/threads/{thread_id}", route_class=JsonRoute, tags=["State"])


@router.get("/state", responses=answers(UnknownThread))
async def get(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    subgraphs: bool = False,
) -> Response:
    """Return a thread's newest state; with `subgraphs` that of the graphs inside too."""
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner)
    return Json(await snapshots.read(engine, catalog, thread, {}, subgraphs=subgraphs))


@router.post("/state", responses=answers(UnknownThread, ThreadBusy, NoGraph))
async def update(
    thread_id: ThreadId, body: StateUpdate, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Change a thread's state as if a node had written `values`."""
    where = _place(body.checkpoint)
    if body.checkpoint_id:
        where["checkpoint_id"] = body.checkpoint_id
    changed = await snapshots.update(
        engine, catalog, thread_id, body.values, as_node=body.as_node, checkpoint=where, owner=caller.owner
    )
    return Json(changed)


@router.post("/state/checkpoint", responses=answers(UnknownThread, UnknownCheckpoint))
async def at(
    thread_id: ThreadId, body: StateQuery, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Return a thread's state at a checkpoint, also one of a graph inside."""
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner)
    where = _place(body.checkpoint)
    return Json(await snapshots.read(engine, catalog, thread, where, subgraphs=body.subgraphs))


@router.get("/state/{checkpoint_id}", responses=answers(UnknownThread, UnknownCheckpoint))
async def at_id(
    thread_id: ThreadId,
    checkpoint_id: Text,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    subgraphs: bool = False,
) -> Response:
    """Return a thread's state at a checkpoint."""
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner)
    where = {"checkpoint_id": checkpoint_id}
    return Json(await snapshots.read(engine, catalog, thread, where, subgraphs=subgraphs))


@router.get("/history", responses=answers(UnknownThread))
async def history(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 1,
    before: Text | None = None,
) -> Response:
    """Return a thread's states, newest first."""
    return await past(thread_id, HistoryQuery(limit=limit, before=before), engine, catalog, caller)


@router.post("/history", responses=answers(UnknownThread))
async def past(
    thread_id: ThreadId, body: HistoryQuery, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Return a thread's states, newest first."""
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner)
    states = await snapshots.history(
        engine,
        catalog,
        thread,
        limit=body.limit,
        before=_before(body.before),
        metadata=body.metadata,
        checkpoint=_place(body.checkpoint),
    )
    return Json(states)


def _place(checkpoint: Checkpoint | None) -> dict[str, Any]:
    return checkpoint.model_dump(exclude_none=True) if checkpoint else {}


def _before(before: dict[str, Any] | str | None) -> str | None:
    """Return the checkpoint's id: given bare, as a checkpoint, or as a config."""
    if isinstance(before, dict):
        inner = before.get("configurable")
        found = (inner if isinstance(inner, dict) else before).get("checkpoint_id")
        return str(found) if found else None
    return before
