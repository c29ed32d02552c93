"""Who counts as dead: a free lock, a lease that is over, and what a restart of Postgres must not steal."""

from uuid import UUID

import pytest

from artel.storage import workers
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database
from artel.storage.workers import Sight


async def register(conn: Connection, *, lock_key: int, lease_s: float = 5) -> UUID:
    id_ = new_id()
    await workers.renew(conn, id_, lock_key=lock_key, host="h", pid=1, slots=1, lease_s=lease_s)
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
    assert (await seen(conn, one)).long_over
    other = await workers.renew(conn, new_id(), lock_key=44, host="h", pid=1, slots=1, lease_s=5)
    assert other >= 1
    await workers.renew(conn, one, lock_key=43, host="h", pid=1, slots=1, lease_s=5)
    assert not (await seen(conn, one)).over


async def test_one_process_buries_a_worker(conn: Connection) -> None:
    one = await register(conn, lock_key=45)
    assert await workers.forget(conn, one)
    assert not await workers.forget(conn, one)


@pytest.mark.parametrize(
    ("free", "over", "long_over", "settled", "gone", "dead"),
    [
        (False, False, False, True, False, False),  # alive
        (True, False, False, True, False, True),  # killed: the lock is free, Postgres has been up
        (True, False, False, False, False, False),  # Postgres has just restarted: it will be back
        (True, False, False, False, True, True),  # but its process is known to be gone
        (True, True, False, False, False, True),  # nor did it come back in time
        (False, True, False, True, False, False),  # late, but it holds its lock
        (False, True, True, True, False, True),  # a host that vanished without a goodbye
        (False, True, True, False, False, False),  # nobody could renew while Postgres was down
    ],
)
async def test_what_counts_as_dead(
    conn: Connection, free: bool, over: bool, long_over: bool, settled: bool, gone: bool, dead: bool
) -> None:
    one = await seen(conn, await register(conn, lock_key=46))
    sight = Sight(one.worker, free, over, long_over, settled)
    assert sight.dead(gone=gone) is dead
