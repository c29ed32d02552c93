"""Real programs between our processes, on free ports: a Redis, a PgBouncer, and a wire that can be cut."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

UP_WITHIN_S = 10


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Program:
    """A program that listens on a port of its own, the same over restarts."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it politely."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it stand still: its connections stay open and say nothing."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def _run(self, *arguments: str, **options: Any) -> None:
        with (self.folder / f"{type(self).__name__}-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(arguments, cwd=self.folder, stdout=log, stderr=log, **options)
        deadline = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.01)
        raise AssertionError(f"it did not come up:\n{Path(log.name).read_text()}")

    def _end(self, how: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(timeout=10)
        self.process = None


class RedisServer(Program):
    """A `redis-server` that keeps nothing."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *options: str) -> "RedisServer":
        """Start it."""
        port = str(self.port)
        self._run("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", *options)
        return self


INI = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 1000
"""


class PgBouncer(Program):
    """A `pgbouncer` before a Postgres that listens on a socket."""

    def start(self, dsn: str, *, mode: str = "transaction", size: int = 10) -> "PgBouncer":
        """Start it, as the user who may use the socket of Postgres: as root it refuses."""
        there: dict[str, Any] = conninfo_to_dict(dsn)
        owner = Path(there["host"]).stat()
        ini = Path(there["host"]) / f"pgbouncer-{self.port}.ini"  # that user may not enter our folders
        ini.write_text(
            INI.format(
                host=there["host"],
                port=there.get("port", 5432),
                user=there["user"],
                listen=self.port,
                mode=mode,
                size=size,
            )
        )
        ini.chmod(0o644)
        self._run("pgbouncer", str(ini), user=owner.st_uid, group=owner.st_gid, extra_groups=[])
        return self

    def to(self, dsn: str) -> str:
        """Return the DSN that leads through it to the database of `dsn`."""
        return make_conninfo(
            "", host="127.0.0.1", port=self.port, user="anybody", dbname=conninfo_to_dict(dsn)["dbname"]
        )


class Wire:
    """A TCP port that leads to the socket of a Postgres until it is cut, or stalls."""

    def __init__(self, dsn: str) -> None:
        there: dict[str, Any] = conninfo_to_dict(dsn)
        self._socket = f"{there['host']}/.s.PGSQL.{there.get('port', 5432)}"
        self._database = there["dbname"]
        self._user = there["user"]
        self._flows = asyncio.Event()
        self._flows.set()
        self._refusing = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def dsn(self) -> str:
        """The DSN that leads through the wire."""
        return make_conninfo("", host="127.0.0.1", port=self.port, user=self._user, dbname=self._database)

    def stall(self) -> None:
        """Carry nothing any more, and let nobody know."""
        self._flows.clear()

    def cut(self) -> None:
        """Break all connections, and refuse new ones."""
        self._refusing = True
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        """Carry again."""
        self._refusing = False
        self._flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        await self._flows.wait()
        there_reads, there_writes = await asyncio.open_unix_connection(self._socket)
        self._ends |= {writer, there_writes}
        for source, target in ((reader, there_writes), (there_reads, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65_536):
                await self._flows.wait()
                target.write(piece)
                await target.drain()
        self._ends.discard(target)
        target.transport.abort()
