"""How long threads stay: what new ones are given, and the sweep of those whose time is over."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

import structlog

from artel.server.engine.settings import EngineSettings
from artel.server.served import ConfigWrong, Served
from artel.storage import checkpoints, events, runs, threads
from artel.storage.errors import Unavailable
from artel.storage.postgres import Connection
from artel.storage.threads import Life, TtlStrategy

if TYPE_CHECKING:
    from artel.server.engine.engine import Engine

SWEEP_S = 300.0
SWEEP_MOST = 1000  # threads a sweep; what is left waits for AGAIN_S only
AGAIN_S = 1.0
FIRST_S = 30.0  # a process that has just begun has runs to take up before it tidies
LONGEST_MIN = 100 * 365 * 24 * 60.0  # a hundred years: Postgres can still add it to a date

_FOR_EVER = Life()

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """What new threads are given, and how often, and how many at a time, are looked through."""

    life: Life = _FOR_EVER
    sweep_s: float = SWEEP_S
    most: int = SWEEP_MOST


def retention_of(settings: EngineSettings, config: Served | None) -> Retention:
    """Return what holds here: the settings, else `checkpointer.ttl` of the configuration.

    Raises:
        ConfigWrong: a value there makes no sense.
    """
    given = _given(config)
    life = Life(given.number("default_ttl", most=LONGEST_MIN), given.strategy())
    sweep_min, most = given.number("sweep_interval_minutes"), given.number("sweep_limit")
    if settings.thread_ttl_min is not None:
        life = Life(settings.thread_ttl_min, settings.thread_ttl_strategy)
    sweep_s = settings.thread_sweep_s or (SWEEP_S if sweep_min is None else sweep_min * 60)
    return Retention(life, sweep_s, SWEEP_MOST if most is None else max(1, int(most)))


async def keep_retention(engine: "Engine") -> None:
    """Sweep again and again, until cancelled; several processes share the work."""
    await asyncio.sleep(min(FIRST_S, engine.retention.sweep_s))
    while True:
        swept = 0
        try:
            swept = await sweep(engine)
        except Unavailable as away:
            log.debug("cannot look for threads whose time is over", reason=str(away))
        await asyncio.sleep(AGAIN_S if swept >= engine.retention.most else engine.retention.sweep_s)


async def sweep(engine: "Engine") -> int:
    """Remove, or prune, threads whose time is over, each in a transaction of its own; return how many."""
    for done in range(engine.retention.most):
        async with engine.db.transaction() as conn:
            thread = await threads.next_expired(conn)
            if thread is None:
                return done
            if thread.ttl_strategy == "delete":
                await remove(conn, thread.thread_id)
            else:
                await checkpoints.keep_latest(conn, thread.thread_id)
                await threads.pruned(conn, thread.thread_id)
    return engine.retention.most


async def prune(
    engine: "Engine", thread_id: UUID, strategy: TtlStrategy, *, owner: str, allowed: str | None = None
) -> bool:
    """Remove a thread, or its past; False when it is not there, is busy, or has no past that can go alone."""
    async with engine.db.transaction() as conn:
        thread = await threads.lock(conn, thread_id, owner=owner, allowed=allowed)
        if thread is None or await runs.active(conn, thread_id):
            return False
        if strategy == "keep_latest":
            return await checkpoints.keep_latest(conn, thread_id)
        await remove(conn, thread_id)
        return True


async def remove(conn: Connection, thread_id: UUID) -> None:
    """Remove a thread with everything on it; the caller has locked it, and nothing runs there."""
    await events.delete_of_thread(conn, thread_id)
    await checkpoints.delete_thread(conn, thread_id)
    await threads.delete(conn, thread_id)


@dataclass(frozen=True, slots=True)
class _Given:
    """`checkpointer.ttl` as it was written, read key by key."""

    file: object
    ttl: dict[str, Any]

    def number(self, key: str, *, most: float = float("inf")) -> float | None:
        value = self.ttl.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            limit = f" and at most {most:.0f}" if most < float("inf") else ""
            raise ConfigWrong(
                f"{self.file}: checkpointer.ttl.{key} must be a number above 0{limit}, got {value!r}"
            )
        return value

    def strategy(self) -> TtlStrategy:
        value = self.ttl.get("strategy") or "delete"
        for known in get_args(TtlStrategy):
            if value == known:
                return known  # type: ignore[no-any-return]
        raise ConfigWrong(
            f"{self.file}: checkpointer.ttl.strategy must be delete or keep_latest, got {value!r}"
        )


def _given(config: Served | None) -> _Given:
    section = config.sections.get("checkpointer") if config else None
    file = config.file if config else None
    if section is None:
        return _Given(file, {})
    if not isinstance(section, dict):
        raise ConfigWrong(f"{file}: checkpointer must be an object, got {section!r}")
    ttl = section.get("ttl")
    if not isinstance(ttl, dict | None):
        raise ConfigWrong(
            f'{file}: checkpointer.ttl must be an object such as {{"default_ttl": 60}}, got {ttl!r}'
        )
    return _Given(file, ttl or {})
