"""/api/v1/threads/{id}/publish and /gate: what was worked out on a thread, checked and sent to others."""

from asyncio import Semaphore, to_thread
from dataclasses import replace
from importlib import import_module
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter
from pydantic import BaseModel, Field

from artel.graphs.context import workspace
from artel.server.auth.caller import Caller, GivenCaller
from artel.server.catalog import Catalog, UnknownGraph
from artel.server.engine import Engine, dispatch, workspaces
from artel.server.engine.admission import IdempotencyMismatch
from artel.server.engine.dispatch import ThreadBusy
from artel.server.errors import answers
from artel.server.protocol import orders, snapshots
from artel.server.protocol.bodies import Body, RunBody, Text
from artel.server.protocol.given import GivenCatalog, GivenEngine, JsonRoute, ThreadId
from artel.server.protocol.orders import GivenCall
from artel.server.routes.policy import NoAgents
from artel.storage import threads
from artel.storage.errors import Forbidden
from artel.storage.runs import RateLimited
from artel.storage.threads import Thread, UnknownThread
from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.gate.report import Report
from artel.tools.git.errors import UnsafeRepository
from artel.tools.workspace.paths import DeniedPath, OutsideWorkspace

GRAPH = "publish"
AT_ONCE = 2  # gates that are run for programs that only look

router = APIRouter(prefix="/threads/{thread_id}", route_class=JsonRoute, tags=["Product"])
checking = Semaphore(AT_ONCE)


class PublishBody(Body):
    """What to publish, and as what."""

    title: Annotated[Text, Field(min_length=1, max_length=255)] = Field(
        description="One line: subject of the commit, title of the request."
    )
    description: Annotated[Text, Field(max_length=50_000)] = Field("", description="Body of both.")
    paths: Annotated[list[Text], Field(max_length=1_000)] | None = Field(
        None, description="Only these changes; by default all but secrets."
    )
    base: Annotated[Text, Field(max_length=200)] | None = Field(
        None, description="Branch to merge into; by default the remote's own, else the current one."
    )
    remote: Annotated[Text, Field(max_length=200)] | None = Field(None, description="By default `origin`.")
    draft: bool = Field(False, description="Open the request as a draft.")


class Publishing(BaseModel):
    """The run that publishes: it checks, asks, and goes on with the answer."""

    run_id: UUID
    thread_id: UUID = Field(description="Of publishing: the same for each run of this kind on a thread.")


@router.post(
    "/publish",
    status_code=202,
    responses=answers(
        UnknownThread, UnknownGraph, NoAgents, ThreadBusy, IdempotencyMismatch, Forbidden, RateLimited
    ),
)
async def publish(
    thread_id: ThreadId, body: PublishBody, engine: GivenEngine, catalog: GivenCatalog, call: GivenCall
) -> Publishing:
    """Begin to publish the folder of a thread; it is checked, then you are asked, and then it is sent.

    A question of an earlier run that nobody has answered is set aside.
    """
    if engine.handles is None or GRAPH not in catalog.names():
        raise NoAgents("this server does not serve our agents, and so not the one that publishes")
    folder = await _folder(engine, catalog, await _seen(engine, call.caller, thread_id))
    asked = RunBody(
        assistant_id=GRAPH,
        input={**body.model_dump(), "workspace": folder},
        metadata={"published_from": str(thread_id), "title": body.title, "workspace": folder},
        if_not_exists="create",
        multitask_strategy="reject",
    )
    own = uuid5(thread_id, GRAPH)
    order = await orders.make(engine.db, catalog, asked, thread_id=own, call=call)
    order = replace(order, kwargs={**order.kwargs, workspaces.FOLDER_OF: str(thread_id)})
    run = await dispatch.start(engine, order, fast=engine.at_ease)
    return Publishing(run_id=run.run_id, thread_id=run.thread_id)


@router.get(
    "/gate",
    responses=answers(
        UnknownThread,
        UnknownGraph,
        NoAgents,
        Forbidden,
        OutsideWorkspace,
        DeniedPath,
        UnsafeRepository,
        ToolRefused,
        ToolFailed,
    ),
)
async def gate(
    thread_id: ThreadId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Report:
    """Say what the gate would say of the folder of a thread now, against its last commit; nothing changes."""
    if engine.handles is None:
        raise NoAgents("this server serves none of our agents, so there is no gate")
    folder = await _folder(engine, catalog, await _seen(engine, caller, thread_id))
    given = await workspaces.reaching(engine, thread_id, owner=caller.owner)
    root = await to_thread(workspace, folder, given)
    gating = await to_thread(import_module, "artel.graphs.workflows.gating")  # not before somebody asks
    async with checking:
        report: Report = await gating.check(given, root, str(thread_id))
    return report


async def _seen(engine: Engine, caller: Caller, thread_id: UUID) -> Thread:
    """Return a thread that the caller may see.

    Raises:
        UnknownThread: they have none with that id.
        Forbidden: they may not.
    """
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        return await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)


async def _folder(engine: Engine, catalog: Catalog, thread: Thread) -> str:
    """Return the folder that a thread works in; nothing: the server's default."""
    state = await snapshots.read(engine, catalog, thread, {}, subgraphs=False)
    values = state.get("values")
    known = values.get("workspace") if isinstance(values, dict) else None
    found = known or thread.metadata.get("workspace")
    return found if isinstance(found, str) else ""
