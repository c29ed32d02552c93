"""Takes runs from the queue and runs them, as many at once as there are slots."""

import asyncio
from contextlib import suppress
from functools import partial
from uuid import UUID

import structlog

from artel.server.engine import endings, storing
from artel.server.engine.engine import Engine
from artel.server.engine.execution import Cancelled, Execution, Outcome, attempt, stopped
from artel.server.engine.log import RunLog
from artel.server.telemetry.carried import bind_run
from artel.server.telemetry.watch import Watch
from artel.storage import runs, sealing
from artel.storage.encoding import dumps
from artel.storage.errors import Unavailable
from artel.storage.runs import Run, StaleAttempt, ThreadTaken

AT_ONCE = 16  # runs claimed by one statement
SETTLE_S = 0.02  # what was taken begins before the queue, now empty, is looked at again
LOOK_S = 5.0  # whether a run that was told to stop still goes on
STARTING_S = 0.01  # until a run that is being taken may be live
LAST_WRITE_S = 5.0  # for handing over what was broken off

log = structlog.get_logger(__name__)


def start(engine: Engine, run: Run) -> Execution:
    """Run what this worker holds; its first event is there before this returns."""
    run_log = RunLog(run, keep=engine.settings.ring_events, changed=partial(storing.changed, engine))
    execution = Execution(run, run_log, Watch(engine.metrics, run, engine.spending.note))
    engine.live[run.run_id] = execution
    if engine.draining:
        execution.control.request_drain()
    run_log.add("metadata", "", dumps({"run_id": run.run_id, "attempt": run.attempt}))
    if run.attempt == 1:
        for answer in run.kwargs.get("answers") or ():
            run_log.add("approval.decided", "", dumps(answer))
    execution.work = asyncio.create_task(_work(engine, execution), name=f"run {run.run_id}")
    engine.wake(run.run_id)
    engine.audience.changed(run.thread_id)
    return execution


async def _work(engine: Engine, execution: Execution) -> None:
    """Run it, write what came of it, free the slot, and go on with the thread's next run."""
    run = execution.run
    sealing.told.set(run.sealed_with)
    asked_by = run.kwargs.get("request_id")
    ids = {"run_id": run.run_id, "thread_id": run.thread_id, "request_id": asked_by}
    bind_run(engine.worker_id, ids)
    following: Run | None = None
    try:
        outcome = await _supervise(engine, execution)
        following = await endings.settle(engine, execution, outcome)
        _ended(engine, execution, outcome)
    except StaleAttempt:
        log.info("a run has moved on", run_id=str(run.run_id), attempt=run.attempt)
    except Unavailable as away:
        log.warning("a run was left to others", run_id=str(run.run_id), reason=str(away))
    except Exception:
        log.exception("the end of a run could not be written", run_id=str(run.run_id))
    finally:
        execution.log.close()
        if engine.live.get(run.run_id) is execution:
            del engine.live[run.run_id]
        engine.wake(run.run_id)
        if engine.hungry:
            engine.hungry = False
            engine.queue_changed.set()
    if following is not None:
        start(engine, following)


def _ended(engine: Engine, execution: Execution, outcome: Outcome) -> None:
    """Count a run that has ended, and say so in one line; one that goes on elsewhere has not."""
    run, watch = execution.run, execution.watch
    status = execution.status
    if status is None and isinstance(outcome, Cancelled) and outcome.action == "rollback":
        status = endings.ROLLED_BACK
    if status is None:
        return
    engine.metrics.ended(run, status, watch.took_s)
    log.info(
        "a run has ended",
        run_id=str(run.run_id),
        thread_id=str(run.thread_id),
        graph_id=run.graph_id,
        status=status,
        attempt=run.attempt,
        took_s=round(watch.took_s, 3),
        waited_s=round(watch.waited_s, 3),
        input_tokens=watch.input_tokens,
        output_tokens=watch.output_tokens,
    )


async def _supervise(engine: Engine, execution: Execution) -> Outcome:
    if execution.run.cancel:  # noted before we had it
        execution.stop(execution.run.cancel)
    if execution.breaking_off:
        return stopped(execution)
    graph = asyncio.create_task(attempt(engine, execution), name=f"graph {execution.run.run_id}")
    execution.graph = graph
    while True:
        done, _ = await asyncio.wait({graph}, timeout=LOOK_S)
        if done:
            return stopped(execution) if graph.cancelled() else graph.result()
        execution.nudge()


async def keep_claiming(engine: Engine) -> None:
    """Take runs whenever the queue changes or a delayed run falls due, until cancelled or draining."""
    while not engine.draining:
        engine.queue_changed.clear()
        timeout = engine.poll_s
        try:
            timeout = await _claim(engine)
        except Unavailable as away:
            log.warning("the queue cannot be read", reason=str(away))
            timeout = 0.2
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await engine.queue_changed.wait()


async def _claim(engine: Engine) -> float:
    """Start what can be started; return the seconds after which to look again."""
    while engine.room > 0:
        most = min(AT_ONCE, engine.room)
        try:
            engine.claiming = True
            taken = await _take(engine, most)
            for run in taken:
                start(engine, run)
        except ThreadTaken:
            return SETTLE_S
        finally:
            engine.claiming = False
        if not taken:
            async with engine.db.connection(control=True) as conn:
                due_in = await runs.next_due_in(conn)
            return engine.poll_s if due_in is None else min(engine.poll_s, max(0.0, due_in))
        if len(taken) < most:
            return SETTLE_S
    engine.hungry = True
    return engine.settings.poll_s


async def _take(engine: Engine, most: int) -> list[Run]:
    limits = engine.settings.limits
    if not limits:
        async with engine.db.connection(control=True) as conn:
            return await runs.claim(conn, engine.worker_id, most=most)
    async with engine.db.transaction(control=True) as conn:
        await runs.hold(conn)
        return await runs.claim(conn, engine.worker_id, most=most, limits=limits)


async def drain(engine: Engine, grace_s: float | None = None) -> None:
    """Stop taking runs, let the steps in flight end, hand over what is not done then.

    Also the runs that are taken from the queue, or accepted, in this very moment: they are live only later.
    """
    engine.draining = True
    engine.queue_changed.set()
    engine.audience.wake_all()
    for execution in engine.live.values():
        execution.control.request_drain()
    with suppress(TimeoutError):
        async with asyncio.timeout(engine.settings.grace_s if grace_s is None else grace_s):
            await _emptied(engine)
    if not engine.live:
        return
    for execution in engine.live.values():
        execution.hand_over()
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_WRITE_S):
            await _emptied(engine)
    for execution in engine.live.values():  # the database is away: our lease will say it for us
        execution.lose()


async def _emptied(engine: Engine) -> None:
    """Return when nothing runs here, and nothing is about to."""
    while engine.live or engine.starting or engine.claiming:
        works = {execution.work for execution in engine.live.values() if execution.work}
        if works:
            await asyncio.wait(works)
        else:
            await asyncio.sleep(STARTING_S)


def stop(engine: Engine, run_id: UUID, action: runs.CancelAction) -> bool:
    """Stop a run if it is running here."""
    execution = engine.live.get(run_id)
    if execution is None:
        return False
    execution.stop(action)
    return True
