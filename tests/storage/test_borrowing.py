"""Connections come back to their pool, whatever happens to those who had them."""

import asyncio

import anyio

from artel.storage.postgres import open_database


async def test_a_reader_who_is_torn_off_while_the_pool_is_busy_leaves_no_hole_in_it(fresh_dsn: str) -> None:
    """As a web server tears its clients off: it cancels them at each thing they wait for."""
    async with open_database(fresh_dsn, pool_size=2) as db:
        busy = db.pool._lock  # held for long only by chance
        for _ in range(3):
            with anyio.CancelScope() as scope:
                async with db.connection() as conn:
                    await conn.execute("select 1")
                    await busy.acquire()
                    scope.cancel()
                    asyncio.get_running_loop().call_later(0.02, busy.release)
            await asyncio.sleep(0.05)
        known = db.pool.get_stats()
        assert known["pool_available"] == known["pool_size"]
        async with asyncio.timeout(2), db.connection() as one, db.connection() as two:
            assert one is not two
