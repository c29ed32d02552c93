"""Holding runs: workers claim them, are fenced while they do, and let them go."""

from uuid import UUID

from psycopg import Error
from psycopg.errors import UniqueViolation

from artel.storage.errors import StaleAttempt
from artel.storage.postgres import FENCED, Connection
from artel.storage.runs.limits import Limits
from artel.storage.runs.record import SEQ_BLOCK, Run, ThreadTaken, many

FREE = """
       r.status = 'pending' and r.due_at <= clock_timestamp()
       and not exists (select 1 from runs o
                        where o.thread_id = r.thread_id and o.run_id <> r.run_id
                          and (o.status = 'running'
                               or (o.status = 'pending' and o.due_at <= clock_timestamp()
                                   and o.created_at < r.created_at)))
"""

TAKE = """
     order by priority desc, due_at, run_id
     limit %(most)s
       for update of r skip locked
)
update runs set status = 'running', attempt = attempt + 1, worker_id = %(worker_id)s,
                reserved_seq = reserved_seq + %(block)s,
                event_base = coalesce(runs.event_base, next.event_base),
                started_at = coalesce(started_at, clock_timestamp()), updated_at = clock_timestamp()
  from next where runs.run_id = next.run_id
returning runs.*, attempt = 1 and not exists (
              select 1 from checkpoints c where c.thread_id = runs.thread_id::text) as new_thread
"""

NEXT = """
    select run_id, (select event_base from threads t where t.thread_id = r.thread_id) as event_base
      from runs r
     where
"""

CLAIM = "with next as (" + NEXT + FREE + TAKE

# Those whose user or assistant has had its share are passed over: they keep nobody waiting.
WAITING = """
with waiting as materialized (
    select run_id, user_id, assistant_id, row_number() over of_user as nth_of_user,
           row_number() over of_assistant as nth_of_assistant
      from runs r
     where
"""

WITHIN = """
    window of_user as (partition by user_id order by priority desc, due_at, run_id),
           of_assistant as (partition by assistant_id order by priority desc, due_at, run_id)
), within as materialized (
    select run_id from waiting w
     where (%(a_user)s::int is null or nth_of_user <= %(a_user)s - (
                select count(*) from runs u where u.status = 'running' and u.user_id = w.user_id))
       and (%(an_assistant)s::int is null or nth_of_assistant <= %(an_assistant)s - (
                select count(*) from runs a where a.status = 'running' and a.assistant_id = w.assistant_id))
), next as (
"""

ALLOWED = "r.status = 'pending' and r.run_id in (select run_id from within)"

CLAIM_WITHIN = WAITING + FREE + WITHIN + NEXT + ALLOWED + TAKE

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


async def claim(conn: Connection, worker_id: UUID, *, most: int, limits: Limits | None = None) -> list[Run]:
    """Take up to `most` due runs whose threads are free: by priority, then oldest first.

    Within a thread strictly in the order of creation. With `limits` the caller has called `limits.hold`.

    Raises:
        ThreadTaken: a run began on one of the threads in this moment; look again.
    """
    values = {"worker_id": worker_id, "most": most, "block": SEQ_BLOCK}
    if limits:
        values |= {"a_user": limits.a_user, "an_assistant": limits.an_assistant}
    try:
        return await many(conn, CLAIM_WITHIN if limits else CLAIM, values)
    except UniqueViolation as taken:
        raise ThreadTaken("a run began on a thread that was being claimed") from taken


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
