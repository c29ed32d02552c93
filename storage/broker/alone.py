"""The broker of a process that cannot hear others: its own wake-ups at once, theirs by the slow poll."""

from collections.abc import Callable, Sequence

from artel.storage.broker.listening import Listeners, Subscription, unique, wake_up_of


class LonelyBroker:
    """A broker without a carrier: behind a pooler, with neither a direct way to Postgres nor Redis."""

    deaf = False  # it has no carrier that could come back: the slow poll is all there is
    locked_since = None
    unlocked_since = None

    def __init__(self) -> None:
        self.on_lost: list[Callable[[], None]] = []
        self.on_restored: list[Callable[[], None]] = []
        self._listeners = Listeners()

    def listen(self, topic: str) -> Subscription:
        """Return a queue of bodies that fills from the moment it is entered."""
        return self._listeners.to(topic)

    async def publish(self, topic: str, body: str = "") -> None:
        """Wake every listener of `topic` in this process."""
        self._listeners.hand_out(wake_up_of(topic, body))

    def tell(self, wake_ups: Sequence[str]) -> None:
        """Hand out what a transaction said."""
        for wake_up in unique(wake_ups):
            self._listeners.hand_out(wake_up)

    async def lock(self, key: int) -> bool:
        """Say that no lock can be held: the lease alone shows that this process lives."""
        return False
