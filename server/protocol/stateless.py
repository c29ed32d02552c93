"""/runs: what is done once, on a thread that is made for it and goes with it; and many runs at a time."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Header
from starlette.responses import Response

from artel.graphs.errors import RoleWrong
from artel.server.auth.caller import GivenCaller
from artel.server.engine import dispatch
from artel.server.engine.admission import IdempotencyMismatch
from artel.server.engine.dispatch import CancelAction
from artel.server.errors import answers
from artel.server.protocol import orders, running
from artel.server.protocol.bodies import CancelBody, RunBody
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, RunId, modes_of
from artel.server.protocol.orders import GivenCall, TwoContexts
from artel.server.protocol.records import accepted_record, run_record
from artel.server.protocol.runs import Modes, NothingToCancel
from artel.storage import runs
from artel.storage.assistants import UnknownAssistant
from artel.storage.errors import Forbidden
from artel.storage.runs import RateLimited, Status, UnknownRun

router = APIRouter(prefix="/runs", route_class=JsonRoute, tags=["Stateless runs"])

MOST_AT_ONCE = 1000
STATUS: Mapping[str, Sequence[Status]] = {
    "pending": ("pending",),
    "running": ("running",),
    "all": ("pending", "running"),
}
STARTING = answers(UnknownAssistant, TwoContexts, RoleWrong, IdempotencyMismatch, Forbidden, RateLimited)


@router.post("", responses=STARTING)
async def create(body: RunBody, engine: GivenEngine, catalog: GivenCatalog, call: GivenCall) -> Response:
    """Start a run in the background."""
    run = await orders.accept(engine, catalog, body, call, thread_id=None, fast=engine.at_ease)
    return Json(accepted_record(run), headers={"Content-Location": running.path_of(run)})


@router.post("/stream", response_class=running.EventStream, responses=STARTING)
async def stream(body: RunBody, engine: GivenEngine, catalog: GivenCatalog, call: GivenCall) -> Response:
    """Start a run and stream what happens."""
    run = await orders.accept(engine, catalog, body, call, thread_id=None, fast=True)
    return running.created(engine, run, body)


@router.post("/wait", responses=STARTING)
async def wait(body: RunBody, engine: GivenEngine, catalog: GivenCatalog, call: GivenCall) -> Response:
    """Start a run and answer with what came of it."""
    run = await orders.accept(engine, catalog, body, call, thread_id=None, fast=True)
    return running.awaited(engine, run, cancel=body.on_disconnect == "cancel")


@router.post("/batch", responses=STARTING)
async def create_all(
    bodies: Annotated[list[RunBody], Body(min_length=1, max_length=MOST_AT_ONCE)],
    engine: GivenEngine,
    catalog: GivenCatalog,
    call: GivenCall,
) -> Response:
    """Start many runs in the background, all of them or none; with a key, those that it started before."""
    asked = [
        await orders.make(engine.db, catalog, body, thread_id=None, call=one)
        for body, one in zip(bodies, orders.calls_of(call, bodies), strict=True)
    ]
    return Json([run_record(run) for run in await dispatch.start_all(engine, asked)])


@router.post("/cancel", status_code=204, responses=answers(NothingToCancel, Forbidden))
async def cancel(
    body: CancelBody, engine: GivenEngine, caller: GivenCaller, action: CancelAction = "interrupt"
) -> None:
    """Stop all runs of a status, or some of a thread. `rollback` removes them and their checkpoints."""
    allowed = await caller.may("threads", "update", {**body.model_dump(exclude_none=True), "action": action})
    found = await dispatch.cancel_all(
        engine,
        owner=caller.owner,
        status=STATUS[body.status or "all"],
        thread_id=body.thread_id,
        run_ids=body.run_ids,
        action=action,
        allowed=allowed,
    )
    if not found:
        raise NothingToCancel("no run that has not ended matches; there is nothing to cancel")


@router.get("/{run_id}/stream", response_class=running.EventStream, responses=answers(UnknownRun))
async def join_stream(
    run_id: RunId,
    engine: GivenEngine,
    caller: GivenCaller,
    stream_mode: Modes = [],  # noqa: B006 - read only, and FastAPI copies it
    cancel_on_disconnect: bool = False,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Go on with the stream of a run; its `Location` leads here."""
    modes = modes_of(stream_mode)
    allowed = await caller.may("threads", "read", {"run_id": run_id})
    async with engine.db.connection() as conn:
        run = await runs.get(conn, run_id, owner=caller.owner, allowed=allowed)
    return running.joined(engine, run, modes, last_event_id=last_event_id, cancel=cancel_on_disconnect)
