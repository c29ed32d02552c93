"""Starting runs: in one statement where the thread is free, into the queue where it is not."""

from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from artel.storage.errors import NotFound
from artel.storage.postgres import Connection
from artel.storage.runs.record import SEQ_BLOCK, Order, Run, ThreadTaken, one

NEW_RUN = """
insert into runs (run_id, thread_id, assistant_id, graph_id, status, kwargs, metadata, multitask_strategy,
                  priority, max_attempts, temporary, owner, attempt, worker_id, reserved_seq, started_at,
                  created_at, due_at, event_base, cron_id, idempotency_key)
select %(run_id)s, thread_id, %(assistant_id)s, %(graph_id)s, %(status)s, %(kwargs)s, %(metadata)s,
       %(multitask_strategy)s, %(priority)s, %(max_attempts)s, %(temporary)s, %(owner)s, %(attempt)s,
       %(worker_id)s, %(reserved_seq)s, case when %(status)s = 'running' then clock_timestamp() end,
       clock_timestamp(), coalesce(%(due_at)s, clock_timestamp()),
       case when %(status)s = 'running' then thread.event_base end, %(cron_id)s, %(idempotency_key)s
  from thread
returning *, %(new_thread)s as new_thread
"""

FREE_THREAD = """
with thread as (
    update threads
       set status = 'busy', metadata = metadata || %(stamp)s, updated_at = clock_timestamp()
     where thread_id = %(thread_id)s and owner = %(owner)s and status in ('idle', 'error')
    returning thread_id, event_base
)
"""

NEW_THREAD = """
with thread as (
    insert into threads (thread_id, status, metadata, owner)
    values (%(thread_id)s, 'busy', %(stamp)s, %(owner)s)
    on conflict (thread_id) do nothing
    returning thread_id, event_base
)
"""

ANY_THREAD = """
with thread as (
    update threads
       set status = 'busy', metadata = metadata || %(stamp)s, updated_at = clock_timestamp()
     where thread_id = %(thread_id)s and owner = %(owner)s
    returning thread_id, event_base
)
"""


async def start_on_free_thread(conn: Connection, order: Order, worker_id: UUID) -> Run | None:
    """Insert a run already claimed by `worker_id` on an idle thread: one statement, one commit.

    None when the thread is unknown, busy, or waits for an answer.
    """
    return await _start(conn, FREE_THREAD + NEW_RUN, order, worker_id)


async def start_on_new_thread(conn: Connection, order: Order, worker_id: UUID | None) -> Run | None:
    """Make the thread and insert a run: claimed by `worker_id`, or into the queue; None when it exists."""
    return await _start(conn, NEW_THREAD + NEW_RUN, order, worker_id, new_thread=True)


async def add(conn: Connection, order: Order, *, worker_id: UUID | None = None) -> Run:
    """Insert a run on a thread that the caller has locked: claimed by `worker_id`, or into the queue.

    Raises:
        NotFound: this owner has no such thread.
        ThreadTaken: a delayed run was claimed there in this moment.
    """
    try:
        run = await one(conn, ANY_THREAD + NEW_RUN, _order(order, worker_id))
    except UniqueViolation as taken:
        raise ThreadTaken(f"a run began on thread {order.thread_id} in this moment") from taken
    if run is None:
        raise NotFound(f"no thread {order.thread_id}")
    return run


async def _start(
    conn: Connection, query: str, order: Order, worker_id: UUID | None, *, new_thread: bool = False
) -> Run | None:
    try:
        return await one(conn, query, _order(order, worker_id, new_thread=new_thread))
    except UniqueViolation as two:
        if two.diag.constraint_name == "runs_one_running_a_thread":
            return None
        raise


def _order(order: Order, worker_id: UUID | None, *, new_thread: bool = False) -> dict[str, Any]:
    return {
        "new_thread": new_thread,
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
        "cron_id": order.cron_id,
        "idempotency_key": order.idempotency_key,
        "stamp": Jsonb({"graph_id": order.graph_id, "assistant_id": str(order.assistant_id)}),
    }
