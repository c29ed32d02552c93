"""Workers: the processes that run graphs, and how one tells that another has died.

A worker holds a session advisory lock and renews one lease row for all its runs. The lock tells at once that
a process is gone; the lease tells that a host is, or the way to it. Behind a pooler there is only the lease.
All times are the database's: clocks of hosts are never compared.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from artel.storage.postgres import Connection

# A worker whose connection broke has its lock back in a tenth of a second, or is cut off and stops its runs;
# a lock that stays free longer is that of a dead one. After a restart of Postgres no lock counts: see LOOK.
STOP_S = 0.5
BACK_S = 1.0


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
    locked_since: datetime | None  # start of the Postgres in which it holds its lock; None: it holds none


@dataclass(frozen=True, slots=True)
class Sight:
    """What one can see of another worker."""

    worker: Worker
    free: bool  # it said that it holds a lock in this very Postgres, and nobody does
    over: bool  # its lease is over, and a moment more
    settled: bool  # Postgres has been up for longer than that: it could have renewed

    def dead(self, *, gone: bool, free_s: float = 0) -> bool:
        """Say whether it has died; `gone`: its process is known to be no more (same host, no such pid).

        `free_s`: for how long its lock has been seen free; one whose connection broke takes it again at once.
        A lease that is over is a host that vanished without a goodbye, a process that stands still, or one
        that is cut off and has stopped its runs itself. While Postgres was down nobody could renew.
        """
        return gone or (self.free and free_s >= BACK_S) or (self.over and self.settled)


RENEW = """
insert into workers (worker_id, lock_key, host, pid, slots, lease_until, locked_since)
values (%(worker_id)s, %(lock_key)s, %(host)s, %(pid)s, %(slots)s,
        clock_timestamp() + make_interval(secs => %(lease_s)s), %(locked_since)s)
on conflict (worker_id) do update
   set lease_until = excluded.lease_until, locked_since = excluded.locked_since
returning (select count(*) from workers o where o.worker_id <> %(worker_id)s)::int as others
"""

LOOK = """
select w.*, coalesce(locked_since = pg_postmaster_start_time(), false)
            and pg_try_advisory_xact_lock(lock_key) as free,
       lease_until < clock_timestamp() - make_interval(secs => %(late_s)s) as over,
       pg_postmaster_start_time()
            < clock_timestamp() - make_interval(secs => %(lease_s)s + %(late_s)s) as settled
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
    locked_since: datetime | None = None,
) -> int:
    """Register a worker, or prolong its lease; return how many others there are.

    `locked_since`: the start of the Postgres in which it holds `lock_key`; None when it holds no lock.
    """
    values: dict[str, Any] = {
        "worker_id": worker_id,
        "lock_key": lock_key,
        "host": host,
        "pid": pid,
        "slots": slots,
        "lease_s": lease_s,
        "locked_since": locked_since,
    }
    row = await (await conn.execute(RENEW, values)).fetchone()
    return int(row["others"]) if row else 0


async def look(conn: Connection, worker_id: UUID, *, lease_s: float) -> list[Sight]:
    """Return what can be seen of all workers but this one.

    Call it in autocommit: the try of their locks must not outlive the statement.
    """
    cursor = await conn.execute(LOOK, {"worker_id": worker_id, "lease_s": lease_s, "late_s": late_s(lease_s)})
    return [_sight(row) for row in await cursor.fetchall()]


async def forget(conn: Connection, worker_id: UUID) -> bool:
    """Remove a worker that has died or gone home; False when somebody else just did."""
    return await (await conn.execute(FORGET, {"worker_id": worker_id})).fetchone() is not None


def late_s(lease_s: float) -> float:
    """How long after its end a lease counts as over, for a process that was only late."""
    return min(1.0, lease_s / 2)


def _sight(row: dict[str, Any]) -> Sight:
    seen = {name: row.pop(name) for name in ("free", "over", "settled")}
    return Sight(Worker(**row), **seen)
