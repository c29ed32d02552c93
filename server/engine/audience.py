"""Who reads along which thread: readers of this process, and what other processes said of theirs.

Whatever happens on a thread wakes its readers here at once. A process with readers says so to all others, now
and then (`thread.follow`); they tell it in return when something begins there (`thread.changed`).
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from artel.storage.broker import Broker
from artel.storage.errors import Unavailable

FOLLOW = "thread.follow"
CHANGED = "thread.changed"
FOLLOWED_S = 30.0  # how long others tell us, once asked to
ASK_AGAIN_S = FOLLOWED_S / 3
MANY = 10_000  # threads remembered before those nobody follows any more are forgotten


class Audience:
    """The readers of threads, as far as this process knows of them."""

    def __init__(self, broker: Broker, process: UUID) -> None:
        self._broker = broker
        self._process = str(process)
        self._here: dict[UUID, set[asyncio.Event]] = {}
        self._elsewhere: dict[UUID, float] = {}  # until when (monotonic)
        self._asked: dict[UUID, float] = {}  # when we did (monotonic)
        self._telling: set[asyncio.Task[None]] = set()

    @contextmanager
    def reading(self, thread_id: UUID) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something may have happened on a thread, here or elsewhere."""
        woken = asyncio.Event()
        self._here.setdefault(thread_id, set()).add(woken)
        try:
            yield woken
        finally:
            rest = self._here[thread_id]
            rest.discard(woken)
            if not rest:
                del self._here[thread_id]

    def wake(self, thread_id: UUID) -> None:
        """Tell the readers of a thread in this process to look again."""
        for woken in self._here.get(thread_id, ()):
            woken.set()

    def wake_all(self) -> None:
        """Tell all readers to look again: wake-ups may have been lost."""
        for thread_id in self._here:
            self.wake(thread_id)

    def changed(self, thread_id: UUID) -> None:
        """Tell all readers, also those elsewhere, that something begins on a thread."""
        self.wake(thread_id)
        if self._elsewhere.get(thread_id, 0.0) > time.monotonic():
            telling = asyncio.create_task(self._tell(thread_id), name=f"tell of thread {thread_id}")
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def ask(self, thread_id: UUID) -> None:
        """Ask other processes, now and then, to tell what begins on a thread."""
        now = time.monotonic()
        if now - self._asked.get(thread_id, -ASK_AGAIN_S) < ASK_AGAIN_S:
            return
        if len(self._asked) >= MANY:
            self._asked = {one: at for one, at in self._asked.items() if now - at < ASK_AGAIN_S}
        self._asked[thread_id] = now
        await self._broker.publish(FOLLOW, f"{thread_id} {self._process}")

    def heard(self, body: str) -> None:
        """Note what another process asked."""
        thread_id, _, process = body.partition(" ")
        if process == self._process:
            return
        now = time.monotonic()
        if len(self._elsewhere) >= MANY:
            self._elsewhere = {one: until for one, until in self._elsewhere.items() if until > now}
        self._elsewhere[UUID(thread_id)] = now + FOLLOWED_S

    async def _tell(self, thread_id: UUID) -> None:
        with suppress(Unavailable):  # then its readers look for themselves
            await self._broker.publish(CHANGED, str(thread_id))
