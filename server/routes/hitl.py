"""/api/v1/hitl: the same questions with a verb for each answer, and what their answers say of the policy."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Limit, Offset, Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.server.routes.approvals import Started, decide, record, seen
from artel.storage import approval_rates, approvals
from artel.storage.approval_rates import By, Rate, Suggestion
from artel.storage.approvals import AlreadyDecided, Approval, Expired, Status, Superseded, UnknownApproval
from artel.storage.asking import question_of
from artel.storage.errors import Invalid

router = APIRouter(prefix="/hitl", route_class=JsonRoute, tags=["Product"])

ANSWERED = answers(UnknownApproval, AlreadyDecided, Expired, Superseded)
Name = Annotated[Text | None, Query(max_length=200)]


class Approve(Body):
    """A yes: to all of a call, to parts of its change, or to other arguments."""

    hunks: list[str] | None = Field(default=None, description="Ids of the parts to make; empty: all.")
    args: dict[str, Any] | None = Field(default=None, description="Arguments to run with instead.")
    grant: dict[str, Any] | None = Field(
        default=None,
        description="What need not be asked again: `scope`, `covers` (id of an offer), `expires_in_s`.",
    )


class Reject(Body):
    """A no."""

    message: Text = Field("", description="Why, for the agent.")


class Respond(Body):
    """Words instead of a yes or a no: one of the two."""

    message: Text | None = Field(default=None, description="Words for the agent; the call is not made.")
    answer: Any = Field(
        default=None,
        description="Whatever the question takes: the decisions of a batch, say.",
    )


class Statistics(BaseModel):
    """How questions were answered."""

    by: By
    groups: list[Rate]
    suggestions: list[Suggestion] = Field(description="Calls that were always approved.")


@router.get("/requests", responses=answers())
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    status: Status | None = None,
    thread_id: UUID | None = None,
    tool: Name = None,
    agent: Name = None,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return what people were asked, newest first."""
    value = {"thread_id": thread_id, "limit": limit, "offset": offset}
    allowed = await caller.may("threads", "search", value)
    async with engine.db.connection() as conn:
        found = await approvals.search(
            conn,
            owner=caller.owner,
            user=caller.name,
            status=status,
            thread_id=thread_id,
            tool=tool,
            agent=agent,
            limit=limit,
            offset=offset,
            allowed=allowed,
        )
    return Json([record(asked) for asked in found])


@router.get("/requests/{approval_id}", responses=answers(UnknownApproval))
async def get(approval_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return what somebody was asked."""
    return Json(record(await seen(engine, approval_id, caller, "read")))


@router.put("/requests/{approval_id}/approve", status_code=202, responses=ANSWERED)
async def approve(
    approval_id: UUID, engine: GivenEngine, caller: GivenCaller, body: Approve | None = None
) -> Started:
    """Say yes; of two answers the first counts."""
    asked = await seen(engine, approval_id, caller, "create_run")
    return await decide(engine, approval_id, _each(asked, _yes(asked, body or Approve())), caller)


@router.put("/requests/{approval_id}/reject", status_code=202, responses=ANSWERED)
async def reject(
    approval_id: UUID, engine: GivenEngine, caller: GivenCaller, body: Reject | None = None
) -> Started:
    """Say no, and why."""
    asked = await seen(engine, approval_id, caller, "create_run")
    why = {"message": body.message} if body and body.message else {}
    return await decide(engine, approval_id, _each(asked, {"type": "reject", **why}), caller)


@router.post("/requests/{approval_id}/respond", status_code=202, responses=ANSWERED)
async def respond(approval_id: UUID, body: Respond, engine: GivenEngine, caller: GivenCaller) -> Started:
    """Answer in words, or with all that the question takes."""
    if (body.message is None) == (body.answer is None):
        raise Invalid("give one of message and answer")
    asked = await seen(engine, approval_id, caller, "create_run")
    words = {"type": "respond", "message": body.message}
    decision = body.answer if body.message is None else _each(asked, words)
    return await decide(engine, approval_id, decision, caller)


@router.get("/stats", responses=answers())
async def stats(
    engine: GivenEngine, caller: GivenCaller, by: By = "rule", since: AwareDatetime | None = None
) -> Statistics:
    """Count how questions asked since a moment were answered, how long they waited, what was undone later."""
    allowed = await caller.may("threads", "search", {})
    async with engine.db.connection() as conn:
        groups = await approval_rates.rates(conn, owner=caller.owner, by=by, since=since, allowed=allowed)
        found = await approval_rates.suggestions(conn, owner=caller.owner, since=since, allowed=allowed)
    return Statistics(by=by, groups=groups, suggestions=found)


def _yes(asked: Approval, body: Approve) -> dict[str, Any]:
    if body.hunks is not None and body.args is not None:
        raise Invalid("give hunks or args, not both: an edited call has other parts")
    if body.args is not None:
        if body.grant is not None:
            raise Invalid("give args or grant, not both: what is granted is the call as it was shown")
        if asked.tool is None:
            raise Invalid("args can replace those of one call; answer this question with …/respond")
        return {"type": "edit", "edited_action": {"name": asked.tool, "args": body.args}}
    return {"type": "approve", **body.model_dump(include={"hunks", "grant"}, exclude_none=True)}


def _each(asked: Approval, one: dict[str, Any]) -> dict[str, Any]:
    """Return a decision on one call, or the same on each call of a batch."""
    match question_of(asked.value):
        case {"action_requests": list(requests)}:
            if "hunks" in one or "grant" in one:
                raise Invalid(f"this question is about {len(requests)} calls: answer with …/respond")
            return {"decisions": [one] * len(requests)}
    return one
