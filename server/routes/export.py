"""/api/v1/threads/{id}/export and /patch: what came of a thread, to take away."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine, exporting
from artel.server.engine.exporting import Exported
from artel.server.engine.undo import SeveralFolders
from artel.server.errors import answers
from artel.server.protocol import snapshots
from artel.server.protocol.bodies import Text
from artel.server.protocol.given import GivenCatalog, GivenEngine, ThreadId
from artel.storage import threads
from artel.storage.errors import Forbidden
from artel.storage.threads import Thread, UnknownThread
from artel.storage.workspaces import UnknownWorkspace
from artel.tools.snapshots.repository import SnapshotFailed, SnapshotGone
from artel.tools.workspaces.archiving import archived

router = APIRouter(prefix="/threads/{thread_id}", tags=["Product"])

ERRORS = answers(UnknownThread, UnknownWorkspace, SeveralFolders, SnapshotGone, SnapshotFailed, Forbidden)
Folder = Annotated[Text, Query(description="Which folder's changes, of a thread that worked in several.")]


class Zip(Response):
    """What the route that exports says of itself in the OpenAPI document."""

    media_type = "application/zip"


class Patch(Response):
    """What the route of the patch says of itself in the OpenAPI document."""

    media_type = "text/x-patch"


@router.get("/export", response_class=Zip, responses=ERRORS)
async def export(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    workspace: Folder = "",
    everything: Annotated[bool, Query(alias="all", description="All files, not only changed ones.")] = False,
) -> Response:
    """Return a zip: `files/`, `changes.patch`, the conversation and `manifest.json`; secrets are left out."""
    thread, exported = await _exported(engine, caller, thread_id, workspace)
    values: dict[str, Any] = (await snapshots.values_of(engine, catalog, [thread]))[thread_id] or {}
    messages = values.get("messages")
    told = messages if isinstance(messages, list) else []
    return StreamingResponse(
        archived(exporting.entries(exported, told, everything=everything)),
        media_type=Zip.media_type,
        headers={"content-disposition": f'attachment; filename="{thread_id}.zip"'},
    )


@router.get("/patch", response_class=Patch, responses=ERRORS)
async def patch(
    thread_id: ThreadId, engine: GivenEngine, caller: GivenCaller, workspace: Folder = ""
) -> Response:
    """Return what the thread changed as a patch: `git apply` makes the same of the files it began with."""
    _, exported = await _exported(engine, caller, thread_id, workspace)
    return StreamingResponse(exporting.patch(exported.result), media_type=Patch.media_type)


async def _exported(
    engine: Engine, caller: Caller, thread_id: Any, workspace: str
) -> tuple[Thread, Exported]:
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
    return thread, await exporting.export(engine, thread_id, owner=caller.owner, workspace=workspace)
