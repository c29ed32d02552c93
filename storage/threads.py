"""Threads: dialogues, and what each of them is waiting for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from artel.storage.errors import Conflict, NotFound
from artel.storage.postgres import Connection

Status = Literal["idle", "busy", "interrupted", "error"]
TtlStrategy = Literal["delete", "keep_latest"]
SORTABLE = ("thread_id", "status", "created_at", "updated_at", "state_updated_at")


class UnknownThread(NotFound):
    """No thread of this owner has that id."""


class ThreadExists(Conflict):
    """There is a thread with that id already."""

    code = "thread_exists"


@dataclass(frozen=True, slots=True)
class Thread:
    """One dialogue; `interrupts` is `{task_id: [{id, value}]}`, `error` is `{error, message}`."""

    thread_id: UUID
    status: Status
    metadata: dict[str, Any]
    config: dict[str, Any]
    interrupts: dict[str, Any]
    error: dict[str, Any] | None
    owner: str
    created_at: datetime
    updated_at: datetime
    state_updated_at: datetime
    event_base: int  # where the events of its next run begin in the numbering of the thread
    ttl_minutes: float | None  # None: it stays
    ttl_strategy: TtlStrategy
    expires_at: datetime | None


CREATE = """
insert into threads (thread_id, metadata, config, owner)
values (%(thread_id)s, %(metadata)s, %(config)s, %(owner)s)
on conflict (thread_id) do nothing
returning *
"""

GET = "select * from threads where thread_id = %(thread_id)s and owner = %(owner)s"

LOCK = """
select * from threads
 where thread_id = %(thread_id)s and owner = %(owner)s
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
   for no key update
"""

HOLD = "select from threads where thread_id = %(thread_id)s for no key update"

PATCH = """
update threads set metadata = metadata || %(metadata)s, updated_at = clock_timestamp()
 where thread_id = %(thread_id)s and owner = %(owner)s
returning *
"""

SETTLE = """
update threads set status = %(status)s, interrupts = %(interrupts)s, error = null,
                   updated_at = clock_timestamp(), state_updated_at = clock_timestamp()
 where thread_id = %(thread_id)s
   and not exists (select 1 from runs where runs.thread_id = threads.thread_id
                                        and runs.status in ('pending', 'running'))
"""

DELETE = "delete from threads where thread_id = %(thread_id)s"

MATCHING = """
  from threads
 where owner = %(owner)s and metadata @> %(metadata)s
   and (%(status)s::text is null or status = %(status)s)
   and (%(ids)s::uuid[] is null or thread_id = any(%(ids)s))
"""

SEARCH = "select * " + MATCHING + " order by {by} {way}, thread_id limit %(limit)s offset %(offset)s"

COUNT = "select count(*)::int as found " + MATCHING


async def create(
    conn: Connection,
    thread_id: UUID,
    *,
    owner: str,
    metadata: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    if_exists: Literal["raise", "do_nothing"] = "raise",
) -> Thread:
    """Make a thread, or return the one that is there when `if_exists` says so.

    Raises:
        ThreadExists: there is one, and that is an error or it is somebody else's.
    """
    values = {
        "thread_id": thread_id,
        "owner": owner,
        "metadata": Jsonb(metadata or {}),
        "config": Jsonb(config or {}),
    }
    made = await _one(conn, CREATE, values)
    if made is None and if_exists == "do_nothing":
        made = await _one(conn, GET, values)
    if made is None:
        raise ThreadExists(f"thread {thread_id} exists already")
    return made


async def get(conn: Connection, thread_id: UUID, *, owner: str) -> Thread:
    """Return a thread.

    Raises:
        UnknownThread: this owner has none with that id.
    """
    return _known(await _one(conn, GET, {"thread_id": thread_id, "owner": owner}), thread_id)


async def lock(
    conn: Connection, thread_id: UUID, *, owner: str, allowed: str | None = None
) -> Thread | None:
    """Return a thread, kept from changing until the transaction ends; None when there is none."""
    return await _one(conn, LOCK, {"thread_id": thread_id, "owner": owner, "allowed": allowed})


async def hold(conn: Connection, thread_id: UUID) -> None:
    """Keep a thread from changing until the transaction ends; costs no round trip in a batch."""
    await conn.execute(HOLD, {"thread_id": thread_id})


async def patch(conn: Connection, thread_id: UUID, metadata: dict[str, Any], *, owner: str) -> Thread:
    """Merge `metadata` into what the thread has.

    Raises:
        UnknownThread: this owner has none with that id.
    """
    values = {"thread_id": thread_id, "owner": owner, "metadata": Jsonb(metadata)}
    return _known(await _one(conn, PATCH, values), thread_id)


async def settle(conn: Connection, thread_id: UUID, status: Status, interrupts: dict[str, Any]) -> None:
    """Say how a thread stands now, unless a run on it is pending or running and will say so itself."""
    values = {"thread_id": thread_id, "status": status, "interrupts": Jsonb(interrupts)}
    await conn.execute(SETTLE, values)


async def delete(conn: Connection, thread_id: UUID) -> None:
    """Remove a thread with its runs, approvals and effects."""
    await conn.execute(DELETE, {"thread_id": thread_id})


async def search(
    conn: Connection,
    *,
    owner: str,
    metadata: dict[str, Any] | None = None,
    status: str | None = None,
    ids: list[UUID] | None = None,
    limit: int = 10,
    offset: int = 0,
    sort_by: str = "created_at",
    sort_order: Literal["asc", "desc"] = "desc",
) -> list[Thread]:
    """Return the threads that match; `sort_by` is one of SORTABLE."""
    if sort_by not in SORTABLE:
        raise ValueError(f"sort_by must be one of {', '.join(SORTABLE)}, got {sort_by!r}")
    query = SQL(SEARCH).format(by=Identifier(sort_by), way=SQL("asc" if sort_order == "asc" else "desc"))
    values = _matching(owner, metadata, status, ids) | {"limit": limit, "offset": offset}
    cursor = await conn.execute(query, values)
    return [Thread(**row) for row in await cursor.fetchall()]


async def count(
    conn: Connection,
    *,
    owner: str,
    metadata: dict[str, Any] | None = None,
    status: str | None = None,
    ids: list[UUID] | None = None,
) -> int:
    """Return how many threads match."""
    row = await (await conn.execute(COUNT, _matching(owner, metadata, status, ids))).fetchone()
    return int(row["found"]) if row else 0


def _matching(
    owner: str, metadata: dict[str, Any] | None, status: str | None, ids: list[UUID] | None
) -> dict[str, Any]:
    return {"owner": owner, "metadata": Jsonb(metadata or {}), "status": status, "ids": ids}


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> Thread | None:
    row = await (await conn.execute(query, values)).fetchone()
    return Thread(**row) if row else None


def _known(thread: Thread | None, thread_id: UUID) -> Thread:
    if thread is None:
        raise UnknownThread(f"no thread {thread_id}")
    return thread
