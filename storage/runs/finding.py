"""Finding runs."""

from uuid import UUID

from artel.storage.postgres import Connection
from artel.storage.runs.record import Run, UnknownRun, many, one

GET = "select * from runs where run_id = %(run_id)s"

ACTIVE = """
select * from runs where thread_id = %(thread_id)s and status in ('pending', 'running')
 order by created_at, run_id
"""

OF_THREAD = """
select * from runs
 where thread_id = %(thread_id)s and owner = %(owner)s
   and (%(status)s::text is null or status = %(status)s)
 order by created_at desc, run_id desc limit %(limit)s offset %(offset)s
"""


async def get(conn: Connection, run_id: UUID, *, owner: str) -> Run:
    """Return a run.

    Raises:
        UnknownRun: there is none, or it is somebody else's.
    """
    run = await one(conn, GET, {"run_id": run_id})
    if run is None or run.owner != owner:
        raise UnknownRun(f"no run {run_id}")
    return run


async def find(conn: Connection, run_id: UUID) -> Run | None:
    """Return a run of anybody, or None."""
    return await one(conn, GET, {"run_id": run_id})


async def active(conn: Connection, thread_id: UUID) -> list[Run]:
    """Return what is pending or running on a thread, oldest first."""
    return await many(conn, ACTIVE, {"thread_id": thread_id})


async def of_thread(
    conn: Connection,
    thread_id: UUID,
    *,
    owner: str,
    status: str | None = None,
    limit: int = 10,
    offset: int = 0,
) -> list[Run]:
    """Return the runs of a thread, newest first."""
    values = {"thread_id": thread_id, "owner": owner, "status": status, "limit": limit, "offset": offset}
    return await many(conn, OF_THREAD, values)
