"""A soft limit of time, for a part of a file that may be left out."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class TooSlow(BaseException):
    """It takes too long; no parser may take this for an error of its own."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt what is done inside; the limit of the process stands behind it for what cannot be.

    For the main thread of a process that does nothing else.

    Raises:
        TooSlow: it was interrupted.
    """

    def stop(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
