"""How a run ends: one transaction writes its status, its thread, its questions and its last events."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from langgraph.types import StateSnapshot

from artel.server.engine import steering, translate, webhooks
from artel.server.engine.audience import CHANGED
from artel.server.engine.engine import Engine
from artel.server.engine.execution import Cancelled, Done, Execution, Failed, Handed, LetGo, Outcome
from artel.server.engine.log import Part, RunLog
from artel.server.engine.webhooks import RolledBack
from artel.storage import approvals, checkpoints, events, runs, sealing, threads
from artel.storage import steering as said
from artel.storage.approvals import Approval
from artel.storage.asking import question_of
from artel.storage.broker import notify
from artel.storage.checkpoints import Load
from artel.storage.encoding import dumps, loads
from artel.storage.errors import Unstorable
from artel.storage.postgres import Connection
from artel.storage.runs import Run, numbering

log = structlog.get_logger(__name__)

LONGEST_WAIT_S = 366 * 24 * 3600.0  # whatever a graph says
KEPT_FOR_KEY = timedelta(days=1)
ROLLED_BACK: RolledBack = "rolled_back"  # said in `run.ended` and to its webhook: the run itself is gone


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to be written when a run is over."""

    status: runs.Status
    thread_status: threads.Status
    error: dict[str, str] | None = None
    state: StateSnapshot | None = None
    namespaces: Mapping[str, str] | None = None


def ending_of(outcome: Done | Failed | Cancelled) -> Ending:
    """Say how an outcome reads in the run and in its thread."""
    match outcome:
        case Done(state=None):
            return Ending("success", "idle")
        case Done(state=state, namespaces=namespaces):
            return Ending("success", "interrupted", state=state, namespaces=namespaces)
        case Failed(error=error):
            return Ending("error", "error", error=error)
    return Ending("interrupted", "interrupted")


async def settle(engine: Engine, execution: Execution, outcome: Outcome) -> Run | None:
    """Write what came of an attempt; return the thread's next run when this worker took it at once.

    Raises:
        StaleAttempt: the run has moved on; nothing was written.
        Unavailable: the database stayed away until others may have taken the run.
    """
    run = execution.run
    if isinstance(outcome, Handed):
        outcome = _too_often(run, outcome)
    match outcome:
        case LetGo():
            return None
        case Handed(whole=whole):
            await _hand_over(engine, execution, whole=whole)
            return None
        case Cancelled(action="rollback"):
            return await _roll_back(engine, execution)
        case Done() | Failed() | Cancelled():
            return await _end(engine, execution, ending_of(outcome))


def _too_often(run: Run, outcome: Handed) -> Outcome:
    """End a run whose step was broken off when it may not be begun again."""
    if outcome.whole or run.attempt < run.max_attempts:
        return outcome
    return Failed(exhausted(run))


def exhausted(run: Run) -> dict[str, str]:
    """Say that a run was begun as often as it may be."""
    times = "1 attempt" if run.attempt == 1 else f"{run.attempt} attempts"
    return {
        "error": "AttemptsExhausted",
        "message": f"given up after {times}: each time its worker stopped before the run had ended",
    }


async def _end(engine: Engine, execution: Execution, ending: Ending) -> Run | None:
    run, run_log = execution.run, execution.log
    async with run_log.storing:
        try:
            left = await _left(engine, execution)
            following, last, unheard = await _write(engine, execution, ending, left)
        except Unstorable as broken:  # the last steps, that is: what an ending says can be stored
            log.exception("the last steps of a run could not be saved", run_id=str(run.run_id))
            ending = ending_of(Failed(translate.failure(broken)))
            following, last, unheard = await _write(engine, execution, ending, Load())
        execution.status, execution.error = ending.status, ending.error
        run_log.publish(last)
        engine.metrics.stored(run_log.mark_stored(run_log.last))
    if run.kwargs.get("webhook"):
        engine.webhooks_due.set()
    if any(event.type == "approval.asked" for event in last):
        engine.asked.set()
    if unheard and following is None and ending.thread_status == "idle":
        await engine.insist(
            lambda: steering.carry_on(engine, run.thread_id, owner=run.owner), until=lambda: execution.lost
        )
    return following


async def _left(engine: Engine, execution: Execution) -> Load:
    """Return what the graph has put down and is not written: it goes with the ending.

    What the run did is in the audit log before anybody hears that it is over.
    """
    left = await execution.saver.rest() if execution.saver else Load()
    await asyncio.gather(engine.audit.end(execution.run.run_id), engine.spending.end(execution.run.run_id))
    return Load() if execution.run.temporary else left


async def _write(
    engine: Engine, execution: Execution, ending: Ending, left: Load
) -> tuple[Run | None, list[events.Event], bool]:
    """Write an ending; return also whether something was said to the run that it has not heard."""
    run, run_log = execution.run, execution.log
    tries = 0

    async def write() -> tuple[Run | None, list[events.Event], bool]:
        nonlocal tries
        tries += 1
        async with engine.db.transaction(control=True, batch=tries == 1) as conn:
            if tries > 1 and await _is_over(conn, run, run_log):
                return None, run_log.draft([_last_word(ending)]), False
            ended, last = await write_end(conn, run, run_log, ending, engine, left)
            well = ending.status == "success" and not run.temporary
            rest = await said.settle(conn, run.thread_id, run.run_id) if well else None
        return await ended.following(), last, bool(rest and await rest.waits())

    return await engine.insist(write, until=lambda: execution.lost)


async def _is_over(conn: Connection, run: Run, run_log: RunLog) -> bool:
    """Look whether a write whose answer was lost has been committed; note the events that were."""
    now = await runs.find(conn, run.run_id)
    if now is None or (now.ended and now.attempt == run.attempt):
        return True
    run_log.mark_stored(min(run_log.last, await events.last_seq(conn, run.run_id)))
    return False


def _last_word(ending: Ending) -> Part:
    return "run.ended", "", dumps({"status": ending.status, "thread_status": ending.thread_status})


async def write_end(
    conn: Connection, run: Run, run_log: RunLog, ending: Ending, engine: Engine, left: Load
) -> tuple[runs.End, list[events.Event]]:
    """Write an ending; return what will say the thread's next run, and the events drafted for this end.

    The thread is locked before the run: whoever starts or cancels something does it in that order too.
    """
    await threads.hold(conn, run.thread_id)
    await checkpoints.save(conn, run.run_id, run.attempt, left)
    left.settle(None)  # events may name these checkpoints: they are committed together or not at all
    asked = await _ask(conn, run, ending, engine.settings.approval_timeout_s)
    status = ending.thread_status
    parts: list[Part] = [("approval.asked", row.namespace, dumps(_question(row))) for row in asked]
    if ending.error:
        parts.append(("error", "", dumps(ending.error)))
    parts.append(_last_word(ending))
    last = run_log.draft(parts)
    await events.append(conn, run.run_id, run.attempt, [*run_log.unstored(), *last])
    ended = await runs.end(
        conn,
        run,
        ending.status,
        thread_status=status,
        interrupts=open_questions(ending.state) if ending.status == "success" else None,
        open_only=True,
        error=ending.error,
        next_worker=_next_worker(engine, run),
    )
    await webhooks.add(conn, run, ending.status, ending.error, run_log.values)
    await _leave(conn, run)
    return ended, last


async def _leave(conn: Connection, run: Run) -> None:
    """Remove the thread that was made for a run; one that may be asked for again by its key stays a day."""
    if not run.temporary:
        return
    await checkpoints.delete_thread(conn, run.thread_id)
    if run.idempotency_key is None:
        await threads.delete(conn, run.thread_id)
    else:
        await runs.keep_thread(conn, run.thread_id, KEPT_FOR_KEY)


def _next_worker(engine: Engine, run: Run) -> UUID | None:
    """Who goes on with the next run of the thread at once: we, unless we are going home."""
    if run.temporary or engine.draining or not engine.settings.worker or engine.settings.limits:
        return None
    return engine.worker_id


async def _roll_back(engine: Engine, execution: Execution) -> Run | None:
    run, run_log = execution.run, execution.log
    async with run_log.storing:
        await _left(engine, execution)

        async def write() -> Run | None:
            async with engine.db.transaction(control=True) as conn:
                await threads.lock(conn, run.thread_id, owner=run.owner)
                ended = await runs.end(
                    conn, run, "interrupted", thread_status="idle", next_worker=_next_worker(engine, run)
                )
                following = await ended.following()
                await forget(conn, run)
                return following

        following = await engine.insist(write, until=lambda: execution.lost)
        engine.webhooks_due.set()
        end = dumps({"status": ROLLED_BACK, "thread_status": "idle"})
        run_log.publish(run_log.draft([("run.ended", "", end)]))
        run_log.mark_stored(run_log.last)
    return following


async def forget(conn: Connection, run: Run) -> None:
    """Remove a run and all it left: its checkpoints, its events, its questions; its webhook is told."""
    await webhooks.add(conn, run, ROLLED_BACK, None, None)
    await checkpoints.delete_run(conn, run.thread_id, run.run_id)
    await events.delete(conn, run.run_id)
    await approvals.delete_of_run(conn, run.run_id)
    await numbering.retire_numbers(conn, run.run_id)
    await said.give_back(conn, run.run_id)
    await runs.delete(conn, run.run_id)
    if run.temporary:
        await checkpoints.delete_thread(conn, run.thread_id)
        await threads.delete(conn, run.thread_id)


async def _hand_over(engine: Engine, execution: Execution, *, whole: bool) -> None:
    run, run_log = execution.run, execution.log
    async with run_log.storing:
        left = await _left(engine, execution)
        tries = 0

        async def write() -> None:
            nonlocal tries
            tries += 1
            async with engine.db.transaction(control=True) as conn:
                if tries > 1 and await _is_released(conn, engine, run, run_log):
                    return
                await checkpoints.save(conn, run.run_id, run.attempt, left)
                left.settle(None)
                await events.append(conn, run.run_id, run.attempt, run_log.unstored())
                await runs.release(conn, run, engine.worker_id, granted=1 if whole else 0)
                await notify(conn, "run.queued", str(run.run_id))

        await engine.insist(write, until=lambda: execution.lost)
        run_log.mark_stored(run_log.last)


async def _is_released(conn: Connection, engine: Engine, run: Run, run_log: RunLog) -> bool:
    now = await runs.find(conn, run.run_id)
    run_log.mark_stored(min(run_log.last, await events.last_seq(conn, run.run_id)))
    return now is None or now.attempt != run.attempt or now.worker_id != engine.worker_id


async def end_unheld(conn: Connection, engine: Engine, run: Run, ending: Ending) -> None:
    """End a run that no worker holds: cancelled in the queue, or begun as often as it may be.

    The caller has locked its thread and the run.
    """
    start = 1 + (await numbering.place(conn, run) if run.event_base is None else run.reserved_seq)
    parts: list[Part] = []
    if ending.error:
        parts.append(("error", "", dumps(ending.error)))
    parts.append(_last_word(ending))
    drafted = [events.Event(start + i, *part) for i, part in enumerate(parts)]
    with sealing.within(run.sealed_with):
        await events.append_unfenced(conn, run.run_id, run.attempt, drafted)
        ended = await runs.end(
            conn, run, ending.status, thread_status=ending.thread_status, error=ending.error
        )
        await ended.following()
    engine.metrics.ended(run, ending.status)
    if run.event_base is None:  # readers of the thread were never told of it
        await notify(conn, CHANGED, str(run.thread_id))
    with sealing.within(run.sealed_with):
        await webhooks.add(conn, run, ending.status, ending.error, None)
    await _leave(conn, run)


def open_questions(state: StateSnapshot | None) -> dict[str, list[dict[str, Any]]]:
    """Return what a thread waits for, as its row has it: `{task_id: [{id, value}]}`."""
    return {
        task.id: [{"id": asked.id, "value": loads(dumps(asked.value))} for asked in task.interrupts]
        for task in (state.tasks if state else ())
        if task.interrupts
    }


async def _ask(conn: Connection, run: Run, ending: Ending, timeout_s: float) -> Sequence[Approval]:
    """Write a row for each question that has none that still counts."""
    rows: list[Approval] = []
    for questions in open_questions(ending.state).values():
        for question in questions:
            rows += await approvals.ask(
                conn,
                thread_id=run.thread_id,
                run_id=run.run_id,
                interrupt_id=question["id"],
                value=question["value"],
                namespace=(ending.namespaces or {}).get(question["id"], ""),
                owner=run.owner,
                expires_in_s=_limit_s(question["value"], timeout_s),
            )
    return rows


def _limit_s(value: Any, timeout_s: float) -> float | None:
    """Only our agents' calls have a time limit, the one that is shown; questions and plans have none."""
    match question_of(value):
        case {"artel": {"expires_in_s": int() | float() as shown_s}}:
            return float(min(max(shown_s, 0.0), LONGEST_WAIT_S))
        case {"artel": {"kind": "question" | "plan"}}:
            return None
        case {"artel": {**_ours}}:
            return timeout_s
    return None


def _question(row: Approval) -> dict[str, Any]:
    """Say a question as the event log has it."""
    return {
        "approval_id": row.approval_id,
        "run_id": row.run_id,
        "thread_id": row.thread_id,
        "interrupt_id": row.interrupt_id,
        "kind": row.kind,
        "tool": row.tool,
        "tool_call_id": row.tool_call_id,
        "args": row.args,
        "value": row.value,
        "asked_at": row.asked_at,
        "expires_at": row.expires_at,
    }
