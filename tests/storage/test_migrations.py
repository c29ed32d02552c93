import asyncio
import subprocess
import sys

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo

from artel.storage import migrations
from artel.storage.errors import Conflict, Unavailable
from artel.storage.migrations import HEAD, migrate, upgrade
from artel.storage.migrations.failed import MigrationFailed
from artel.storage.postgres import connect

OURS = {"assistants", "threads", "workers", "runs", "run_events", "approvals", "effects", "snapshots"}
LANGGRAPH = {"checkpoints", "checkpoint_blobs", "checkpoint_writes", "store"}


async def tables(dsn: str) -> set[str]:
    async with await connect(dsn) as conn:
        cursor = await conn.execute("select tablename from pg_tables where schemaname = 'public'")
        return {row["tablename"] async for row in cursor}


async def test_an_empty_database_gets_our_tables_and_those_of_langgraph(empty_dsn: str) -> None:
    await migrate(empty_dsn)
    assert await tables(empty_dsn) >= OURS | LANGGRAPH


async def test_processes_that_start_together_take_turns(empty_dsn: str) -> None:
    async with asyncio.timeout(60), asyncio.TaskGroup() as starts:
        for _ in range(4):
            starts.create_task(migrate(empty_dsn))
    assert await tables(empty_dsn) >= OURS | LANGGRAPH


async def test_a_migration_broken_off_between_ours_and_langgraphs_is_finished(empty_dsn: str) -> None:
    await asyncio.to_thread(upgrade.upgrade, empty_dsn)
    assert not await tables(empty_dsn) & LANGGRAPH
    await migrate(empty_dsn)
    assert await tables(empty_dsn) >= LANGGRAPH


async def test_a_store_that_was_begun_is_finished(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as conn:
        conn.execute("drop table store; drop table store_migrations")
    await migrate(fresh_dsn)
    with psycopg.connect(fresh_dsn) as conn:
        conn.execute("delete from store_migrations where v > 1")
        conn.execute("alter table store drop column ttl_minutes")
    await migrate(fresh_dsn)
    with psycopg.connect(fresh_dsn) as conn:
        query = "select pg_typeof(ttl_minutes)::text from store right join (values (1)) one on true"
        assert conn.execute(query).fetchone() == ("double precision",)


def test_the_second_start_imports_no_alembic(dsn: str) -> None:
    code = (
        "import asyncio, sys; from artel.storage.migrations import migrate; "
        "asyncio.run(migrate(sys.argv[1])); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, dsn], check=True)


def test_the_newest_file_is_the_head_that_alembic_knows() -> None:
    assert ScriptDirectory.from_config(upgrade.script()).get_current_head() == HEAD


async def test_a_database_of_a_newer_release_is_left_alone(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as conn:
        conn.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(Conflict, match="revision 9999, newer than"):
        await migrate(fresh_dsn)


async def test_a_turn_that_never_comes_is_said(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "PATIENCE_S", 0.1)
    with psycopg.connect(empty_dsn) as other:
        other.execute("select pg_advisory_lock(%s)", [migrations.LOCK_KEY])
        with pytest.raises(Unavailable, match="another process has been migrating"):
            await migrate(empty_dsn)


async def test_a_user_who_may_not_create_tables_is_told(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn) as conn:
        conn.execute("create role guest login")
    try:
        with pytest.raises(
            MigrationFailed, match="permission denied for schema public; its user must"
        ) as refused:
            await migrate(make_conninfo(empty_dsn, user="guest"))
        assert "\n" not in str(refused.value)
    finally:
        with psycopg.connect(empty_dsn) as conn:
            conn.execute("drop role guest")


async def test_a_postgres_too_old_is_said(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "OLDEST", 99_00_00)
    with pytest.raises(Conflict, match=r"this is PostgreSQL \d+: take 99 or later"):
        await migrate(empty_dsn)
