"""Puts down what runs save: what several have to say at about the same time goes in one statement."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from artel.storage.checkpoints.rows import SAVE, Rows, parameters
from artel.storage.errors import Unavailable
from artel.storage.postgres import Connection, Database

LINGER_S = 0.005  # how long rows wait for what follows them, from their run or another
LANES = 2  # statements at a time in a process
TOGETHER = 64  # runs in a statement
FULL = 256 * 1024  # bytes of a run that are not kept waiting, and about the most of several in a statement
RETRY_S = 10.0  # how long a write is tried again when the database went away: it changes nothing twice
PAUSE_S = 0.1


@dataclass(slots=True)
class Load:
    """What one run has put down and is not on its way yet."""

    rows: Rows = field(default_factory=Rows)
    size: int = 0  # bytes, about
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    then: list[Callable[[], None]] = field(default_factory=list)  # called once it is committed

    def settle(self, failure: BaseException | None) -> None:
        """Tell those who wait, and if it is committed those who want to know."""
        follows, self.then = self.then, []
        for follow in follows if failure is None else ():
            follow()
        for one in self.waiting:
            if one.done():  # whoever waited was cancelled
                continue
            if failure is None:
                one.set_result(None)
            else:
                one.set_exception(failure)


class Writer:
    """Writes rows for one attempt of a run, in the order they were put down.

    One statement at a time: what comes meanwhile goes together in the next one. Nobody hears "saved" before
    the commit. After a failure nothing more is written: a gap would look like a state that never was.
    """

    def __init__(self, saves: "Saves", run_id: UUID, attempt: int) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self._saves = saves
        self._load: Load | None = None
        self._flying: Load | None = None
        self._failure: BaseException | None = None

    @property
    def may_fly(self) -> bool:
        """Whether there is something to write, and nothing of this run is on its way."""
        return self._load is not None and self._flying is None

    def check(self) -> None:
        """Raise what made an earlier write fail."""
        if self._failure is not None:
            raise self._failure

    def holds(self, thread_id: str, ns: str) -> bool:
        """Say whether something of this namespace is not committed yet."""
        loads = [load for load in (self._load, self._flying) if load]
        return any(load.rows.has(thread_id, ns) for load in loads)

    def put(self, rows: Rows, then: Callable[[], None] | None = None) -> None:
        """Have `rows` written soon; `then` is called once they are committed.

        Raises:
            StaleAttempt, Unavailable: an earlier write failed; these rows go nowhere.
        """
        self.check()
        load = self._add(rows)
        if then:
            load.then.append(then)
        self._saves.want(self, now=load.size >= FULL)

    async def write(self, rows: Rows, *, now: bool) -> None:
        """Write `rows`, at once or with what follows in the next LINGER_S; return when they are committed.

        Raises:
            StaleAttempt: another worker has the run now; nothing is written.
            Unavailable: the database was away for RETRY_S.
        """
        self.check()
        done = asyncio.get_running_loop().create_future()
        self._add(rows).waiting.append(done)
        self._saves.want(self, now=now)
        await done

    async def flush(self) -> None:
        """Return when all that was put down is committed.

        Raises:
            StaleAttempt, Unavailable: it could not be.
        """
        while last := self._load or self._flying:
            done = asyncio.get_running_loop().create_future()
            last.waiting.append(done)
            if self._load:
                self._saves.want(self, now=True)
            await done
        self.check()

    async def rest(self) -> Load:
        """Return what is not on its way yet: whoever asks writes it, and nothing comes after it.

        Raises:
            StaleAttempt, Unavailable: an earlier write failed.
        """
        while flying := self._flying:
            done = asyncio.get_running_loop().create_future()
            flying.waiting.append(done)
            await done
        self.check()
        self._saves.forget(self)
        load, self._load = self._load, None
        return load or Load()

    def take_off(self) -> Load:
        """Give what is to be written now."""
        assert self._load
        self._flying, self._load = self._load, None
        return self._flying

    def land(self, failure: BaseException | None) -> None:
        """Take note of what came of it."""
        load, self._flying = self._flying, None
        self._failure = self._failure or failure
        if load:
            load.settle(failure)
        if self._failure and self._load:
            self._saves.forget(self)
            rest, self._load = self._load, None
            rest.settle(self._failure)

    def _add(self, rows: Rows) -> Load:
        if self._load is None:
            self._load = Load()
        self._load.rows.add(rows)
        self._load.size += rows.size
        return self._load


class Saves:
    """The writers of one process: they wait a moment for each other, and share statements."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._wanted: dict[Writer, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._late = False
        self._flights: set[asyncio.Task[None]] = set()

    def want(self, writer: Writer, *, now: bool) -> None:
        """Write what a writer has: now, or within LINGER_S."""
        self._wanted[writer] = None
        if now:
            self._begin()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._begin)

    def forget(self, writer: Writer) -> None:
        """Write nothing more of this one."""
        self._wanted.pop(writer, None)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while len(self._flights) < LANES and (batch := self._take()):
            flight = asyncio.get_running_loop().create_task(self._fly(batch))
            self._flights.add(flight)
            flight.add_done_callback(self._landed)
        self._late = bool(self._wanted)

    def _take(self) -> list[tuple[Writer, Load]]:
        batch: list[tuple[Writer, Load]] = []
        size = 0
        for writer in [one for one in self._wanted if one.may_fly]:
            if len(batch) == TOGETHER or size >= FULL:
                break
            del self._wanted[writer]
            load = writer.take_off()
            batch.append((writer, load))
            size += load.size
        return batch

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        if self._late:
            self._begin()

    async def _fly(self, batch: Sequence[tuple[Writer, Load]]) -> None:
        """Write; of several that cannot be written together each by itself."""
        failure: BaseException | None = None
        try:
            await self._insist(batch)
        except BaseException as failed:  # noqa: BLE001 - handed to all who wait, and to whoever asks next
            failure = failed
        if len(batch) > 1 and failure and not isinstance(failure, Unavailable | asyncio.CancelledError):
            for one in batch:
                await self._fly([one])
            return
        for writer, _ in batch:
            writer.land(failure)

    async def _insist(self, batch: Sequence[tuple[Writer, Load]]) -> None:
        values = parameters([(writer.run_id, writer.attempt, load.rows) for writer, load in batch])
        until = time.monotonic() + RETRY_S
        while True:
            try:
                async with self._db.connection() as conn:
                    await conn.execute(SAVE, values)
            except Unavailable:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                return


async def save(conn: Connection, run_id: UUID, attempt: int, load: Load) -> None:
    """Write what a run has left as a part of a transaction.

    Raises:
        StaleAttempt: another worker has the run now.
    """
    if load.size:
        await conn.execute(SAVE, parameters([(run_id, attempt, load.rows)]))
