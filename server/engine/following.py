"""Following a whole thread: the events of all its runs in order, stored and live, in every process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from artel.server.engine import stream
from artel.server.engine.endings import ROLLED_BACK
from artel.server.engine.engine import Engine
from artel.storage import events, runs
from artel.storage.encoding import dumps
from artel.storage.events import Event
from artel.storage.postgres import Connection
from artel.storage.runs import Run, UnknownRun, numbering

SOON_S = 1.0  # slow looks, should a wake-up be lost: sooner while something may just have happened
LATER_S = 10.0
SOON = 3  # so many looks

IsThere: TypeAlias = Callable[[Connection], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Look:
    """Nothing more to say for now; something else than a run may have changed the thread."""

    number: int  # of the last event before


Step: TypeAlias = tuple[Run, Sequence[Event]] | Look


async def now(engine: Engine, thread_id: UUID) -> int:
    """Return the number of the newest event of a thread."""
    async with engine.db.connection() as conn:
        run = await numbering.last_begun(conn, thread_id)
        base = (run.event_base or 0) if run else 0
        unbegun = 0 if run and not run.ended else await numbering.unbegun_to(conn, thread_id, base=base)
        if run is None:
            return unbegun
        live = engine.live.get(run.run_id)
        last = live.log.last if live else await events.last_seq(conn, run.run_id)
        return max(base + last, unbegun)


async def follow_thread(
    engine: Engine, thread_id: UUID, *, after: int = 0, whole: bool = False, is_there: IsThere
) -> AsyncIterator[Step]:
    """Yield what happens on a thread after event number `after`: runs in order, each with its events.

    `whole`: begin with the first event of the run that holds number `after`. A thread that `is_there` does
    not find yet is waited for; one that it does not find any more ends this. Ends also when this process
    shuts down: the reader should come back elsewhere.
    """
    place = _Place(after)
    looks, met = 0, False
    with engine.audience.reading(thread_id) as woken:
        while not engine.draining:
            woken.clear()
            async with engine.db.connection() as conn:
                there = await is_there(conn)
                run = await place.next(conn, thread_id) if there else None
            if met and not there:
                return
            met = met or there
            if run is None:
                yield Look(place.number)
                looks = 0 if await _wait(engine, thread_id, woken, looks) else looks + 1
                continue
            base = place.take(run)
            async for batch in _events(engine, run, 0 if whole else max(0, after - base)):
                place.number = max(place.number, base + batch[-1].seq)
                yield run, batch
            looks = 0


class _Place:
    """How far a reader has come."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._base: int | None = None
        self._known: list[UUID] = []

    async def next(self, conn: Connection, thread_id: UUID) -> Run | None:
        if self._base is None:
            return await numbering.first_with(conn, thread_id, number=self.number)
        return await numbering.next_after(conn, thread_id, base=self._base, known=self._known)

    def take(self, run: Run) -> int:
        base = run.event_base or 0
        if base != self._base:
            self._base, self._known = base, []
        self._known.append(run.run_id)
        return base


async def _events(engine: Engine, run: Run, after: int) -> AsyncIterator[Sequence[Event]]:
    """Yield the events of a run, and an end also for one that is gone: it was rolled back."""
    ended = False
    with suppress(UnknownRun):
        async for batch in stream.follow(engine, run.run_id, after=after):
            yield batch
            after, ended = batch[-1].seq, batch[-1].type == "run.ended"
    if ended or engine.draining:
        return
    async with engine.db.connection() as conn:
        gone = await runs.find(conn, run.run_id) is None
    if gone:
        end = dumps({"status": ROLLED_BACK, "thread_status": "idle"})
        yield [Event(after + 1, "run.ended", "", end)]


async def _wait(engine: Engine, thread_id: UUID, woken: asyncio.Event, looks: int) -> bool:
    """Sleep until something happens on a thread, here or elsewhere; say whether it was a wake-up."""
    await engine.audience.ask(thread_id)
    try:
        async with asyncio.timeout(SOON_S if looks < SOON else LATER_S):
            await woken.wait()
    except TimeoutError:
        return False
    return True


async def so_far(engine: Engine, run: Run) -> list[Event]:
    """Return what a run has said until now; without states that lie in checkpoints."""
    async with engine.db.connection() as conn:
        said = await events.read(conn, run.run_id)
    last = said[-1].seq if said else 0
    live = engine.live.get(run.run_id)
    return said + [event for event in (live.log.unstored() if live else ()) if event.seq > last]
