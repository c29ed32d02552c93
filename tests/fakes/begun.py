"""Runs that are running, for tests of what is written for them."""

from typing import Any
from uuid import UUID

from artel.storage import runs, threads
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.runs import Order, Run

WORKER = new_id()


async def begin(conn: Connection, thread_id: UUID | None = None, **order: Any) -> Run:
    """Have a run running, in attempt 1, on a thread of its own or on that one."""
    if thread_id is None:
        thread_id = (await threads.create(conn, new_id(), owner="local")).thread_id
    run = await runs.start_on_free_thread(conn, Order(thread_id, new_id(), "chat", **order), WORKER)
    assert run is not None
    return run


async def end(conn: Connection, run: Run, status: str = "success") -> None:
    """Have a run ended, and its thread free."""
    await conn.execute("update runs set status = %s where run_id = %s", (status, run.run_id))
    await conn.execute("update threads set status = 'idle' where thread_id = %s", (run.thread_id,))


async def take_over(conn: Connection, run: Run) -> None:
    """Have another worker take a run: what the first one writes is stale from now on."""
    await conn.execute("update runs set attempt = attempt + 1 where run_id = %s", (run.run_id,))
