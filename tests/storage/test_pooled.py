"""PgBouncer in transaction mode before Postgres: found out, worked through, refused where it cannot do."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.fakes.carriers import PgBouncer, RedisServer

from artel.storage import threads
from artel.storage.broker import LonelyBroker, PostgresBroker, notify, open_broker
from artel.storage.errors import Conflict
from artel.storage.ids import new_id
from artel.storage.migrations import migrate
from artel.storage.opening import Pooled, open_storage
from artel.storage.postgres import connect, is_pooled, open_database, served_by, shares_sessions

pytestmark = pytest.mark.needs("pgbouncer")


async def test_a_pooler_is_found_out_and_postgres_is_not_taken_for_one(
    pgbouncer: PgBouncer, fresh_dsn: str
) -> None:
    through = pgbouncer.to(fresh_dsn)
    assert (await is_pooled(through), await shares_sessions(through)) == (True, True)
    assert (await is_pooled(fresh_dsn), await shares_sessions(fresh_dsn)) == (False, False)


async def test_a_pooler_of_whole_sessions_does_as_a_direct_way(
    tmp_path: Path, postgres: str, fresh_dsn: str
) -> None:
    bouncer = PgBouncer(tmp_path).start(postgres, mode="session", size=20)
    try:
        through = bouncer.to(fresh_dsn)
        assert (await is_pooled(through), await shares_sessions(through)) == (True, False)
        async with (
            open_storage(through, pooled=False, pool_size=2) as one,
            open_broker(fresh_dsn) as other,
            other.listen("t") as listener,
            asyncio.timeout(5),
        ):
            assert await one.broker.lock(7)
            await one.broker.publish("t", "a")
            assert await anext(listener) == "a"
    finally:
        bouncer.stop()


@pytest.mark.parametrize("batch", [False, True])
async def test_many_transactions_at_once_share_a_few_sessions(
    pgbouncer: PgBouncer, fresh_dsn: str, batch: bool
) -> None:
    """Pipelines, wake-ups within the commit, errors in the middle: none disturbs another's transaction."""
    sessions: set[int] = set()
    async with (
        open_database(pgbouncer.to(fresh_dsn), pool_size=40, pooled=True) as db,
        open_broker(fresh_dsn) as direct,
        direct.listen("t") as listener,
    ):
        async with db.connection() as conn:
            await conn.execute("create table t (n int primary key)")

        async def work(n: int) -> None:
            async with db.transaction(batch=batch) as conn:
                sessions.add(await served_by(conn))
                await conn.execute("insert into t values (%s)", (n,))
                await notify(conn, "t", str(n))
            with suppress(RuntimeError):
                async with db.transaction(batch=batch) as conn:
                    await conn.execute("insert into t values (%s)", (1_000 + n,))
                    await notify(conn, "t", "undone")
                    raise RuntimeError
            with suppress(Exception):
                async with db.transaction(batch=batch) as conn:
                    await conn.execute("insert into t values (%s)", (n,))

        await asyncio.gather(*(work(n) for n in range(200)))
        async with db.connection() as conn:
            rows = await (await conn.execute("select n from t order by n")).fetchall()
        assert [row["n"] for row in rows] == list(range(200))
        async with asyncio.timeout(5):
            said = {await anext(listener) for _ in range(200)}
        assert said == {str(n) for n in range(200)}
    assert 1 < len(sessions) <= 10


async def test_no_statement_is_prepared_in_a_session_that_others_get(
    pgbouncer: PgBouncer, fresh_dsn: str
) -> None:
    async with open_storage(pgbouncer.to(fresh_dsn), direct=fresh_dsn, pool_size=4) as storage:
        async with storage.db.transaction() as conn:
            for _ in range(10):
                await threads.create(conn, new_id(), owner="local")
        async with storage.db.connection() as conn:
            row = await (await conn.execute("select count(*) as n from pg_prepared_statements")).fetchone()
        assert row == {"n": 0}


async def test_wake_ups_and_locks_go_past_the_pooler(pgbouncer: PgBouncer, fresh_dsn: str) -> None:
    through = pgbouncer.to(fresh_dsn)
    async with (
        open_storage(through, direct=fresh_dsn, pool_size=4) as one,
        open_storage(through, direct=fresh_dsn, pool_size=4) as two,
        two.broker.listen("t") as listener,
        asyncio.timeout(5),
    ):
        assert isinstance(one.broker, PostgresBroker)
        assert await one.broker.lock(7)
        assert not await two.broker.lock(7)
        async with one.db.transaction() as conn:
            await notify(conn, "t", "a")
        assert await anext(listener) == "a"


@pytest.mark.needs("redis-server")
async def test_redis_wakes_where_only_a_pooler_leads_to_postgres(
    pgbouncer: PgBouncer, redis_server: RedisServer, fresh_dsn: str
) -> None:
    through = pgbouncer.to(fresh_dsn)
    async with (
        open_storage(through, redis=redis_server.url, pool_size=4) as one,
        open_storage(through, redis=redis_server.url, pool_size=4) as two,
        two.broker.listen("t") as listener,
        asyncio.timeout(5),
    ):
        assert one.broker.locked_since is None
        async with one.db.transaction(batch=True) as conn:
            await notify(conn, "t", "a")
        assert await anext(listener) == "a"


async def test_with_neither_it_says_so_and_wakes_itself(
    pgbouncer: PgBouncer, fresh_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_storage(pgbouncer.to(fresh_dsn), pool_size=4) as storage, asyncio.timeout(5):
        assert isinstance(storage.broker, LonelyBroker)
        assert "ARTEL_STORAGE__POSTGRES_DIRECT or ARTEL_STORAGE__REDIS" in caplog.text
        async with storage.broker.listen("t") as listener:
            async with storage.db.transaction() as conn:
                await notify(conn, "t", "a")
            assert await anext(listener) == "a"


async def test_a_direct_way_that_is_none_is_refused(pgbouncer: PgBouncer, fresh_dsn: str) -> None:
    through = pgbouncer.to(fresh_dsn)
    with pytest.raises(Pooled, match="leads to a pooler"):
        async with open_storage(through, direct=through):
            pass


async def test_a_pooler_does_not_migrate_but_a_database_that_is_up_to_date_is_taken(
    pgbouncer: PgBouncer, fresh_dsn: str, empty_dsn: str
) -> None:
    await migrate(pgbouncer.to(fresh_dsn))
    with pytest.raises(Conflict, match="ARTEL_STORAGE__POSTGRES_DIRECT"):
        await migrate(pgbouncer.to(empty_dsn))


async def test_a_pooler_that_restarts_is_there_again(pgbouncer: PgBouncer, fresh_dsn: str) -> None:
    through = pgbouncer.to(fresh_dsn)
    async with open_database(through, pool_size=4, pooled=True) as db:
        async with db.connection() as conn:
            await served_by(conn)
        pgbouncer.kill()
        pgbouncer.start(fresh_dsn)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with suppress(Exception):
                async with db.connection() as conn:
                    assert await served_by(conn)
                    return
            await asyncio.sleep(0.05)
    pytest.fail("it did not come back")


async def test_signs_of_life_are_asked_for_in_urls_too_and_never_replace_ones_own(fresh_dsn: str) -> None:
    there = conninfo_to_dict(fresh_dsn)
    own = make_conninfo(fresh_dsn, keepalives_idle=77)
    async with open_broker(own) as broker:
        assert conninfo_to_dict(broker._dsn)["keepalives_idle"] in ("77", 77)
    async with await connect(f"postgresql://postgres@/{there['dbname']}?host={there['host']}") as conn:
        assert await served_by(conn) == conn.info.backend_pid
