"""How much sockets may ask: how many a user has open, how many messages one sends."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from artel.server.channels.websocket.settings import SocketSettings
from artel.storage.errors import ArtelError


class TooMany(ArtelError):
    """A user has too many sockets open, or one of them listens to too many sessions."""

    code = "too_many_sockets"
    status = 429


class TooFast(ArtelError):
    """A socket sends more messages than it may."""

    code = "too_many_messages"
    status = 429


@dataclass(slots=True)
class Sockets:
    """The gateway's sockets of this process."""

    settings: SocketSettings
    open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def counted(self, user: str) -> Iterator[None]:
        """Count a socket while it is open.

        Raises:
            TooMany: its user has as many as they may.
        """
        if self.open[user] >= self.settings.most:
            raise TooMany(f"you have {self.open[user]} sockets open, more than which you may not: close one")
        self.open[user] += 1
        try:
            yield
        finally:
            self.open[user] -= 1
            if not self.open[user]:
                del self.open[user]


class Bucket:
    """Lets through `rate` a second over time, and `burst` at once."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = float(burst), time.monotonic()
        self.refused = 0  # one after the other

    def take(self) -> TooFast | None:
        """Let one more through, or return why not."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            self.refused += 1
            return TooFast(f"more than {self._rate:g} messages a second: this one was not done")
        self._left -= 1
        self.refused = 0
        return None
