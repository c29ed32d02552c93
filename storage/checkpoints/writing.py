"""Coalesces what one run puts down: the writes of a step and its checkpoint go in one round trip."""

import asyncio
import time
from uuid import UUID

from artel.storage.checkpoints.rows import SAVE, Rows
from artel.storage.errors import Unavailable
from artel.storage.postgres import Database

WAIT_S = 0.002  # how long writes wait for the checkpoint that follows them
RETRY_S = 10.0  # how long a write is tried again when the database went away: it changes nothing twice
PAUSE_S = 0.1


class Writer:
    """Writes rows for one attempt of a run, in the order they were put down.

    One statement at a time: what comes meanwhile goes together in the next one. Nobody hears "saved" before
    the commit. After a failure nothing more is written: a gap would look like a state that never was.
    """

    def __init__(self, db: Database, run_id: UUID, attempt: int) -> None:
        self._db = db
        self._run_id = run_id
        self._attempt = attempt
        self._rows = Rows()
        self._waiting: list[asyncio.Future[None]] = []
        self._due = False
        self._timer: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    def check(self) -> None:
        """Raise what made an earlier write fail."""
        if self._failure is not None:
            raise self._failure

    async def write(self, rows: Rows, *, now: bool) -> None:
        """Write `rows`, at once or with what follows in the next WAIT_S; return when they are committed.

        Raises:
            StaleAttempt: another worker has the run now; nothing is written.
            Unavailable: the database was away for RETRY_S.
        """
        self.check()
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._rows.add(rows)
        self._waiting.append(done)
        if now:
            self._begin()
        elif self._timer is None:
            self._timer = loop.call_later(WAIT_S, self._begin)
        await done

    def _begin(self) -> None:
        self._due = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._due:
            self._due = False
            rows, self._rows = self._rows, Rows()
            waiting, self._waiting = self._waiting, []
            try:
                self.check()
                await self._insist(rows)
            except BaseException as failure:  # noqa: BLE001 - handed to all who wait, and to whoever asks next
                self._failure = self._failure or failure
                _settle(waiting, failure)
            else:
                _settle(waiting, None)
        self._work = None

    async def _insist(self, rows: Rows) -> None:
        values = rows.values(self._run_id, self._attempt)
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


def _settle(waiting: list[asyncio.Future[None]], failure: BaseException | None) -> None:
    for one in waiting:
        if one.done():  # whoever waited was cancelled
            continue
        if failure is None:
            one.set_result(None)
        else:
            one.set_exception(failure)
