"""/api/v1/threads/{id}/changes, /undo and /files: what agents did to the files, and the way back."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator
from starlette.responses import Response

from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine, undo
from artel.server.engine.dispatch import ThreadBusy
from artel.server.engine.undo import NotKept, OfRun, Only, SeveralFolders, Since, Undone
from artel.server.errors import answers
from artel.server.protocol.bodies import MAX_LIMIT, Body, Id, Limit, Offset, Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute, ThreadId
from artel.server.protocol.snapshots import UnknownCheckpoint
from artel.storage import snapshots, threads
from artel.storage.snapshots import Change, UnknownChange
from artel.storage.threads import UnknownThread
from artel.tools.snapshots.repository import SnapshotFailed, SnapshotGone
from artel.tools.workspace.paths import OutsideWorkspace

MAX_CALL_ID = 1_000  # characters

router = APIRouter(prefix="/threads/{thread_id}", route_class=JsonRoute, tags=["Product"])


class UndoBody(Body):
    """What to undo: one of the three."""

    to: Id | None = Field(default=None, description="A change: it, and all changes after it.")
    change: Id | None = Field(default=None, description="A change: only that one.")
    run: Id | None = Field(default=None, description="A run: all that it changed.")
    paths: Annotated[list[Text], Field(max_length=MAX_LIMIT)] = Field(
        default=[], description="Only these of the files it touched, as `paths` of a change names them."
    )
    force: bool = Field(default=False, description="Overwrite what somebody else has changed since, too.")

    @model_validator(mode="after")
    def _one_of_them(self) -> "UndoBody":
        if sum(one is not None for one in (self.to, self.change, self.run)) != 1:
            raise ValueError("give one of to, change and run")
        return self

    @property
    def choice(self) -> undo.Choice:
        """What was chosen."""
        if self.to:
            return Since(self.to)
        if self.change:
            return Only(self.change)
        if self.run:
            return OfRun(self.run)
        raise AssertionError("one of them is given")


class FilesBody(Body):
    """Which files to restore."""

    checkpoint_id: Text = Field(description="A checkpoint of the thread: files become what they were then.")
    force: bool = Field(default=False, description="Overwrite what somebody else has changed since, too.")


class ChangedFile(BaseModel):
    """A file that was changed."""

    path: str = Field(description="From the workspace; what is invisible in it is written out.")
    kind: Literal["added", "changed", "deleted", "mode"] = Field(description="What happened to it.")


class LeftAlone(BaseModel):
    """A file that was left as it is."""

    path: str = Field(description="From the workspace.")
    reason: str = Field(description="Why.")


class Restored(BaseModel):
    """What an undo did."""

    change_id: UUID | None = Field(description="The undo itself, which can be undone; null: nothing changed.")
    changed: list[ChangedFile] = Field(description="What it changed.")
    conflicts: list[LeftAlone] = Field(description="What it left alone, and why.")
    problems: list[str] = Field([], description="Why some of it was not kept, and so could not be undone.")


@router.get("/changes", responses=answers(UnknownThread))
async def search(
    thread_id: ThreadId,
    engine: GivenEngine,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
    tool_call_id: Annotated[Text | None, Query(max_length=MAX_CALL_ID)] = None,
) -> Response:
    """Return what the steps on a thread changed, newest first; `undone` says that it was taken back.

    With `tool_call_id` only what that call of a tool changed.
    """
    await _seen(engine, caller, thread_id)
    async with engine.db.connection() as conn:
        found = await snapshots.of_thread(conn, thread_id)
    gone = undo.undone(found)
    wanted = [one for one in found if tool_call_id in (None, one.tool_call_id)]
    return Json([_record(change, gone) for change in wanted[offset : offset + limit]])


@router.get("/changes/{change_id}", responses=answers(UnknownThread, UnknownChange, SnapshotGone))
async def get(thread_id: ThreadId, change_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return a change with its diff."""
    await _seen(engine, caller, thread_id)
    async with engine.db.connection() as conn:
        change = await snapshots.get(conn, thread_id, change_id)
        later = await snapshots.of_thread(conn, thread_id, since=change_id)
    diff = await undo.difference(engine, change)
    return Json({**_record(change, undo.undone(later)), "diff": diff})


@router.post(
    "/undo",
    responses=answers(
        UnknownThread,
        UnknownChange,
        ThreadBusy,
        NotKept,
        SeveralFolders,
        SnapshotGone,
        SnapshotFailed,
        OutsideWorkspace,
    ),
)
async def take_back(
    thread_id: ThreadId, body: UndoBody, engine: GivenEngine, caller: GivenCaller
) -> Restored:
    """Make files what they were before a change, a run, or all since; what others changed is left alone."""
    allowed = await caller.may("threads", "update", {"thread_id": thread_id})
    done = await undo.undo(
        engine,
        thread_id,
        body.choice,
        paths=body.paths,
        owner=caller.owner,
        allowed=allowed,
        force=body.force,
    )
    return _restored(done)


@router.post(
    "/files",
    responses=answers(
        UnknownThread, UnknownCheckpoint, ThreadBusy, NotKept, SnapshotGone, SnapshotFailed, OutsideWorkspace
    ),
)
async def restore(thread_id: ThreadId, body: FilesBody, engine: GivenEngine, caller: GivenCaller) -> Restored:
    """Make the files what they were at a checkpoint, to go on from there with them."""
    allowed = await caller.may("threads", "update", {"thread_id": thread_id})
    await _seen(engine, caller, thread_id)
    async with engine.db.connection() as conn:
        if not await snapshots.has_checkpoint(conn, thread_id, body.checkpoint_id):
            raise UnknownCheckpoint(f"thread {thread_id} has no checkpoint {body.checkpoint_id}")
    done = await undo.restore_at(
        engine, thread_id, body.checkpoint_id, owner=caller.owner, allowed=allowed, force=body.force
    )
    return _restored(done) if done else Restored(change_id=None, changed=[], conflicts=[])


async def _seen(engine: Engine, caller: Caller, thread_id: UUID) -> None:
    """Make sure that the caller may see a thread.

    Raises:
        UnknownThread: they have none with that id.
        Forbidden: they may not.
    """
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)


def _restored(done: Undone) -> Restored:
    return Restored(
        change_id=done.change_id,
        changed=[ChangedFile(path=one.path, kind=one.kind) for one in done.report.changed],
        conflicts=[LeftAlone(path=one.path, reason=one.reason) for one in done.report.conflicts],
        problems=list(done.problems),
    )


def _record(change: Change, gone: set[UUID]) -> dict[str, Any]:
    named = (
        "change_id",
        "run_id",
        "checkpoint_id",
        "tool_call_id",
        "tool",
        "workspace",
        "paths",
        "files",
        "undoes",
        "problem",
        "begun_at",
        "done_at",
    )
    return {name: getattr(change, name) for name in named} | {"undone": change.change_id in gone}
