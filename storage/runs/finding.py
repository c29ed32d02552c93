"""Finding runs."""

from collections.abc import Sequence
from uuid import UUID

from artel.storage.postgres import Connection
from artel.storage.runs.record import MOST_AHEAD, Run, Status, UnknownRun, many, one

GET = "select * from runs where run_id = %(run_id)s"

SEEN = """
select * from runs r
 where run_id = %(run_id)s and owner = %(owner)s
   and (%(allowed)s::jsonpath is null
        or exists (select from threads t where t.thread_id = r.thread_id
                                           and t.metadata @@ %(allowed)s::jsonpath))
"""

WITH_KEYS = "select * from runs where owner = %(owner)s and idempotency_key = any(%(keys)s)"

PLACE = """
select count(*)::int as ahead
  from (select from runs q
         where q.status = 'pending' and q.due_at <= clock_timestamp()
           and (-q.priority, q.due_at, q.run_id) < (-%(priority)s, %(due_at)s, %(run_id)s)
         limit %(most_ahead)s) counted
 having %(due_at)s::timestamptz <= clock_timestamp()
"""

STOPPABLE = """
select r.* from runs r join threads t using (thread_id)
 where r.owner = %(owner)s and r.status = any(%(status)s)
   and (%(thread_id)s::uuid is null or r.thread_id = %(thread_id)s)
   and (%(run_ids)s::uuid[] is null or r.run_id = any(%(run_ids)s))
   and (%(allowed)s::jsonpath is null or t.metadata @@ %(allowed)s::jsonpath)
 order by r.created_at desc, r.run_id desc
"""

ACTIVE = """
select * from runs where thread_id = %(thread_id)s and status in ('pending', 'running')
 order by created_at, run_id
"""

IN_THE_WAY = """
select exists (select from runs
                where thread_id = %(thread_id)s
                  and (status = 'running' or (status = 'pending' and due_at <= clock_timestamp()))) as found
"""

OF_THREAD = """
select * from runs
 where thread_id = %(thread_id)s and owner = %(owner)s
   and (%(status)s::text is null or status = %(status)s)
 order by created_at desc, run_id desc limit %(limit)s offset %(offset)s
"""


async def get(conn: Connection, run_id: UUID, *, owner: str, allowed: str | None = None) -> Run:
    """Return a run.

    Raises:
        UnknownRun: there is none, or it is somebody else's: its thread's metadata are not `allowed`.
    """
    run = await one(conn, SEEN, {"run_id": run_id, "owner": owner, "allowed": allowed})
    if run is None:
        raise UnknownRun(f"no run {run_id}")
    return run


async def with_keys(conn: Connection, keys: Sequence[str], *, owner: str) -> dict[str, Run]:
    """Return the runs that were started with any of these idempotency keys, by key."""
    found = await many(conn, WITH_KEYS, {"owner": owner, "keys": list(keys)})
    return {run.idempotency_key: run for run in found if run.idempotency_key is not None}


async def ahead(conn: Connection, run: Run) -> int | None:
    """Count the runs that stand before a pending one, up to MOST_AHEAD; None when it is not due yet."""
    if run.status != "pending":
        return None
    values = {
        "run_id": run.run_id,
        "priority": run.priority,
        "due_at": run.due_at,
        "most_ahead": MOST_AHEAD,
    }
    row = await (await conn.execute(PLACE, values)).fetchone()
    return row["ahead"] if row else None


async def stoppable(
    conn: Connection,
    *,
    owner: str,
    status: Sequence[Status] = ("pending", "running"),
    thread_id: UUID | None = None,
    run_ids: Sequence[UUID] | None = None,
    allowed: str | None = None,
) -> list[Run]:
    """Return runs that have not ended, newest first: so none begins because one before it was stopped."""
    values = {
        "owner": owner,
        "status": list(status),
        "thread_id": thread_id,
        "run_ids": None if run_ids is None else list(run_ids),
        "allowed": allowed,
    }
    return await many(conn, STOPPABLE, values)


async def find(conn: Connection, run_id: UUID) -> Run | None:
    """Return a run of anybody, or None."""
    return await one(conn, GET, {"run_id": run_id})


async def active(conn: Connection, thread_id: UUID) -> list[Run]:
    """Return what is pending or running on a thread, oldest first."""
    return await many(conn, ACTIVE, {"thread_id": thread_id})


async def in_the_way(conn: Connection, thread_id: UUID) -> bool:
    """Say whether something on a thread runs, or could: a new run waits for it."""
    row = await (await conn.execute(IN_THE_WAY, {"thread_id": thread_id})).fetchone()
    return bool(row and row["found"])


async def of_thread(
    conn: Connection,
    thread_id: UUID,
    *,
    owner: str,
    status: str | None = None,
    limit: int = 10,
    offset: int = 0,
) -> list[Run]:
    """Return the runs of a thread, newest first."""
    values = {"thread_id": thread_id, "owner": owner, "status": status, "limit": limit, "offset": offset}
    return await many(conn, OF_THREAD, values)
