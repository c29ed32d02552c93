"""Threads whose time is over: found one by one, each kept from everybody else."""

from uuid import UUID

from artel.storage.postgres import Connection
from artel.storage.threads.record import Thread

# A thread with a schedule is not over; a locked one is somebody's, and the next look finds it.
EXPIRED = """
select * from threads t
 where expires_at <= clock_timestamp() and status <> 'busy'
   and not exists (select 1 from runs r where r.thread_id = t.thread_id
                                          and r.status in ('pending', 'running'))
   and not exists (select 1 from crons c where c.thread_id = t.thread_id and c.enabled
                                           and c.next_run_date is not null)
 order by expires_at limit 1
   for no key update skip locked
"""

PRUNED = "update threads set pruned_at = clock_timestamp() where thread_id = %(thread_id)s"


async def next_expired(conn: Connection) -> Thread | None:
    """Lock and return the thread whose time has been over longest, and on which nothing runs or will run.

    What is sealed of it stays so: it need not be readable to go.
    """
    row = await (await conn.execute(EXPIRED)).fetchone()
    return Thread(**row) if row else None


async def pruned(conn: Connection, thread_id: UUID) -> None:
    """Note that the past of a thread is gone: its time begins again when something happens on it."""
    await conn.execute(PRUNED, {"thread_id": thread_id})
