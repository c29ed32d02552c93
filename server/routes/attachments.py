"""/api/v1/threads/{id}/attachments: files that a person gives to a conversation."""

from asyncio import to_thread
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from artel.server.auth.caller import GivenCaller
from artel.server.edge import too_large
from artel.server.engine.workspaces import OtherWorkspace, Visitor, WorkspaceNotReady, visited
from artel.server.errors import TooLarge, answers
from artel.server.protocol.bodies import Text
from artel.server.protocol.given import GivenEngine, ThreadId
from artel.server.routes.workspaces import NoAgents
from artel.storage import threads
from artel.storage.errors import Forbidden
from artel.storage.threads import UnknownThread
from artel.storage.workspaces import UnknownWorkspace
from artel.tools.workspace import attaching
from artel.tools.workspace.attaching import TooManyFiles
from artel.tools.workspace.paths import BadPath, DeniedPath, OutsideWorkspace

router = APIRouter(prefix="/threads/{thread_id}/attachments", tags=["Product"])

BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Attached(BaseModel):
    """A file that agents can read now."""

    name: str = Field(description="What it is called there: cleaned, and numbered if that was taken.")
    path: str = Field(description="From the workspace.")
    bytes: int
    sha256: str


@router.post(
    "",
    status_code=201,
    responses=answers(
        UnknownThread,
        Forbidden,
        TooLarge,
        TooManyFiles,
        NoAgents,
        UnknownWorkspace,
        OtherWorkspace,
        WorkspaceNotReady,
        OutsideWorkspace,
        DeniedPath,
        BadPath,
    ),
    openapi_extra=BODY,
)
async def attach(
    thread_id: ThreadId,
    request: Request,
    engine: GivenEngine,
    caller: GivenCaller,
    name: Annotated[Text, Query(max_length=1_000, description="What the file is called.")],
    workspace: Annotated[
        Text, Query(max_length=3_000, description="The workspace that the next run will name; empty: none.")
    ] = "",
) -> Attached:
    """Put a file, which is the body, into the folder in which the thread works.

    It lies in `.attachments/` of the workspace, where agents read it and git does not see it.
    """
    allowed = await caller.may("threads", "update", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
    if engine.handles is None:
        raise NoAgents("this server serves none of our agents, so nobody would read it")
    content = await _received(request, engine.handles.workspaces.attachment_mb << 20)
    user = str((caller.user or {}).get("identity") or caller.owner)
    asked = {"context": {"workspace": workspace}} if workspace else {}
    folder = await visited(engine, Visitor(thread_id, caller.owner, user, asked))
    kept = await to_thread(attaching.attach, folder, str(thread_id), name, content)
    return Attached(name=kept.name, path=kept.path, bytes=kept.bytes, sha256=kept.sha256)


async def _received(request: Request, limit: int) -> bytes:
    content = bytearray()
    async for block in request.stream():
        content += block
        if len(content) > limit:
            raise too_large(limit)
    return bytes(content)
