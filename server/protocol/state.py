"""/threads/{id}/state and /history: what a thread knows, knew, and is told from outside."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from artel.server.auth.caller import Caller, GivenCaller
from artel.server.catalog import UnknownGraph
from artel.server.engine import Engine
from artel.server.engine.dispatch import ThreadBusy
from artel.server.errors import answers, explain
from artel.server.protocol import snapshots
from artel.server.protocol.bodies import Checkpoint, Limit, Text
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, ThreadId, listed
from artel.server.protocol.snapshots import NoGraph, UnknownCheckpoint
from artel.server.protocol.thread_bodies import (
    Before,
    HistoryQuery,
    StateField,
    StateNote,
    StateQuery,
    StateUpdate,
)
from artel.storage import threads
from artel.storage.encoding import dumps_states
from artel.storage.errors import Invalid
from artel.storage.threads import Thread, UnknownThread

router = APIRouter(prefix="/threads/{thread_id}", route_class=JsonRoute, tags=["State"])

Select = Annotated[list[str] | None, Query(description="Fields to return; `values.<key>` for one value.")]

_FIELDS = TypeAdapter(list[StateField])


@router.get("/state", responses=answers(UnknownThread, UnknownGraph))
async def get(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    subgraphs: bool = False,
    select: Select = None,
) -> Response:
    """Return a thread's newest state; with `subgraphs` that of the graphs inside too."""
    fields = _fields(select)
    thread = await _read(engine, caller, thread_id)
    return Json(_selected(await snapshots.read(engine, catalog, thread, {}, subgraphs=subgraphs), fields))


@router.post("/state", responses=answers(UnknownThread, UnknownCheckpoint, ThreadBusy, NoGraph, UnknownGraph))
async def update(
    thread_id: ThreadId, body: StateUpdate, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Change a thread's state as if a node had written `values`."""
    allowed = await caller.may("threads", "update", {"thread_id": thread_id})
    where = _place(body.checkpoint)
    if body.checkpoint_id:
        where["checkpoint_id"] = body.checkpoint_id
    changed = await snapshots.update(
        engine,
        catalog,
        thread_id,
        body.values,
        as_node=body.as_node,
        checkpoint=where,
        owner=caller.owner,
        allowed=allowed,
    )
    return Json(changed)


@router.patch("/state", status_code=204, responses=answers(UnknownThread))
async def note(thread_id: ThreadId, body: StateNote, engine: GivenEngine, caller: GivenCaller) -> None:
    """Merge metadata into the thread's: `patchState` of the JavaScript client."""
    asked: dict[str, Any] = {"thread_id": thread_id, "metadata": body.metadata}
    allowed = await caller.may("threads", "update", asked)
    async with engine.db.connection() as conn:
        await threads.patch(conn, thread_id, asked["metadata"], owner=caller.owner, allowed=allowed)


@router.post("/state/checkpoint", responses=answers(UnknownThread, UnknownCheckpoint, UnknownGraph))
async def at(
    thread_id: ThreadId, body: StateQuery, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Return a thread's state at a checkpoint, also one of a graph inside."""
    thread = await _read(engine, caller, thread_id)
    where = _place(body.checkpoint)
    state = await snapshots.read(engine, catalog, thread, where, subgraphs=body.subgraphs)
    return Json(_selected(state, body.select))


@router.get("/state/{checkpoint_id}", responses=answers(UnknownThread, UnknownCheckpoint, UnknownGraph))
async def at_id(
    thread_id: ThreadId,
    checkpoint_id: Text,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    subgraphs: bool = False,
    select: Select = None,
) -> Response:
    """Return a thread's state at a checkpoint."""
    fields = _fields(select)
    thread = await _read(engine, caller, thread_id)
    where = {"checkpoint_id": checkpoint_id}
    return Json(_selected(await snapshots.read(engine, catalog, thread, where, subgraphs=subgraphs), fields))


@router.get("/history", responses=answers(UnknownThread, UnknownGraph))
async def history(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 1,
    before: Text | None = None,
    select: Select = None,
) -> Response:
    """Return a thread's states, newest first."""
    where = Before(checkpoint_id=before) if before else None
    body = HistoryQuery(limit=limit, before=where, select=_fields(select))
    return await past(thread_id, body, engine, catalog, caller)


@router.post("/history", responses=answers(UnknownThread, UnknownGraph))
async def past(
    thread_id: ThreadId, body: HistoryQuery, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Return a thread's states, newest first."""
    thread = await _read(engine, caller, thread_id)
    states = await snapshots.history(
        engine,
        catalog,
        thread,
        limit=body.limit,
        before=body.before_id,
        metadata=body.metadata,
        checkpoint=_place(body.checkpoint),
    )
    return Json(dumps_states([_selected(state, body.select) for state in states]))


async def _read(engine: Engine, caller: Caller, thread_id: UUID) -> Thread:
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        return await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)


def _place(checkpoint: Checkpoint | None) -> dict[str, Any]:
    return checkpoint.model_dump(exclude_none=True) if checkpoint else {}


def _fields(select: list[str] | None) -> list[str]:
    """Return the fields a query names.

    Raises:
        Invalid: a state has no such field.
    """
    try:
        return _FIELDS.validate_python(listed(select or []))
    except ValidationError as wrong:
        raise Invalid(f"select{explain(wrong.errors())}") from wrong


def _selected(state: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """Return what was asked for of a state; all of it when nothing was."""
    if not fields:
        return state
    chosen = {name: value for name, value in state.items() if name in fields}
    keys = [field.removeprefix("values.") for field in fields if field.startswith("values.")]
    if keys and "values" not in fields:
        chosen["values"] = {key: state["values"][key] for key in keys if key in state["values"]}
    return chosen
