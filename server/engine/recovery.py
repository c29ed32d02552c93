"""Keeps runs alive over deaths: leases, take-over, time limits, and what a lost wake-up would have said."""

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog

from artel.server.engine import answers, endings, steering, worker
from artel.server.engine.audience import CHANGED, FOLLOW
from artel.server.engine.auditing import overdue_entries
from artel.server.engine.endings import Ending, exhausted
from artel.server.engine.engine import Engine, is_gone
from artel.storage import approvals, audit, deadlines, events, runs, sealing, threads, workers
from artel.storage.approvals import Approval
from artel.storage.broker import notify
from artel.storage.errors import Conflict, NotFound, Unavailable
from artel.storage.runs import Run
from artel.storage.sealing import CannotOpen

AGAIN_S = 0.2
FENCE_LOOK_S = 0.05
LOOK_ALONE_S = 1.0  # nobody else is there: only the dead of before, and newcomers
PRUNE_S = 600.0

log = structlog.get_logger(__name__)


async def keep_lease(engine: Engine) -> None:
    """Renew our lease, stop what was cancelled or taken from us, until cancelled."""
    missing: set[UUID] = set()
    while True:
        pause = engine.settings.renew_s
        try:
            missing = await renew(engine, missing)
        except (Unavailable, TimeoutError) as away:
            log.warning("the lease could not be renewed", reason=str(away) or "no answer")
            pause = min(pause, AGAIN_S)  # what was taken from us shall stop soon
        await asyncio.sleep(pause)


async def keep_fence(engine: Engine) -> None:
    """Stop all runs before others may take them, also while a renewal waits for its answer, until cancelled.

    That is when the lease is over, or when our lock is free for others to see: we are cut off.
    """
    while True:
        await asyncio.sleep(FENCE_LOOK_S)
        held = [execution for execution in engine.live.values() if not execution.lost]
        if held and (engine.lease_is_over() or _lost_the_lock(engine)):
            log.error("cut off from the database: stopping all runs, others may have them", runs=len(held))
            for execution in held:
                execution.lose()


def _lost_the_lock(engine: Engine) -> bool:
    since = engine.broker.unlocked_since
    return engine.others > 0 and since is not None and time.monotonic() - since > workers.STOP_S


async def renew(engine: Engine, missing: set[UUID]) -> set[UUID]:
    """Renew the lease once; return runs that are ours in the table but do not run here.

    Those seen twice in a row are released: their claim was committed, but its answer never reached us.
    """
    sent = time.monotonic()
    here = set(engine.live)
    async with asyncio.timeout(engine.settings.lease_s), engine.db.connection(control=True) as conn:
        engine.others = await workers.renew(
            conn,
            engine.worker_id,
            lock_key=engine.lock_key,
            host=engine.host,
            pid=os.getpid(),
            slots=engine.settings.slots,
            lease_s=engine.settings.lease_s,
            locked_since=engine.broker.locked_since,
        )
        engine.lease_until = sent + engine.settings.lease_s
        held = {run.run_id: run for run in await runs.of_worker(conn, engine.worker_id)}
        for run in held.values():
            if run.cancel:
                worker.stop(engine, run.run_id, run.cancel)
        for run_id in here - held.keys():
            _lose_unless_ending(engine, run_id)
        unknown = {run_id for run_id in held if run_id not in engine.live}
    for run_id in unknown & missing:
        await requeue(engine, held[run_id])
    return unknown - missing


def _lose_unless_ending(engine: Engine, run_id: UUID) -> None:
    execution = engine.live.get(run_id)
    if execution and execution.graph and not execution.graph.done():
        execution.lose()


async def keep_looking(engine: Engine) -> None:
    """Look for dead workers and take their runs over, until cancelled."""
    free: dict[UUID, float] = {}
    while True:
        try:
            free = await look(engine, free)
        except Unavailable as away:
            log.debug("cannot look at the other workers", reason=str(away))
        await asyncio.sleep(engine.settings.look_s if engine.others else LOOK_ALONE_S)


async def look(engine: Engine, free: Mapping[UUID, float]) -> dict[UUID, float]:
    """Take over from workers that have died; return whose locks are free since when."""
    now = time.monotonic()
    async with engine.db.connection(control=True) as conn:
        seen = await workers.look(conn, engine.worker_id, lease_s=engine.settings.lease_s)
    engine.others = len(seen)
    still = {sight.worker.worker_id: free.get(sight.worker.worker_id, now) for sight in seen if sight.free}
    for sight in seen:
        worker_id = sight.worker.worker_id
        gone = sight.worker.host == engine.host and is_gone(sight.worker.pid)
        if sight.dead(gone=gone, free_s=now - still.get(worker_id, now)):
            await bury(engine, worker_id)
    return still


async def bury(engine: Engine, worker_id: UUID) -> None:
    """Forget a dead worker and put its runs back into the queue; of several processes one does it."""
    async with engine.db.transaction(control=True) as conn:
        if not await workers.forget(conn, worker_id):
            return
        held = await runs.of_worker(conn, worker_id)
    engine.metrics.deaths.add()
    log.warning("a worker has died", worker_id=str(worker_id), runs=len(held))
    for run in held:
        await requeue(engine, run)
    engine.queue_changed.set()  # what it was about to take when it died is free again, and nobody says so


async def requeue(engine: Engine, run: Run) -> None:
    """Let others go on with a run whose worker died, or write the ending it cannot write itself."""
    async with engine.db.transaction(control=True) as conn:
        await threads.lock(conn, run.thread_id, owner=run.owner)
        now = await runs.find(conn, run.run_id)
        if now is None or now.attempt != run.attempt or now.status != "running":
            return
        if run.cancel == "rollback":
            await endings.forget(conn, run)
            await threads.settle(conn, run.thread_id, "idle", {})
            await notify(conn, "run.ended", str(run.run_id))
        elif run.cancel:
            await endings.end_unheld(conn, engine, run, Ending("interrupted", "interrupted"))
        elif run.attempt >= run.max_attempts:
            await endings.end_unheld(conn, engine, run, Ending("error", "error", exhausted(run)))
        elif await runs.release(conn, run, run.worker_id):
            engine.metrics.takeovers.add()
            await notify(conn, "run.queued", str(run.run_id))


async def keep_time(engine: Engine) -> None:
    """Answer questions whose time is over, requeue what nobody holds, prune old events, until cancelled."""
    pruned = 0.0
    while True:
        pause = engine.settings.poll_s
        try:
            pause = await expire(engine)
            await adopt(engine)
            await steering.carry_on_all(engine)
            if time.monotonic() - pruned > PRUNE_S:
                pruned = time.monotonic()
                async with engine.db.connection(control=True) as conn:
                    await events.prune(conn, older_than=timedelta(hours=engine.settings.event_ttl_h))
        except Unavailable as away:
            log.debug("cannot look at time limits", reason=str(away))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await engine.asked.wait()
        engine.asked.clear()


async def expire(engine: Engine) -> float:
    """Do with overdue questions what they say, mostly answer no; return the seconds until one is due."""
    async with engine.db.connection(control=True) as conn:
        overdue = await deadlines.expiring(conn)
    unreadable = False
    for asked in overdue:
        try:
            if asked.on_timeout == "park" or (asked.on_timeout == "escalate" and not asked.escalated_at):
                await _keep_open(engine, asked)
            else:
                await _time_out(engine, asked)
        except (Conflict, NotFound) as answered:
            log.debug("a question was answered in time after all", reason=str(answered))
        except CannotOpen as refused:
            unreadable = True
            log.warning("the time for a question is over, but", reason=str(refused))
    async with engine.db.connection(control=True) as conn:
        due_in = await deadlines.next_expiry_in(conn)
    if due_in is None or unreadable:
        return engine.settings.poll_s
    return min(max(due_in, 0.01), engine.settings.poll_s)


async def _keep_open(engine: Engine, asked: Approval) -> None:
    """Park or escalate a question: of several replicas one does it, and readers of the thread look again."""
    async with engine.db.transaction(control=True) as conn:
        asked = await approvals.opened(conn.sealer, asked) if conn.sealer else asked
        with sealing.within(asked.sealed_with):
            turn = deadlines.park if asked.on_timeout == "park" else deadlines.escalate
            if not await turn(conn, asked.approval_id):
                return
            await audit.add(conn, overdue_entries(asked))
        await notify(conn, CHANGED, str(asked.thread_id))


async def _time_out(engine: Engine, asked: Approval) -> None:
    """Decide and start the run that tells the graph in one transaction: one replica does it."""
    async with engine.db.transaction(control=True) as conn:
        asked = await approvals.opened(conn.sealer, asked) if conn.sealer else asked
        with sealing.within(asked.sealed_with):
            thread = await threads.lock(conn, asked.thread_id, owner=asked.owner)
            if thread is None:
                return
            order = engine.bounded(await answers.by_timeout(conn, thread, asked))
            run = await runs.add(conn, order)
            await answers.record_run(conn, run)
        await notify(conn, "run.queued", str(run.run_id))


async def adopt(engine: Engine) -> None:
    """Requeue running runs of workers that nobody knows."""
    async with engine.db.transaction(control=True) as conn:
        lost = await runs.orphaned(conn)
    for run in lost:
        await requeue(engine, run)


async def hear(engine: Engine, topic: str) -> None:
    """Pass the wake-ups of a topic on to those in this process who wait for them, until cancelled."""
    async with engine.broker.listen(topic) as bodies:
        async for body in bodies:
            if topic == "run.queued":
                engine.queue_changed.set()
                engine.wake(UUID(body))
            elif topic == "run.cancel":
                await _cancelled(engine, UUID(body))
            elif topic == "run.follow":
                engine.followed(UUID(body))
            elif topic == FOLLOW:
                engine.audience.heard(body)
            elif topic == CHANGED:
                engine.audience.wake(UUID(body))
            else:
                engine.wake(UUID(body))
                if topic == "run.ended" and engine.settings.limits:
                    engine.queue_changed.set()  # another of the same user may begin


async def _cancelled(engine: Engine, run_id: UUID) -> None:
    """Stop a run that is here; the row says how."""
    if run_id not in engine.live:
        return
    with suppress(Unavailable):
        async with engine.db.connection(control=True) as conn:
            run = await runs.find(conn, run_id)
        if run and run.cancel:
            worker.stop(engine, run_id, run.cancel)
