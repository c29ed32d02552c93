"""Puts the clock of a Python process wrong by SHIFT_S seconds, before it imports anything else.

Only what tells the time of day is shifted, as on a host whose clock is wrong; what measures time is not.
"""

import datetime as dates
import os
import time
from typing import Any

SHIFT_S = int(os.environ.get("SHIFT_S", "0"))
real_time, real_time_ns = time.time, time.time_ns
Real = dates.datetime


class _Instances(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, Real)


class Shifted(dates.datetime, metaclass=_Instances):
    """A datetime whose present is another one."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        """Return the shifted present."""
        return Real.now(tz) + dates.timedelta(seconds=SHIFT_S)

    @classmethod
    def utcnow(cls) -> Any:
        """Return the shifted present, without a zone."""
        return Real.now(dates.UTC).replace(tzinfo=None) + dates.timedelta(seconds=SHIFT_S)


if SHIFT_S:
    Shifted.__name__ = Shifted.__qualname__ = "datetime"
    Shifted.__module__ = "datetime"
    dates.datetime = Shifted  # type: ignore[misc]
    time.time = lambda: real_time() + SHIFT_S
    time.time_ns = lambda: real_time_ns() + SHIFT_S * 1_000_000_000
