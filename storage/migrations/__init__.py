"""Bring a database to the schema of this release: our plain SQL revisions, then LangGraph's own tables."""

import asyncio
from importlib import import_module
from pathlib import Path

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.store.postgres.base import MIGRATIONS as STORE_MIGRATIONS
from psycopg import Error
from psycopg.errors import UndefinedTable

from artel.storage.errors import Conflict, Unavailable
from artel.storage.migrations.failed import MigrationFailed
from artel.storage.postgres import Connection, connect, served_by, shares_sessions

HEAD = max(file.name.partition("_")[0] for file in (Path(__file__).parent / "versions").glob("[0-9]*_*.sql"))

OLDEST = 14_00_00
LOCK_KEY = 0x61_72_74_65_6C  # "artel"
LOOK_S = 0.05
PATIENCE_S = 120.0

TRY_LOCK = "select pg_try_advisory_lock(%(key)s) as mine"
UNLOCK = "select pg_advisory_unlock(%(key)s)"
REVISION = "select version_num from alembic_version"
AFTER_LANGGRAPH = (
    # An answer lies on the checkpoint of the run that asked, and goes when the run that gave it is undone.
    "alter table checkpoint_writes add column if not exists run_id uuid",
    # Each primary key begins with the thread: these indexes only cost, a tenth of the WAL of a turn.
    "drop index if exists checkpoints_thread_id_idx",
    "drop index if exists checkpoint_blobs_thread_id_idx",
    "drop index if exists checkpoint_writes_thread_id_idx",
)
# Half a minute is a time to live too; as a whole number it is none, and ends the item at its first read.
AFTER_STORE = "alter table store alter column ttl_minutes type double precision"
SAVER_REVISION = "select max(v) as v from checkpoint_migrations"
STORE_REVISIONS = "create table if not exists store_migrations (v integer primary key)"
STORE_REVISION = "select max(v) as v from store_migrations"
ADD_STORE_REVISION = "insert into store_migrations (v) values (%(v)s)"


async def migrate(dsn: str) -> None:
    """Bring the database at `dsn` to this release's schema; returns at once when it is there already.

    Processes that start together take turns. The turn is polled for: a statement waiting in
    `pg_advisory_lock` would be waited for in turn by LangGraph's `create index concurrently`: a deadlock.

    Raises:
        Invalid: `dsn` is no connection string.
        Unavailable: Postgres cannot be reached, or another process has been migrating for two minutes.
        Conflict: a newer release has migrated this database, its PostgreSQL is too old, or a pooler is there.
        MigrationFailed: Postgres refused a statement, say for want of rights.
    """
    async with await connect(dsn, prepared=False) as conn:
        if await _is_current(conn):
            return
        if await served_by(conn) != conn.info.backend_pid and await shares_sessions(dsn):
            raise Conflict(
                "the schema is not that of this release, and a pooler in transaction mode cannot bring it "
                "there: set ARTEL_STORAGE__POSTGRES_DIRECT to the address of PostgreSQL itself"
            )
        if conn.info.server_version < OLDEST:
            raise Conflict(
                f"this is PostgreSQL {conn.info.server_version // 10000}: take {OLDEST // 10000} or later"
            )
        await _take_turn(conn)
        try:
            if not await _is_current(conn):
                # Alembic and SQLAlchemy cost 0.5 s to import; only a database that is behind needs them.
                upgrade = import_module("artel.storage.migrations.upgrade").upgrade
                await asyncio.to_thread(upgrade, dsn)
                await _set_up_langgraph(conn)
        finally:
            await conn.execute(UNLOCK, {"key": LOCK_KEY})


async def _set_up_langgraph(conn: Connection) -> None:
    try:
        await AsyncPostgresSaver(conn).setup()
        for query in AFTER_LANGGRAPH:
            await conn.execute(query)
        await _set_up_store(conn)
    except Error as refused:
        raise MigrationFailed.by(refused) from refused


async def _set_up_store(conn: Connection) -> None:
    """Do what `AsyncPostgresStore.setup` does; an instance of it would leave a task behind."""
    await conn.execute(STORE_REVISIONS)
    done = await _value(conn, STORE_REVISION, "v")
    first = done + 1 if isinstance(done, int) else 0
    if first == len(STORE_MIGRATIONS):  # LangGraph's own store was here before us
        await conn.execute(AFTER_STORE)
    for version, query in enumerate(STORE_MIGRATIONS[first:], first):
        await conn.execute(query.encode())
        if version == len(STORE_MIGRATIONS) - 1:
            await conn.execute(AFTER_STORE)
        await conn.execute(ADD_STORE_REVISION, {"v": version})


async def _take_turn(conn: Connection) -> None:
    for _ in range(int(PATIENCE_S / LOOK_S)):
        row = await (await conn.execute(TRY_LOCK, {"key": LOCK_KEY})).fetchone()
        if row and row["mine"]:
            return
        await asyncio.sleep(LOOK_S)
    raise Unavailable(f"another process has been migrating this database for {PATIENCE_S:.0f} s; stop it")


async def _is_current(conn: Connection) -> bool:
    revision, saver = await _value(conn, REVISION, "version_num"), await _value(conn, SAVER_REVISION, "v")
    store = await _value(conn, STORE_REVISION, "v")
    if isinstance(revision, str) and revision > HEAD:
        raise Conflict(f"this database is at revision {revision}, newer than {HEAD} known here: update Artel")
    langgraph = (len(AsyncPostgresSaver.MIGRATIONS) - 1, len(STORE_MIGRATIONS) - 1)
    return revision == HEAD and (saver, store) == langgraph


async def _value(conn: Connection, query: str, column: str) -> object:
    try:
        row = await (await conn.execute(query)).fetchone()
    except UndefinedTable:
        return None
    return row[column] if row else None
