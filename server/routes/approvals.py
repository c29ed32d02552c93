"""/api/v1/approvals: what people are asked, and their answers."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.engine import dispatch
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Limit, Offset
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage import approvals
from artel.storage.approvals import AlreadyDecided, Approval, Expired, Status, Superseded, UnknownApproval

router = APIRouter(prefix="/approvals", route_class=JsonRoute, tags=["Product"])


class Answer(Body):
    """A decision, in the form the question takes: `{"type": "approve"}` for most."""

    decision: dict[str, Any] = Field(description="approve, edit with edited_action, reject, respond")


class Started(BaseModel):
    """The run that goes on with the answer."""

    run_id: UUID
    thread_id: UUID


@router.get("", responses=answers())
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    status: Status | None = None,
    thread_id: UUID | None = None,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return questions, newest first."""
    async with engine.db.connection() as conn:
        found = await approvals.search(
            conn, owner=caller.owner, status=status, thread_id=thread_id, limit=limit, offset=offset
        )
    return Json([_record(asked) for asked in found])


@router.get("/{approval_id}", responses=answers(UnknownApproval))
async def get(approval_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return a question."""
    async with engine.db.connection() as conn:
        return Json(_record(await approvals.get(conn, approval_id, owner=caller.owner)))


@router.post(
    "/{approval_id}",
    status_code=202,
    responses=answers(UnknownApproval, AlreadyDecided, Expired, Superseded),
)
async def answer(approval_id: UUID, body: Answer, engine: GivenEngine, caller: GivenCaller) -> Started:
    """Record a decision and let the run go on."""
    run = await dispatch.answer(engine, approval_id, body.decision, by=caller.owner, owner=caller.owner)
    return Started(run_id=run.run_id, thread_id=run.thread_id)


def _record(asked: Approval) -> dict[str, Any]:
    named = (
        "approval_id",
        "thread_id",
        "run_id",
        "interrupt_id",
        "namespace",
        "kind",
        "tool_call_id",
        "tool",
        "args",
        "value",
        "status",
        "asked_at",
        "expires_at",
        "decision",
        "decided_at",
        "decided_by",
        "answer_run_id",
    )
    return {name: getattr(asked, name) for name in named}
