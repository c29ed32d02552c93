"""A real Postgres for the tests: one embedded server a session, one migrated database, copies of it."""

import asyncio
import gc
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.machine import Machine

from artel.graphs import context
from artel.storage import embedded
from artel.storage.migrations import migrate
from artel.storage.postgres import Connection, Database, connect, open_database

MACHINE = Machine()
gc.disable()  # until all is imported: a quarter of the time of a run went into looking at it again and again


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make only, and more seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run a test once more that failed while the machine stood still: it says nothing of the code."""
    again = pytest.mark.flaky(reruns=1, condition=MACHINE.stood_still)
    for item in items:
        item.add_marker(again)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose system program is missing; under ARTEL_TEST_STRICT=1 fail it instead."""
    MACHINE.begin()
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if shutil.which(program) is None:
                said = f"needs the system program {program!r}, which is not installed"
                if os.environ.get("ARTEL_TEST_STRICT") == "1":
                    pytest.fail(said, pytrace=False)
                pytest.skip(said)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name at the end what was skipped for want of a system program."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    missing = sorted(
        {text.split("program ")[1].split(",")[0] for text in skipped if "needs the system" in text}
    )
    if missing:
        terminalreporter.write_line(
            f"Tests were skipped, for want of {', '.join(missing)}: see infra/packages.txt",
            yellow=True,
        )


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep files that no server keeps in a folder of the session's."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("cache") / "snapshots"
        patch.setattr(context, "snapshot_cache", lambda: home)
        yield


JS = Path(__file__).parent / "protocol/js"


class OutsideWorld(AssertionError):
    """A test asked another machine: it would pass only where that one answers."""


@pytest.fixture(scope="session", autouse=True)
def _closed_network() -> Iterator[None]:
    """Let tests reach this machine only."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _only_here(getattr(socket.socket, name)))
        look_up = socket.getaddrinfo

        def look_up_here(host: Any, *args: Any, **kwargs: Any) -> Any:
            return look_up(_here(host), *args, **kwargs)

        patch.setattr(socket, "getaddrinfo", look_up_here)
        yield


def _only_here(connect: Any) -> Any:
    def connect_here(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _here(address[0])
        return connect(self, address)

    return connect_here


def _here(host: Any) -> Any:
    """Return a host that is this machine, as it was given."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return host
    try:
        known = ip_address(name)
    except ValueError:
        raise OutsideWorld(f"a test asked for {name}") from None
    if not (known.is_loopback or known.is_unspecified):
        raise OutsideWorld(f"a test asked for {name}")
    return host


@pytest.fixture(scope="session", autouse=True)
def _passable(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let other users pass through pytest's folders: as root, a server's database runs as one of them."""
    if os.geteuid() == 0:
        base = tmp_path_factory.getbasetemp()
        for folder in (base, base.parent):
            folder.chmod(folder.stat().st_mode | 0o011)


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """A folder of the test's own, in which a database may live."""
    tmp_path.chmod(0o711)
    return tmp_path


# A pretty traceback of a deep stack takes seconds to draw; failing runs are logged by many tests.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ],
    logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The DSN of a running server, empty; it stops with the session."""
    folder = Path(tempfile.mkdtemp(prefix="artel-tests-", dir="/tmp"))  # others may enter
    folder.chmod(0o755)
    with embedded.start(folder / "data") as dsn:
        with psycopg.connect(
            dsn, autocommit=True
        ) as conn:  # nobody pulls the plug: a copy takes 0.03 s, not 0.4
            conn.execute("alter system set fsync = off")
            conn.execute("select pg_reload_conf()")
        yield dsn
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def dsn(postgres: str) -> str:
    """The DSN of a migrated database that the tests of a session share: leave it as you found it."""
    shared = _make_database(postgres, "shared")
    asyncio.run(migrate(shared))
    return shared


@pytest.fixture
def fresh_dsn(postgres: str, dsn: str) -> Iterator[str]:
    """The DSN of a migrated database of one's own."""
    name = f"fresh_{uuid4().hex[:12]}"
    yield _make_database(postgres, name, template="shared")
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def other_dsn(postgres: str, dsn: str) -> Iterator[str]:
    """The DSN of a second migrated database, for a server that another one speaks with."""
    name = f"other_{uuid4().hex[:12]}"
    yield _make_database(postgres, name, template="shared")
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def empty_dsn(postgres: str) -> Iterator[str]:
    """The DSN of a database with nothing in it."""
    name = f"empty_{uuid4().hex[:12]}"
    yield _make_database(postgres, name)
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def js() -> Path:
    """The folder of the JavaScript clients; `make test` installs them."""
    if not (JS / "node_modules").is_dir():
        said = "the JavaScript clients are not installed: cd tests/protocol/js && npm ci && npm run build"
        if os.environ.get("ARTEL_TEST_STRICT") == "1":
            pytest.fail(said, pytrace=False)
        pytest.skip(said)
    return JS


@pytest.fixture
async def conn(dsn: str) -> AsyncIterator[Connection]:
    """A connection inside a transaction that is rolled back."""
    async with await connect(dsn) as opened, opened.transaction(force_rollback=True):
        yield opened


@pytest.fixture
async def db(fresh_dsn: str) -> AsyncIterator[Database]:
    """The open pools of a database of one's own."""
    async with open_database(fresh_dsn) as opened:
        yield opened


def _make_database(postgres: str, name: str, template: str = "template1") -> str:
    with psycopg.connect(postgres, autocommit=True) as conn:
        query = sql.SQL("create database {} template {} strategy file_copy")
        conn.execute(query.format(sql.Identifier(name), sql.Identifier(template)))
    return make_conninfo(postgres, dbname=name)
