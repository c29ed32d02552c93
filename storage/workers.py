"""Workers: the processes that run graphs, and how one tells that another has died.

A worker holds a session advisory lock and renews one lease row for all its runs. The lock tells at once that
a process is gone; the lease tells that a host is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from artel.storage.postgres import Connection


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs graphs."""

    worker_id: UUID
    lock_key: int
    host: str
    pid: int
    slots: int
    started_at: datetime
    lease_until: datetime


RENEW = """
insert into workers (worker_id, lock_key, host, pid, slots, lease_until)
values (%(worker_id)s, %(lock_key)s, %(host)s, %(pid)s, %(slots)s,
        clock_timestamp() + make_interval(secs => %(lease_s)s))
on conflict (worker_id) do update set lease_until = excluded.lease_until
returning (select count(*) from workers o where o.worker_id <> %(worker_id)s)::int as others
"""

OTHERS = "select * from workers where worker_id <> %(worker_id)s"

# A free lock alone may only mean that Postgres has restarted and its owner is not back yet. A held lock with
# a lease long over is a host that vanished without closing its connection, or a process that stands still.
IS_DEAD = """
select case when pg_try_advisory_xact_lock(lock_key)
            then %(gone)s or lease_until < clock_timestamp()
                 or pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => %(lease_s)s)
            else lease_until < clock_timestamp() - make_interval(secs => %(lease_s)s)
                 and pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => %(lease_s)s)
       end as dead
  from workers where worker_id = %(worker_id)s
"""

FORGET = "delete from workers where worker_id = %(worker_id)s"


async def renew(
    conn: Connection,
    worker_id: UUID,
    *,
    lock_key: int,
    host: str,
    pid: int,
    slots: int,
    lease_s: float,
) -> int:
    """Register a worker, or prolong its lease; return how many others there are."""
    values: dict[str, Any] = {
        "worker_id": worker_id,
        "lock_key": lock_key,
        "host": host,
        "pid": pid,
        "slots": slots,
        "lease_s": lease_s,
    }
    row = await (await conn.execute(RENEW, values)).fetchone()
    return int(row["others"]) if row else 0


async def others(conn: Connection, worker_id: UUID) -> list[Worker]:
    """Return all workers but this one."""
    cursor = await conn.execute(OTHERS, {"worker_id": worker_id})
    return [Worker(**row) for row in await cursor.fetchall()]


async def is_dead(conn: Connection, worker: Worker, *, gone: bool, lease_s: float) -> bool:
    """Say whether a worker has died; `gone`: its process is known to be no more (same host, no such pid).

    Call it in autocommit: the look at its lock must not outlive the statement.
    """
    values = {"worker_id": worker.worker_id, "gone": gone, "lease_s": lease_s}
    row = await (await conn.execute(IS_DEAD, values)).fetchone()
    return bool(row and row["dead"])


async def forget(conn: Connection, worker_id: UUID) -> None:
    """Remove a worker that has died or gone home."""
    await conn.execute(FORGET, {"worker_id": worker_id})
