"""/api/v1/webhooks: what was told to whom of the ends of runs, and what they answered."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.bodies import Limit, Offset
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage import webhooks
from artel.storage.errors import Forbidden
from artel.storage.webhooks import Delivery, Status, UnknownDelivery

router = APIRouter(prefix="/webhooks", route_class=JsonRoute, tags=["Product"])


@router.get("", responses=answers(Forbidden))
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    status: Status | None = None,
    run_id: UUID | None = None,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return deliveries, newest first, each with the log of its attempts."""
    allowed = await caller.may("threads", "search", {"run_id": run_id})
    async with engine.db.connection() as conn:
        found = await webhooks.search(
            conn,
            owner=caller.owner,
            status=status,
            run_id=run_id,
            limit=limit,
            offset=offset,
            allowed=allowed,
        )
    return Json([_record(delivery) for delivery in found])


@router.post("/{delivery_id}/retry", status_code=202, responses=answers(UnknownDelivery, Forbidden))
async def retry(delivery_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Deliver once more, from the first attempt on; also what was delivered before."""
    allowed = await caller.may("threads", "update", {"delivery_id": delivery_id})
    async with engine.db.connection() as conn:
        again = await webhooks.retry(conn, delivery_id, owner=caller.owner, allowed=allowed)
    engine.webhooks_due.set()
    return Json(_record(again), status_code=202)


def _record(delivery: Delivery) -> dict[str, Any]:
    named = (
        "delivery_id",
        "run_id",
        "thread_id",
        "url",
        "status",
        "attempts",
        "due_at",
        "answered",
        "reason",
        "log",
        "created_at",
        "delivered_at",
    )
    return {name: getattr(delivery, name) for name in named}
