"""/api/v1/threads/{id}/archive and /threads/import: threads taken away whole, and brought."""

import os
from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from artel.server.archives import arriving, leaving
from artel.server.archives.hiding import Keys
from artel.server.auth.caller import GivenCaller
from artel.server.catalog import UnknownGraph
from artel.server.errors import answers
from artel.server.protocol import snapshots
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, ThreadId
from artel.server.protocol.records import thread_record
from artel.storage import imports, threads
from artel.storage.archives import ArchiveWrong
from artel.storage.archives.opening import BLOCK
from artel.storage.errors import Forbidden
from artel.storage.imports import NotImported
from artel.storage.threads import UnknownThread

router = APIRouter(prefix="/threads", tags=["Product"])

ZIP = "application/zip"
BODY = {
    "requestBody": {
        "required": True,
        "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Archived(Response):
    """What the route that exports says of itself in the OpenAPI document."""

    media_type = ZIP


class Imported(BaseModel):
    """What came with a thread: to read, never to be answered."""

    source: str = Field(description="The thread's id where it comes from.")
    imported_by: str
    imported_at: datetime
    history: dict[str, Any] = Field(
        description="`approvals` with their answers, `runs`, `changes`, `usage`, `audit`, `earlier` …"
    )


@router.get("/{thread_id}/archive", response_class=Archived, responses=answers(UnknownThread, Forbidden))
async def archive(
    thread_id: ThreadId, request: Request, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Return all that is known of a thread as a zip that `/threads/import` takes; keys are hidden."""
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
    keys = await to_thread(Keys, request.app.state.secrets)
    file = await to_thread(_file)
    try:
        await leaving.export(engine, catalog, thread, file, owner=caller.owner, user=caller.name, keys=keys)
    finally:
        opened = await to_thread(file.open, "rb")
        await to_thread(file.unlink)
    return StreamingResponse(
        _blocks(opened),
        media_type=ZIP,
        headers={"content-disposition": f'attachment; filename="{thread_id}.artel.zip"'},
    )


@router.post(
    "/import", responses=answers(ArchiveWrong, UnknownGraph, UnknownThread, Forbidden), openapi_extra=BODY
)
async def take_in(
    request: Request, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Make a new thread of yours of an archive, with equal state; its open questions are not asked again."""
    async with _received(request) as file:
        made = await arriving.take_in(engine, catalog, file, caller=caller)
    values = await snapshots.values_of(engine, catalog, [made])
    return Json(thread_record(made, values[made.thread_id]))


@router.get("/{thread_id}/imported", responses=answers(UnknownThread, NotImported, Forbidden))
async def imported(thread_id: ThreadId, engine: GivenEngine, caller: GivenCaller) -> Imported:
    """Return what had happened on a thread where it was exported."""
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        found = await imports.of(conn, thread_id, owner=caller.owner)
    return Imported.model_validate(found, from_attributes=True)


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[Path]:
    """Put the body into a file; how long it may be is the edge's to say."""
    file = await to_thread(_file)
    opened = await to_thread(file.open, "wb")
    try:
        try:
            async for block in request.stream():
                await to_thread(opened.write, block)
        finally:
            await to_thread(opened.close)
        yield file
    finally:
        await to_thread(file.unlink, missing_ok=True)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block


def _file() -> Path:
    handle, name = mkstemp(prefix="artel-archive-", suffix=".zip")
    os.close(handle)
    return Path(name)
