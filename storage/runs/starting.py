"""Starting runs: in one statement where the thread is free, into the queue where it is not."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from artel.storage.broker import notify
from artel.storage.errors import Conflict, NotFound
from artel.storage.postgres import Connection
from artel.storage.runs.record import MOST_AHEAD, SEQ_BLOCK, Order, Run, ThreadTaken, opened
from artel.storage.sealing import Sealer

NEW_RUN = """
insert into runs (run_id, thread_id, assistant_id, graph_id, status, kwargs, metadata, multitask_strategy,
                  priority, max_attempts, temporary, owner, attempt, worker_id, reserved_seq, started_at,
                  created_at, due_at, event_base, cron_id, idempotency_key, user_id)
select %(run_id)s, thread_id, %(assistant_id)s, %(graph_id)s, %(status)s, %(kwargs)s, %(metadata)s,
       %(multitask_strategy)s, %(priority)s, %(max_attempts)s, %(temporary)s, %(owner)s, %(attempt)s,
       %(worker_id)s, %(reserved_seq)s, case when %(status)s = 'running' then clock_timestamp() end,
       clock_timestamp(), coalesce(%(due_at)s, clock_timestamp()),
       case when %(status)s = 'running' then thread.event_base end, %(cron_id)s, %(idempotency_key)s,
       %(user_id)s
  from thread
returning *,
          %(new_thread)s or (status = 'running' and not exists (
              select 1 from checkpoints c where c.thread_id = runs.thread_id::text)) as new_thread,
          case when status = 'pending' and due_at <= clock_timestamp() then
               (select count(*)::int
                  from (select from runs q
                         where q.status = 'pending' and q.due_at <= clock_timestamp()
                           and q.priority >= %(priority)s limit %(most_ahead)s) counted) end as ahead,
          case when status = 'pending' and %(alone)s then
               pg_notify('artel', 'run.queued ' || run_id::text)::text end as told
"""

FREE_THREAD = """
with thread as (
    update threads
       set status = 'busy', metadata = metadata || %(stamp)s, updated_at = clock_timestamp()
     where thread_id = %(thread_id)s and owner = %(owner)s and status in ('idle', 'error')
       and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
    returning thread_id, event_base
)
"""

NEW_THREAD = """
with thread as (
    insert into threads (thread_id, status, metadata, owner, ttl_minutes, ttl_strategy)
    values (%(thread_id)s, 'busy', %(made_with)s, %(owner)s, %(ttl_minutes)s, %(ttl_strategy)s)
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


class KeyTaken(Conflict):
    """Another run of this owner was started with the same idempotency key in this moment."""

    code = "key_taken"


async def start_on_free_thread(conn: Connection, order: Order, worker_id: UUID | None) -> Run | None:
    """Insert a run on an idle thread, claimed by `worker_id` or into the queue: one statement, one commit.

    None when the thread is unknown, busy, waits for an answer, or its metadata are not allowed.

    Raises:
        KeyTaken: another run has its idempotency key.
    """
    return await _start(conn, FREE_THREAD + NEW_RUN, order, worker_id)


async def start_on_new_thread(conn: Connection, order: Order, worker_id: UUID | None) -> Run | None:
    """Make the thread and insert a run: claimed by `worker_id`, or into the queue; None when it exists.

    Raises:
        KeyTaken: another run has its idempotency key.
    """
    return await _start(conn, NEW_THREAD + NEW_RUN, order, worker_id, new_thread=True)


async def add(conn: Connection, order: Order, *, worker_id: UUID | None = None) -> Run:
    """Insert a run on a thread that the caller has locked: claimed by `worker_id`, or into the queue.

    Listeners of the queue are told when the transaction commits.

    Raises:
        NotFound: this owner has no such thread.
        ThreadTaken: a delayed run was claimed there in this moment.
        KeyTaken: another run has its idempotency key.
    """
    try:
        values = _order(order, worker_id)
        if conn.sealer:
            values |= await _sealed(conn.sealer, order)
        run = await _inserted(conn, ANY_THREAD + NEW_RUN, values)
    except UniqueViolation as taken:
        raise ThreadTaken(f"a run began on thread {order.thread_id} in this moment") from taken
    if run is None:
        raise NotFound(f"no thread {order.thread_id}")
    return run


async def _start(
    conn: Connection,
    query: str,
    order: Order,
    worker_id: UUID | None,
    *,
    new_thread: bool = False,
) -> Run | None:
    values = _order(order, worker_id, new_thread=new_thread)
    if conn.sealer:
        values |= await _sealed(conn.sealer, order)
    try:
        return await _inserted(conn, query, values)
    except UniqueViolation as two:
        if two.diag.constraint_name == "runs_one_running_a_thread":
            return None
        raise


async def _inserted(conn: Connection, query: str, values: dict[str, Any]) -> Run | None:
    inside = conn.info.transaction_status != TransactionStatus.IDLE
    try:
        async with conn.transaction() if inside else nullcontext():  # refused, the rest of it goes on
            row = await (await conn.execute(query, values | {"alone": conn.wake_ups is None})).fetchone()
    except UniqueViolation as two:
        if two.diag.constraint_name == "runs_by_idempotency_key":
            raise KeyTaken("a run with this idempotency key began in this moment") from two
        raise
    if row is None:
        return None
    del row["told"]
    run = await opened(conn.sealer, row) if conn.sealer else Run(**row)
    if run.status == "pending" and conn.wake_ups is not None:  # else the statement has told them
        await notify(conn, "run.queued", str(run.run_id))
    return run


async def _sealed(sealer: Sealer, order: Order) -> dict[str, Any]:
    """Return what of an order is sealed; what stamps its thread, the graph and the assistant, is not."""
    stamp = _stamp(order)
    return {
        "kwargs": Jsonb(await sealer.seal("run", "kwargs", order.kwargs)),
        "metadata": Jsonb(await sealer.seal_keys("run", "metadata", order.metadata)),
        "made_with": Jsonb(await sealer.seal_keys("thread", "metadata", order.thread_metadata) | stamp),
    }


def _stamp(order: Order) -> dict[str, str]:
    return {"graph_id": order.graph_id, "assistant_id": str(order.assistant_id)}


def _order(order: Order, worker_id: UUID | None, *, new_thread: bool = False) -> dict[str, Any]:
    stamp = _stamp(order)
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
        "user_id": order.user_id,
        "allowed": order.allowed,
        "most_ahead": MOST_AHEAD,
        "stamp": Jsonb(stamp),
        "ttl_minutes": order.life.minutes if order.life else None,
        "ttl_strategy": order.life.strategy if order.life else "delete",
        "made_with": Jsonb({**order.thread_metadata, **stamp}),
    }
