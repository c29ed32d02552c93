"""The events of a thread in one row: run after run, each beginning where the one before can have no more.

An event `seq` of a run is number `event_base + seq` of its thread.
"""

from collections.abc import Collection
from uuid import UUID

from artel.storage.postgres import Connection
from artel.storage.runs.ending import MARGIN
from artel.storage.runs.record import Run, one

FIRST_WITH = """
select * from runs
 where thread_id = %(thread_id)s and event_base is not null
   and event_base >= coalesce(%(base)s, (select max(event_base) from runs
                                          where thread_id = %(thread_id)s and event_base <= %(number)s), 0)
   and not (run_id = any(%(known)s))
 order by event_base, attempt = 0, created_at, run_id limit 1
"""

LAST_BEGUN = """
select * from runs where thread_id = %(thread_id)s and event_base is not null and attempt > 0
 order by event_base desc, created_at desc, run_id desc limit 1
"""

# What never began has no numbers of its own. While another run is under way its word comes after that one's,
# among the ids that are kept for an end; two of them take the first, and the one after them is their own.
LATE = 8
PLACE = """
with under_way as (
    select event_base, reserved_seq from runs
     where thread_id = %(thread_id)s and run_id <> %(run_id)s and event_base is not null
       and status in ('pending', 'running')
     order by event_base desc limit 1
)
update runs set event_base = coalesce((select event_base from under_way), threads.event_base)
  from threads
 where runs.run_id = %(run_id)s and runs.event_base is null and threads.thread_id = runs.thread_id
returning (select reserved_seq + %(late)s from under_way) as after
"""

UNBEGUN_TO = """
select coalesce(max(r.event_base + e.last_seq), 0) as number from runs r join run_events e using (run_id)
 where r.thread_id = %(thread_id)s and r.event_base >= %(base)s and r.attempt = 0
"""

RETIRE = """
update threads set event_base = greatest(threads.event_base, runs.event_base + runs.reserved_seq + %(margin)s)
  from runs where runs.run_id = %(run_id)s and threads.thread_id = runs.thread_id
   and runs.event_base is not null
"""


async def first_with(conn: Connection, thread_id: UUID, *, number: int) -> Run | None:
    """Return the run that has event `number` of a thread, or else the next one."""
    values = {"thread_id": thread_id, "number": number, "base": None, "known": []}
    return await one(conn, FIRST_WITH, values)


async def next_after(conn: Connection, thread_id: UUID, *, base: int, known: Collection[UUID]) -> Run | None:
    """Return the run that follows those `known` ones of a thread that began at `base`, the last of them."""
    values = {"thread_id": thread_id, "number": base, "base": base, "known": list(known)}
    return await one(conn, FIRST_WITH, values)


async def last_begun(conn: Connection, thread_id: UUID) -> Run | None:
    """Return the run that began last on a thread, whether it has ended or not."""
    return await one(conn, LAST_BEGUN, {"thread_id": thread_id})


async def unbegun_to(conn: Connection, thread_id: UUID, *, base: int) -> int:
    """Return the number of the last word of the runs that ended without having begun, from `base` on."""
    cursor = await conn.execute(UNBEGUN_TO, {"thread_id": thread_id, "base": base})
    row = await cursor.fetchone()
    return int(row["number"]) if row else 0


async def retire_numbers(conn: Connection, run_id: UUID) -> None:
    """Let no later run give out the numbers of one that is about to be removed: readers have seen them."""
    await conn.execute(RETIRE, {"run_id": run_id, "margin": MARGIN})


async def place(conn: Connection, run: Run) -> int:
    """Give a run that ends without having begun its place among the others; return after which id it ends."""
    values = {"run_id": run.run_id, "thread_id": run.thread_id, "late": LATE}
    row = await (await conn.execute(PLACE, values)).fetchone()
    return run.reserved_seq if row is None else int(row["after"] or 0)
