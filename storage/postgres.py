"""The way to the database: two pools, and the two ways to borrow a connection."""

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from psycopg import AsyncConnection, Error, OperationalError, ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from artel.storage import tasks
from artel.storage.encoding import dumps_jsonb, loads
from artel.storage.errors import Invalid, StaleAttempt, Unavailable, Unstorable

if TYPE_CHECKING:
    from artel.storage.sealing import Sealer


class Connection(AsyncConnection[DictRow]):
    """A connection that remembers whom to wake once its transaction has committed."""

    wake_ups: list[str] | None = None  # None: it is in nobody's transaction, and a wake-up goes at once
    sealer: "Sealer | None" = None  # None: nothing is encrypted


Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[DictRow]]  # as LangGraph's saver takes it
Tell: TypeAlias = Callable[[Sequence[str]], None]

CONNECT_TIMEOUT_S = 10
REFUSED = ("22", "54")  # classes of errors: a wrong value, a limit of the database
FENCED = "AR001"  # what `artel_fence` of the first migration raises
_SECRET = {"password", "sslpassword", "passfile"}
LOOKS = 5
CONTROL_SIZE = 4  # claims, heartbeats and event chunks: never behind a queue of requests

NOTIFY = "select pg_notify('artel', said) from unnest(%(wake_ups)s::text[]) said"
SERVED_BY = "select pg_backend_pid() as pid"

# A machine that vanishes without a goodbye is noticed within about ten seconds.
KEEPALIVE = {
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_OPTIONS: dict[str, Any] = {"autocommit": True, "row_factory": dict_row, "connect_timeout": CONNECT_TIMEOUT_S}


@dataclass(slots=True)
class Spent:
    """How long the connections of a pool were in use: the pool itself counts whole milliseconds only."""

    seconds: float = 0.0


class Database:
    """The open pools of one process.

    `pool` serves requests and checkpoints; `control` serves claims, heartbeats and event chunks, so that a
    rush of requests never starves a lease. `pipeline` says whether the server side takes pipelines.
    `tell` carries the wake-ups of what was committed; without it they are part of the commit, as NOTIFY.
    `sealer` encrypts what people say; each connection has it too.
    """

    def __init__(
        self,
        dsn: str,
        pool: Pool,
        control: Pool,
        *,
        pipeline: bool,
        tell: Tell | None = None,
        sealer: "Sealer | None" = None,
    ) -> None:
        self.dsn = dsn
        self.sealer = sealer
        self.pool = pool
        self.control = control
        self.pipeline = pipeline
        self.spent = {pool.name: Spent() for pool in (pool, control)}
        self._tell = tell

    @asynccontextmanager
    async def connection(self, *, control: bool = False) -> AsyncIterator[Connection]:
        """Borrow a connection in autocommit: each statement is one round trip and its own transaction.

        Raises:
            Unavailable: none became free, Postgres does not answer, or the connection died in use.
        """
        async with self._borrowed(self.control if control else self.pool) as conn:
            if self._tell is None:
                yield conn
                return
            with _remembering(conn) as wake_ups:
                try:
                    yield conn
                finally:
                    self._tell(wake_ups)

    @asynccontextmanager
    async def transaction(self, *, control: bool = False, batch: bool = False) -> AsyncIterator[Connection]:
        """Borrow a connection inside a transaction: committed at the end, rolled back by an exception.

        `batch` sends statements without waiting for their results, until one is fetched: a few writes then
        cost one round trip, and an error may show only at the next fetch or at the end.

        Raises:
            Unavailable: none became free, Postgres does not answer, or the connection died in use.
            StaleAttempt: a fenced write came from a worker that has lost the run.
        """
        async with self._borrowed(self.control if control else self.pool) as conn:
            with _remembering(conn) as wake_ups:
                async with AsyncExitStack() as pipeline:
                    if batch and self.pipeline:
                        await pipeline.enter_async_context(conn.pipeline())
                    async with conn.transaction():
                        yield conn
                        if wake_ups and self._tell is None:
                            if self.pipeline and not batch:  # wake-ups and commit are one round trip
                                await pipeline.enter_async_context(conn.pipeline())
                            await conn.execute(NOTIFY, {"wake_ups": wake_ups})
            if wake_ups and self._tell:
                self._tell(wake_ups)

    @asynccontextmanager
    async def _borrowed(self, pool: Pool) -> AsyncIterator[Connection]:
        async with _borrowed(pool) as conn:
            begun = time.perf_counter()
            try:
                yield conn
            finally:
                self.spent[pool.name].seconds += time.perf_counter() - begun


@asynccontextmanager
async def open_database(
    dsn: str,
    *,
    pool_size: int | None = None,
    pipeline: bool = True,
    pooled: bool = False,
    tell: Tell | None = None,
    sealer: "Sealer | None" = None,
) -> AsyncIterator[Database]:
    """Open the pools of `dsn`; `pool_size` connections at most for requests, by default four a core.

    `pooled`: a pooler there gives each transaction another session, so no statement is prepared.

    Raises:
        Invalid: `dsn` is no connection string.
        Unavailable: nothing answers there, or it refuses us.
    """
    await (await connect(dsn)).close()
    most = max(2, pool_size or 4 * (os.cpu_count() or 1))
    prepared = not pooled
    async with (
        _pool(dsn, most, "requests", prepared=prepared, sealer=sealer) as pool,
        _pool(dsn, CONTROL_SIZE, "control", prepared=prepared, sealer=sealer) as control,
    ):
        yield Database(dsn, pool, control, pipeline=pipeline, tell=tell, sealer=sealer)


async def is_pooled(dsn: str) -> bool:
    """Say whether another answers at `dsn` than the session of Postgres: a pooler, such as PgBouncer.

    Raises:
        Invalid: `dsn` is no connection string.
        Unavailable: nothing answers there, or it refuses us.
    """
    async with await connect(dsn, prepared=False) as conn:
        return await served_by(conn) != conn.info.backend_pid


async def shares_sessions(dsn: str) -> bool:
    """Say whether a pooler at `dsn` surely gives one session to several connections.

    Two connections that stay open are served by one session only in transaction mode; on a busy pooler that
    may take a few looks to see.
    """
    async with await connect(dsn, prepared=False) as one, await connect(dsn, prepared=False) as two:
        if await served_by(one) == one.info.backend_pid:
            return False
        return any([await served_by(one) == await served_by(two) for _ in range(LOOKS)])


async def served_by(conn: Connection) -> int:
    """Return the process id of the session that answers this very statement."""
    row = await (await conn.execute(SERVED_BY, prepare=False)).fetchone()
    return int(row["pid"]) if row else 0


async def connect(dsn: str, *, prepared: bool = True) -> Connection:
    """Open one connection outside the pools, in autocommit.

    `prepared`: statements are prepared the first time they are sent.

    Raises:
        Invalid: `dsn` is no connection string.
        Unavailable: nothing answers there, or it refuses us.
    """
    try:
        conn = await Connection.connect(dsn, **_options(prepared=prepared))
    except ProgrammingError as wrong:
        raise Invalid(f"not a Postgres connection string: {shown(dsn)}") from wrong
    except OperationalError as refused:
        raise Unavailable(
            f"Postgres at {shown(dsn)} cannot be reached: {_line(refused)}; start it, or correct the DSN"
        ) from refused
    await _prepare(conn)
    return conn


def lively(dsn: str) -> str:
    """Return `dsn` with signs of life on the wire, unless it says something about them itself."""
    return make_conninfo("", **(KEEPALIVE | conninfo_to_dict(dsn)))


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


def _options(*, prepared: bool) -> dict[str, Any]:
    return _OPTIONS | {"prepare_threshold": 0 if prepared else None}


def _pool(dsn: str, most: int, name: str, *, prepared: bool, sealer: "Sealer | None") -> Pool:
    return AsyncConnectionPool[AsyncConnection[DictRow]](
        lively(dsn),
        connection_class=Connection,
        kwargs=_options(prepared=prepared),
        min_size=1,
        max_size=most,
        open=False,
        configure=partial(_prepare, sealer=sealer),
        check=_check,
        name=name,
        timeout=30,
    )


@contextmanager
def _remembering(conn: Connection) -> Iterator[list[str]]:
    """Let `conn` remember wake-ups, in the list that is given."""
    wake_ups: list[str] = []
    conn.wake_ups = wake_ups
    try:
        yield wake_ups
    finally:
        conn.wake_ups = None


@asynccontextmanager
async def _borrowed(pool: Pool) -> AsyncIterator[Connection]:
    try:
        conn = cast(Connection, await pool.getconn())
    except PoolTimeout as late:
        raise Unavailable("the database gave no connection within 30 s; it is down or overloaded") from late
    try:
        yield conn
    except Error as failed:
        if failed.sqlstate == FENCED:
            raise StaleAttempt(_line(failed)) from failed
        if conn.closed and isinstance(failed, OperationalError):
            raise Unavailable(f"the database went away: {_line(failed)}") from failed
        if (failed.sqlstate or "")[:2] in REFUSED:
            raise Unstorable(f"the database cannot store this: {_line(failed)}") from failed
        raise
    finally:
        await tasks.finish(pool.putconn(conn))


async def _prepare(conn: AsyncConnection[DictRow], *, sealer: "Sealer | None" = None) -> None:
    cast(Connection, conn).sealer = sealer
    set_json_dumps(dumps_jsonb, conn)
    set_json_loads(loads, conn)


async def _check(conn: AsyncConnection[DictRow]) -> None:
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
