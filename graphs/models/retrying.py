"""Which failures of a model are worth another attempt, and when."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import uniform

BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
CALLERS = frozenset({400, 413, 422})  # the request is wrong: of no other caller's concern
AWAY = frozenset({"TransportError", "ConnectionError", "APIConnectionError", "gaierror"})
FIRST_S, LONGEST_S = 0.5, 8.0  # pauses double up to this


def pause_s(error: Exception, attempt: int) -> float | None:
    """Return the seconds to wait before attempt `attempt` + 1 (the first is 1); None: it is of no use.

    As long as the server asks for, else half to all of a pause that doubles each time: callers who failed
    together do not come back together.
    """
    if not _passing(error):
        return None
    asked = asked_s(error)
    if asked is not None:
        return asked + uniform(0, FIRST_S)  # noqa: S311 - not for secrets
    most = min(LONGEST_S, FIRST_S * 2**attempt)
    return uniform(most / 2, most)  # noqa: S311


def asked_s(error: Exception) -> float | None:
    """Return the seconds a server asked for in `Retry-After`, of either form; None: it did not."""
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", None) or {}
    said = headers.get("retry-after")
    if said is None:
        return None
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(said)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def at_fault(error: Exception) -> bool:
    """Say whether the model, or its server, is to blame, and not what it was asked."""
    return _status(error) not in CALLERS


def _passing(error: Exception) -> bool:
    status = _status(error)
    if status is not None:
        return status in BUSY
    if isinstance(error, TimeoutError):  # ours: the time for all attempts is over
        return False
    return any(kind.__name__ in AWAY for cause in _causes(error) for kind in type(cause).__mro__)


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__
