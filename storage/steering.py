"""What people say to runs that are on: it waits until a step takes it, and can be changed until then.

A step that takes a message puts it into its own checkpoint. So a message belongs to the step: begun again
after a crash, the same step takes the same messages, and no other step of that run does. Another run of the
thread takes what a run left that did not come to a good end; what the thread has already it leaves out. Only
runs in the name of who said it take a message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection

Status = Literal["waiting", "taken", "delivered"]

MOST = 50  # that wait on a thread


class UnknownSteering(NotFound):
    """Nothing was said to a run with that id."""

    code = "unknown_steering"


class SteeringTaken(Conflict):
    """The agent has the message already: it can be changed no more."""

    code = "steering_taken"


class TooManyWait(Conflict):
    """So many messages wait on the thread that it takes no more."""

    code = "too_many_wait"


@dataclass(frozen=True, slots=True)
class Steering:
    """A message to a run, and what became of it."""

    steering_id: UUID
    thread_id: UUID
    owner: str
    user_id: str
    message: Any  # {"text": ...}
    created_at: datetime
    changed_at: datetime | None
    taken_run: UUID | None
    taken_in: str | None
    taken_at: datetime | None
    delivered_at: datetime | None

    @property
    def text(self) -> str:
        """What was said."""
        return str(self.message["text"])

    @property
    def status(self) -> Status:
        """Where it is."""
        return "delivered" if self.delivered_at else "taken" if self.taken_at else "waiting"


ADD = """
insert into steering (steering_id, thread_id, owner, user_id, message)
select %(steering_id)s, %(thread_id)s, %(owner)s, %(user_id)s, %(message)s
 where (select count(*) from steering where thread_id = %(thread_id)s and delivered_at is null) < %(most)s
returning *
"""

OF_THREAD = """
select * from steering
 where thread_id = %(thread_id)s and owner = %(owner)s and delivered_at is null
 order by steering_id
"""

ONE = """
select * from steering
 where thread_id = %(thread_id)s and owner = %(owner)s and user_id = %(user_id)s
   and steering_id = %(steering_id)s
"""

CHANGE = """
update steering set message = %(message)s, changed_at = clock_timestamp()
 where thread_id = %(thread_id)s and owner = %(owner)s and user_id = %(user_id)s
   and steering_id = %(steering_id)s and taken_at is null and delivered_at is null
returning *
"""

REMOVE = """
delete from steering
 where thread_id = %(thread_id)s and owner = %(owner)s and user_id = %(user_id)s
   and steering_id = %(steering_id)s and taken_at is null and delivered_at is null
returning *
"""

TAKE = """
update steering
   set taken_run = %(run_id)s, taken_in = %(taken_in)s, taken_at = coalesce(taken_at, clock_timestamp())
 where thread_id = %(thread_id)s and user_id = %(user_id)s and delivered_at is null
   and (taken_run is distinct from %(run_id)s or taken_in = %(taken_in)s)
returning *
"""

# A run came to a good end: so did every step of it that took something.
SETTLE = """
with settled as (
    update steering set delivered_at = clock_timestamp()
     where thread_id = %(thread_id)s and taken_run = %(run_id)s and delivered_at is null
)
select exists (select from steering where thread_id = %(thread_id)s and delivered_at is null
                                      and taken_at is null) as waits
"""

REST = """
update steering set delivered_at = clock_timestamp(), taken_at = clock_timestamp(), taken_run = %(run_id)s
 where thread_id = %(thread_id)s and user_id = %(user_id)s and delivered_at is null and taken_at is null
returning *
"""

GIVE_BACK = """
update steering set taken_run = null, taken_in = null, taken_at = null
 where taken_run = %(run_id)s and delivered_at is null
"""

# Left by a run whose worker died between its end and its next message; what was stopped or failed waits.
FORGOTTEN = """
select distinct s.thread_id, t.owner
  from steering s join threads t using (thread_id)
 where s.delivered_at is null and s.taken_at is null and t.status = 'idle'
 limit %(limit)s
"""


class Rest:
    """Whether messages wait still; known after the round trip in which it was asked."""

    def __init__(self, cursor: AsyncCursor[DictRow]) -> None:
        self._cursor = cursor

    async def waits(self) -> bool:
        """Say whether a message waits that no step took."""
        row = await self._cursor.fetchone()
        return bool(row and row["waits"])


async def add(conn: Connection, thread_id: UUID, text: str, *, owner: str, user_id: str) -> Steering:
    """Let a message wait for the run that is on. The caller has locked the thread.

    Raises:
        TooManyWait: MOST messages do already.
    """
    values = {
        "steering_id": new_id(),
        "thread_id": thread_id,
        "owner": owner,
        "user_id": user_id,
        "message": await _sealed(conn, text),
        "most": MOST,
    }
    made = await _all(conn, ADD, values)
    if not made:
        raise TooManyWait(f"{MOST} messages wait on thread {thread_id} already; remove one, or let it work")
    return made[0]


async def of_thread(conn: Connection, thread_id: UUID, *, owner: str) -> list[Steering]:
    """Return what waits or was just taken, oldest first."""
    return await _all(conn, OF_THREAD, {"thread_id": thread_id, "owner": owner})


async def change(
    conn: Connection, thread_id: UUID, steering_id: UUID, text: str, *, owner: str, user_id: str
) -> Steering:
    """Say it otherwise.

    Raises:
        UnknownSteering: this user said nothing with that id there.
        SteeringTaken: the agent has it already.
    """
    values = {"thread_id": thread_id, "steering_id": steering_id, "owner": owner, "user_id": user_id}
    changed = await _all(conn, CHANGE, {**values, "message": await _sealed(conn, text)})
    return changed[0] if changed else await _refused(conn, values)


async def remove(conn: Connection, thread_id: UUID, steering_id: UUID, *, owner: str, user_id: str) -> None:
    """Take it back.

    Raises:
        UnknownSteering, SteeringTaken: as `change` does.
    """
    values = {"thread_id": thread_id, "steering_id": steering_id, "owner": owner, "user_id": user_id}
    if not await _all(conn, REMOVE, values):
        await _refused(conn, values)


async def take(
    conn: Connection, thread_id: UUID, *, user_id: str, run_id: UUID, taken_in: str
) -> list[Steering]:
    """Give a step of a run what waits, and what it took before it was begun again; oldest first.

    Of another run's it gives what may be in no checkpoint: the caller knows what its thread has.
    """
    values = {"thread_id": thread_id, "user_id": user_id, "run_id": run_id, "taken_in": taken_in}
    return sorted(await _all(conn, TAKE, values), key=lambda one: one.steering_id)


async def settle(conn: Connection, thread_id: UUID, run_id: UUID) -> Rest:
    """Note that a run has come to a good end, and with it each message that it took."""
    cursor = await conn.execute(SETTLE, {"thread_id": thread_id, "run_id": run_id})
    return Rest(cursor)


async def rest(conn: Connection, thread_id: UUID, *, user_id: str, run_id: UUID) -> Sequence[Steering]:
    """Give all that a user said to the run whose input it is, oldest first; the thread is locked."""
    values = {"thread_id": thread_id, "user_id": user_id, "run_id": run_id}
    return sorted(await _all(conn, REST, values), key=lambda one: one.steering_id)


async def give_back(conn: Connection, run_id: UUID) -> None:
    """Let what a run took wait again: nothing is left of the run."""
    await conn.execute(GIVE_BACK, {"run_id": run_id})


async def forgotten(conn: Connection, *, limit: int = 100) -> list[tuple[UUID, str]]:
    """Return threads, with their owners, on which nothing goes on and messages wait all the same."""
    rows = await (await conn.execute(FORGOTTEN, {"limit": limit})).fetchall()
    return [(row["thread_id"], row["owner"]) for row in rows]


async def _refused(conn: Connection, values: dict[str, Any]) -> Steering:
    if await _all(conn, ONE, values):
        raise SteeringTaken(f"the agent has message {values['steering_id']} already; say what you meant anew")
    raise UnknownSteering(f"no message {values['steering_id']} to thread {values['thread_id']}")


async def _sealed(conn: Connection, text: str) -> Jsonb:
    message: dict[str, Any] = {"text": text}
    return Jsonb(await conn.sealer.seal("steering", "message", message) if conn.sealer else message)


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[Steering]:
    found = [Steering(**row) for row in await (await conn.execute(query, values)).fetchall()]
    if not conn.sealer:
        return found
    return [replace(one, message=await conn.sealer.open(one.message)) for one in found]
