"""Who counts as dead: a free lock, a lease that is over, and what a restart of Postgres must not steal."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from artel.storage import workers
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database
from artel.storage.workers import Sight


async def started(conn: Connection) -> datetime:
    row = await (await conn.execute("select pg_postmaster_start_time() as at")).fetchone()
    assert row
    at: datetime = row["at"]
    return at


async def register(conn: Connection, *, lock_key: int, lease_s: float = 5, locked: bool = True) -> UUID:
    id_ = new_id()
    since = await started(conn) if locked else None
    await workers.renew(
        conn, id_, lock_key=lock_key, host="h", pid=1, slots=1, lease_s=lease_s, locked_since=since
    )
    return id_


async def seen(conn: Connection, id_: UUID) -> Sight:
    (one,) = [s for s in await workers.look(conn, new_id(), lease_s=1) if s.worker.worker_id == id_]
    return one


async def test_a_held_lock_and_a_young_lease_are_life(db: Database) -> None:
    async with db.connection() as owner, db.connection() as looker:
        await owner.execute("select pg_advisory_lock(41)")
        sight = await seen(looker, await register(owner, lock_key=41))
        assert not sight.free
        assert not sight.over
        await owner.execute("select pg_advisory_unlock(41)")


async def test_a_free_lock_is_seen_at_once_and_not_taken(db: Database) -> None:
    async with db.connection() as owner, db.connection() as looker:
        id_ = await register(owner, lock_key=42)
        assert (await seen(looker, id_)).free
        assert (await seen(looker, id_)).free


async def test_renewals_count_the_others_and_prolong(conn: Connection) -> None:
    one = await register(conn, lock_key=43, lease_s=-3)
    assert (await seen(conn, one)).over
    other = await workers.renew(conn, new_id(), lock_key=44, host="h", pid=1, slots=1, lease_s=5)
    assert other >= 1
    await workers.renew(conn, one, lock_key=43, host="h", pid=1, slots=1, lease_s=5)
    assert not (await seen(conn, one)).over


async def test_one_process_buries_a_worker(conn: Connection) -> None:
    one = await register(conn, lock_key=45)
    assert await workers.forget(conn, one)
    assert not await workers.forget(conn, one)


async def test_a_lock_of_another_postgres_says_nothing(db: Database) -> None:
    """A restart, or a fail-over to a standby that has long been up: the owner of the lock will be back."""
    async with db.connection() as conn:
        id_ = await register(conn, lock_key=47)
        assert (await seen(conn, id_)).free
        await conn.execute("update workers set locked_since = locked_since - interval '1 s'")
        assert not (await seen(conn, id_)).free


async def test_a_worker_without_a_lock_lives_by_its_lease(db: Database) -> None:
    async with db.connection() as conn:
        id_ = await register(conn, lock_key=48, locked=False)
        sight = await seen(conn, id_)
        assert not sight.free
        assert not sight.dead(gone=False, free_s=60)
        late = await register(conn, lock_key=49, locked=False, lease_s=-3)
        assert (await seen(conn, late)).over


@pytest.mark.parametrize(
    ("free_s", "over", "settled", "gone", "dead"),
    [
        (None, False, True, False, False),  # alive
        (0.0, False, True, False, False),  # the connection that held the lock broke: it will be back at once
        (1.1, False, True, False, True),  # killed: its lock stays free
        (None, False, True, True, True),  # its process is known to be gone
        (None, True, True, False, True),  # a host that vanished without a goodbye, or one that is cut off
        (None, True, False, False, False),  # nobody could renew while Postgres was down
    ],
)
async def test_what_counts_as_dead(
    conn: Connection, free_s: float | None, over: bool, settled: bool, gone: bool, dead: bool
) -> None:
    one = await seen(conn, await register(conn, lock_key=46))
    sight = Sight(one.worker, free_s is not None, over, settled)
    assert sight.dead(gone=gone, free_s=free_s or 0) is dead


async def test_no_clock_of_a_host_counts(db: Database) -> None:
    """Hosts whose clocks differ by hours agree on leases: all times are made and compared by Postgres."""
    async with db.connection() as conn:
        id_ = await register(conn, lock_key=50)
        row = await (
            await conn.execute(
                "select lease_until - clock_timestamp() as left from workers where worker_id = %s", (id_,)
            )
        ).fetchone()
    assert row
    assert timedelta(seconds=4) < row["left"] <= timedelta(seconds=5)
