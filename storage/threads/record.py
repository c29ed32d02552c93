"""What a thread is, and for how long."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from artel.storage.errors import Conflict, NotFound
from artel.storage.postgres import Connection

Status = Literal["idle", "busy", "interrupted", "error"]
TtlStrategy = Literal["delete", "keep_latest"]
Allowed: TypeAlias = str | None  # a jsonpath that the metadata must fulfil; None: no limit


class UnknownThread(NotFound):
    """No thread of this owner has that id."""


class ThreadExists(Conflict):
    """There is a thread with that id already."""

    code = "thread_exists"


@dataclass(frozen=True, slots=True)
class Life:
    """How long a thread stays after something last happened on it, and what goes then."""

    minutes: float | None = None  # None: it stays
    strategy: TtlStrategy = "delete"


@dataclass(frozen=True, slots=True)
class Thread:
    """One dialogue; `interrupts` is `{task_id: [{id, value}]}`, `error` is `{error, message}`."""

    thread_id: UUID
    status: Status
    metadata: dict[str, Any]
    config: dict[str, Any]
    interrupts: dict[str, Any]
    error: dict[str, Any] | None
    owner: str
    created_at: datetime
    updated_at: datetime
    state_updated_at: datetime
    event_base: int  # where the events of its next run begin in the numbering of the thread
    ttl_minutes: float | None  # None: it stays
    ttl_strategy: TtlStrategy
    pruned_at: datetime | None  # when its past last went because its time was over
    expires_at: datetime | None


async def one(conn: Connection, query: str, values: dict[str, Any]) -> Thread | None:
    """Return the thread that a statement returns, if it does."""
    row = await (await conn.execute(query, values)).fetchone()
    if row and conn.sealer:
        row = await conn.sealer.open(row)
    return Thread(**row) if row else None


def known(thread: Thread | None, thread_id: UUID) -> Thread:
    """Return a thread that was found.

    Raises:
        UnknownThread: it was not.
    """
    if thread is None:
        raise UnknownThread(f"no thread {thread_id}")
    return thread
