"""Holding runs: workers claim them, are fenced while they do, and let them go."""

from uuid import UUID

from psycopg import Error
from psycopg.errors import UniqueViolation

from artel.storage.errors import StaleAttempt
from artel.storage.postgres import FENCED, Connection
from artel.storage.runs.record import SEQ_BLOCK, Run, many

CLAIM = """
with next as (
    select run_id, (select event_base from threads t where t.thread_id = r.thread_id) as event_base
      from runs r
     where status = 'pending' and due_at <= clock_timestamp()
       and not exists (select 1 from runs o
                        where o.thread_id = r.thread_id and o.run_id <> r.run_id
                          and (o.status = 'running'
                               or (o.status = 'pending' and o.due_at <= clock_timestamp()
                                   and o.created_at < r.created_at)))
     order by priority desc, due_at, run_id
     limit %(most)s
       for update skip locked
)
update runs set status = 'running', attempt = attempt + 1, worker_id = %(worker_id)s,
                reserved_seq = reserved_seq + %(block)s,
                event_base = coalesce(runs.event_base, next.event_base),
                started_at = coalesce(started_at, clock_timestamp()), updated_at = clock_timestamp()
  from next where runs.run_id = next.run_id
returning runs.*, attempt = 1 and not exists (
              select 1 from checkpoints c where c.thread_id = runs.thread_id::text) as new_thread
"""

NEXT_DUE = """
select extract(epoch from min(due_at) - clock_timestamp())::float as in_s from runs
 where status = 'pending' and due_at > clock_timestamp()
"""

RESERVE = """
update runs set reserved_seq = reserved_seq + %(block)s
 where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
returning reserved_seq
"""

FENCE = "select artel_fence(%(run_id)s, %(attempt)s)"

RELEASE = """
update runs set status = 'pending', worker_id = null, max_attempts = max_attempts + %(granted)s,
                updated_at = clock_timestamp()
 where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
   and worker_id is not distinct from %(worker_id)s
returning run_id
"""

OF_WORKER = "select * from runs where worker_id = %(worker_id)s and status = 'running'"

ORPHANED = """
select * from runs r
 where status = 'running' and not exists (select 1 from workers w where w.worker_id = r.worker_id)
   for update skip locked
"""


async def claim(conn: Connection, worker_id: UUID, *, most: int) -> list[Run]:
    """Take up to `most` due runs whose threads are free: by priority, then oldest first.

    Within a thread strictly in the order of creation. Returns none when another worker was faster.
    """
    values = {"worker_id": worker_id, "most": most, "block": SEQ_BLOCK}
    try:
        cursor = await conn.execute(CLAIM, values)
    except UniqueViolation:
        return []
    return [Run(**row) for row in await cursor.fetchall()]


async def next_due_in(conn: Connection) -> float | None:
    """Seconds until the first delayed run is due; None when none is delayed."""
    row = await (await conn.execute(NEXT_DUE)).fetchone()
    return row["in_s"] if row else None


async def reserve(conn: Connection, run_id: UUID, attempt: int) -> int:
    """Raise the highest event id that may be given out, and return it.

    Raises:
        StaleAttempt: the run has moved on.
    """
    values = {"run_id": run_id, "attempt": attempt, "block": SEQ_BLOCK}
    row = await (await conn.execute(RESERVE, values)).fetchone()
    if row is None:
        raise StaleAttempt(f"run {run_id} is not in attempt {attempt} any more")
    return int(row["reserved_seq"])


async def fence(conn: Connection, run_id: UUID, attempt: int) -> None:
    """Refuse the transaction of a worker that has lost its run; until it ends nobody can take the run.

    Raises:
        StaleAttempt: the run has ended or moved on (in a batch at the next fetch, or at the end).
    """
    try:
        await conn.execute(FENCE, {"run_id": run_id, "attempt": attempt})
    except Error as refused:
        if refused.sqlstate == FENCED:
            raise StaleAttempt(f"run {run_id} is not in attempt {attempt} any more") from refused
        raise


async def release(conn: Connection, run: Run, worker_id: UUID | None, *, granted: int = 0) -> bool:
    """Put a run back into the queue for others; False when `worker_id` does not hold it.

    `granted` more attempts: a hand-over between two steps is not the run's fault.
    """
    values = {
        "run_id": run.run_id,
        "attempt": run.attempt,
        "worker_id": worker_id,
        "granted": granted,
    }
    return await (await conn.execute(RELEASE, values)).fetchone() is not None


async def of_worker(conn: Connection, worker_id: UUID) -> list[Run]:
    """Return the runs a worker holds."""
    return await many(conn, OF_WORKER, {"worker_id": worker_id})


async def orphaned(conn: Connection) -> list[Run]:
    """Lock and return running runs whose worker is not known any more."""
    return await many(conn, ORPHANED, {})
