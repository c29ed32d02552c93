"""The durable engine: one queue, one event log; everything that takes time runs here."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import structlog

from artel.server.engine import (
    auditing,
    experimenting,
    recovery,
    retention,
    schedule,
    spending,
    storing,
    sweeping,
    tidying,
    undo,
    worker,
)
from artel.server.engine import webhooks as delivery
from artel.server.engine.addresses import Webhooks
from artel.server.engine.audience import CHANGED, FOLLOW
from artel.server.engine.engine import Catalog, Engine
from artel.server.engine.settings import EngineSettings
from artel.server.telemetry.tracing import Tracing
from artel.storage import tasks, workers
from artel.storage.broker import Broker
from artel.storage.errors import Unavailable
from artel.storage.postgres import Database
from artel.storage.store import Store

__all__ = ["Engine", "EngineSettings", "open_engine"]

AGAIN_S = 0.5
LEAVE_S = 2.0
TOPICS = ("run.queued", "run.cancel", "run.follow", "run.events", "run.ended", FOLLOW, CHANGED)

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_engine(
    db: Database,
    broker: Broker,
    catalog: Catalog,
    *,
    settings: EngineSettings | None = None,
    handles: Any = None,
    order_of: schedule.OrderOf | None = None,
    webhooks: Webhooks | None = None,
    store: Store | None = None,
    tracing: Tracing | None = None,
) -> AsyncIterator[Engine]:
    """Open the engine of this process, and with `settings.worker` begin to run what is in the queue.

    `handles` are `artel.graphs.context.Handles` with the models and roots of this server; each run gets them
    with ledgers of its own. `order_of` says what a cron wants to have run; without it none is fired here.
    `webhooks` says which URLs may be told of the ends of runs: without it those on the open net.
    `store` is the long-term one; without it one that neither embeds nor lets expire by itself.
    `tracing` makes traces of the runs; without it none are made.
    Leaving drains: steps in flight may end, the rest is handed over.
    """
    engine = Engine(db, broker, catalog, settings or EngineSettings(), handles, store)
    engine.webhooks = webhooks or engine.webhooks
    engine.tracing = tracing
    jobs = [partial(recovery.hear, engine, topic) for topic in TOPICS]
    lost, restored = partial(_lost, engine), partial(_restored, engine)
    broker.on_lost.append(lost)
    broker.on_lost.append(engine.lose_hearing)
    broker.on_restored.append(restored)
    if broker.deaf:
        lost()
        engine.lose_hearing()
    if engine.settings.worker:
        await broker.lock(engine.lock_key)
        await recovery.renew(engine, set())
        jobs += [
            partial(job, engine)
            for job in (
                storing.keep_storing,
                auditing.keep_auditing,
                worker.keep_claiming,
                recovery.keep_lease,
                recovery.keep_fence,
                recovery.keep_looking,
                recovery.keep_time,
                delivery.keep_delivering,
                retention.keep_retention,
                sweeping.keep_sweeping,
                undo.keep_pruning,
                tidying.keep_tidying,
                spending.keep_writing,
                experimenting.keep_experimenting,
            )
        ]
        jobs += [partial(schedule.keep_schedule, engine, order_of)] if order_of else []
    working = [
        asyncio.create_task(
            _forever(job, str(engine.worker_id)), name=f"{engine.worker_id} {job.func.__name__}"
        )
        for job in jobs
    ]
    await asyncio.sleep(0)
    try:
        yield engine
    finally:
        await worker.drain(engine)
        engine.wake_all()
        await tasks.end(*working)
        await engine.audit.close()
        await engine.spending.end()
        broker.on_lost.remove(lost)
        broker.on_lost.remove(engine.lose_hearing)
        broker.on_restored.remove(restored)
        if engine.settings.worker:
            await _leave(engine)


async def _forever(job: Callable[[], Awaitable[None]], worker_id: str) -> None:
    """Begin a job again when it fails: without it runs would stand still."""
    structlog.contextvars.bind_contextvars(worker_id=worker_id)
    while True:
        try:
            return await job()
        except Exception:
            log.exception("a job of the engine failed; beginning it again")
            await asyncio.sleep(AGAIN_S)


def _lost(engine: Engine) -> None:
    """Note since when others cannot be heard."""
    engine.deaf_since = time.monotonic()


def _restored(engine: Engine) -> None:
    """Look at everything: wake-ups were lost while the broker's connection was down."""
    engine.deaf_since = None
    engine.wake_all()


async def _leave(engine: Engine) -> None:
    with suppress(Unavailable, TimeoutError):  # the lease says it for us
        async with asyncio.timeout(LEAVE_S), engine.db.connection(control=True) as conn:
            await workers.forget(conn, engine.worker_id)
