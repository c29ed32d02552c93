"""/api/v1/threads/{id}/files: the folder that a thread works in, to look at, change and take away."""

from asyncio import to_thread
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from artel.graphs.context import workspace
from artel.server.auth.caller import Action, Caller, GivenCaller
from artel.server.catalog import Catalog
from artel.server.engine import Engine, files
from artel.server.engine.dispatch import ThreadBusy
from artel.server.engine.files import Clash, ForbiddenByPolicy, Ground, NothingEarlier
from artel.server.engine.workspaces import WorkspaceNotReady, reaching
from artel.server.errors import answers
from artel.server.protocol import snapshots
from artel.server.protocol.bodies import Body, Limit, Offset, Text
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, ThreadId
from artel.server.routes.workspaces import NoAgents
from artel.storage import threads, workspaces
from artel.storage.errors import Forbidden
from artel.storage.snapshots import UnknownChange
from artel.storage.threads import UnknownThread
from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.snapshots.repository import SnapshotFailed, SnapshotGone
from artel.tools.workspace import browsing
from artel.tools.workspace.browsing import SecretFile, Standing, TooMuch
from artel.tools.workspace.change import Stale
from artel.tools.workspace.paths import (
    BadPath,
    DeniedPath,
    NoSuchFile,
    OutsideWorkspace,
    WrongKind,
    printable,
)
from artel.tools.workspace.tree import Entry

router = APIRouter(prefix="/threads/{thread_id}/files", route_class=JsonRoute, tags=["Product"])

MAX_PATH = 5_000  # characters
MAX_TEXT = 2_000_000  # characters of a file that is sent to be written; the tool's own limit is lower
GROUND = (UnknownThread, NoAgents, WorkspaceNotReady, Forbidden)
PATH = (*GROUND, OutsideWorkspace, DeniedPath, BadPath, NoSuchFile, WrongKind)
FILE = (*PATH, SecretFile, ForbiddenByPolicy, TooMuch)
KEPT = (SnapshotGone, SnapshotFailed)

# A picture is drawn by the page; opened by its address it may do nothing at all.
INERT = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-cache",
}

InFolder = Annotated[Text, Query(max_length=MAX_PATH, description="From the workspace, with `/`.")]
Words = Annotated[Text, Query(max_length=200, description="All of them stand in the path, in any case.")]


class Listed(BaseModel):
    """An entry of a folder."""

    name: str = Field(description="What is invisible in it is written out.")
    path: str = Field(description="From the workspace, as other routes take it.")
    kind: Literal["file", "folder", "link", "other"]
    size: int = Field(description="Bytes.")
    modified: datetime | None = Field(description="When it was last written.")
    ignored: bool = Field(description="Whether git would ignore it.")
    closed: Literal["", "secret", "denied"] = Field(description="Why it is not shown; empty: it is.")


class FolderListing(BaseModel):
    """What stands in a folder."""

    workspace: str = Field(description="Absolute path of the folder that the thread works in.")
    path: str = Field(description="Of the folder that is listed, from the workspace; `.`: that itself.")
    entries: list[Listed] = Field(description="Folders first, then by name.")
    total: int = Field(description="How many there are.")
    truncated: bool = Field(description="Whether there are more after these.")


class Matches(BaseModel):
    """Files that were found by words of their paths."""

    paths: list[str] = Field(description="From the workspace, ignored files left out.")
    note: str = Field(description="Why these may not be all; empty: they are.")


class ChangedFile(BaseModel):
    """A file that is not as the thread found it."""

    path: str = Field(description="From the workspace; what is invisible in it is written out.")
    kind: Literal["added", "changed", "deleted", "mode"]


class FileText(BaseModel):
    """A file as it is now."""

    path: str = Field(description="Where it really lies, from the workspace.")
    text: str | None = Field(description="null: it is binary.")
    encoding: str
    sha256: str = Field(description="Of its bytes: what writing it must still find.")
    size: int = Field(description="Bytes.")
    editable: bool = Field(description="Whether it may be written here.")


class EarlierText(BaseModel):
    """A file as it was."""

    path: str
    there: bool = Field(description="Whether it was there.")
    text: str | None = Field(description="null: it was not there, is binary, or is too large.")


class WriteBody(Body):
    """What a file is to hold."""

    path: Text = Field(min_length=1, max_length=MAX_PATH)
    text: Text = Field(max_length=MAX_TEXT, description="All of it; its encoding and line ends are kept.")
    sha256: Text | None = Field(None, description="Of the file as you know it; null: there is none yet.")


class WrittenFile(BaseModel):
    """A file that was written."""

    path: str
    sha256: str
    change_id: UUID | None = Field(description="By which it can be undone; null: it was so already.")
    problems: list[str] = Field(description="What it brings in that is likely wrong.")


class Bytes(Response):
    """What the routes that give bytes say of themselves in the OpenAPI document."""

    media_type = "application/octet-stream"


def _gives(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Describe what a route gives besides what its response class says."""
    return {200: {"content": {kind: {} for kind in kinds}}}


@router.get("", responses=answers(*PATH))
async def listing(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    path: InFolder = "",
    limit: Annotated[Limit, Query()] = 500,
    offset: Annotated[Offset, Query()] = 0,
) -> FolderListing:
    """Return what stands in one folder of the workspace, ignored entries too."""
    ground = await _ground(engine, catalog, caller, thread_id)
    place, found = await to_thread(browsing.listed, ground.root, path)
    page = found[offset : offset + limit]
    return FolderListing(
        workspace=printable(str(ground.root)),
        path=place.shown,
        entries=await to_thread(lambda: [_listed(ground, one) for one in page]),
        total=len(found),
        truncated=offset + len(page) < len(found),
    )


@router.get("/find", responses=answers(*GROUND))
async def find(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    words: Words,
    limit: Annotated[Limit, Query()] = 200,
) -> Matches:
    """Return files whose path holds these words."""
    ground = await _ground(engine, catalog, caller, thread_id)
    found, note = await to_thread(browsing.found, ground.root, words, limit=limit)
    return Matches(paths=[one.place.shown for one in found], note=note)


@router.get("/changed", responses=answers(*GROUND, *KEPT))
async def changed(
    thread_id: ThreadId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> list[ChangedFile]:
    """Return the files that are not as the thread found them, what you undid left out."""
    ground = await _ground(engine, catalog, caller, thread_id)
    found = await files.changed(engine, ground)
    return [ChangedFile(path=one.path, kind=one.kind) for one in found]


@router.get("/content", responses=answers(*FILE))
async def content(
    thread_id: ThreadId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller, path: InFolder
) -> FileText:
    """Return a text file of at most 2 MB, or that it is binary."""
    ground = await _ground(engine, catalog, caller, thread_id)

    def look() -> FileText:
        found = browsing.shown(ground.place(path))
        editable = found.editable and not ground.denies(found.path, "fs.write")
        return FileText(
            path=printable(found.path),
            text=found.text,
            encoding=found.encoding,
            sha256=found.sha256,
            size=found.size,
            editable=editable,
        )

    return await to_thread(look)


@router.get("/earlier", responses=answers(*FILE, *KEPT, NothingEarlier, UnknownChange))
async def earlier(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    path: InFolder,
    change: Annotated[UUID | None, Query(description="As it was before this change.")] = None,
    checkpoint: Annotated[Text, Query(max_length=100, description="As it was at this checkpoint.")] = "",
) -> EarlierText:
    """Return a file as it was; with neither, as it was before the first change of the thread."""
    ground = await _ground(engine, catalog, caller, thread_id)
    place, data = await files.earlier(engine, ground, path, change_id=change, checkpoint_id=checkpoint)
    text = None if data is None else await to_thread(files.text_of, data, place.relative)
    return EarlierText(path=place.shown, there=data is not None, text=text)


@router.put("/content", responses=answers(*FILE, ThreadBusy, Stale, ToolRefused, ToolFailed))
async def write(
    thread_id: ThreadId, body: WriteBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Write a text file if it is still the one you read; a change of the thread, which can be undone.

    When it is another by now: 409 `file_changed`, with `sha256` of what is there and `expected`.
    """
    ground = await _ground(engine, catalog, caller, thread_id, action="update")
    allowed = await caller.may("threads", "update", {"thread_id": thread_id})
    done = await files.put(
        engine, ground, body.path, body.text, body.sha256, owner=caller.owner, allowed=allowed
    )
    if isinstance(done, Clash):
        became = "was changed" if done.sha256 else "was deleted"
        detail = f"{printable(done.path)} {became if body.sha256 else 'was made'} by somebody else meanwhile"
        told = {"detail": detail, "code": Stale.code, "sha256": done.sha256, "expected": body.sha256}
        return Json(told, status_code=409)
    written = WrittenFile(
        path=done.path, sha256=done.sha256, change_id=done.change_id, problems=list(done.problems)
    )
    return Json(written.model_dump())


@router.get(
    "/picture",
    response_class=Bytes,
    responses=answers(*FILE)
    | _gives("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", browsing.SVG),
)
async def picture(
    thread_id: ThreadId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller, path: InFolder
) -> Response:
    """Return a picture for an `<img>`: PNG, JPEG, GIF, WebP, AVIF or SVG, told by its content."""
    ground = await _ground(engine, catalog, caller, thread_id)
    data, kind = await to_thread(lambda: browsing.picture(ground.place(path)))
    attached = _attached(path) if kind == browsing.SVG else {}
    return Response(data, media_type=kind, headers={**INERT, **attached})


@router.get("/download", response_class=Bytes, responses=answers(*FILE) | _gives("application/zip"))
async def download(
    thread_id: ThreadId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller, path: InFolder = ""
) -> Response:
    """Return a file as it is, or a folder as a zip without what is ignored or secret."""
    ground = await _ground(engine, catalog, caller, thread_id)
    place = await to_thread(ground.place, path or ".")
    if await to_thread(browsing.is_folder, place):
        blocks = await to_thread(files.packed, ground, place)
        name = f"{place.name if place.parts else ground.root.name or 'files'}.zip"
        return StreamingResponse(blocks, media_type="application/zip", headers={**INERT, **_attached(name)})
    _, blocks = await to_thread(browsing.contents, place)
    return StreamingResponse(
        blocks, media_type="application/octet-stream", headers={**INERT, **_attached(place.name)}
    )


async def _ground(
    engine: Engine, catalog: Catalog, caller: Caller, thread_id: UUID, *, action: Action = "read"
) -> Ground:
    """Return the folder that a thread of the caller works in, and what they may do there.

    Raises:
        UnknownThread: they have none with that id.
        Forbidden: they may not.
        WorkspaceNotReady: its folder is made by its first run, or is not here any more.
    """
    allowed = await caller.may("threads", action, {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        folder = await workspaces.of_thread(conn, thread_id, owner=caller.owner)
    if engine.handles is None:
        raise NoAgents("this server serves none of our agents, so there is no folder to look at")
    if folder and folder.own and folder.state != "ready":
        raise WorkspaceNotReady("the thread's folder is not here now; its next run makes it")
    if folder:
        asked = folder.path
    else:
        values = (await snapshots.values_of(engine, catalog, [thread]))[thread_id] or {}
        asked = str(values.get("workspace") or thread.metadata.get("workspace") or "")
    if asked and "/" not in asked:
        raise WorkspaceNotReady(f"the thread's folder of {asked[:100]} is made by its first run")
    given = await reaching(engine, thread_id, owner=caller.owner)
    root: Path = await to_thread(workspace, asked, given)
    ruled = await engine.policies.of(given.policy, owner=caller.owner, user_id=caller.name)
    return files.ground_of(engine, thread_id, root, folder, ruled.policy, caller.name)


def _listed(ground: Ground, one: Standing) -> Listed:
    entry: Entry = one.entry
    denied = entry.kind == "file" and ground.denies(entry.place.relative, "fs.read")
    return Listed(
        name=printable(entry.place.name),
        path=entry.place.shown,
        kind=entry.kind,
        size=entry.size,
        modified=_moment(entry.modified),
        ignored=one.ignored,
        closed="secret" if one.secret and entry.kind != "folder" else "denied" if denied else "",
    )


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _attached(name: str) -> dict[str, str]:
    last = printable(name.rpartition("/")[2])
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(last, safe='')}"}
