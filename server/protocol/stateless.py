"""/runs: what is done once, on a thread that is made for it and goes with it."""

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.engine import dispatch
from artel.server.errors import answers
from artel.server.protocol import orders, running
from artel.server.protocol.bodies import RunBody
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, RunId, modes_of
from artel.server.protocol.orders import TwoContexts
from artel.server.protocol.records import run_record
from artel.server.protocol.runs import Modes
from artel.storage import runs
from artel.storage.assistants import UnknownAssistant
from artel.storage.runs import UnknownRun

router = APIRouter(prefix="/runs", route_class=JsonRoute, tags=["Stateless runs"])

STARTING = answers(UnknownAssistant, TwoContexts)


@router.post("", responses=STARTING)
async def create(body: RunBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller) -> Response:
    """Start a run in the background."""
    order = await orders.make(engine.db, catalog, body, thread_id=None, owner=caller.owner)
    run = await dispatch.start(engine, order, fast=False)
    return Json(run_record(run), headers={"Content-Location": running.path_of(run)})


@router.post("/stream", responses=STARTING)
async def stream(body: RunBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller) -> Response:
    """Start a run and stream what happens."""
    order = await orders.make(engine.db, catalog, body, thread_id=None, owner=caller.owner)
    return running.created(engine, await dispatch.start(engine, order, fast=True), body)


@router.post("/wait", responses=STARTING)
async def wait(body: RunBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller) -> Response:
    """Start a run and answer with what came of it."""
    order = await orders.make(engine.db, catalog, body, thread_id=None, owner=caller.owner)
    run = await dispatch.start(engine, order, fast=True)
    return running.awaited(engine, run, cancel=body.on_disconnect == "cancel")


@router.get("/{run_id}/stream", responses=answers(UnknownRun))
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
    async with engine.db.connection() as conn:
        run = await runs.get(conn, run_id, owner=caller.owner)
    return running.joined(engine, run, modes, last_event_id=last_event_id, cancel=cancel_on_disconnect)
