"""What clients want done: words, answers, stops. Each goes through the same door as over HTTP."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID, uuid5

from artel.server.auth.caller import Caller
from artel.server.catalog import Catalog
from artel.server.channels.websocket.saying import Cancel, Chat, ToolApproval
from artel.server.engine import Engine, admission, dispatch, following
from artel.server.protocol import orders
from artel.server.protocol.bodies import RunBody
from artel.server.protocol.orders import Call
from artel.server.protocol.runs import NothingToCancel
from artel.server.routes import hitl
from artel.server.routes.approvals import Started, seen
from artel.storage import approvals, threads
from artel.storage.approvals import UnknownApproval
from artel.storage.errors import Conflict, Invalid
from artel.storage.ids import new_id
from artel.storage.threads import Thread

USUAL = "orchestrator"
WATCHED = {
    "stream_mode": ["messages-tuple", "values", "updates", "custom"],
    "stream_subgraphs": True,
    "stream_resumable": True,
}
SESSIONS = UUID("5d1f1a54-6a1c-5b0e-9d5e-0a7e1b0c9f42")  # below it, sessions are named by their first words
MOST = 100  # questions of a session that are looked through for one about a call


class QuestionOpen(Conflict):
    """The session waits for an answer: new words would set its question aside unread."""

    code = "question_open"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where messages of one client are taken."""

    engine: Engine
    catalog: Catalog
    caller: Caller
    request_id: str


class Begun(NamedTuple):
    """What runs now, or waits to, and the number of the last event before that."""

    session_id: UUID
    run_id: UUID
    since: int
    waits: bool = False


async def say(desk: Desk, said: Chat, *, heard: bool = False) -> Begun:
    """Start a run with somebody's words; with `heard`, in a session that is listened to already.

    Raises:
        UnknownThread: the caller has no such session.
        QuestionOpen: it waits for an answer.
        ThreadBusy, Invalid, Forbidden, RateLimited: as for every run.
    """
    thread = await _thread(desk, said.session_id) if said.session_id else None
    thread_id = said.session_id or _new_session(desk, said)
    message = {"role": "user", "content": said.message, "id": said.message_id or str(new_id())}
    place = {"workspace": said.workspace} if said.workspace else {}
    body = RunBody(
        assistant_id=said.assistant or _usual(desk, thread),
        input={"messages": [message]},
        context={**said.context, **place},
        multitask_strategy=said.if_busy,
        if_not_exists="reject" if said.session_id else "create",
        **WATCHED,  # type: ignore[arg-type]
    )
    call = Call(desk.caller, desk.request_id, said.message_id)
    order = await orders.make(desk.engine.db, desk.catalog, body, thread_id=thread_id, call=call)
    since = await following.now(desk.engine, thread_id) if thread and not heard else 0
    run = await admission.earlier(desk.engine, order)
    if run is None:
        if thread and thread.status == "interrupted":
            await _asks_nothing(desk, thread_id)
        run = await dispatch.start(desk.engine, order, fast=True)
    begins = since if run.event_base is None else min(since, run.event_base)
    return Begun(thread_id, run.run_id, begins, run.status == "pending")


async def answer(desk: Desk, said: ToolApproval) -> Begun:
    """Record a person's answer, and let the run go on; of several the first counts.

    Raises:
        UnknownApproval, Forbidden: they see no such question, or may not answer it.
        Invalid: the answer does not fit; nothing is saved.
        AlreadyDecided, Superseded, Expired: it was answered before, set aside, or the time is over.
    """
    approval_id = said.approval_id or await _about(desk, said)
    asked = await seen(desk.engine, approval_id, desk.caller, "read")
    if said.session_id not in (None, asked.thread_id):
        raise UnknownApproval(f"no approval {approval_id} in session {said.session_id}")
    since = await following.now(desk.engine, asked.thread_id)
    started = await _answered(desk, approval_id, said)
    return Begun(started.thread_id, started.run_id, since)


async def stop(desk: Desk, said: Cancel) -> None:
    """Stop what has not ended in a session, or one run of it.

    Raises:
        UnknownThread: the caller has no such session.
        NothingToCancel: all has ended.
    """
    value = {"thread_id": said.session_id, "action": "interrupt"}
    allowed = await desk.caller.may("threads", "update", value)
    async with desk.engine.db.connection() as conn:
        await threads.get(conn, said.session_id, owner=desk.caller.owner, allowed=allowed)
    found = await dispatch.cancel_all(
        desk.engine,
        owner=desk.caller.owner,
        status=("pending", "running"),
        thread_id=said.session_id,
        run_ids=[said.run_id] if said.run_id else None,
        allowed=allowed,
    )
    if not found:
        raise NothingToCancel(f"nothing runs in session {said.session_id}; there is nothing to cancel")


async def _answered(desk: Desk, approval_id: UUID, said: ToolApproval) -> Started:
    if said.answer is not None:
        return await hitl.respond(approval_id, hitl.Respond(answer=said.answer), desk.engine, desk.caller)
    if said.approved:
        yes = hitl.Approve(args=said.args, hunks=said.hunks, grant=said.grant)
        return await hitl.approve(approval_id, desk.engine, desk.caller, yes)
    return await hitl.reject(approval_id, desk.engine, desk.caller, hitl.Reject(message=said.reason or ""))


async def _about(desk: Desk, said: ToolApproval) -> UUID:
    """Return the question about a call: one that is open, or else the last that was."""
    allowed = await desk.caller.may("threads", "search", {"thread_id": said.session_id})
    async with desk.engine.db.connection() as conn:
        found = await approvals.search(
            conn,
            owner=desk.caller.owner,
            user=desk.caller.name,
            thread_id=said.session_id,
            limit=MOST,
            allowed=allowed,
        )
    calls = [one for one in found if said.tool_call_id in [one.tool_call_id, *_calls(one)]]
    if not calls:
        raise UnknownApproval(f"session {said.session_id} asks nothing about call {said.tool_call_id!r}")
    return next((one for one in calls if one.open), calls[0]).approval_id


def _calls(asked: approvals.Approval) -> list[str | None]:
    return [call.get("tool_call_id") for call in asked.calls]


async def _thread(desk: Desk, thread_id: UUID) -> Thread:
    allowed = await desk.caller.may("threads", "read", {"thread_id": thread_id})
    async with desk.engine.db.connection() as conn:
        return await threads.get(conn, thread_id, owner=desk.caller.owner, allowed=allowed)


async def _asks_nothing(desk: Desk, thread_id: UUID) -> None:
    async with desk.engine.db.connection() as conn:
        waiting = await approvals.open_of_thread(conn, thread_id)
    if waiting:
        raise QuestionOpen(f"the session waits for an answer to {waiting[0].approval_id}: give that first")


def _new_session(desk: Desk, said: Chat) -> UUID:
    """Return the id of a new session; the same words sent again begin no second one."""
    if said.message_id is None:
        return new_id()
    return uuid5(SESSIONS, f"{desk.caller.name}\0{said.message_id}")


def _usual(desk: Desk, thread: Thread | None) -> str:
    """Return who answers when nobody was named."""
    if thread and (known := thread.metadata.get("assistant_id")):
        return str(known)
    names = list(desk.catalog.names())
    if USUAL in names or len(names) == 1:
        return USUAL if USUAL in names else names[0]
    raise Invalid(f"chat: assistant is required, one of {', '.join(names)}")
