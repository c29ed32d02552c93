"""/threads/{id}/runs: what is done on a thread."""

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from artel.graphs.errors import RoleWrong
from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine, dispatch
from artel.server.engine.admission import IdempotencyMismatch
from artel.server.engine.dispatch import ThreadBusy
from artel.server.errors import answers
from artel.server.protocol import orders, running
from artel.server.protocol.bodies import Limit, Offset, RunBody, RunField
from artel.server.protocol.given import (
    GivenCatalog,
    GivenEngine,
    Json,
    JsonRoute,
    RunId,
    ThreadId,
    chosen,
    modes_of,
    selected,
)
from artel.server.protocol.orders import GivenCall, TwoContexts
from artel.server.protocol.records import accepted_record, run_record
from artel.storage import runs, threads
from artel.storage.assistants import UnknownAssistant
from artel.storage.errors import Forbidden, NotFound
from artel.storage.runs import RateLimited, Run, UnknownRun
from artel.storage.threads import UnknownThread

router = APIRouter(prefix="/threads/{thread_id}/runs", route_class=JsonRoute, tags=["Runs"])

STARTING = answers(
    UnknownThread,
    UnknownAssistant,
    ThreadBusy,
    TwoContexts,
    RoleWrong,
    IdempotencyMismatch,
    Forbidden,
    RateLimited,
)
Status = Literal["pending", "running", "success", "error", "timeout", "interrupted"]
Modes = Annotated[list[str], Query(description="Only these modes; repeated, or after commas.")]


class NothingToCancel(NotFound):
    """The run has ended."""

    code = "nothing_to_cancel"


@router.post("", responses=STARTING)
async def create(
    thread_id: ThreadId, body: RunBody, engine: GivenEngine, catalog: GivenCatalog, call: GivenCall
) -> Response:
    """Start a run in the background."""
    run = await orders.accept(engine, catalog, body, call, thread_id=thread_id, fast=engine.at_ease)
    return Json(accepted_record(run), headers={"Content-Location": running.path_of(run)})


@router.post("/stream", response_class=running.EventStream, responses=STARTING)
async def stream(
    thread_id: ThreadId, body: RunBody, engine: GivenEngine, catalog: GivenCatalog, call: GivenCall
) -> Response:
    """Start a run and stream what happens."""
    run = await orders.accept(engine, catalog, body, call, thread_id=thread_id, fast=True)
    return running.created(engine, run, body)


@router.post("/wait", responses=STARTING)
async def wait(
    thread_id: ThreadId, body: RunBody, engine: GivenEngine, catalog: GivenCatalog, call: GivenCall
) -> Response:
    """Start a run and answer with what came of it."""
    run = await orders.accept(engine, catalog, body, call, thread_id=thread_id, fast=True)
    return running.awaited(engine, run, cancel=body.on_disconnect == "cancel")


@router.get("", responses=answers(UnknownThread))
async def search(
    thread_id: ThreadId,
    engine: GivenEngine,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 10,
    offset: Annotated[Offset, Query()] = 0,
    status: Status | None = None,
    select: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """Return the runs of a thread, newest first."""
    fields = chosen("select", select or [], RunField)
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        found = await runs.of_thread(
            conn, thread_id, owner=caller.owner, status=status, limit=limit, offset=offset
        )
    return Json([selected(run_record(run), fields) for run in found])


@router.get("/{run_id}", responses=answers(UnknownRun))
async def get(thread_id: ThreadId, run_id: RunId, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return a run; one that waits with its place in the queue."""
    run = await known(engine, thread_id, run_id, caller)
    if run.status == "pending":
        async with engine.db.connection() as conn:
            run = replace(run, ahead=await runs.ahead(conn, run))
    return Json(run_record(run))


@router.delete("/{run_id}", status_code=204, responses=answers(UnknownRun))
async def delete(thread_id: ThreadId, run_id: RunId, engine: GivenEngine, caller: GivenCaller) -> None:
    """Remove a run; a running one is stopped first."""
    await known(engine, thread_id, run_id, caller, "delete")
    await dispatch.delete_run(engine, thread_id, run_id, owner=caller.owner)


@router.get("/{run_id}/join", responses=answers(UnknownRun))
async def join(
    thread_id: ThreadId,
    run_id: RunId,
    engine: GivenEngine,
    caller: GivenCaller,
    cancel_on_disconnect: bool = False,
) -> Response:
    """Wait for a run and answer with what came of it."""
    run = await known(engine, thread_id, run_id, caller)
    return running.awaited(engine, run, cancel=cancel_on_disconnect)


@router.get("/{run_id}/stream", response_class=running.EventStream, responses=answers(UnknownRun))
async def join_stream(
    thread_id: ThreadId,
    run_id: RunId,
    engine: GivenEngine,
    caller: GivenCaller,
    stream_mode: Modes = [],  # noqa: B006 - read only, and FastAPI copies it
    cancel_on_disconnect: bool = False,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream a run from the event after `Last-Event-ID`: all of it for -1, only what is new without."""
    modes = modes_of(stream_mode)
    run = await known(engine, thread_id, run_id, caller)
    return running.joined(engine, run, modes, last_event_id=last_event_id, cancel=cancel_on_disconnect)


@router.post("/{run_id}/cancel", status_code=202, responses=answers(UnknownRun, NothingToCancel))
async def cancel(
    thread_id: ThreadId,
    run_id: RunId,
    engine: GivenEngine,
    caller: GivenCaller,
    wait: bool = False,
    action: Literal["interrupt", "rollback"] = "interrupt",
) -> Response:
    """Stop a run; with `wait`, answer when it has stopped. `rollback` removes it and its checkpoints."""
    run = await known(engine, thread_id, run_id, caller, "update", action=action)
    if run.ended:
        raise NothingToCancel(f"run {run_id} has ended as {run.status}; there is nothing to cancel")
    if wait:
        return running.stopped(engine, run, action)
    await dispatch.cancel(engine, thread_id, run_id, action=action, owner=caller.owner)
    return Response(status_code=202)


async def known(
    engine: Engine,
    thread_id: UUID,
    run_id: UUID,
    caller: Caller,
    doing: Literal["read", "update", "delete"] = "read",
    **more: Any,
) -> Run:
    """Return a run of a thread, to which the caller may do something.

    Raises:
        UnknownRun: they can see no such run there.
        Forbidden: they may not.
    """
    value = {"thread_id": thread_id, "run_id": run_id, **more}
    allowed = await caller.may("threads", doing, value)
    async with engine.db.connection() as conn:
        run = await runs.get(conn, run_id, owner=caller.owner, allowed=allowed)
    if run.thread_id != thread_id:
        raise UnknownRun(f"no run {run_id} on thread {thread_id}")
    return run
