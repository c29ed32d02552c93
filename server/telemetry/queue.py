"""How the queue stands, asked for by many and looked up at most once a second."""

import asyncio
import time

from artel.storage import runs
from artel.storage.postgres import Database
from artel.storage.runs import Standing

FRESH_S = 1.0
SHARE = 20  # a look takes at most one part in so many of the time: 1 ms as a rule, 0.5 s with 100,000 waiting
PATIENCE_S = 3.0


class Queue:
    """The queue as it was a moment ago."""

    def __init__(self) -> None:
        self._seen: Standing | None = None
        self._next = 0.0  # when to look again (monotonic)
        self._looking = asyncio.Lock()

    async def standing(self, db: Database) -> Standing:
        """Return how the queue stands; of several who ask at once one looks.

        Raises:
            Unavailable: the database does not answer.
            TimeoutError: it takes too long.
        """
        async with self._looking:
            begun = time.monotonic()
            if self._seen is None or begun >= self._next:
                async with asyncio.timeout(PATIENCE_S), db.connection(control=True) as conn:
                    self._seen = await runs.standing(conn)
                done = time.monotonic()
                self._next = done + max(FRESH_S, SHARE * (done - begun))
            return self._seen
