"""The event log of a running run: events are numbered here, sent from here, and stored behind.

Readers each have their own cursor. One that falls behind what is kept in memory reads the stored log and
slows nobody. Nothing is stored per event: chunks are, every few milliseconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

from artel.storage.events import Event, Held
from artel.storage.runs import SEQ_BLOCK, Run

LOW = SEQ_BLOCK // 2  # reserve the next block of ids when fewer are left
KEEP_FREE = 256  # ids kept back for the ending: one an approval, and two more
STATE_WAITS_S = 0.03  # a checkpoint comes after the event that shows its state; then the event names it only
MAX_BEHIND = 16 * 1024 * 1024  # bytes not stored yet, after which the run waits for the database

Stored = Callable[[UUID, int], Awaitable[Sequence[Event]]]
Part = tuple[str, str, bytes]  # type, namespace, data


class RunLog:
    """The events of one attempt of a run."""

    def __init__(self, run: Run, *, keep: int, changed: Callable[["RunLog"], None]) -> None:
        self.run_id = run.run_id
        self.attempt = run.attempt
        self.sealed_with = run.sealed_with
        self.first = run.reserved_seq - SEQ_BLOCK + 1
        self.reserved = run.reserved_seq
        self.stored = self.first - 1  # the last id that is in the database
        self.behind = 0  # bytes that are not
        self.heavy = 0  # those of them that no checkpoint will hold
        self.closed = False  # nothing will be added any more
        self.ended = False  # the run has: `run.ended` is in here
        self.unsure = False  # the answer to the last write was lost: it may be stored or not
        self.values: bytes | None = None  # the newest values of the root graph
        self.followed_until = 0.0  # somebody elsewhere reads along until then (monotonic)
        self.waits_since = 0.0  # since when the oldest event waits to be stored (monotonic)
        self.storing = asyncio.Lock()
        self._keep = keep
        self._changed = changed
        self._ring: list[Event] = []
        self._readers: set[asyncio.Event] = set()
        self._room = asyncio.Event()
        self._state = (0, 0.0)  # the id of the newest event that a checkpoint may hold, and since when

    @property
    def last(self) -> int:
        """The id of the newest event."""
        return self._ring[-1].seq if self._ring else self.first - 1

    @property
    def full(self) -> bool:
        """Whether the run should wait for the database before it says more."""
        return self.last >= self.reserved - KEEP_FREE or self.behind > MAX_BEHIND

    @property
    def low(self) -> bool:
        """Whether more ids should be reserved."""
        return self.last > self.reserved - LOW

    def add(self, type_: str, ns: str, data: bytes, held: Held | None = None) -> None:
        """Number an event and show it to all readers."""
        self.publish([Event(self.last + 1, type_, ns, data, held)])

    def draft(self, parts: Sequence[Part]) -> list[Event]:
        """Number events without showing them yet."""
        start = self.last + 1
        return [Event(start + i, type_, ns, data) for i, (type_, ns, data) in enumerate(parts)]

    def publish(self, events: Sequence[Event]) -> None:
        """Show drafted events to all readers."""
        if not self.behind:
            self.waits_since = time.monotonic()
        self._ring.extend(events)
        for event in events:
            self.behind += len(event.data) + 64
            self.heavy += _weight(event)
            if event.held:
                self._state = (event.seq, time.monotonic())
            if event.type == "values" and not event.ns:
                self.values = event.data
            elif event.type == "run.ended":
                self.ended = True
        self._wake()
        self._changed(self)

    def presses(self, patience_s: float) -> bool:
        """Whether it is to be stored now: it is read elsewhere, ids run out, or it has waited enough."""
        now = time.monotonic()
        return self.followed_until > now or self.low or now - self.waits_since >= patience_s

    def unstored(self) -> list[Event]:
        """Return what the database does not have yet."""
        return self._ring[self._index(self.stored) :]

    def due(self) -> list[Event]:
        """Return what of it is to be stored now: all before a state whose checkpoint is still on its way."""
        unstored = self.unstored()
        if not self.state_waits:
            return unstored
        return [event for event in unstored if event.seq < self._state[0]]

    @property
    def state_waits(self) -> bool:
        """Whether a state that was not stored yet is better stored a little later."""
        seq, since = self._state
        return seq > self.stored and time.monotonic() < since + STATE_WAITS_S

    def mark_stored(self, last: int) -> int:
        """Note that the database has everything up to `last`; forget what memory need not keep.

        Returns how many bytes that were.
        """
        events = self._ring[self._index(self.stored) : self._index(last)]
        size = sum(len(event.data) + 64 for event in events)
        self.behind -= size
        self.heavy -= sum(map(_weight, events))
        self.stored = max(self.stored, last)
        self.waits_since = time.monotonic()
        surplus = min(len(self._ring) - self._keep, self._index(self.stored))
        if surplus > self._keep // 4:
            del self._ring[: min(surplus, len(self._ring) - 1)]
        self._room.set()
        return size

    def raise_to(self, reserved: int) -> None:
        """Note that ids up to `reserved` may be given out."""
        self.reserved = reserved
        self._room.set()

    async def room(self) -> None:
        """Wait until the run may say more."""
        while self.full and not self.closed:
            self._room.clear()
            await self._room.wait()

    def close(self) -> None:
        """Say that nothing more will come from here."""
        self.closed = True
        self._room.set()
        self._wake()

    async def read(self, after: int, stored: Stored) -> AsyncIterator[Sequence[Event]]:
        """Yield all events after id `after`, as many at a time as are ready, until the log is closed.

        `stored` reads the database: for earlier attempts, and for what memory has forgotten.
        """
        woken = asyncio.Event()
        self._readers.add(woken)
        try:
            while True:
                if after >= self.last:
                    if self.closed:
                        return
                    woken.clear()
                    await woken.wait()
                elif after + 1 < self._ring[0].seq:
                    oldest = self._ring[0].seq
                    batch = [e for e in await stored(self.run_id, after) if e.seq < oldest]
                    if batch:
                        yield batch
                    after = oldest - 1
                else:
                    batch = self._ring[self._index(after) :]
                    after = batch[-1].seq
                    yield batch
        finally:
            self._readers.discard(woken)

    def _index(self, seq: int) -> int:
        """Where in the ring the event after `seq` stands."""
        return max(0, seq + 1 - self._ring[0].seq) if self._ring else 0

    def _wake(self) -> None:
        for reader in self._readers:
            reader.set()


def _weight(event: Event) -> int:
    return 64 if event.held else len(event.data) + 64
