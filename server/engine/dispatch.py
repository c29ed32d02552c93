"""The one door to the engine: everything that starts, answers or stops a run comes through here."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any
from uuid import UUID

from artel.server.engine import admission, answers, endings, retention, stream, worker
from artel.server.engine.audience import CHANGED
from artel.server.engine.endings import Ending
from artel.server.engine.engine import Engine
from artel.server.engine.priority import ranked, remember
from artel.storage import approvals, events, runs, threads
from artel.storage.broker import notify
from artel.storage.errors import Conflict, NotFound
from artel.storage.postgres import Connection
from artel.storage.runs import CancelAction as CancelAction
from artel.storage.runs import KeyTaken, ThreadTaken
from artel.storage.runs import Order as Order
from artel.storage.runs import Run as Run
from artel.storage.threads import Thread, UnknownThread


class ThreadBusy(Conflict):
    """A run is pending or running on the thread, and the new one was not to wait."""

    code = "thread_busy"


async def start(engine: Engine, order: Order, *, fast: bool) -> Run:
    """Accept a run; with `fast`, on a free thread and with a free slot, it runs before this returns.

    A resume is validated, and its decisions recorded, in the transaction that accepts the run. An order with
    the idempotency key of an earlier one is that run.

    Raises:
        UnknownThread: this owner has no such thread, and the order does not say to make one.
        ThreadBusy: something is pending or running there and the order says `reject`.
        Invalid: a resume or command does not fit what the thread waits for; nothing is saved.
        AlreadyDecided: another answer came first.
        IdempotencyMismatch: its key was used for something else.
        WebhookRefused: its webhook may not be called.
        RateLimited: its user, or its assistant, has had enough runs for this minute.
    """
    order = engine.bounded(order)
    if command := order.kwargs.get("command"):
        answers.check(command)
    if earlier := await admission.earlier(engine, order):
        return earlier
    await admission.admit(engine, [order])
    order, priority = await ranked(engine, order)
    try:
        run = await _start(engine, order, fast=fast and order.due_at is None)
    except Conflict:
        if earlier := await admission.earlier(engine, order):
            return earlier
        raise
    if priority is not None:
        async with engine.db.connection() as conn:
            await remember(conn, order, priority)
    return run


async def start_all(engine: Engine, orders: Sequence[Order]) -> list[Run]:
    """Put runs into the queue, each on a thread that is made for it: all of them, or none.

    An order with the idempotency key of an earlier one is that run.

    Raises:
        IdempotencyMismatch: a key was used for something else.
        WebhookRefused: a webhook may not be called.
        RateLimited: a user, or an assistant, has had enough runs for this minute.
    """
    known = await admission.earlier_of(engine, orders)
    try:
        return await _start_all(engine, orders, known)
    except KeyTaken:
        known = await admission.earlier_of(engine, orders)
        return await _start_all(engine, orders, known)


async def _start_all(engine: Engine, orders: Sequence[Order], known: Mapping[UUID, Run]) -> list[Run]:
    fresh = [order for order in orders if order.run_id not in known]
    await admission.admit(engine, fresh)
    asked = [await ranked(engine, engine.bounded(order)) for order in fresh]
    made = dict(known)
    async with engine.db.transaction() as conn:
        for order, _ in asked:
            if run := await runs.start_on_new_thread(conn, order, None):
                made[order.run_id] = run
        for order, priority in asked:
            await remember(conn, order, priority)
    return [made[order.run_id] for order in orders if order.run_id in made]


async def _start(engine: Engine, order: Order, *, fast: bool) -> Run:
    fast = fast and engine.room > 0
    with engine.slot() if fast else nullcontext():
        answered = (order.kwargs.get("command") or {}).get("resume") is not None
        if not answered and (run := await _at_once(engine, order, fast=fast)):
            return run
        try:
            return await _enqueue(engine, order, fast=fast)
        except ThreadTaken:
            return await _enqueue(engine, order, fast=False)


async def _at_once(engine: Engine, order: Order, *, fast: bool) -> Run | None:
    """Insert the run in one statement, with `fast` already running; None when the thread is not free."""
    makes = order.temporary or order.kwargs.get("if_not_exists") == "create"
    counted = fast and bool(engine.settings.limits)
    async with engine.db.transaction() if counted else engine.db.connection() as conn:
        fast = fast and await _has_room(conn, engine, order)
        worker_id = engine.worker_id if fast else None
        run = None
        if not order.temporary:
            run = await runs.start_on_free_thread(conn, order, worker_id)
        if run is None and makes:
            run = await runs.start_on_new_thread(conn, order, worker_id)
    return _started(engine, run) if run else None


async def _has_room(conn: Connection, engine: Engine, order: Order) -> bool:
    """Whether one more run of this user and assistant may begin; nobody else looks until this ends."""
    limits = engine.settings.limits
    if not limits:
        return True
    await runs.hold(conn)
    return await runs.has_room(conn, limits, user_id=order.user_id, assistant_id=order.assistant_id)


async def _enqueue(engine: Engine, order: Order, *, fast: bool) -> Run:
    async with engine.db.transaction() as conn:
        run, stopped = await place(conn, engine, order, fast=fast)
    for run_id, action in stopped:
        worker.stop(engine, run_id, action)
    return _started(engine, run)


async def place(
    conn: Connection, engine: Engine, order: Order, *, fast: bool = False
) -> tuple[Run, list[tuple[UUID, CancelAction]]]:
    """Accept a bounded order in the caller's transaction; return the run, and the runs that stop for it.

    With the commit every process is told of all of them.

    Raises:
        UnknownThread, ThreadBusy, Invalid, AlreadyDecided: as `start` does.
    """
    fast = fast and await _has_room(conn, engine, order)
    thread = await _lock(conn, order)
    stopped = await _make_way(conn, engine, order)
    busy = await runs.in_the_way(conn, order.thread_id)
    order = await _answer(conn, thread, order)
    return await _add(engine, conn, order, claimed=fast and not busy), stopped


async def _add(engine: Engine, conn: Connection, order: Order, *, claimed: bool) -> Run:
    run = await runs.add(conn, order, worker_id=engine.worker_id if claimed else None)
    await answers.record_run(conn, run)
    return run


def _started(engine: Engine, run: Run) -> Run:
    if run.worker_id == engine.worker_id:
        worker.start(engine, run)
    return run


async def _lock(conn: Connection, order: Order) -> Thread:
    thread = await threads.lock(conn, order.thread_id, owner=order.owner, allowed=order.allowed)
    if thread is not None:
        return thread
    if not order.temporary and order.kwargs.get("if_not_exists") != "create":
        raise UnknownThread(f"no thread {order.thread_id}")
    made_with = order.thread_metadata
    await threads.create(conn, order.thread_id, owner=order.owner, metadata=made_with, life=order.life)
    return await threads.get(conn, order.thread_id, owner=order.owner)


async def _make_way(conn: Connection, engine: Engine, order: Order) -> list[tuple[UUID, CancelAction]]:
    """Do to what is on the thread what the order's strategy says; return what is to be stopped."""
    strategy = order.multitask_strategy
    if strategy == "enqueue":
        return []
    there = await runs.active(conn, order.thread_id)
    if strategy == "reject":
        if there:
            raise ThreadBusy(f"thread {order.thread_id} is busy with run {there[0].run_id}")
        return []
    return [(run.run_id, strategy) for run in there if await _cancel(conn, engine, run, strategy)]


async def _answer(conn: Connection, thread: Thread, order: Order) -> Order:
    """Validate and record what the order answers; new input sets aside what was asked before."""
    command = order.kwargs.get("command") or {}
    if command.get("resume") is not None:
        return await answers.by_wire(conn, thread, order)
    if order.kwargs.get("input") is not None or command.get("goto") is not None:
        await approvals.supersede(conn, order.thread_id)
    return order


async def answer(
    engine: Engine, approval_id: UUID, decision: Any, *, by: str, owner: str, user: str | None = None
) -> Run:
    """Record the first answer to a question and start the run that goes on with it.

    It is a question of `owner`, or one that was escalated to `user`.

    Raises:
        NotFound: neither was asked anything with that id.
        Invalid: the decision does not fit the question; nothing is saved.
        AlreadyDecided, Expired: it was answered before, or the time is over.
    """
    fast = engine.room > 0
    with engine.slot():
        try:
            return await _answer_one(engine, approval_id, decision, by, owner, user, fast=fast)
        except ThreadTaken:
            return await _answer_one(engine, approval_id, decision, by, owner, user, fast=False)


async def _answer_one(
    engine: Engine, approval_id: UUID, decision: Any, by: str, owner: str, user: str | None, *, fast: bool
) -> Run:
    async with engine.db.transaction() as conn:
        if fast and engine.settings.limits:
            await runs.hold(conn)  # before the thread: everybody takes them in this order
        asked = await approvals.get(conn, approval_id, owner=owner, user=user)
        thread = await threads.lock(conn, asked.thread_id, owner=asked.owner)
        if thread is None:
            raise NotFound(f"no approval {approval_id}")
        order = engine.bounded(await answers.by_person(conn, thread, asked, decision, by=by))
        busy = await runs.in_the_way(conn, order.thread_id)
        fast = fast and not busy and await _has_room(conn, engine, order)
        run = await _add(engine, conn, order, claimed=fast)
    return _started(engine, run)


async def cancel(
    engine: Engine,
    thread_id: UUID,
    run_id: UUID,
    *,
    action: CancelAction = "interrupt",
    wait: bool = False,
    owner: str = "local",
) -> None:
    """Stop a run for good; with `wait`, return when it has really stopped. An ended run stays as it is.

    Raises:
        UnknownRun: this owner has no such run on that thread.
    """
    async with engine.db.transaction() as conn:
        run = await _run_of(conn, thread_id, run_id, owner)
        await threads.lock(conn, thread_id, owner=owner)
        run = await runs.get(conn, run_id, owner=owner)
        if run.ended:
            return
        await _cancel(conn, engine, run, action)
    worker.stop(engine, run_id, action)
    if wait:
        await stream.ended(engine, run_id)


async def cancel_all(
    engine: Engine,
    *,
    owner: str,
    status: Sequence[runs.Status],
    thread_id: UUID | None = None,
    run_ids: Sequence[UUID] | None = None,
    action: CancelAction = "interrupt",
    allowed: str | None = None,
) -> int:
    """Stop the runs that match and have not ended; return how many those were."""
    async with engine.db.connection() as conn:
        found = await runs.stoppable(
            conn, owner=owner, status=status, thread_id=thread_id, run_ids=run_ids, allowed=allowed
        )
    for run in found:
        with suppress(NotFound):  # it has gone with its thread meanwhile
            await cancel(engine, run.thread_id, run.run_id, action=action, owner=owner)
    return len(found)


async def _cancel(conn: Connection, engine: Engine, run: Run, action: CancelAction) -> bool:
    """Note that a run shall stop, and say whether it runs; one that does not ends here.

    The caller has locked its thread.
    """
    now = await runs.cancel(conn, run.run_id, action)
    if now is None:
        return False
    if now.status == "running":
        await notify(conn, "run.cancel", str(run.run_id))
        return True
    if action == "rollback":
        await endings.forget(conn, now)
        await threads.settle(conn, run.thread_id, "idle", {})
        await notify(conn, "run.ended", str(run.run_id))
    else:
        await endings.end_unheld(conn, engine, now, Ending("interrupted", "interrupted"))
    return False


async def delete_run(engine: Engine, thread_id: UUID, run_id: UUID, *, owner: str = "local") -> None:
    """Remove a run and its events; a running one is stopped first, its checkpoints stay.

    Raises:
        UnknownRun: this owner has no such run on that thread.
    """
    await cancel(engine, thread_id, run_id, wait=True, owner=owner)
    async with engine.db.transaction() as conn:
        await _run_of(conn, thread_id, run_id, owner)
        await events.delete(conn, run_id)
        await runs.delete(conn, run_id)


async def delete_thread(
    engine: Engine, thread_id: UUID, *, owner: str = "local", allowed: str | None = None
) -> None:
    """Remove a thread with everything on it; what runs there is stopped first.

    Raises:
        UnknownThread: this owner has no such thread.
    """
    while True:
        async with engine.db.transaction() as conn:
            if await threads.lock(conn, thread_id, owner=owner, allowed=allowed) is None:
                raise UnknownThread(f"no thread {thread_id}")
            there = await runs.active(conn, thread_id)
            if not there:
                await retention.remove(conn, thread_id)
                await notify(conn, CHANGED, str(thread_id))
                break
        for run in reversed(there):
            await cancel(engine, thread_id, run.run_id, wait=True, owner=owner)
    engine.folders_left.set()


async def _run_of(conn: Connection, thread_id: UUID, run_id: UUID, owner: str) -> Run:
    run = await runs.get(conn, run_id, owner=owner)
    if run.thread_id != thread_id:
        raise runs.UnknownRun(f"no run {run_id} on thread {thread_id}")
    return run
