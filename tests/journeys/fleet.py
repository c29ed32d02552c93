"""Several machines in one: API replicas and workers over one database, with all that may stand between."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.fakes.carriers import PgBouncer, RedisServer

from .conftest import Server

CARRIERS = ("postgres", "redis", "pgbouncer-direct", "pgbouncer-redis")
LEASE_S = 5.0  # as the engine is set


@dataclass
class Fleet:
    """Processes that share a database; `env` says how they reach it and each other."""

    folder: Path
    dsn: str
    env: dict[str, str] = field(default_factory=dict)
    redis: RedisServer | None = None
    servers: list[Server] = field(default_factory=list)

    def api(self) -> Server:
        """Start a replica that serves and runs nothing."""
        return self._add(Server(self.folder / "data", options=("--no-worker",), env=self.env)).start()

    def worker(self, **env: str) -> Server:
        """Start a worker."""
        return self._add(Server(self.folder / "data", command="worker", env=self.env | env)).start()

    def stop(self) -> None:
        """Stop all processes."""
        for server in self.servers:
            server.stop()

    def _add(self, server: Server) -> Server:
        self.servers.append(server)
        return server


def works(worker: Server, times: int = 1) -> bool:
    """Say whether a worker has come up so many times."""
    assert worker.process is None or worker.process.poll() is None, worker.log
    return worker.log.count("Artel works") >= times


def wait_until_it_works(worker: Server, times: int = 1) -> None:
    """Return when a worker has come up so many times."""
    deadline = time.monotonic() + 60
    while not works(worker, times):
        assert time.monotonic() < deadline, worker.log
        time.sleep(0.02)


@contextmanager
def open_fleet(carrier: str, postgres: str, shared: str, folder: Path) -> Iterator[Fleet]:
    """Make a database, start what stands before it, and say how to reach it."""
    folder.chmod(0o711)
    with ExitStack() as stack:
        dsn = stack.enter_context(_database(postgres, shared))
        fleet = Fleet(folder, dsn, {"ARTEL_STORAGE__POSTGRES": dsn, "ARTEL_STORAGE__POOL_SIZE": "8"})
        if "pgbouncer" in carrier:
            bouncer = PgBouncer(folder).start(dsn)
            stack.callback(bouncer.stop)
            fleet.env["ARTEL_STORAGE__POSTGRES"] = bouncer.to(dsn)
        if "direct" in carrier:
            fleet.env["ARTEL_STORAGE__POSTGRES_DIRECT"] = dsn
        if "redis" in carrier:
            fleet.redis = RedisServer(folder).start()
            stack.callback(fleet.redis.stop)
            fleet.env["ARTEL_STORAGE__REDIS"] = fleet.redis.url
        stack.callback(fleet.stop)
        yield fleet


@contextmanager
def _database(postgres: str, shared: str) -> Iterator[str]:
    name = f"fleet_{uuid4().hex[:12]}"
    template = psycopg.conninfo.conninfo_to_dict(shared)["dbname"]
    with psycopg.connect(postgres, autocommit=True) as conn:
        query = sql.SQL("create database {} template {} strategy file_copy")
        conn.execute(query.format(sql.Identifier(name), sql.Identifier(str(template))))
    yield make_conninfo(postgres, dbname=name)
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
