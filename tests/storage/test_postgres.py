import asyncio
from contextlib import suppress

import psycopg
import pytest

from artel.storage.errors import Invalid, Unavailable
from artel.storage.postgres import Connection, Database, connect, open_database, shown


async def number(conn: Connection, query: str) -> object:
    row = await (await conn.execute(query)).fetchone()
    return row and next(iter(row.values()))


async def test_a_transaction_is_undone_by_an_exception(db: Database) -> None:
    with suppress(RuntimeError):
        async with db.transaction() as conn:
            await conn.execute("create table t (n int)")
            raise RuntimeError
    async with db.connection() as conn:
        assert await number(conn, "select to_regclass('t')") is None


async def test_each_statement_on_a_connection_stands_alone(db: Database) -> None:
    async with db.connection() as conn:
        await conn.execute("create table t (n int)")
        with pytest.raises(psycopg.errors.UndefinedTable):
            await conn.execute("select * from missing")
        assert await number(conn, "select count(*) from t") == 0


async def test_requests_that_hold_every_connection_do_not_keep_a_lease_from_being_renewed(
    fresh_dsn: str,
) -> None:
    async with (
        open_database(fresh_dsn, pool_size=2) as db,
        db.connection(),
        db.connection(),
        asyncio.timeout(5),
        db.connection(control=True) as conn,
    ):
        assert await number(conn, "select 1") == 1


async def test_connections_that_died_in_the_pool_are_replaced_before_anyone_gets_them(db: Database) -> None:
    async with db.connection(), db.connection():
        pass
    async with await connect(db.dsn) as other:
        await other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        await asyncio.sleep(0.2)
    for _ in range(4):
        async with db.connection() as conn:
            assert await number(conn, "select 1") == 1


async def test_a_connection_that_dies_in_use_says_that_the_database_went_away(db: Database) -> None:
    with pytest.raises(Unavailable, match="went away"):
        async with db.connection() as conn:
            await conn.execute("select pg_terminate_backend(pg_backend_pid())")
    async with db.connection() as conn:
        assert await number(conn, "select 1") == 1


async def test_json_goes_in_with_odd_values_and_comes_out(db: Database) -> None:
    async with db.connection() as conn:
        cursor = await conn.execute(
            "select %s::jsonb as value", [psycopg.types.json.Jsonb({"a\x00": {1, 2}, "n": None})]
        )
        assert await cursor.fetchone() == {"value": {"a": [1, 2], "n": None}}


async def test_a_wrong_dsn_is_said_in_one_sentence() -> None:
    with pytest.raises(Invalid, match="not a Postgres connection string: 'nonsense'"):
        await connect("nonsense")
    with pytest.raises(Unavailable, match=r"host=/nowhere.* cannot be reached: .*No such file"):
        async with open_database("host=/nowhere dbname=x password=secret"):
            pass


async def test_a_password_is_never_shown() -> None:
    assert shown("postgresql://me:secret@db.example/artel") == "user=me dbname=artel host=db.example"
    for dsn in ("postgresql://me:secret@[broken/artel", "password=secret nonsense"):
        assert "secret" not in shown(dsn)
        with pytest.raises(Invalid) as refused:
            await connect(dsn)
        assert "secret" not in str(refused.value)
