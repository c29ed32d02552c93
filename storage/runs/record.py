"""What a run is, and what an order for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.sealing import NO_KEY, SEALED, CannotOpen, NoKey, Sealer
from artel.storage.threads.record import Life

Status = Literal["pending", "running", "success", "error", "timeout", "interrupted"]
Strategy = Literal["reject", "interrupt", "rollback", "enqueue"]
CancelAction = Literal["interrupt", "rollback"]

MOST_AHEAD = 1_000  # runs ahead of one in the queue that are counted: 0.1 ms
SEQ_BLOCK = 10_000  # event ids reserved at a time: one more write of the run row per 10,000 events


class ThreadTaken(Conflict):
    """A run is running on the thread."""

    code = "thread_taken"


class UnknownRun(NotFound):
    """No run of this owner has that id."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to have run, and on which thread."""

    thread_id: UUID
    assistant_id: UUID
    graph_id: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    multitask_strategy: Strategy = "enqueue"
    due_at: datetime | None = None  # None: now
    priority: int = 0
    max_attempts: int = 0  # 0: as the server is set
    temporary: bool = False  # the thread is made for this run and goes with it
    owner: str = "local"
    cron_id: UUID | None = None  # the schedule it comes from
    idempotency_key: str | None = None  # a second order of this owner with the same key is the same run
    user_id: str = "local"  # whose share of the slots it takes
    thread_metadata: dict[str, Any] = field(default_factory=dict)  # of a thread that is made for it
    life: Life | None = None  # of such a thread; None: as the server is set
    allowed: str | None = None  # a jsonpath that the metadata of its thread must fulfil
    run_id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the queue."""

    run_id: UUID
    thread_id: UUID
    assistant_id: UUID
    graph_id: str
    status: Status
    kwargs: dict[str, Any]
    metadata: dict[str, Any]
    multitask_strategy: Strategy
    priority: int
    due_at: datetime
    attempt: int
    max_attempts: int
    worker_id: UUID | None
    reserved_seq: int
    cancel: CancelAction | None
    error: dict[str, Any] | None
    temporary: bool
    owner: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    event_base: int | None = (
        None  # its event `seq` is number `event_base + seq` of its thread; None: not begun
    )
    cron_id: UUID | None = None
    idempotency_key: str | None = None
    user_id: str = "local"  # whose share of the slots it takes
    ahead: int | None = None  # just put into the queue, behind so many (counted up to MOST_AHEAD)
    new_thread: bool = False  # just taken, and nothing was ever put down on its thread
    sealed_with: Mapping[str, Any] = field(default_factory=dict)  # the context for all that it seals
    unreadable: str | None = None  # why what it is to do could not be opened

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.status not in ("pending", "running")

    def check(self) -> None:
        """Make sure that what it is to do is known.

        Raises:
            CannotOpen: it is sealed, and could not be opened here.
        """
        if self.unreadable:
            raise CannotOpen(f"run {self.run_id} cannot be read: {self.unreadable}")
        if len(self.kwargs) == 1 and next(iter(self.kwargs)).startswith(SEALED):
            raise NoKey(f"run {self.run_id} cannot be read: {NO_KEY}")


async def one(conn: Connection, query: str, values: dict[str, Any]) -> Run | None:
    """Return the run a statement gives, or None."""
    row = await (await conn.execute(query, values)).fetchone()
    if row and conn.sealer:
        return await opened(conn.sealer, row)
    return Run(**row) if row else None


async def many(conn: Connection, query: str, values: dict[str, Any]) -> list[Run]:
    """Return the runs a statement gives."""
    rows = await (await conn.execute(query, values)).fetchall()
    if conn.sealer:
        return [await opened(conn.sealer, row) for row in rows]
    return [Run(**row) for row in rows]


async def opened(sealer: Sealer, row: Mapping[str, Any]) -> Run:
    """Return a row that may be sealed as a run; one that cannot be opened says so, and holds up no other."""
    context = sealer.context_of(row["kwargs"])
    try:
        return Run(**{**await sealer.open(row), "sealed_with": context})
    except CannotOpen as refused:
        return Run(**{**row, "sealed_with": context, "unreadable": str(refused)})
