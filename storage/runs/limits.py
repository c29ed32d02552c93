"""Limits: how much runs at once, and how much is started in a minute, for one user and for one assistant."""

from dataclasses import dataclass
from uuid import UUID

from artel.storage.errors import ArtelError
from artel.storage.postgres import Connection

KEY = 0x61727465_6C72756E  # of the advisory lock under which shares are counted

HOLD = "select pg_advisory_xact_lock(%(key)s)"

ROOM = """
select (%(a_user)s::int is null or %(a_user)s > (
            select count(*) from runs where status = 'running' and user_id = %(user_id)s))
   and (%(an_assistant)s::int is null or %(an_assistant)s > (
            select count(*) from runs where status = 'running' and assistant_id = %(assistant_id)s))
       as room
"""

CHARGE = """
insert into run_rates as r (subject, tokens, filled_at)
values (%(subject)s, %(a_minute)s::float8 - %(runs)s, clock_timestamp())
on conflict (subject) do update
   set filled_at = clock_timestamp(),
       tokens = least(%(a_minute)s::float8, r.tokens + %(a_minute)s::float8 / 60
                      * extract(epoch from clock_timestamp() - r.filled_at)::float8) - %(runs)s
 where least(%(a_minute)s::float8, r.tokens + %(a_minute)s::float8 / 60
             * extract(epoch from clock_timestamp() - r.filled_at)::float8) >= %(runs)s
returning tokens
"""

LEFT = """
select least(%(a_minute)s::float8, tokens + %(a_minute)s::float8 / 60
             * extract(epoch from clock_timestamp() - filled_at)::float8) as tokens
  from run_rates where subject = %(subject)s
"""


class RateLimited(ArtelError):
    """Too many runs were started in too short a time; `retry_after_s` says when there is room again."""

    code = "rate_limited"
    status = 429

    def __init__(self, sentence: str, retry_after_s: float) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Limits:
    """How many runs of one user, and of one assistant, run at once; None: any number."""

    a_user: int | None = None
    an_assistant: int | None = None

    def __bool__(self) -> bool:
        return self.a_user is not None or self.an_assistant is not None


async def hold(conn: Connection) -> None:
    """Let nobody else count shares until the transaction ends."""
    await conn.execute(HOLD, {"key": KEY})


async def has_room(conn: Connection, limits: Limits, *, user_id: str, assistant_id: UUID) -> bool:
    """Say whether one more run of a user and of an assistant may run now; after `hold`."""
    values = {
        "a_user": limits.a_user,
        "an_assistant": limits.an_assistant,
        "user_id": user_id,
        "assistant_id": assistant_id,
    }
    row = await (await conn.execute(ROOM, values)).fetchone()
    return bool(row and row["room"])


async def charge(conn: Connection, subject: str, *, a_minute: int, runs: int = 1) -> None:
    """Note that somebody starts runs.

    Raises:
        RateLimited: that would be more than `a_minute` in a minute; nothing is noted.
    """
    values = {"subject": subject, "a_minute": a_minute, "runs": runs}
    if await (await conn.execute(CHARGE, values)).fetchone() and runs <= a_minute:
        return
    row = await (await conn.execute(LEFT, values)).fetchone()
    missing = runs - (row["tokens"] if row else a_minute)
    raise RateLimited(
        f"{subject} may start {a_minute} runs a minute, and {runs} more would be too many now",
        retry_after_s=max(missing, 0) * 60 / a_minute,
    )
