"""The engine of one process: what it holds, and who waits for what in it."""

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

import structlog

from artel.server.engine.addresses import Webhooks
from artel.server.engine.audience import Audience
from artel.server.engine.auditing import Auditor
from artel.server.engine.policies import Policies
from artel.server.engine.priority import assign_of
from artel.server.engine.retention import Retention, retention_of
from artel.server.engine.settings import EngineSettings
from artel.server.engine.spending import Spending
from artel.server.telemetry.carried import stamped
from artel.server.telemetry.metrics import Metrics
from artel.server.telemetry.tracing import Tracing
from artel.storage.broker import Broker
from artel.storage.checkpoints import Saves
from artel.storage.errors import Unavailable
from artel.storage.ids import new_id
from artel.storage.postgres import Database
from artel.storage.runs import Order
from artel.storage.store import Store

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from langchain_core.runnables import RunnableConfig
    from langgraph_sdk.runtime import AccessContext

    from artel.server.engine.execution import Execution
    from artel.server.engine.log import RunLog

T = TypeVar("T")
SLOWEST_RETRY_S = 1.0
DEAF_POLL_S = 0.5
FOLLOWED_S = 30.0  # how long the owner of a run tells other processes about each chunk, once asked to
EASY = 8  # runs in this process, up to which one in the background begins at once
log = structlog.get_logger(__name__)


class Catalog(Protocol):
    """Where graphs come from."""

    def graph(
        self,
        graph_id: str,
        config: "RunnableConfig",
        *,
        access: "AccessContext" = "threads.create_run",
        context: object = None,
    ) -> "AbstractAsyncContextManager[Any]":
        """Open a compiled graph for one use: a run, or a look at what is kept of one."""


class Engine:
    """Everything the parts of the engine share in one process."""

    def __init__(
        self,
        db: Database,
        broker: Broker,
        catalog: Catalog,
        settings: EngineSettings,
        handles: Any = None,
        store: Store | None = None,
    ) -> None:
        self.db = db
        self.broker = broker
        self.catalog = catalog
        self.settings = settings
        self.retention: Retention = retention_of(settings, getattr(catalog, "config", None))
        self.handles = handles
        self.store = store or Store(db)
        self.saves = Saves(db)
        self.audit = Auditor(db)
        self.spending = Spending(db)
        self.policies = Policies(db)
        self.worker_id = new_id()
        self.lock_key = self.worker_id.int & 0x7FFF_FFFF_FFFF_FFFF
        self.host = host_name()
        self.metrics = Metrics()
        self.tracing: Tracing | None = None  # nobody collects traces
        self.deaf_since: float | None = None  # others cannot be heard (monotonic)
        self.audience = Audience(broker, self.worker_id)
        self.live: dict[UUID, Execution] = {}
        self.draining = False
        self.deaf = False  # nobody can wake us: the carrier of wake-ups is away
        self.hungry = False  # there may be more in the queue than there were slots
        self.others = 0  # other workers on this database
        self.lease_until = 0.0  # by our own clock (monotonic), counted from before the renewal was sent
        self.queue_changed = asyncio.Event()
        self.logs_changed = asyncio.Event()
        self.chunk_full = asyncio.Event()
        self.assign = assign_of(getattr(catalog, "config", None))
        self.webhooks = Webhooks()
        self.webhooks_due = asyncio.Event()
        self.asked = asyncio.Event()  # a question with a time limit may be new
        self.folders_left = asyncio.Event()  # of threads that went away
        self.logs: set[RunLog] = set()  # with something new
        self.starting = 0  # runs that are being accepted, and not live yet
        self.claiming = False  # runs are being taken from the queue, and not live yet
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._asked_to_follow: dict[UUID, float] = {}

    @property
    def room(self) -> int:
        """How many more runs this process takes."""
        if self.draining or not self.settings.worker:
            return 0
        return self.settings.slots - len(self.live) - self.starting

    @property
    def at_ease(self) -> bool:
        """Whether so little runs here that a run nobody waits for may as well begin at once.

        Otherwise it goes through the queue, to whoever is free.
        """
        return self.room > 0 and len(self.live) + self.starting < EASY

    @property
    def poll_s(self) -> float:
        """Seconds to the next look at the queue, should nobody say anything before."""
        return min(self.settings.poll_s, DEAF_POLL_S) if self.deaf else self.settings.poll_s

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Keep a slot for a run that is being accepted."""
        self.starting += 1
        try:
            yield
        finally:
            self.starting -= 1

    @contextmanager
    def waiting_for(self, run_id: UUID) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something may have happened to a run, here or elsewhere."""
        woken = asyncio.Event()
        self._waiting.setdefault(run_id, set()).add(woken)
        try:
            yield woken
        finally:
            rest = self._waiting[run_id]
            rest.discard(woken)
            if not rest:
                del self._waiting[run_id]

    def wake(self, run_id: UUID) -> None:
        """Tell those who wait for a run to look again."""
        for woken in self._waiting.get(run_id, ()):
            woken.set()

    def lose_hearing(self) -> None:
        """Look often by ourselves: wake-ups do not reach us for a while."""
        self.deaf = True
        self.queue_changed.set()

    def wake_all(self) -> None:
        """Tell everybody to look again: wake-ups may have been lost."""
        self.deaf = False
        self.queue_changed.set()
        for waiters in self._waiting.values():
            for woken in waiters:
                woken.set()
        self.audience.wake_all()

    def followed(self, run_id: UUID) -> None:
        """Note that somebody elsewhere reads along a run that is here."""
        if execution := self.live.get(run_id):
            execution.log.followed_until = time.monotonic() + FOLLOWED_S

    async def follow_elsewhere(self, run_id: UUID) -> None:
        """Tell the owner of a run, now and then, that somebody here reads along."""
        now = time.monotonic()
        if now - self._asked_to_follow.get(run_id, -FOLLOWED_S) < FOLLOWED_S / 3:
            return
        self._asked_to_follow = {k: t for k, t in self._asked_to_follow.items() if now - t < FOLLOWED_S}
        self._asked_to_follow[run_id] = now
        await self.broker.publish("run.follow", str(run_id))

    def bounded(self, order: Order) -> Order:
        """Fill in how often a run may be begun, by its own or its assistant's word or else the setting.

        And how long a thread stays that is made for it, and whose trace it belongs to.
        """
        order = replace(order, life=order.life or self.retention.life, kwargs=stamped(order.kwargs))
        configured = (order.kwargs.get("config") or {}).get("configurable") or {}
        wish = order.metadata.get("max_attempts", configured.get("max_attempts"))
        if isinstance(wish, int) and not isinstance(wish, bool) and wish >= 1:
            return replace(order, max_attempts=wish)
        return replace(order, max_attempts=order.max_attempts or self.settings.max_attempts)

    def lose(self, run_id: UUID) -> None:
        """Stop a run that somebody else has now."""
        if execution := self.live.get(run_id):
            execution.lose()

    async def insist(self, write: Callable[[], Awaitable[T]], *, until: Callable[[], bool]) -> T:
        """Do a write again and again while the database is away, until it is done or `until` says stop.

        Raises:
            Unavailable: the database is away and `until` says that it is no use any more.
        """
        pause = 0.02
        while True:
            try:
                return await write()
            except Unavailable as away:
                if until():
                    raise
                log.warning("the database is away; trying again", reason=str(away))
            await asyncio.sleep(pause)
            pause = min(pause * 2, SLOWEST_RETRY_S)

    def lease_is_over(self) -> bool:
        """Whether others may have taken our runs: we could not renew, and there are others."""
        return self.others > 0 and time.monotonic() > self.lease_until


def host_name() -> str:
    """Name this host as far as process ids mean the same on it: containers differ."""
    name = platform.node()
    parts = [Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")]
    try:
        return f"{name}/{parts[0].read_text().strip()}/{os.readlink(parts[1])}"  # noqa: PTH115 - not a path
    except OSError:
        return name


def is_gone(pid: int) -> bool:
    """Say whether no process of this host has that id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
