"""/api/v1/training: whether models may learn of your conversations, and what they would be given."""

from asyncio import to_thread
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, Field
from starlette.responses import Response, StreamingResponse

from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine
from artel.server.errors import answers
from artel.server.learning import exporting
from artel.server.learning.noting import consent_entry
from artel.server.learning.redacting import Redaction
from artel.server.protocol.bodies import Body
from artel.server.protocol.given import GivenEngine, Json, JsonRoute, ThreadId
from artel.storage import audit, consents, threads
from artel.storage.errors import Forbidden
from artel.storage.threads import UnknownThread
from artel.tools.workspaces.archiving import Entry, archived

BLOCK = 1_048_576

router = APIRouter(route_class=JsonRoute, tags=["Product"])


class Zip(Response):
    """What the route that exports says of itself in the OpenAPI document."""

    media_type = "application/zip"


class Permission(Body):
    """Whether models may learn of what you do from now on."""

    allowed: bool


class Exclusion(Body):
    """Whether nothing is learned of a thread whatever its people said."""

    excluded: bool = Field(description="true: nothing of it leaves for training.")


@router.get("/training/consent", responses=answers(Forbidden))
async def consent(engine: GivenEngine, caller: GivenCaller) -> Response:
    """Say whether models may learn of your conversations, and since when: no, unless you said yes."""
    await caller.may("threads", "search", {})
    async with engine.db.connection() as conn:
        given = await consents.of(conn, owner=caller.owner, user_id=caller.name)
    return Json({"allowed": given is not None, "given_at": given.given_at if given else None})


@router.put("/training/consent", responses=answers(Forbidden))
async def decide(body: Permission, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Let models learn of what you begin from now on, or take that back; what was exported is with others."""
    await caller.may("threads", "search", {})
    owner, user_id = caller.owner, caller.name
    async with engine.db.transaction() as conn:
        before = await consents.of(conn, owner=owner, user_id=user_id)
        given = await consents.give(conn, owner=owner, user_id=user_id) if body.allowed else None
        if not body.allowed:
            await consents.withdraw(conn, owner=owner, user_id=user_id)
        if (before is None) != (given is None):
            came_to = "given" if given else "withdrawn"
            await audit.add(conn, [consent_entry(came_to, owner=owner, user_id=user_id)])
    return Json({"allowed": given is not None, "given_at": given.given_at if given else None})


@router.get("/threads/{thread_id}/training", responses=answers(Forbidden, UnknownThread))
async def excluded(thread_id: ThreadId, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Say whether a thread is kept out of training."""
    await _seen(engine, thread_id, caller)
    async with engine.db.connection() as conn:
        found = await consents.excluded(conn, [thread_id])
    return Json({"excluded": bool(found)})


@router.put("/threads/{thread_id}/training", responses=answers(Forbidden, UnknownThread))
async def exclude(thread_id: ThreadId, body: Exclusion, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Keep a thread out of training, or let it in again as far as its people consent."""
    await _seen(engine, thread_id, caller)
    owner, user_id = caller.owner, caller.name
    async with engine.db.transaction() as conn:
        if body.excluded:
            await consents.exclude(conn, thread_id, user_id=user_id)
        else:
            await consents.include(conn, thread_id)
        came_to = "thread excluded" if body.excluded else "thread included"
        await audit.add(conn, [consent_entry(came_to, owner=owner, user_id=user_id, thread_id=thread_id)])
    return Json({"excluded": body.excluded})


@router.get("/training/export", response_class=Zip, responses=answers(Forbidden))
async def export(
    request: Request,
    engine: GivenEngine,
    caller: GivenCaller,
    min_reward: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = exporting.MIN_REWARD,
    since: AwareDatetime | None = None,
) -> Response:
    """Return a zip of what models may learn of your own conversations: nothing, unless you consent."""
    await caller.may("threads", "search", {})
    asked = exporting.Request(caller.owner, caller.name, since, min_reward=min_reward)
    folder = await to_thread(TemporaryDirectory, prefix="artel-training-", ignore_cleanup_errors=True)
    redaction = await to_thread(Redaction, request.app.state.secrets)
    await exporting.export(engine.db, Path(folder.name), asked, redaction)
    headers = {"content-disposition": 'attachment; filename="training.zip"'}
    return StreamingResponse(archived(_entries(folder)), media_type=Zip.media_type, headers=headers)


def _entries(folder: "TemporaryDirectory[str]") -> Iterator[Entry]:
    with folder as path:
        for name in (exporting.MANIFEST, *exporting.FILES):
            yield Entry(name, _blocks(Path(path) / name))


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block


async def _seen(engine: Engine, thread_id: Any, caller: Caller) -> None:
    """Make sure that the caller may change a thread.

    Raises:
        UnknownThread: they see no such thread.
        Forbidden: they may not.
    """
    allowed = await caller.may("threads", "update", {"thread_id": thread_id, "metadata": {}})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
