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


@dataclass(frozen=True, slots=True)
class Sight:
    """What one can see of another worker."""

    worker: Worker
    free: bool  # nobody holds its lock
    over: bool  # its lease is over
    long_over: bool  # and has been for another lease
    settled: bool  # Postgres has been up longer than one lease

    def dead(self, *, gone: bool) -> bool:
        """Say whether it has died; `gone`: its process is known to be no more (same host, no such pid).

        A free lock alone may only mean that Postgres has restarted and its owner is not back yet. A held lock
        with a lease long over is a host that vanished without a goodbye, or a process that stands still.
        """
        if self.free:
            return gone or self.over or self.settled
        return self.long_over and self.settled


RENEW = """
insert into workers (worker_id, lock_key, host, pid, slots, lease_until)
values (%(worker_id)s, %(lock_key)s, %(host)s, %(pid)s, %(slots)s,
        clock_timestamp() + make_interval(secs => %(lease_s)s))
on conflict (worker_id) do update set lease_until = excluded.lease_until
returning (select count(*) from workers o where o.worker_id <> %(worker_id)s)::int as others
"""

LOOK = """
select w.*, pg_try_advisory_xact_lock(lock_key) as free,
       lease_until < clock_timestamp() as over,
       lease_until < clock_timestamp() - make_interval(secs => %(lease_s)s) as long_over,
       pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => %(lease_s)s) as settled
  from workers w where worker_id <> %(worker_id)s
"""

FORGET = "delete from workers where worker_id = %(worker_id)s returning worker_id"


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


async def look(conn: Connection, worker_id: UUID, *, lease_s: float) -> list[Sight]:
    """Return what can be seen of all workers but this one.

    Call it in autocommit: the try of their locks must not outlive the statement.
    """
    cursor = await conn.execute(LOOK, {"worker_id": worker_id, "lease_s": lease_s})
    return [_sight(row) for row in await cursor.fetchall()]


async def forget(conn: Connection, worker_id: UUID) -> bool:
    """Remove a worker that has died or gone home; False when somebody else just did."""
    return await (await conn.execute(FORGET, {"worker_id": worker_id})).fetchone() is not None


def _sight(row: dict[str, Any]) -> Sight:
    seen = {name: row.pop(name) for name in ("free", "over", "long_over", "settled")}
    return Sight(Worker(**row), **seen)
