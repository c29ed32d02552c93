"""Writes down what calls of models used: those of all runs of a process together, a statement for many.

A call is written by the end of its run, or LINGER_S later: a crash loses no more.
"""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from artel.storage import usage
from artel.storage.errors import Unavailable, Unstorable
from artel.storage.postgres import Database
from artel.storage.usage import Call

if TYPE_CHECKING:
    from artel.server.engine.engine import Engine

LINGER_S = 2.0
AGAIN_S = 0.5
LAST_S = 2.0  # for what is left when a run ends, or the process
TOGETHER = 500  # calls in a statement
MOST = 100_000  # calls that wait for a database that is away; what comes then is not written

log = structlog.get_logger(__name__)


class Spending:
    """What the runs of one process spend."""

    def __init__(self, db: Database) -> None:
        self.noted = asyncio.Event()
        self._db = db
        self._calls: list[Call] = []
        self._lane = asyncio.Lock()

    def note(self, call: Call) -> None:
        """Have a call written soon."""
        if len(self._calls) < MOST:
            self._calls.append(call)
            self.noted.set()

    async def end(self, run_id: UUID | None = None) -> None:
        """Write what a run has spent, before anybody hears that it is over; later if the database is away.

        Without a run: whatever is there.
        """
        if not any(run_id in (None, call.run_id) for call in self._calls):
            return
        try:
            async with asyncio.timeout(LAST_S):
                await self.flush()
        except (Unavailable, TimeoutError) as away:
            log.warning("what models used waits for the database", reason=str(away), calls=len(self._calls))

    async def flush(self) -> None:
        """Write all that was noted.

        Raises:
            Unavailable: the database is away; nothing is lost.
        """
        async with self._lane:
            while batch := self._calls[:TOGETHER]:
                try:
                    async with self._db.connection(control=True) as conn:
                        await usage.add(conn, batch)
                except Unstorable:
                    log.exception("what models used cannot be stored", calls=len(batch))
                del self._calls[: len(batch)]


async def keep_writing(engine: "Engine") -> None:
    """Write what runs spend while they go on, until cancelled."""
    spending = engine.spending
    while True:
        await spending.noted.wait()
        await asyncio.sleep(LINGER_S)
        spending.noted.clear()
        try:
            await spending.flush()
        except Unavailable:
            await asyncio.sleep(AGAIN_S)
            spending.noted.set()
