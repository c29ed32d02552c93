"""Following runs: from memory while they run here, else from the stored log; never an event twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig

from artel.server.engine import translate
from artel.server.engine.configuration import configuration
from artel.server.engine.engine import Engine
from artel.server.engine.execution import shown
from artel.server.engine.log import Stored
from artel.storage import checkpoints, events, runs
from artel.storage.encoding import loads
from artel.storage.errors import Unavailable
from artel.storage.events import Event
from artel.storage.runs import Run, UnknownRun

POLL_S = 1.0  # slow look, should a wake-up be lost


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. `values` is JSON: the last values of the root graph, `__interrupt__` included."""

    status: str
    values: bytes
    error: dict[str, Any] | None = None


async def follow(engine: Engine, run_id: UUID, *, after: int | None = 0) -> AsyncIterator[Sequence[Event]]:
    """Yield the events of a run after id `after`, as many at a time as are ready, until it has ended.

    `after` None: only what comes from now on. Works in every process and after the end. Ends without
    `run.ended` when this process shuts down: the reader should come back elsewhere.

    Raises:
        UnknownRun: there is no such run and no event of it.
    """
    seen = after if after is not None else await _newest(engine, run_id)
    stored = _stored(engine)
    with engine.waiting_for(run_id) as woken:
        while not engine.draining:
            woken.clear()
            if execution := engine.live.get(run_id):
                async for batch in execution.log.read(seen, stored):
                    seen = batch[-1].seq
                    yield batch
                if execution.log.ended:
                    return
                await asyncio.sleep(0)  # its execution leaves the engine in this very moment
                continue
            run = await _row(engine, run_id)
            batch = await stored(run_id, seen)
            if batch:
                seen = batch[-1].seq
                yield batch
                if batch[-1].type == "run.ended":
                    return
                continue
            if run is None or run.ended:
                if run is None and seen == 0:
                    raise UnknownRun(f"no run {run_id}")
                return
            if run_id not in engine.live:
                await _wait(engine, run, woken)


async def ended(engine: Engine, run_id: UUID) -> Run | None:
    """Wait until a run has ended and its end is written; None when the run is gone."""
    with engine.waiting_for(run_id) as woken:
        while True:
            woken.clear()
            if run_id not in engine.live:
                run = await _row(engine, run_id)
                if run is None or run.ended or engine.draining:
                    return run
            try:
                async with asyncio.timeout(POLL_S):
                    await woken.wait()
            except TimeoutError:
                continue


async def outcome(engine: Engine, run_id: UUID) -> Outcome:
    """Wait for the end of a run and say what came of it.

    Raises:
        UnknownRun: there is no such run and no event of it.
        Unavailable: this process shuts down before the run has ended.
    """
    if here := await _here(engine, run_id):
        return here
    run = await ended(engine, run_id)
    if run is not None and not run.ended:
        raise Unavailable("this server is shutting down; the run goes on, join it again")
    last: dict[str, bytes] = {}
    async for batch in follow(engine, run_id, after=0):
        last |= {event.type: event.data for event in batch if not event.ns}
    if run is not None:
        values = last["values"] if "values" in last else await _kept(engine, run)
        return Outcome(run.status, values, run.error)
    values = last.get("values", b"{}")
    said: Any = loads(last.get("run.ended", b"{}"))
    error: Any = loads(last["error"]) if "error" in last else None
    return Outcome(said.get("status", "interrupted"), values, error)


async def _kept(engine: Engine, run: Run) -> bytes:
    """Return the values of a run's last checkpoint: its events have been pruned."""
    saver = checkpoints.reader(engine.db)
    config = configuration(run)
    thread: RunnableConfig = {"configurable": {"thread_id": str(run.thread_id), "checkpoint_ns": ""}}
    async for saved in saver.alist(thread, filter={"run_id": str(run.run_id)}, limit=1):
        async with engine.catalog.graph(run.graph_id, config, access="threads.read") as built:
            graph = built.copy(update={"checkpointer": saver})
            state = await graph.aget_state(saved.config)
        *_, data = translate.Translator().part(((), "values", shown(graph, state)))
        return data
    return b"{}"


async def _here(engine: Engine, run_id: UUID) -> Outcome | None:
    """Wait for the end of a run of this process; None when it is, or goes, elsewhere."""
    execution = engine.live.get(run_id)
    if execution is None:
        return None
    with engine.waiting_for(run_id) as woken:
        while engine.live.get(run_id) is execution:
            woken.clear()
            await woken.wait()
    if execution.status is None or execution.log.values is None:
        return None
    return Outcome(execution.status, execution.log.values, execution.error)


def _stored(engine: Engine) -> Stored:
    async def read(run_id: UUID, after: int) -> Sequence[Event]:
        async with engine.db.connection() as conn:
            return await events.read(conn, run_id, after=after, resolve=checkpoints.resolver(engine.db))

    return read


async def _row(engine: Engine, run_id: UUID) -> Run | None:
    async with engine.db.connection() as conn:
        return await runs.find(conn, run_id)


async def _newest(engine: Engine, run_id: UUID) -> int:
    if execution := engine.live.get(run_id):
        return execution.log.last
    async with engine.db.connection() as conn:
        return await events.last_seq(conn, run_id)


async def _wait(engine: Engine, run: Run, woken: asyncio.Event) -> None:
    """Sleep until something happens to a run that is elsewhere; its owner is told that somebody reads."""
    if run.status == "running":
        await engine.follow_elsewhere(run.run_id)
    try:
        async with asyncio.timeout(POLL_S):
            await woken.wait()
    except TimeoutError:
        pass
