"""/api/v1/usage: what calls of models used and cost."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.bodies import Limit
from artel.server.protocol.given import GivenEngine, JsonRoute
from artel.storage import usage
from artel.storage.errors import Forbidden
from artel.storage.usage import By, Sum

router = APIRouter(prefix="/usage", route_class=JsonRoute, tags=["Product"])

NOTHING = Sum("", 0, 0, 0, 0, 0, 0, None, None, 0, 0.0)


class Usage(BaseModel):
    """Calls of models, together and in groups."""

    total: Sum = Field(description="Of all of them.")
    groups: list[Sum] = Field(description="The latest first; empty without `group_by`.")


@router.get("", responses=answers(Forbidden))
async def look(
    engine: GivenEngine,
    caller: GivenCaller,
    thread_id: UUID | None = None,
    run_id: UUID | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    group_by: Annotated[By | None, Query(description="Without it only the total.")] = None,
    limit: Annotated[Limit, Query(description="Groups at most.")] = 100,
) -> Usage:
    """Return tokens, the share a prompt cache answered, and US dollars where the price is known.

    A call is counted when its answer has come to its end, at the latest two seconds later.
    """
    allowed = await caller.may("threads", "search", {"thread_id": thread_id})
    where = {"thread_id": thread_id, "run_id": run_id}
    asked = {"owner": caller.owner, "since": since, "until": until, "allowed": allowed}
    async with engine.db.connection() as conn:
        total = await usage.sums(conn, **where, **asked)  # type: ignore[arg-type]
        groups = (
            await usage.sums(conn, **where, **asked, by=group_by, limit=limit)  # type: ignore[arg-type]
            if group_by
            else []
        )
    return Usage(total=total[0] if total else NOTHING, groups=groups)
