"""The broker on Postgres: NOTIFY on one channel, handed out by topic inside each process."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import chain, repeat
from typing import Any

from psycopg import Notify, OperationalError
from psycopg.errors import Diagnostic

from artel.storage import tasks
from artel.storage.broker.listening import WAITING, Listeners, Subscription, wake_up_of
from artel.storage.errors import ArtelError, Unavailable
from artel.storage.postgres import NOTIFY, Connection, connect, lively

RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)  # the last one for ever
LOCK_LOOK_S = 0.1

STOPPING = "57P"  # class of what Postgres says when it ends sessions: it stops, or has crashed
LISTEN = "listen artel"
TRY_LOCK = "select pg_try_advisory_lock(%(key)s) as mine"
WHO = """
select pid, backend_start, pg_postmaster_start_time() as postmaster_start
  from pg_stat_activity where pid = pg_backend_pid()
"""
END = """
select pg_terminate_backend(pid)
  from pg_stat_activity
 where pid = %(pid)s and backend_start = %(backend_start)s
"""

# Postgres too shall notice within about ten seconds that we have vanished, and let go of our locks.
SERVER_KEEPALIVE = (
    "set tcp_keepalives_idle = 4; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3"
)

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_broker(dsn: str) -> AsyncIterator["PostgresBroker"]:
    """Open a broker on a connection of its own to `dsn`, kept up until the context ends.

    Raises:
        Unavailable: Postgres cannot be reached now; later losses are mended in the background.
    """
    broker = PostgresBroker(dsn)
    await broker.connect()
    keeper = asyncio.create_task(broker.keep(), name="broker")
    try:
        yield broker
    finally:
        await tasks.end(keeper)
        await broker.close()


class PostgresBroker:
    """A broker on one connection, which also holds this process's advisory locks.

    While that connection is down nothing wakes anybody here and no lock is held: `on_lost` is called at once,
    `on_restored` when connection and locks are back. Wake-ups of the time between are lost, so whoever waits
    looks into the tables then.
    """

    def __init__(self, dsn: str) -> None:
        self.on_lost: list[Callable[[], None]] = []
        self.on_restored: list[Callable[[], None]] = []
        self._dsn = lively(dsn)
        self._listeners = Listeners()
        self._locks: set[int] = set()
        self._unsent: deque[str] = deque(maxlen=WAITING)
        self._conn: Connection | None = None
        self._session: Mapping[str, Any] | None = None
        self._socket = -1
        self._turn = asyncio.Lock()
        self._lost = asyncio.Event()
        self._goodbye = False
        self._unlocked_since: float | None = None

    @property
    def deaf(self) -> bool:
        """Whether the connection is down at the moment, so that others are not heard."""
        return self._conn is None

    @property
    def locked_since(self) -> datetime | None:
        """When the Postgres was started in which our locks are, or were last, held."""
        return self._session["postmaster_start"] if self._session else None

    @property
    def unlocked_since(self) -> float | None:
        """Since when our locks are not held though Postgres did not say that it stops, or None."""
        return self._unlocked_since

    def listen(self, topic: str) -> Subscription:
        """Return a queue of bodies that fills from the moment it is entered."""
        return self._listeners.to(topic)

    async def publish(self, topic: str, body: str = "") -> None:
        """Wake every listener of `topic`, in every process, exactly once; later, if the connection is down.

        Raises:
            Invalid: topic and body together are more than a NOTIFY carries.
        """
        wake_up = wake_up_of(topic, body)
        try:
            await self._run(NOTIFY, {"wake_ups": [wake_up]})
        except Unavailable:
            self._unsent.append(wake_up)

    async def lock(self, key: int) -> bool:
        """Take the advisory lock `key` for as long as the broker lives; say whether it was free.

        After a loss it is taken again before `on_restored` is called.

        Raises:
            Unavailable: the connection is down.
        """
        row = await self._run(TRY_LOCK, {"key": key})
        if row and row["mine"]:
            self._locks.add(key)
        return bool(row and row["mine"])

    async def connect(self) -> None:
        """Open the connection, end the session it replaces, and take that session's locks again."""
        conn = await connect(self._dsn)
        try:
            await conn.execute(SERVER_KEEPALIVE, prepare=False)
            if self._session:
                await conn.execute(END, self._session)
            for key in self._locks:
                await _insist_on(conn, key)
            self._session = await (await conn.execute(WHO)).fetchone()
            conn.add_notify_handler(self._hand_out)
            conn.add_notice_handler(self._hear)
            await conn.execute(LISTEN)
            while self._unsent:
                await conn.execute(NOTIFY, {"wake_ups": [self._unsent[0]]})
                self._unsent.popleft()
        except BaseException:
            await conn.close()
            raise
        self._conn = conn
        self._goodbye, self._unlocked_since = False, None
        self._watch(conn)

    async def keep(self) -> None:
        """Connect anew whenever the connection is lost, until cancelled."""
        while True:
            await self._lost.wait()
            self._lost.clear()
            await self._reconnect()
            for call in self.on_restored:
                call()

    async def close(self) -> None:
        """Close the connection, and with it let go of the locks."""
        conn, self._conn = self._conn, None
        if conn:
            self._unwatch()
            await conn.close()

    async def _reconnect(self) -> None:
        for pause in chain(RETRY_S, repeat(RETRY_S[-1])):
            await asyncio.sleep(pause)
            try:
                await self.connect()
            except (ArtelError, OperationalError) as down:
                log.debug("the broker's connection is still down: %s", down)
            else:
                break

    async def _run(self, query: str, values: Mapping[str, object]) -> Mapping[str, Any] | None:
        async with self._turn:
            if not (conn := self._conn):
                raise Unavailable("the broker's connection is down")
            self._unwatch()
            try:
                return await (await conn.execute(query, values)).fetchone()
            except OperationalError as broken:
                self._goodbye = (broken.sqlstate or "").startswith(STOPPING)
                raise Unavailable(f"the broker's connection broke: {broken}") from broken
            finally:
                self._watch(conn)

    def _watch(self, conn: Connection) -> None:
        """Let the event loop read notifications without a task; psycopg must not read at the same time."""
        if conn is not self._conn:
            return
        if conn.closed:
            self._lose(conn)
            return
        self._socket = conn.fileno()
        asyncio.get_running_loop().add_reader(self._socket, self._read, conn)
        self._read(conn)

    def _unwatch(self) -> None:
        """Stop reading; by the remembered number, for libpq itself closes the socket of a broken one."""
        asyncio.get_running_loop().remove_reader(self._socket)

    def _read(self, conn: Connection) -> None:
        try:
            conn.pgconn.consume_input()
        except OperationalError:
            conn.pgconn.notifies()  # reads what Postgres said last
            self._lose(conn)
            return
        while found := conn.pgconn.notifies():
            self._hand_out(Notify(found.relname.decode(), found.extra.decode(), found.be_pid))

    def _hand_out(self, notification: Notify) -> None:
        self._listeners.hand_out(notification.payload)

    def _hear(self, notice: Diagnostic) -> None:
        self._goodbye = self._goodbye or (notice.sqlstate or "").startswith(STOPPING)

    def _lose(self, conn: Connection) -> None:
        self._conn = None
        self._unlocked_since = None if self._goodbye or not self._locks else time.monotonic()
        with suppress(OperationalError):
            self._unwatch()
        conn.pgconn.finish()
        self._lost.set()
        for call in self.on_lost:
            call()


async def _try_lock(conn: Connection, key: int) -> bool:
    row = await (await conn.execute(TRY_LOCK, {"key": key})).fetchone()
    return bool(row and row["mine"])


async def _insist_on(conn: Connection, key: int) -> None:
    """Wait until Postgres has buried the session that held the lock."""
    while True:
        if await _try_lock(conn, key):
            return
        await asyncio.sleep(LOCK_LOOK_S)
