"""Programs that carry, for the tests of storage."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.carriers import PgBouncer, RedisServer


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path).start()
    yield server
    server.stop()


@pytest.fixture
def pgbouncer(tmp_path: Path, postgres: str) -> Iterator[PgBouncer]:
    """A PgBouncer in transaction mode before the server of the session."""
    bouncer = PgBouncer(tmp_path).start(postgres)
    yield bouncer
    bouncer.stop()
