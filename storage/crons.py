"""Crons: runs that come again and again. A row knows when it is due next; whoever locks it then fires it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from artel.storage.errors import NotFound
from artel.storage.postgres import Connection

OnRunCompleted = Literal["delete", "keep"]
SORTABLE = (
    "cron_id",
    "assistant_id",
    "thread_id",
    "created_at",
    "updated_at",
    "next_run_date",
    "end_time",
)


class UnknownCron(NotFound):
    """No cron of this owner has that id."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule, and the body of the runs it makes."""

    cron_id: UUID
    assistant_id: UUID
    thread_id: UUID | None  # None: each run has a thread of its own
    schedule: str
    timezone: str | None  # None: UTC
    end_time: datetime | None
    enabled: bool
    on_run_completed: OnRunCompleted  # what becomes of a thread of its own
    payload: dict[str, Any]
    metadata: dict[str, Any]
    owner: str
    user_id: str | None
    next_run_date: datetime | None  # None: it will not fire again
    created_at: datetime
    updated_at: datetime
    sealed_with: Mapping[str, Any] = field(default_factory=dict)  # the context for all that its runs seal


@dataclass(frozen=True, slots=True)
class Due:
    """A cron that is locked and due, and what the time is where all replicas ask.

    What is sealed of it is still so: one that cannot be opened shall hold up no other.
    """

    cron: Cron
    now: datetime


CREATE = """
insert into crons (cron_id, assistant_id, thread_id, schedule, timezone, end_time, enabled, on_run_completed,
                   payload, metadata, owner, user_id, next_run_date)
values (%(cron_id)s, %(assistant_id)s, %(thread_id)s, %(schedule)s, %(timezone)s, %(end_time)s, %(enabled)s,
        %(on_run_completed)s, %(payload)s, %(metadata)s, %(owner)s, %(user_id)s, %(next_run_date)s)
returning *
"""

GET = """
select * from crons
 where cron_id = %(cron_id)s and owner = %(owner)s
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
"""

UPDATE = """
update crons
   set schedule = %(schedule)s, timezone = %(timezone)s, end_time = %(end_time)s, enabled = %(enabled)s,
       on_run_completed = %(on_run_completed)s, payload = %(payload)s, metadata = %(metadata)s,
       next_run_date = %(next_run_date)s, updated_at = clock_timestamp()
 where cron_id = %(cron_id)s
returning *
"""

DELETE = """
delete from crons
 where cron_id = %(cron_id)s and owner = %(owner)s
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
"""

MATCHING = """
  from crons
 where owner = %(owner)s and metadata @> %(metadata)s
   and (%(assistant_id)s::uuid is null or assistant_id = %(assistant_id)s)
   and (%(thread_id)s::uuid is null or thread_id = %(thread_id)s)
   and (%(enabled)s::boolean is null or enabled = %(enabled)s)
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
"""

SEARCH = "select * " + MATCHING + " order by {by} {way}, cron_id limit %(limit)s offset %(offset)s"

COUNT = "select count(*)::int as found " + MATCHING

DUE = """
select *, clock_timestamp() as now from crons
 where enabled and next_run_date <= clock_timestamp()
 order by next_run_date, cron_id
 limit 1 for update skip locked
"""

# Whoever removes a thread locks it first, then its crons: waiting here the other way round is a deadlock.
HOLD_THREAD = "select 1 from threads where thread_id = %(thread_id)s for no key update skip locked"

MOVE = "update crons set next_run_date = %(next_run_date)s where cron_id = %(cron_id)s"

DISABLE = "update crons set enabled = false, updated_at = clock_timestamp() where cron_id = %(cron_id)s"

NEXT_DUE = """
select extract(epoch from min(next_run_date) - clock_timestamp())::float as in_s from crons
 where enabled and next_run_date is not null
"""


async def create(conn: Connection, cron: Cron) -> Cron:
    """Keep a new cron; it is due at its `next_run_date`."""
    values = await _changeable(conn, cron) | {
        "assistant_id": cron.assistant_id,
        "thread_id": cron.thread_id,
        "owner": cron.owner,
        "user_id": cron.user_id,
    }
    return _known(await _one(conn, CREATE, values), cron.cron_id)


async def get(conn: Connection, cron_id: UUID, *, owner: str, allowed: str | None = None) -> Cron:
    """Return a cron.

    Raises:
        UnknownCron: this owner has none with that id, or may not see it.
    """
    return _known(await _one(conn, GET, _named(cron_id, owner, allowed)), cron_id)


async def lock(conn: Connection, cron_id: UUID, *, owner: str, allowed: str | None = None) -> Cron:
    """Return a cron, kept from changing and from firing until the transaction ends.

    Raises:
        UnknownCron: this owner has none with that id, or may not see it.
    """
    return _known(await _one(conn, GET + " for update", _named(cron_id, owner, allowed)), cron_id)


async def update(conn: Connection, cron: Cron) -> Cron:
    """Write what can change of a cron that the caller has locked."""
    return _known(await _one(conn, UPDATE, await _changeable(conn, cron)), cron.cron_id)


async def delete(conn: Connection, cron_id: UUID, *, owner: str, allowed: str | None = None) -> None:
    """Remove a cron; its runs stay.

    Raises:
        UnknownCron: this owner has none with that id, or may not see it.
    """
    if not (await conn.execute(DELETE, _named(cron_id, owner, allowed))).rowcount:
        raise UnknownCron(f"no cron {cron_id}")


async def search(
    conn: Connection,
    *,
    owner: str,
    assistant_id: UUID | None = None,
    thread_id: UUID | None = None,
    enabled: bool | None = None,
    metadata: dict[str, Any] | None = None,
    allowed: str | None = None,
    limit: int = 10,
    offset: int = 0,
    sort_by: str = "created_at",
    sort_order: Literal["asc", "desc"] = "desc",
) -> list[Cron]:
    """Return the crons that match; `sort_by` is one of SORTABLE.

    Raises:
        Unsearchable: metadata that are wanted are encrypted.
    """
    if sort_by not in SORTABLE:
        raise ValueError(f"sort_by must be one of {', '.join(SORTABLE)}, got {sort_by!r}")
    query = SQL(SEARCH).format(by=Identifier(sort_by), way=SQL("asc" if sort_order == "asc" else "desc"))
    values = _matching(owner, assistant_id, thread_id, enabled, metadata, allowed)
    await _check_clear(conn, metadata)
    rows = await (await conn.execute(query, values | {"limit": limit, "offset": offset})).fetchall()
    return [await opened(conn, Cron(**row)) for row in rows]


async def count(
    conn: Connection,
    *,
    owner: str,
    assistant_id: UUID | None = None,
    thread_id: UUID | None = None,
    enabled: bool | None = None,
    metadata: dict[str, Any] | None = None,
    allowed: str | None = None,
) -> int:
    """Return how many crons match.

    Raises:
        Unsearchable: metadata that are wanted are encrypted.
    """
    await _check_clear(conn, metadata)
    values = _matching(owner, assistant_id, thread_id, enabled, metadata, allowed)
    row = await (await conn.execute(COUNT, values)).fetchone()
    return int(row["found"]) if row else 0


async def due(conn: Connection) -> Due | None:
    """Lock and return the cron that is longest due and nobody else is firing, with its thread.

    None when there is none, or somebody does something to its thread in this moment.
    """
    row = await (await conn.execute(DUE)).fetchone()
    if row is None:
        return None
    now = row.pop("now")
    cron = Cron(**row)
    if cron.thread_id is not None:
        held = await conn.execute(HOLD_THREAD, {"thread_id": cron.thread_id})
        if await held.fetchone() is None:
            return None
    return Due(cron, now)


async def move(conn: Connection, cron_id: UUID, next_run_date: datetime | None) -> None:
    """Say when a cron is due next; None: never again."""
    await conn.execute(MOVE, {"cron_id": cron_id, "next_run_date": next_run_date})


async def disable(conn: Connection, cron_id: UUID) -> None:
    """Stop a cron from firing, until somebody enables it again."""
    await conn.execute(DISABLE, {"cron_id": cron_id})


async def next_due_in(conn: Connection) -> float | None:
    """Seconds until the next cron is due, negative when one is overdue; None when none will be."""
    row = await (await conn.execute(NEXT_DUE)).fetchone()
    return row["in_s"] if row else None


async def opened(conn: Connection, cron: Cron) -> Cron:
    """Return a cron with everything opened that is sealed of it.

    Raises:
        CannotOpen: it cannot be.
    """
    if conn.sealer is None:
        return cron
    payload, metadata = await conn.sealer.open([cron.payload, cron.metadata])
    context = conn.sealer.context_of(cron.payload)
    return replace(cron, payload=payload, metadata=metadata, sealed_with=context)


async def _check_clear(conn: Connection, metadata: dict[str, Any] | None) -> None:
    if conn.sealer:
        await conn.sealer.check_clear("cron", "metadata", metadata or {})


async def _changeable(conn: Connection, cron: Cron) -> dict[str, Any]:
    payload, metadata = cron.payload, cron.metadata
    if conn.sealer:
        payload = await conn.sealer.seal("cron", "payload", payload)
        metadata = await conn.sealer.seal_keys("cron", "metadata", metadata)
    return {
        "cron_id": cron.cron_id,
        "schedule": cron.schedule,
        "timezone": cron.timezone,
        "end_time": cron.end_time,
        "enabled": cron.enabled,
        "on_run_completed": cron.on_run_completed,
        "payload": Jsonb(payload),
        "metadata": Jsonb(metadata),
        "next_run_date": cron.next_run_date,
    }


def _named(cron_id: UUID, owner: str, allowed: str | None) -> dict[str, Any]:
    return {"cron_id": cron_id, "owner": owner, "allowed": allowed}


def _matching(
    owner: str,
    assistant_id: UUID | None,
    thread_id: UUID | None,
    enabled: bool | None,
    metadata: dict[str, Any] | None,
    allowed: str | None,
) -> dict[str, Any]:
    return {
        "owner": owner,
        "assistant_id": assistant_id,
        "thread_id": thread_id,
        "enabled": enabled,
        "metadata": Jsonb(metadata or {}),
        "allowed": allowed,
    }


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> Cron | None:
    row = await (await conn.execute(query, values)).fetchone()
    return await opened(conn, Cron(**row)) if row else None


def _known(cron: Cron | None, cron_id: UUID) -> Cron:
    if cron is None:
        raise UnknownCron(f"no cron {cron_id}")
    return cron
