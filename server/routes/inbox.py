"""/api/v1/inbox: all that waits for a person in one light list, and what has ended since they looked."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.bodies import Limit
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage import inbox

router = APIRouter(prefix="/inbox", route_class=JsonRoute, tags=["Product"])


@router.get("", responses=answers())
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 100,
    since: Annotated[datetime | None, Query(description="When they looked last.")] = None,
) -> Response:
    """Return what waits, newest first; `more` if it is more than that. `ended`: runs that ended `since`.

    A question has the title of its thread and is told in a line; the whole of it is under its `approval_id`.
    One without is not in the ledger: it is answered with `command.resume` on its thread.
    """
    allowed = await caller.may("threads", "search", {"limit": limit})
    async with engine.db.connection() as conn:
        found = await inbox.waiting(
            conn, owner=caller.owner, user=caller.name, limit=limit + 1, allowed=allowed
        )
        ended = (
            await inbox.ended(conn, owner=caller.owner, since=_aware(since), allowed=allowed) if since else []
        )
    return Json(
        {
            "waiting": [asdict(one) for one in found[:limit]],
            "more": len(found) > limit,
            "ended": [asdict(one) for one in ended],
        }
    )


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
