"""Opens the way to the data of one process: pools, and whatever carries its wake-ups and its locks."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from langgraph_sdk import Encryption

from artel.storage.broker import Broker, LonelyBroker, open_broker
from artel.storage.errors import Invalid
from artel.storage.postgres import Database, Tell, is_pooled, open_database, shares_sessions
from artel.storage.sealing import agree

log = logging.getLogger(__name__)


class Pooled(Invalid):
    """A pooler answers where a session of Postgres itself is needed."""

    code = "pooled"


@dataclass(frozen=True, slots=True)
class Storage:
    """What a process speaks to."""

    db: Database
    broker: Broker


@asynccontextmanager
async def open_storage(
    dsn: str,
    *,
    direct: str = "",
    redis: str = "",
    pooled: bool | None = None,
    pool_size: int | None = None,
    pipeline: bool = True,
    encryption: Encryption | None = None,
) -> AsyncIterator[Storage]:
    """Open pools and broker.

    `dsn` may lead to a PgBouncer in transaction mode (`pooled`; None: it is found out). Then `direct` leads
    past it, for wake-ups and locks; `redis` carries wake-ups, and without `direct` the lease alone shows that
    a worker lives. With neither, others are heard by the slow poll only. `encryption` seals what people say.

    Raises:
        NoKey: what is stored there is sealed, and there is no `encryption`.
        Invalid: an address is none, or the client of Redis is not installed.
        Pooled: `direct` leads to a pooler in transaction mode too.
        Unavailable: Postgres cannot be reached.
    """
    if pooled is None:
        pooled = await is_pooled(dsn)
    if direct and await shares_sessions(direct):
        raise Pooled(
            "ARTEL_STORAGE__POSTGRES_DIRECT leads to a pooler in transaction mode, where no session can "
            "listen or hold a lock: give the address of PostgreSQL itself"
        )
    session = direct or ("" if pooled else dsn)
    sealer = await agree(dsn, encryption)
    async with AsyncExitStack() as stack:
        broker, tell = await _open_broker(stack, session, redis)
        db = await stack.enter_async_context(
            open_database(
                dsn, pool_size=pool_size, pipeline=pipeline, pooled=pooled, tell=tell, sealer=sealer
            )
        )
        yield Storage(db, broker)


async def _open_broker(stack: AsyncExitStack, session: str, redis: str) -> tuple[Broker, Tell | None]:
    keeper = await stack.enter_async_context(open_broker(session)) if session else None
    if redis:
        broker = await stack.enter_async_context(_redis().open_redis_broker(redis, keeper))
        return broker, broker.tell
    if keeper:
        return keeper, None
    log.warning(
        "a pooler answers at ARTEL_STORAGE__POSTGRES, through which nobody can be woken: other processes are "
        "heard by the slow poll only; set ARTEL_STORAGE__POSTGRES_DIRECT or ARTEL_STORAGE__REDIS, or, if it "
        "pools whole sessions, ARTEL_STORAGE__POOLED=false"
    )
    lonely = LonelyBroker()
    return lonely, lonely.tell


def _redis() -> Any:
    """Return the module of the Redis broker; only who sets a Redis needs its client."""
    try:
        return import_module("artel.storage.broker.redis")
    except ModuleNotFoundError as missing:
        if missing.name != "redis":
            raise
        raise Invalid(
            "ARTEL_STORAGE__REDIS is set, but the client of Redis is missing: pip install 'artel[redis]'"
        ) from missing
