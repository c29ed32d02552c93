"""The way to the database: two pools, and the two ways to borrow a connection."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from select import POLLIN, poll
from typing import Any, TypeAlias

from psycopg import AsyncConnection, Error, OperationalError, ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from artel.storage.encoding import dumps_jsonb, loads
from artel.storage.errors import Invalid, StaleAttempt, Unavailable

Connection: TypeAlias = AsyncConnection[DictRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

CONNECT_TIMEOUT_S = 10
FENCED = "AR001"  # what `artel_fence` of the first migration raises
_SECRET = {"password", "sslpassword", "passfile"}
CONTROL_SIZE = 4  # claims, heartbeats and event chunks: never behind a queue of requests

_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "prepare_threshold": 0,
    "row_factory": dict_row,
    "connect_timeout": CONNECT_TIMEOUT_S,
}


class Database:
    """The open pools of one process.

    `pool` serves requests and checkpoints; `control` serves claims, heartbeats and event chunks, so that a
    rush of requests never starves a lease. `pipeline` says whether the server side takes pipelined statements
    (a PgBouncer in transaction mode may not).
    """

    def __init__(self, dsn: str, pool: Pool, control: Pool, *, pipeline: bool) -> None:
        self.dsn = dsn
        self.pool = pool
        self.control = control
        self.pipeline = pipeline

    @asynccontextmanager
    async def connection(self, *, control: bool = False) -> AsyncIterator[Connection]:
        """Borrow a connection in autocommit: each statement is one round trip and its own transaction.

        Raises:
            Unavailable: none became free, Postgres does not answer, or the connection died in use.
        """
        async with _borrowed(self.control if control else self.pool) as conn:
            yield conn

    @asynccontextmanager
    async def transaction(self, *, control: bool = False, batch: bool = False) -> AsyncIterator[Connection]:
        """Borrow a connection inside a transaction: committed at the end, rolled back by an exception.

        `batch` sends statements without waiting for their results, until one is fetched: a few writes then
        cost one round trip, and an error may show only at the next fetch or at the end.

        Raises:
            Unavailable: none became free, Postgres does not answer, or the connection died in use.
            StaleAttempt: a fenced write came from a worker that has lost the run.
        """
        async with AsyncExitStack() as stack:
            conn = await stack.enter_async_context(_borrowed(self.control if control else self.pool))
            if batch and self.pipeline:
                await stack.enter_async_context(conn.pipeline())
            await stack.enter_async_context(conn.transaction())
            yield conn


@asynccontextmanager
async def open_database(
    dsn: str, *, pool_size: int | None = None, pipeline: bool = True
) -> AsyncIterator[Database]:
    """Open the pools of `dsn`; `pool_size` connections at most for requests, by default four a core.

    Raises:
        Invalid: `dsn` is no connection string.
        Unavailable: nothing answers there, or it refuses us.
    """
    await (await connect(dsn)).close()
    most = max(2, pool_size or 4 * (os.cpu_count() or 1))
    async with _pool(dsn, most, "requests") as pool, _pool(dsn, CONTROL_SIZE, "control") as control:
        yield Database(dsn, pool, control, pipeline=pipeline)


async def connect(dsn: str) -> Connection:
    """Open one connection outside the pools, in autocommit.

    Raises:
        Invalid: `dsn` is no connection string.
        Unavailable: nothing answers there, or it refuses us.
    """
    try:
        conn = await AsyncConnection[DictRow].connect(dsn, **_OPTIONS)
    except ProgrammingError as wrong:
        raise Invalid(f"not a Postgres connection string: {shown(dsn)}") from wrong
    except OperationalError as refused:
        raise Unavailable(
            f"Postgres at {shown(dsn)} cannot be reached: {_line(refused)}; start it, or correct the DSN"
        ) from refused
    await _prepare(conn)
    return conn


def shown(dsn: str) -> str:
    """Return `dsn` as it may be shown: without its password.

    >>> shown("postgresql://me:secret@db.example/artel")
    'user=me dbname=artel host=db.example'
    """
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        return "(not shown: it may hold a password)" if "@" in dsn or "password" in dsn else repr(dsn)
    return make_conninfo("", **{name: value for name, value in parts.items() if name not in _SECRET})


def _pool(dsn: str, most: int, name: str) -> Pool:
    return AsyncConnectionPool[Connection](
        dsn,
        connection_class=AsyncConnection[DictRow],
        kwargs=_OPTIONS,
        min_size=1,
        max_size=most,
        open=False,
        configure=_prepare,
        check=_check,
        name=name,
        timeout=30,
    )


@asynccontextmanager
async def _borrowed(pool: Pool) -> AsyncIterator[Connection]:
    try:
        conn = await pool.getconn()
    except PoolTimeout as late:
        raise Unavailable("the database gave no connection within 30 s; it is down or overloaded") from late
    try:
        yield conn
    except Error as failed:
        if failed.sqlstate == FENCED:
            raise StaleAttempt(_line(failed)) from failed
        if conn.closed and isinstance(failed, OperationalError):
            raise Unavailable(f"the database went away: {_line(failed)}") from failed
        raise
    finally:
        await pool.putconn(conn)


async def _prepare(conn: Connection) -> None:
    set_json_dumps(dumps_jsonb, conn)
    set_json_loads(loads, conn)


async def _check(conn: Connection) -> None:
    """Throw out connections that died in the pool, at no round trip.

    An idle connection has nothing to say; when it has, it is a goodbye (a Postgres restart), and then the
    check proper decides.
    """
    ready = poll()
    ready.register(conn.fileno(), POLLIN)
    if ready.poll(0):
        await AsyncConnectionPool.check_connection(conn)


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
