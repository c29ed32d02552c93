"""How a model stands in this process: whether it is asked, how fast it was, what it last did wrong."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Literal

from typing_extensions import TypedDict

from artel.graphs.models.rates import RateLimit
from artel.graphs.models.settings import ModelSettings, said_of

REMEMBERED = 200  # answers, of which the latency is told

State = Literal["closed", "open", "half_open"]


class LeftAlone(Exception):
    """The model failed too often just now; the message says for how long it is not asked."""


class Latency(TypedDict):
    """Seconds of the last answers that came to their end."""

    answers: int
    first_p50_s: float | None
    first_p95_s: float | None
    whole_p50_s: float | None
    whole_p95_s: float | None


class Told(TypedDict):
    """A standing in words, for whoever watches."""

    model: str
    state: State
    failures: int
    open_for_s: float
    last_error: str | None
    last_error_at: datetime | None
    latency: Latency
    rate: dict[str, int] | None
    rate_left: dict[str, int] | None


class Standing:
    """A circuit breaker with a memory: closed, open after failures in a row, half open for one call after.

    Shared by all chains of a process in which the model stands.
    """

    def __init__(self, spec: str, settings: ModelSettings) -> None:
        self.spec = spec
        self.failures = 0
        self.last_error: str | None = None
        self.last_error_at: datetime | None = None
        rate = said_of(spec, settings.rates)
        self.rate = RateLimit(rate) if rate else None
        self.takes_no_tools = False  # its server said so: it is told of them in text
        self._after, self._pause_s = settings.breaker_failures, settings.breaker_pause_s
        self._open_until: float | None = None
        self._probed = False
        self._first: deque[float] = deque(maxlen=REMEMBERED)
        self._whole: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def state(self) -> State:
        """Whether it is asked: `half_open` lets one call through."""
        if self._open_until is None:
            return "closed"
        return "open" if monotonic() < self._open_until else "half_open"

    @property
    def open_for_s(self) -> float:
        """How long it is left alone yet."""
        return max(0.0, (self._open_until or 0.0) - monotonic())

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Be let through to the model.

        Raises:
            LeftAlone: it is open, or half open and somebody tries it already.
        """
        state = self.state
        if state == "open" or (state == "half_open" and self._probed):
            wait = f"{self.open_for_s:.0f} s more" if state == "open" else "as one call tries it"
            raise LeftAlone(f"it is left alone for {wait}; its last failure: {self.last_error}")
        probe = state == "half_open"
        self._probed = self._probed or probe
        try:
            yield
        finally:
            if probe:
                self._probed = False

    def answered(self, first_s: float, whole_s: float) -> None:
        """Note a whole answer: all is well."""
        self.failures, self._open_until = 0, None
        self._first.append(first_s)
        self._whole.append(whole_s)

    def failed(self, error: str, *, at_fault: bool, pause_s: float = 0.0) -> None:
        """Note a failure; it counts when the model was `at_fault`, and not its caller.

        `pause_s` is what the server itself asked for: the model is left alone so long at least.
        """
        self.last_error, self.last_error_at = error, datetime.now(UTC)
        if not at_fault:
            return
        self.failures += 1
        if self.failures >= self._after or self._open_until is not None:
            self._open_until = monotonic() + max(self._pause_s, pause_s)
        elif pause_s:
            self._open_until = monotonic() + pause_s

    def told(self) -> Told:
        """Say how the model stands."""
        return {
            "model": self.spec,
            "state": self.state,
            "failures": self.failures,
            "open_for_s": round(self.open_for_s, 1),
            "last_error": self.last_error,
            "last_error_at": self.last_error_at,
            "latency": {
                "answers": len(self._whole),
                "first_p50_s": _share(self._first, 0.5),
                "first_p95_s": _share(self._first, 0.95),
                "whole_p50_s": _share(self._whole, 0.5),
                "whole_p95_s": _share(self._whole, 0.95),
            },
            "rate": self.rate.rate.model_dump(exclude_none=True) if self.rate else None,
            "rate_left": self.rate.left if self.rate else None,
        }


def _share(values: deque[float], share: float) -> float | None:
    """Return the value that this share of them does not exceed."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 4) if ordered else None
