"""/api/v1/approvals: what people are asked, and their answers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from artel.graphs.decisions import shown_calls
from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine, dispatch
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Limit, Offset
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage import approvals
from artel.storage.approvals import AlreadyDecided, Approval, Expired, Status, Superseded, UnknownApproval
from artel.storage.asking import question_of
from artel.storage.errors import Invalid

SAID = ("risk", "reason", "rule", "diff")  # of a question about one call; of a batched one in its `calls`
CALL = ("tool_call_id", "name", "args", *SAID)

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
            user=caller.name,
            status=status,
            thread_id=thread_id,
            limit=limit,
            offset=offset,
            allowed=allowed,
        )
    return Json([record(asked) for asked in found])


@router.get("/{approval_id}", responses=answers(UnknownApproval))
async def get(approval_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return a question."""
    return Json(record(await seen(engine, approval_id, caller, "read")))


@router.post(
    "/{approval_id}",
    status_code=202,
    responses=answers(UnknownApproval, AlreadyDecided, Expired, Superseded),
)
async def answer(approval_id: UUID, body: Answer, engine: GivenEngine, caller: GivenCaller) -> Started:
    """Record a decision and let the run go on."""
    return await decide(engine, approval_id, body.decision, caller)


async def decide(engine: Engine, approval_id: UUID, decision: Any, caller: Caller) -> Started:
    """Record what a caller decides, and let the run go on.

    Raises:
        UnknownApproval, Forbidden: they see no such question, or may not answer it.
        Invalid: the decision does not fit the question; nothing is saved.
        AlreadyDecided, Superseded, Expired: it was answered before, set aside, or the time is over.
    """
    if caller.policy:
        await seen(engine, approval_id, caller, "create_run")
    by = caller.name
    if by == approvals.CLOCK:
        raise Invalid(f"somebody whose name is {by!r} cannot answer: it means that nobody did in time")
    run = await dispatch.answer(engine, approval_id, decision, by=by, owner=caller.owner, user=by)
    return Started(run_id=run.run_id, thread_id=run.thread_id)


async def seen(
    engine: Engine, approval_id: UUID, caller: Caller, doing: Literal["read", "create_run"]
) -> Approval:
    """Return a question of a thread with which the caller may do something, or one escalated to them.

    Raises:
        UnknownApproval: they can see no such question.
        Forbidden: they may not.
    """
    async with engine.db.connection() as conn:
        user = caller.name
        asked = await approvals.get(conn, approval_id, owner=caller.owner, user=user)
        allowed = await caller.may("threads", doing, {"thread_id": asked.thread_id, "metadata": {}})
        if allowed is None:
            return asked
        return await approvals.get(conn, approval_id, owner=caller.owner, allowed=allowed, user=user)


def record(asked: Approval) -> dict[str, Any]:
    """Return a question as clients see it: the row, and what its block says of risk, rule, time and change.

    `waited_s` counts until the answer, or until now; `agent_path` names the nodes that led to it.
    """
    question = question_of(asked.value)
    ours = question.get("artel")
    said: Mapping[str, Any] = ours if isinstance(ours, Mapping) else {}
    until = asked.decided_at or asked.superseded_at or datetime.now(UTC)
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
        "agent",
        "on_timeout",
        "escalate_to",
        "escalated_at",
        "parked_at",
    )
    return {
        **{name: getattr(asked, name) for name in named},
        "agent_path": _path(asked.namespace),
        "parked": asked.parked_at is not None,
        "waited_s": max(0.0, round((until - asked.asked_at).total_seconds(), 3)),
        "description": question.get("description"),
        **{name: said.get(name) for name in SAID},
        "calls": [{name: call.get(name) for name in CALL} for call in shown_calls(question)],
    }


def _path(namespace: str) -> list[str]:
    """Return the nodes of a namespace; LangGraph numbers the graphs that one task calls.

    >>> _path("tools:1f0c|1|inner:77aa")
    ['tools', 'inner']
    """
    return [part.partition(":")[0] for part in namespace.split("|") if part and not part.isdigit()]
