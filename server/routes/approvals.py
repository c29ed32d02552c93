"""/api/v1/approvals: what people are asked, and their answers."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine, dispatch
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Limit, Offset
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage import approvals
from artel.storage.approvals import AlreadyDecided, Approval, Expired, Status, Superseded, UnknownApproval
from artel.storage.errors import Invalid

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
    value = {"thread_id": thread_id, "limit": limit, "offset": offset}
    allowed = await caller.may("threads", "search", value)
    async with engine.db.connection() as conn:
        found = await approvals.search(
            conn,
            owner=caller.owner,
            status=status,
            thread_id=thread_id,
            limit=limit,
            offset=offset,
            allowed=allowed,
        )
    return Json([_record(asked) for asked in found])


@router.get("/{approval_id}", responses=answers(UnknownApproval))
async def get(approval_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return a question."""
    return Json(_record(await _seen(engine, approval_id, caller, "read")))


@router.post(
    "/{approval_id}",
    status_code=202,
    responses=answers(UnknownApproval, AlreadyDecided, Expired, Superseded),
)
async def answer(approval_id: UUID, body: Answer, engine: GivenEngine, caller: GivenCaller) -> Started:
    """Record a decision and let the run go on."""
    if caller.policy:
        await _seen(engine, approval_id, caller, "create_run")
    if caller.name == approvals.CLOCK:
        raise Invalid(
            f"somebody whose name is {caller.name!r} cannot answer: it means that nobody did in time"
        )
    run = await dispatch.answer(engine, approval_id, body.decision, by=caller.name, owner=caller.owner)
    return Started(run_id=run.run_id, thread_id=run.thread_id)


async def _seen(
    engine: Engine, approval_id: UUID, caller: Caller, doing: Literal["read", "create_run"]
) -> Approval:
    """Return a question of a thread with which the caller may do something.

    Raises:
        UnknownApproval: they can see no such question.
        Forbidden: they may not.
    """
    async with engine.db.connection() as conn:
        asked = await approvals.get(conn, approval_id, owner=caller.owner)
        allowed = await caller.may("threads", doing, {"thread_id": asked.thread_id, "metadata": {}})
        if allowed is None:
            return asked
        return await approvals.get(conn, approval_id, owner=caller.owner, allowed=allowed)


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
