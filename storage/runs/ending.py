"""Ending runs: by their worker, by whoever stops or deletes them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from artel.storage.broker import notify
from artel.storage.errors import StaleAttempt
from artel.storage.postgres import Connection
from artel.storage.runs.record import SEQ_BLOCK, CancelAction, Run, Status, one, opened
from artel.storage.threads.sealed import error_of, questions_of

MARGIN = 16  # ids above the reserved ones: the ending of a run that nobody holds takes one or two

# The thread is locked before the run, as by everybody. The thread's next run is taken in the same breath.
END = """
with lock as (
    select thread_id from threads where thread_id = %(thread_id)s for no key update
), ended as (
    update runs set status = %(status)s, error = %(error)s, worker_id = null,
                    ended_at = clock_timestamp(), updated_at = clock_timestamp()
      from lock
     where run_id = %(run_id)s and attempt = %(attempt)s and status in ('pending', 'running')
    returning runs.run_id, runs.thread_id, runs.event_base + runs.reserved_seq + %(margin)s as next_base
), waiting as (
    select o.run_id, o.due_at, o.created_at, o.status
      from runs o join ended on o.thread_id = ended.thread_id and o.run_id <> ended.run_id
     where o.status in ('pending', 'running')
), thread as (
    update threads set status = case when exists (select 1 from waiting) then 'busy'
                                     else %(thread_status)s end,
                       interrupts = coalesce(%(interrupts)s, case when %(open_only)s then
                           (select coalesce(jsonb_object_agg(task, open), '{}')
                              from (select asked.key as task, jsonb_agg(question) as open
                                      from jsonb_each(threads.interrupts) asked,
                                           jsonb_array_elements(asked.value) question
                                     where exists (select 1 from approvals a
                                                    where a.thread_id = threads.thread_id
                                                      and a.interrupt_id = question ->> 'id'
                                                      and a.decision is null and a.superseded_at is null)
                                     group by asked.key) still)
                           else threads.interrupts end), error = %(error)s,
                       event_base = coalesce(ended.next_base, threads.event_base),
                       updated_at = clock_timestamp(), state_updated_at = clock_timestamp()
      from ended where threads.thread_id = ended.thread_id
    returning threads.status, threads.event_base
), next as (
    update runs set status = 'running', attempt = runs.attempt + 1, worker_id = %(next_worker)s,
                    reserved_seq = runs.reserved_seq + %(block)s,
                    event_base = coalesce(runs.event_base, thread.event_base),
                    started_at = coalesce(runs.started_at, clock_timestamp()),
                    updated_at = clock_timestamp()
      from (select run_id from waiting
             where status = 'pending' and due_at <= clock_timestamp() and %(next_worker)s::uuid is not null
               and not exists (select 1 from waiting where status = 'running')
             order by created_at, run_id limit 1) first, thread
     where runs.run_id = first.run_id and runs.status = 'pending'
    returning runs.*
)
select thread.status as thread_status, next.*
  from thread left join next on true
"""

CANCEL = """
update runs set cancel = %(action)s, updated_at = clock_timestamp()
 where run_id = %(run_id)s and status in ('pending', 'running')
returning *
"""

KEEP_THREAD = """
update threads set ttl_minutes = extract(epoch from %(for_)s::interval)::float8 / 60, ttl_strategy = 'delete'
 where thread_id = %(thread_id)s
"""

DELETE = "delete from runs where run_id = %(run_id)s"


class End:
    """An ending that was sent: what came of it is known after the round trip."""

    def __init__(self, run: Run, conn: Connection, cursor: AsyncCursor[DictRow]) -> None:
        self._run = run
        self._conn = conn
        self._cursor = cursor

    async def following(self) -> Run | None:
        """Return the thread's next run when it was taken.

        Raises:
            StaleAttempt: the run has ended or moved on.
        """
        row = await self._cursor.fetchone()
        if row is None:
            raise StaleAttempt(f"run {self._run.run_id} is not in attempt {self._run.attempt} any more")
        del row["thread_status"]
        if row["run_id"] and self._conn.sealer:
            return await opened(self._conn.sealer, row)
        return Run(**row) if row["run_id"] else None


async def end(
    conn: Connection,
    run: Run,
    status: Status,
    *,
    thread_status: str,
    interrupts: dict[str, Any] | None = None,
    open_only: bool = False,
    error: dict[str, Any] | None = None,
    next_worker: UUID | None = None,
) -> End:
    """Write the end of a run and what it means for its thread, which stays busy while others wait; tell all.

    `interrupts` None: what the thread waits for is as before; with `open_only` without what was answered.
    `next_worker` takes the thread's next due run. The caller asks for what came of it: in a batch after the
    commit, if a fenced write stands before this one, else within the transaction.
    """
    if conn.sealer:
        interrupts = await questions_of(conn.sealer, interrupts)
        error = await error_of(conn.sealer, error)
    values = {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "attempt": run.attempt,
        "status": status,
        "thread_status": thread_status,
        "interrupts": None if interrupts is None else Jsonb(interrupts),
        "open_only": open_only,
        "error": Jsonb(error) if error else None,
        "next_worker": next_worker,
        "block": SEQ_BLOCK,
        "margin": MARGIN,
    }
    sent = End(run, conn, await conn.execute(END, values))
    await notify(conn, "run.ended", str(run.run_id))
    return sent


async def cancel(conn: Connection, run_id: UUID, action: CancelAction) -> Run | None:
    """Note durably that a run shall stop; None when it has ended already."""
    return await one(conn, CANCEL, {"run_id": run_id, "action": action})


async def keep_thread(conn: Connection, thread_id: UUID, for_: timedelta) -> None:
    """Let a thread that was made for one run go later than it."""
    await conn.execute(KEEP_THREAD, {"thread_id": thread_id, "for_": for_})


async def delete(conn: Connection, run_id: UUID) -> None:
    """Remove the row of a run."""
    await conn.execute(DELETE, {"run_id": run_id})
