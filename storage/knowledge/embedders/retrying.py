"""When to ask a server of embeddings again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import uniform

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
ATTEMPTS = 5
FIRST_S, LONGEST_S = 0.5, 8.0  # pauses double up to this
PATIENCE_S = 60.0  # a server that asks for a longer pause is left to whoever called


def pause_s(attempt: int, headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait after attempt `attempt` (the first is 1) failed; None: give up.

    As long as `Retry-After` says, else half to all of a pause that doubles: callers who failed together do
    not come back together.
    """
    if attempt >= ATTEMPTS:
        return None
    asked = asked_s(headers)
    if asked is not None:
        return None if asked > PATIENCE_S else asked
    most = min(LONGEST_S, FIRST_S * 2 ** (attempt - 1))
    return uniform(most / 2, most)  # noqa: S311 - not for secrets


def asked_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for, in either of its forms; None: it is not there."""
    said = headers.get("retry-after")
    if said is None:
        return None
    if said.strip().isdecimal():
        return float(said)
    try:
        then = parsedate_to_datetime(said)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())
