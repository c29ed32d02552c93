"""Runs: the queue, and the record of everything that took time.

`attempt` is the fence: whoever writes for a run names the attempt it was given, and is refused when the run
has moved on. A run is started by inserting it already running (fast path) or by claiming it; both give it
event ids up to `reserved_seq`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Error
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from artel.storage.errors import Conflict, NotFound
from artel.storage.errors import StaleAttempt as StaleAttempt
from artel.storage.ids import new_id
from artel.storage.postgres import FENCED, Connection

Status = Literal["pending", "running", "success", "error", "timeout", "interrupted"]
Strategy = Literal["reject", "interrupt", "rollback", "enqueue"]
CancelAction = Literal["interrupt", "rollback"]

SEQ_BLOCK = 10_000  # event ids reserved at a time: one more write of the run row per 10,000 events


class ThreadTaken(Conflict):
    """A run is running on the thread."""

    code = "thread_taken"


class UnknownRun(NotFound):
    """No run of this owner has that id."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to have run, and on which thread."""

    thread_id: UUID
    assistant_id: UUID
    graph_id: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    multitask_strategy: Strategy = "enqueue"
    due_at: datetime | None = None  # None: now
    priority: int = 0
    max_attempts: int = 0  # 0: as the server is set
    temporary: bool = False  # the thread is made for this run and goes with it
    owner: str = "local"
    run_id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the queue."""

    run_id: UUID
    thread_id: UUID
    assistant_id: UUID
    graph_id: str
    status: Status
    kwargs: dict[str, Any]
    metadata: dict[str, Any]
    multitask_strategy: Strategy
    priority: int
    due_at: datetime
    attempt: int
    max_attempts: int
    worker_id: UUID | None
    reserved_seq: int
    cancel: CancelAction | None
    error: dict[str, Any] | None
    temporary: bool
    owner: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.status not in ("pending", "running")


NEW_RUN = """
insert into runs (run_id, thread_id, assistant_id, graph_id, status, kwargs, metadata, multitask_strategy,
                  priority, max_attempts, temporary, owner, attempt, worker_id, reserved_seq, started_at,
                  created_at, due_at)
select %(run_id)s, thread_id, %(assistant_id)s, %(graph_id)s, %(status)s, %(kwargs)s, %(metadata)s,
       %(multitask_strategy)s, %(priority)s, %(max_attempts)s, %(temporary)s, %(owner)s, %(attempt)s,
       %(worker_id)s, %(reserved_seq)s, case when %(status)s = 'running' then clock_timestamp() end,
       clock_timestamp(), coalesce(%(due_at)s, clock_timestamp())
  from thread
returning *
"""

FREE_THREAD = """
with thread as (
    update threads
       set status = 'busy', metadata = metadata || %(stamp)s, updated_at = clock_timestamp()
     where thread_id = %(thread_id)s and owner = %(owner)s and status in ('idle', 'error')
    returning thread_id
)
"""

NEW_THREAD = """
with thread as (
    insert into threads (thread_id, status, metadata, owner)
    values (%(thread_id)s, 'busy', %(stamp)s, %(owner)s)
    on conflict (thread_id) do nothing
    returning thread_id
)
"""

ANY_THREAD = """
with thread as (
    update threads
       set status = 'busy', metadata = metadata || %(stamp)s, updated_at = clock_timestamp()
     where thread_id = %(thread_id)s and owner = %(owner)s
    returning thread_id
)
"""

CLAIM = """
with next as (
    select run_id from runs r
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
                started_at = coalesce(started_at, clock_timestamp()), updated_at = clock_timestamp()
  from next where runs.run_id = next.run_id
returning runs.*
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

# The thread is locked before the run, as by everybody. The thread's next run is taken in the same breath.
END = """
with lock as (
    select thread_id from threads where thread_id = %(thread_id)s for no key update
), ended as (
    update runs set status = %(status)s, error = %(error)s, worker_id = null,
                    ended_at = clock_timestamp(), updated_at = clock_timestamp()
      from lock
     where run_id = %(run_id)s and attempt = %(attempt)s and status in ('pending', 'running')
    returning runs.run_id, runs.thread_id
), waiting as (
    select o.run_id, o.due_at, o.created_at, o.status
      from runs o join ended on o.thread_id = ended.thread_id and o.run_id <> ended.run_id
     where o.status in ('pending', 'running')
), thread as (
    update threads set status = case when exists (select 1 from waiting) then 'busy'
                                     else %(thread_status)s end,
                       interrupts = coalesce(%(interrupts)s, threads.interrupts), error = %(error)s,
                       updated_at = clock_timestamp(), state_updated_at = clock_timestamp()
      from ended where threads.thread_id = ended.thread_id
    returning threads.status
), next as (
    update runs set status = 'running', attempt = runs.attempt + 1, worker_id = %(next_worker)s,
                    reserved_seq = runs.reserved_seq + %(block)s,
                    started_at = coalesce(runs.started_at, clock_timestamp()),
                    updated_at = clock_timestamp()
      from (select run_id from waiting
             where status = 'pending' and due_at <= clock_timestamp() and %(next_worker)s::uuid is not null
               and not exists (select 1 from waiting where status = 'running')
             order by created_at, run_id limit 1) first
     where runs.run_id = first.run_id and runs.status = 'pending'
    returning runs.*
)
select thread.status as thread_status, pg_notify('artel', 'run.ended ' || %(run_id)s::text) as told, next.*
  from thread left join next on true
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

CANCEL = """
update runs set cancel = %(action)s, updated_at = clock_timestamp()
 where run_id = %(run_id)s and status in ('pending', 'running')
returning *
"""

CANCELLED_OF_WORKER = """
select run_id, cancel from runs
 where worker_id = %(worker_id)s and status = 'running' and cancel is not null
"""

GET = "select * from runs where run_id = %(run_id)s"

ACTIVE = """
select * from runs where thread_id = %(thread_id)s and status in ('pending', 'running')
 order by created_at, run_id
"""

OF_THREAD = """
select * from runs
 where thread_id = %(thread_id)s and owner = %(owner)s
   and (%(status)s::text is null or status = %(status)s)
 order by created_at desc, run_id desc limit %(limit)s offset %(offset)s
"""

DELETE = "delete from runs where run_id = %(run_id)s"


def _order(order: Order, worker_id: UUID | None) -> dict[str, Any]:
    return {
        "run_id": order.run_id,
        "thread_id": order.thread_id,
        "assistant_id": order.assistant_id,
        "graph_id": order.graph_id,
        "kwargs": Jsonb(order.kwargs),
        "metadata": Jsonb(order.metadata),
        "multitask_strategy": order.multitask_strategy,
        "priority": order.priority,
        "max_attempts": order.max_attempts,
        "temporary": order.temporary,
        "owner": order.owner,
        "due_at": order.due_at,
        "worker_id": worker_id,
        "status": "running" if worker_id else "pending",
        "attempt": 1 if worker_id else 0,
        "reserved_seq": SEQ_BLOCK if worker_id else 0,
        "stamp": Jsonb({"graph_id": order.graph_id, "assistant_id": str(order.assistant_id)}),
    }


async def start_on_free_thread(conn: Connection, order: Order, worker_id: UUID) -> Run | None:
    """Insert a run already claimed by `worker_id` on an idle thread: one statement, one commit.

    None when the thread is unknown, busy, or waits for an answer.
    """
    return await _start(conn, FREE_THREAD + NEW_RUN, order, worker_id)


async def start_on_new_thread(conn: Connection, order: Order, worker_id: UUID) -> Run | None:
    """Make the thread and insert a run already claimed by `worker_id`; None when the thread exists."""
    return await _start(conn, NEW_THREAD + NEW_RUN, order, worker_id)


async def _start(conn: Connection, query: str, order: Order, worker_id: UUID) -> Run | None:
    try:
        return await _one(conn, query, _order(order, worker_id))
    except UniqueViolation as two:
        if two.diag.constraint_name == "runs_one_running_a_thread":
            return None
        raise


async def add(conn: Connection, order: Order, *, worker_id: UUID | None = None) -> Run:
    """Insert a run on a thread that the caller has locked: claimed by `worker_id`, or into the queue.

    Raises:
        NotFound: this owner has no such thread.
        ThreadTaken: a delayed run was claimed there in this moment.
    """
    try:
        run = await _one(conn, ANY_THREAD + NEW_RUN, _order(order, worker_id))
    except UniqueViolation as taken:
        raise ThreadTaken(f"a run began on thread {order.thread_id} in this moment") from taken
    if run is None:
        raise NotFound(f"no thread {order.thread_id}")
    return run


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


async def end(
    conn: Connection,
    run: Run,
    status: Status,
    *,
    thread_status: str,
    interrupts: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
    next_worker: UUID | None = None,
) -> Run | None:
    """Write the end of a run and what it means for its thread, which stays busy while others wait; tell all.

    `interrupts` None: what the thread waits for is as before. `next_worker` takes the thread's next due run,
    which is returned.

    Raises:
        StaleAttempt: the run has ended or moved on.
    """
    values = {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "attempt": run.attempt,
        "status": status,
        "thread_status": thread_status,
        "interrupts": None if interrupts is None else Jsonb(interrupts),
        "error": Jsonb(error) if error else None,
        "next_worker": next_worker,
        "block": SEQ_BLOCK,
    }
    row = await (await conn.execute(END, values)).fetchone()
    if row is None:
        raise StaleAttempt(f"run {run.run_id} is not in attempt {run.attempt} any more")
    del row["thread_status"], row["told"]
    return Run(**row) if row["run_id"] else None


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
    return await _all(conn, OF_WORKER, {"worker_id": worker_id})


async def orphaned(conn: Connection) -> list[Run]:
    """Lock and return running runs whose worker is not known any more."""
    return await _all(conn, ORPHANED, {})


async def cancel(conn: Connection, run_id: UUID, action: CancelAction) -> Run | None:
    """Note durably that a run shall stop; None when it has ended already."""
    return await _one(conn, CANCEL, {"run_id": run_id, "action": action})


async def cancelled_of_worker(conn: Connection, worker_id: UUID) -> dict[UUID, CancelAction]:
    """Return which runs of a worker shall stop."""
    cursor = await conn.execute(CANCELLED_OF_WORKER, {"worker_id": worker_id})
    return {row["run_id"]: row["cancel"] for row in await cursor.fetchall()}


async def get(conn: Connection, run_id: UUID, *, owner: str) -> Run:
    """Return a run.

    Raises:
        UnknownRun: there is none, or it is somebody else's.
    """
    run = await _one(conn, GET, {"run_id": run_id})
    if run is None or run.owner != owner:
        raise UnknownRun(f"no run {run_id}")
    return run


async def find(conn: Connection, run_id: UUID) -> Run | None:
    """Return a run of anybody, or None."""
    return await _one(conn, GET, {"run_id": run_id})


async def active(conn: Connection, thread_id: UUID) -> list[Run]:
    """Return what is pending or running on a thread, oldest first."""
    return await _all(conn, ACTIVE, {"thread_id": thread_id})


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
    return await _all(conn, OF_THREAD, values)


async def delete(conn: Connection, run_id: UUID) -> None:
    """Remove the row of a run."""
    await conn.execute(DELETE, {"run_id": run_id})


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> Run | None:
    row = await (await conn.execute(query, values)).fetchone()
    return Run(**row) if row else None


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[Run]:
    cursor = await conn.execute(query, values)
    return [Run(**row) for row in await cursor.fetchall()]
