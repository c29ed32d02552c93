"""/api/v1/audit: what was done in somebody's name, who let it happen, and what came of it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response, StreamingResponse

from artel.server.auth.caller import Allowed, Caller, GivenCaller
from artel.server.engine import Engine
from artel.server.errors import answers
from artel.server.protocol.bodies import Limit
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage import audit
from artel.storage.audit import Kind
from artel.storage.chains import Link
from artel.storage.errors import Forbidden

router = APIRouter(prefix="/audit", route_class=JsonRoute, tags=["Product"])

LINES = "application/x-ndjson"


@router.get("", responses=answers(Forbidden))
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    thread_id: UUID | None = None,
    tool: str | None = None,
    kind: Kind | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    before: Annotated[int | None, Query(ge=1, description="Entries below this `seq`.")] = None,
    limit: Annotated[Limit, Query()] = 100,
) -> Response:
    """Return entries, newest first; go on with `before`, the last `seq` that came."""
    allowed = await caller.may("threads", "search", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        found = await audit.search(
            conn,
            owner=caller.owner,
            user=_user(caller),
            allowed=allowed,
            before=before,
            thread_id=thread_id,
            tool=tool,
            kind=kind,
            since=since,
            until=until,
            limit=limit,
        )
    return Json([await _record(engine, link) for link in found])


class JsonLines(Response):
    """What the route that exports says of itself in the OpenAPI document."""

    media_type = LINES


@router.get("/export", response_class=JsonLines, responses=answers(Forbidden))
async def export(engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return all entries, oldest first, as JSON lines: `artel audit verify --export FILE` checks them."""
    allowed = await caller.may("threads", "search", {})
    return StreamingResponse(_lines(engine, caller, allowed), media_type=LINES)


async def _lines(engine: Engine, caller: Caller, allowed: Allowed) -> AsyncIterator[bytes]:
    seq = 0
    while True:
        async with engine.db.connection() as conn:  # a slow reader holds none
            page = await audit.after(conn, seq, owner=caller.owner, user=_user(caller), allowed=allowed)
        if not page:
            return
        seq = page[-1].seq
        yield b"".join(link.line for link in page)


async def _record(engine: Engine, link: Link) -> dict[str, Any]:
    place = {"seq": link.seq, "written_at": link.written_at, "hash": link.hash, "prev_hash": link.prev_hash}
    return {**await audit.opened(engine.db.sealer, link), **place}


def _user(caller: Caller) -> str | None:
    """Return whose entries somebody may see whatever their threads are; None: there are no accounts."""
    return None if caller.user is None else str(caller.user.get("identity"))
