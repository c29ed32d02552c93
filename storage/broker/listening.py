"""What all brokers share: who listens to which topic here, and how a wake-up is said in a transaction."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol, Self

from artel.storage.errors import Invalid
from artel.storage.postgres import NOTIFY, Connection

PAYLOAD_BYTES = 7_999  # what one NOTIFY carries, topic included; it should carry an id, the row is the truth
WAITING = 10_000  # wake-ups a listener may fall behind; then the oldest go, for rows hold what they said


class Subscription:
    """One listener's queue of bodies: entered to listen, iterated to read."""

    def __init__(self, listeners: set["Subscription"]) -> None:
        self._listeners = listeners
        self._bodies: asyncio.Queue[str] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._listeners.add(self)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._listeners.discard(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        return await self._bodies.get()

    def put(self, body: str) -> None:
        """Add a body; the oldest goes when too many wait."""
        if self._bodies.qsize() >= WAITING:
            self._bodies.get_nowait()
        self._bodies.put_nowait(body)


class Listeners:
    """Who listens to what in this process."""

    def __init__(self) -> None:
        self._topics: defaultdict[str, set[Subscription]] = defaultdict(set)

    def to(self, topic: str) -> Subscription:
        """Return a queue of bodies that fills from the moment it is entered."""
        return Subscription(self._topics[topic])

    def hand_out(self, wake_up: str) -> None:
        """Give a wake-up, `topic body`, to each who listens to its topic."""
        topic, _, body = wake_up.partition(" ")
        for listener in tuple(self._topics.get(topic, ())):
            listener.put(body)


class Broker(Protocol):
    """Carries wake-ups to every process, this one included.

    `on_lost` is called when others cannot be heard any more, `on_restored` when they can again. Wake-ups of
    the time between may be lost, so whoever waits looks into the tables then.
    """

    on_lost: list[Callable[[], None]]
    on_restored: list[Callable[[], None]]

    @property
    def deaf(self) -> bool:
        """Whether the carrier is away now; it may have been from the start, before any `on_lost`."""

    @property
    def locked_since(self) -> datetime | None:
        """When the Postgres was started in which our locks are held; None: none can be held here."""

    @property
    def unlocked_since(self) -> float | None:
        """Since when (monotonic) our locks are free though Postgres did not say that it stops, or None."""

    async def publish(self, topic: str, body: str = "") -> None:
        """Wake every listener of `topic`, in every process, exactly once."""

    def listen(self, topic: str) -> Subscription:
        """Return a queue of bodies that fills from the moment it is entered."""

    async def lock(self, key: int) -> bool:
        """Take a lock that lasts as long as this process; say whether it was free and can be held."""


async def notify(conn: Connection, topic: str, body: str = "") -> None:
    """Wake every listener of `topic` when the transaction of `conn` commits, and only then.

    What a transaction of `Database` says goes in one message with its commit, or by Redis after it.

    Raises:
        Invalid: topic and body together are more than a NOTIFY carries.
    """
    wake_up = wake_up_of(topic, body)
    if conn.wake_ups is None:
        await conn.execute(NOTIFY, {"wake_ups": [wake_up]})
    else:
        conn.wake_ups.append(wake_up)


def wake_up_of(topic: str, body: str) -> str:
    """Put topic and body into one text.

    Raises:
        Invalid: together they are more than a NOTIFY carries.
    """
    wake_up = f"{topic} {body}"
    if (size := len(wake_up.encode())) > PAYLOAD_BYTES:
        raise Invalid(f"a wake-up carries {PAYLOAD_BYTES} bytes at most, got {size}: send an id instead")
    return wake_up


def unique(wake_ups: Iterable[str]) -> list[str]:
    """Return each wake-up once, in the order of the first; as Postgres does within a transaction."""
    return list(dict.fromkeys(wake_ups))
