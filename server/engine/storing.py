"""Stores events behind the runs: all logs that have something new share one transaction every few ms.

With many runs that speak slowly a chunk would be a word; then each waits longer for its turn, for more words.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial

import structlog

from artel.server.engine.engine import Engine
from artel.server.engine.log import STATE_WAITS_S, RunLog
from artel.storage import events, runs
from artel.storage.broker import notify
from artel.storage.errors import Unavailable
from artel.storage.runs import StaleAttempt

FEW = 16  # runs that speak at once before each waits longer
PATIENT = 8  # times as long, at most

log = structlog.get_logger(__name__)


def changed(engine: Engine, run_log: RunLog) -> None:
    """Note that a log has something new."""
    engine.logs.add(run_log)
    if run_log.heavy >= engine.settings.chunk_bytes:
        engine.chunk_full.set()
    engine.logs_changed.set()


async def keep_storing(engine: Engine) -> None:
    """Store what is new, a chunk a log, until cancelled."""
    wait_s = engine.settings.chunk_ms / 1000
    while True:
        await engine.logs_changed.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await engine.chunk_full.wait()
        engine.logs_changed.clear()
        engine.chunk_full.clear()
        taken = _pressing(engine, wait_s)
        engine.logs.difference_update(taken)
        if engine.logs:
            engine.logs_changed.set()
        await store(engine, taken)


def _pressing(engine: Engine, wait_s: float) -> list[RunLog]:
    crowd = len(engine.logs) / FEW
    if crowd <= 1:
        return list(engine.logs)
    patience_s = wait_s * min(crowd, PATIENT)
    heavy = engine.settings.chunk_bytes
    return [one for one in engine.logs if one.heavy >= heavy or one.presses(patience_s)]


async def store(engine: Engine, logs: Sequence[RunLog]) -> None:
    """Store what these logs have; those that are being ended store it themselves."""
    async with AsyncExitStack() as stack:
        batch = []
        for run_log in logs:
            if run_log.closed or run_log.storing.locked():
                continue
            await stack.enter_async_context(run_log.storing)
            if run_log.due():
                batch.append(run_log)
            if run_log.state_waits:
                asyncio.get_running_loop().call_later(STATE_WAITS_S, changed, engine, run_log)
        if not batch:
            return
        try:
            await engine.insist(partial(_write, engine, batch), until=engine.lease_is_over)
        except StaleAttempt:
            await _one_by_one(engine, batch)
        except Unavailable:
            log.warning("events wait for the database", runs=len(batch))
            engine.logs.update(batch)


async def _one_by_one(engine: Engine, batch: Sequence[RunLog]) -> None:
    """One of them has been taken over: store the others."""
    for run_log in batch:
        try:
            await engine.insist(partial(_write, engine, [run_log]), until=engine.lease_is_over)
        except StaleAttempt:
            engine.lose(run_log.run_id)
        except Unavailable:
            engine.logs.add(run_log)


async def _write(engine: Engine, batch: Sequence[RunLog]) -> None:
    """Store the chunks; those of a write whose answer was lost may be there already."""
    for run_log in [one for one in batch if one.unsure]:
        async with engine.db.connection(control=True) as conn:
            run_log.mark_stored(min(run_log.last, await events.last_seq(conn, run_log.run_id)))
        run_log.unsure = False
    begun = time.monotonic()
    try:
        await _write_chunks(engine, batch)
    except Unavailable:
        for run_log in batch:
            run_log.unsure = True
        raise
    engine.metrics.event_seconds.add(time.monotonic() - begun)


async def _write_one(engine: Engine, run_log: RunLog) -> None:
    """Store the chunk of the only run that said something: one statement."""
    if not (chunk := run_log.due()):
        return
    async with engine.db.connection(control=True) as conn:
        await events.append(conn, run_log.run_id, run_log.attempt, chunk, sealed_with=run_log.sealed_with)
    engine.metrics.stored(run_log.mark_stored(chunk[-1].seq))


async def _write_chunks(engine: Engine, batch: Sequence[RunLog]) -> None:
    now = time.monotonic()
    if len(batch) == 1 and not batch[0].low and batch[0].followed_until <= now:
        await _write_one(engine, batch[0])
        return
    chunks = [(run_log, chunk) for run_log in batch if (chunk := run_log.due())]
    raised: list[tuple[RunLog, int]] = []
    if not chunks:
        return
    async with engine.db.transaction(control=True, batch=True) as conn:
        rows = [events.Chunk(one.run_id, one.attempt, chunk, one.sealed_with) for one, chunk in chunks]
        await events.append_many(conn, rows)
        for run_log, _ in chunks:
            if run_log.low:
                raised.append((run_log, await runs.reserve(conn, run_log.run_id, run_log.attempt)))
            if run_log.followed_until > now:
                await notify(conn, "run.events", str(run_log.run_id))
    for run_log, reserved in raised:
        run_log.raise_to(reserved)
    for run_log, chunk in chunks:
        engine.metrics.stored(run_log.mark_stored(chunk[-1].seq))
