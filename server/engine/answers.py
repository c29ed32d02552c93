"""Answers to questions: checked before anything is saved, recorded with the run that carries them."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any
from uuid import UUID

from artel.graphs import decisions, granting
from artel.graphs.inbox import answer_of
from artel.server.engine.auditing import decision_entries, grant_entry
from artel.server.engine.pickup import command_of
from artel.server.engine.unseen import sha_of
from artel.storage import approvals, audit, grants, runs
from artel.storage.approvals import AlreadyDecided, Approval
from artel.storage.asking import question_of
from artel.storage.errors import Invalid
from artel.storage.postgres import Connection
from artel.storage.runs import Order, Run
from artel.storage.threads import Thread

INTERRUPT_ID_CHARS = 32  # hex digits
CARRIED_ON = (  # what an answer's run takes over from the run that asked
    "config",
    "context",
    "interrupt_before",
    "interrupt_after",
    "stream_mode",
    "stream_subgraphs",
    "stream_resumable",
    "durability",
    "closely",
    "webhook",
    "user",
    "permissions",
    "request_id",
    "folder_of",
)


def check(command: Mapping[str, Any]) -> None:
    """Refuse a command that no graph could be given.

    Raises:
        Invalid: `goto` or `update` is none of the forms there are.
    """
    command_of(command)


async def by_wire(conn: Connection, thread: Thread, order: Order) -> Order:
    """Record what `command.resume` answers, and address each answer to its question.

    Raises:
        Invalid: one answer for several questions, an unknown question, or an answer that does not fit.
        AlreadyDecided: another answer came first.
    """
    resume = order.kwargs["command"]["resume"]
    rows = {row.interrupt_id: row for row in await approvals.open_of_thread(conn, thread.thread_id)}
    given = resume if _addressed(resume) else await _only(conn, thread, rows, resume)
    if given is None:
        return order
    answers, asked = {}, []
    for interrupt_id, decision in given.items():
        if row := rows.get(interrupt_id):
            answers[interrupt_id] = _validated(row.value, decision)
            asked.append(row)
        else:
            await _unknown(conn, thread, interrupt_id)
            answers[interrupt_id] = decision
    entries = []
    for row in asked:
        answer = answers[row.interrupt_id]
        decided = await approvals.decide(conn, row.approval_id, answer, by="wire", owner=order.owner)
        entries += decision_entries(decided, answer, by="wire", user=order.user_id)
        entries += await _granted(conn, row, answer, user=order.user_id)
    await audit.add(conn, entries)
    return _with(order, thread, answers, asked, by="wire")


def _validated(value: Any, decision: Any) -> Any:
    return decisions.check(value, decision, _check_args)


def _check_args(tool: str, args: Mapping[str, Any]) -> None:
    """Ask our tools, which a server of other people's graphs loads only for this: 6 MB."""
    import_module("artel.graphs.approval").check_args(tool, args)


def _addressed(resume: object) -> bool:
    """Whether a resume value names the questions it answers."""
    return isinstance(resume, dict) and bool(resume) and all(_is_interrupt_id(key) for key in resume)


def _is_interrupt_id(key: object) -> bool:
    return (
        isinstance(key, str)
        and len(key) == INTERRUPT_ID_CHARS
        and all(digit in "0123456789abcdef" for digit in key)
    )


async def _only(
    conn: Connection, thread: Thread, rows: Mapping[str, Approval], resume: Any
) -> dict[str, Any] | None:
    """Address a bare answer to the one question that is open; None when nothing was asked."""
    if len(rows) > 1:
        raise Invalid(
            f"command.resume must map interrupt ids to answers: {len(rows)} questions are open "
            f"({', '.join(sorted(rows))})"
        )
    if rows:
        return {next(iter(rows)): resume}
    open_ids = [asked["id"] for tasks in thread.interrupts.values() for asked in tasks]
    if thread.status == "busy" and any(
        [await approvals.decided(conn, thread.thread_id, one) for one in open_ids]
    ):
        raise AlreadyDecided("the question was answered before; the first answer stands")
    return {open_ids[0]: resume} if len(open_ids) == 1 and thread.status != "busy" else None


async def _unknown(conn: Connection, thread: Thread, interrupt_id: str) -> None:
    """Say why an answer has no open question; silent when only its row is missing."""
    if await approvals.decided(conn, thread.thread_id, interrupt_id):
        raise AlreadyDecided(f"question {interrupt_id} was answered before; the first answer stands")
    asked = {one["id"] for tasks in thread.interrupts.values() for one in tasks}
    if interrupt_id not in asked:
        raise Invalid(f"command.resume names {interrupt_id}, which is no open question of this thread")


async def by_person(conn: Connection, thread: Thread, asked: Approval, decision: Any, *, by: str) -> Order:
    """Record a decision and return the order that carries it to the graph.

    Raises:
        Invalid: the decision does not fit the question; nothing is saved.
        AlreadyDecided, Superseded, Expired: it was answered before, set aside, or the time is over.
    """
    checked = _validated(asked.value, decision)
    decided = await approvals.decide(conn, asked.approval_id, checked, by=by, owner=asked.owner)
    order = await _order_of(conn, thread, asked)
    entries = decision_entries(decided, checked, by=by, user=by)
    await audit.add(conn, [*entries, *await _granted(conn, asked, checked, user=by)])
    return _with(order, thread, {asked.interrupt_id: checked}, [asked], by=by)


async def _granted(conn: Connection, asked: Approval, decision: Any, *, user: str) -> list[dict[str, Any]]:
    """Write what a person grants with an answer; return what the audit log is told of it."""
    entries = []
    for one in granting.taken(question_of(asked.value), decision):
        made = await grants.add(
            conn,
            owner=asked.owner,
            user_id=user,
            scope=one.scope,
            tool=one.tool,
            covers=[covers.model_dump(mode="json", exclude_defaults=True) for covers in one.covers],
            agent=one.agent,
            thread_id=asked.thread_id,
            workspace=one.workspace,
            approval_id=asked.approval_id,
            expires_in_s=one.expires_in_s,
        )
        entries.append(grant_entry(made, "granted", user=user))
    return entries


async def by_timeout(conn: Connection, thread: Thread, asked: Approval) -> Order:
    """Record that nobody answered in time, which is a no, and return the order that says so to the graph.

    Raises:
        AlreadyDecided: somebody did, or another process recorded it.
    """
    decision = timeout_of(asked.value, asked)
    decided = await approvals.decide(conn, asked.approval_id, decision, by="timeout", owner=asked.owner)
    order = await _order_of(conn, thread, asked)
    await audit.add(conn, decision_entries(decided, decision, by="timeout", user=""))
    return _with(order, thread, {asked.interrupt_id: decision}, [asked], by="timeout")


def timeout_of(value: Any, asked: Approval) -> dict[str, Any]:
    """Return the no that stands for silence, in the shape the question takes."""
    limit = (asked.expires_at - asked.asked_at).total_seconds() if asked.expires_at else 0
    no = {"type": "reject", "message": f"No answer within {limit:.0f} s", "timeout": True}
    match value:
        case {"action_requests": list(actions)}:
            return {"decisions": [no] * len(actions)}
    return no


async def _order_of(conn: Connection, thread: Thread, asked: Approval) -> Order:
    """Return an order like the run that asked; when that was deleted, one for the thread's graph."""
    run = await runs.find(conn, asked.run_id)
    if run is None:
        known = thread.metadata
        return Order(thread.thread_id, UUID(known["assistant_id"]), known["graph_id"], owner=thread.owner)
    kwargs = {name: run.kwargs[name] for name in CARRIED_ON if name in run.kwargs}
    return Order(
        thread.thread_id,
        run.assistant_id,
        run.graph_id,
        kwargs,
        metadata=run.metadata,
        owner=run.owner,
        priority=run.priority,
        user_id=run.user_id,
    )


def _with(
    order: Order, thread: Thread, answers: dict[str, Any], decided: list[Approval], *, by: str
) -> Order:
    """Return the order with its answers addressed, and with word of what they decided for its event log."""
    tasks = {one["id"]: task_id for task_id, asked in thread.interrupts.items() for one in asked}
    said = [
        {
            "approval_id": str(row.approval_id),
            "interrupt_id": row.interrupt_id,
            "decision": answers[row.interrupt_id],
            "by": by,
            "task_id": tasks.get(row.interrupt_id),
            "asked_sha": sha_of(row.value),
        }
        for row in decided
    ]
    resume = answers | {row.interrupt_id: answer_of(row.value, answers[row.interrupt_id]) for row in decided}
    command = {**(order.kwargs.get("command") or {}), "resume": resume}
    return replace(order, kwargs={**order.kwargs, "command": command, "answers": said})


async def record_run(conn: Connection, run: Run) -> None:
    """Note with the questions which run carries their answers."""
    for answer in run.kwargs.get("answers") or ():
        await approvals.answered_by(conn, answer["approval_id"], run.run_id)
