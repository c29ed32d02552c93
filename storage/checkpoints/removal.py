"""Remove and copy checkpoints; what only removed ones used goes with them."""

from collections.abc import Sequence
from uuid import UUID

from artel.storage.postgres import Connection

DELETE_THREAD = (
    "delete from checkpoints where thread_id = %(thread_id)s",
    "delete from checkpoint_blobs where thread_id = %(thread_id)s",
    "delete from checkpoint_writes where thread_id = %(thread_id)s",
    "delete from checkpoint_items where thread_id = %(thread_id)s",
)

# Writes go by the checkpoint they are on and by the run that made them: an answer lies on the checkpoint of
# the run that asked.
DELETE_RUN = (
    """
delete from checkpoint_writes w
 where w.thread_id = %(thread_id)s
   and (w.run_id::text = %(run_id)s
        or exists (select 1 from checkpoints c
                    where c.thread_id = w.thread_id and c.checkpoint_ns = w.checkpoint_ns
                      and c.checkpoint_id = w.checkpoint_id and c.metadata ->> 'run_id' = %(run_id)s))
""",
    "delete from checkpoints where thread_id = %(thread_id)s and metadata ->> 'run_id' = %(run_id)s",
)

SWEEP_BLOBS = """
with used as materialized (
    select distinct c.checkpoint_ns, v.key, v.value
      from checkpoints c, jsonb_each_text(c.checkpoint -> 'channel_versions') v
     where c.thread_id = %(thread_id)s
)
delete from checkpoint_blobs b
 where b.thread_id = %(thread_id)s
   and not exists (select 1 from used u
                    where u.checkpoint_ns = b.checkpoint_ns and u.key = b.channel and u.value = b.version)
"""

# A list is a format byte and names of 16 bytes, a chunk is names only.
SWEEP_ITEMS = """
with lists as (
    select blob from checkpoint_blobs where thread_id = %(thread_id)s and type = 'artel.list'
    union all
    select blob from checkpoint_writes where thread_id = %(thread_id)s and type = 'artel.list'
), top as materialized (
    select distinct substring(blob from 2 + 16 * n for 16) as name
      from lists, generate_series(0, (length(blob) - 1) / 16 - 1) n
), used as materialized (
    select name from top
    union
    select substring(i.blob from 1 + 16 * n for 16)
      from top join checkpoint_items i on i.thread_id = %(thread_id)s and i.name = top.name,
           generate_series(0, length(i.blob) / 16 - 1) n
     where i.type = 'artel.chunk'
)
delete from checkpoint_items i
 where i.thread_id = %(thread_id)s and not exists (select 1 from used where used.name = i.name)
"""

# A running run knows what it has stored and does not store it again: nothing may be swept from under it.
AT_REST = """
select not exists (select 1 from runs r where r.thread_id = t.thread_id and r.status = 'running') as rests
  from threads t where t.thread_id = %(thread_id)s for no key update
"""

THREADS_OF_RUNS = """
select distinct thread_id, metadata ->> 'run_id' as run_id from checkpoints
 where metadata ->> 'run_id' = any(%(run_ids)s)
"""

COPY = (
    """
insert into checkpoints
       (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
select %(target)s, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint,
       case when metadata ? 'thread_id' then metadata || jsonb_build_object('thread_id', %(target)s::text)
            else metadata end
  from checkpoints where thread_id = %(source)s
on conflict do nothing
""",
    """
insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
select %(target)s, checkpoint_ns, channel, version, type, blob
  from checkpoint_blobs where thread_id = %(source)s
on conflict do nothing
""",
    """
insert into checkpoint_writes
       (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob, run_id)
select %(target)s, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob, run_id
  from checkpoint_writes where thread_id = %(source)s
on conflict do nothing
""",
    """
insert into checkpoint_items (thread_id, name, type, blob, shown)
select %(target)s, name, type, blob, shown from checkpoint_items where thread_id = %(source)s
on conflict do nothing
""",
)


async def delete_thread(conn: Connection, thread_id: UUID | str) -> None:
    """Remove all checkpoints of a thread."""
    for query in DELETE_THREAD:
        await conn.execute(query, {"thread_id": str(thread_id)})


async def delete_run(conn: Connection, thread_id: UUID | str, run_id: UUID | str) -> None:
    """Remove the checkpoints of a run and all it wrote on others: the thread is as it was before it.

    No run may be running on the thread; the caller has locked it.
    """
    for query in (*DELETE_RUN, SWEEP_BLOBS, SWEEP_ITEMS):
        await conn.execute(query, {"thread_id": str(thread_id), "run_id": str(run_id)})


async def delete_for_runs(conn: Connection, run_ids: Sequence[str]) -> None:
    """Remove the checkpoints of runs, on whichever threads they are."""
    cursor = await conn.execute(THREADS_OF_RUNS, {"run_ids": [str(run_id) for run_id in run_ids]})
    for row in await cursor.fetchall():
        await delete_run(conn, row["thread_id"], row["run_id"])


async def copy_thread(conn: Connection, source: UUID | str, target: UUID | str) -> None:
    """Copy all checkpoints of a thread to another."""
    for query in COPY:
        await conn.execute(query, {"source": str(source), "target": str(target)})


async def sweep(conn: Connection, thread_id: UUID | str) -> None:
    """Remove the list items of a thread that no checkpoint uses. No run may be running there."""
    await conn.execute(SWEEP_ITEMS, {"thread_id": str(thread_id)})


async def sweep_at_rest(conn: Connection, thread_id: str) -> None:
    """Sweep a thread, unless a run is running there: then a later sweep will."""
    row = None
    if _is_uuid(thread_id):
        row = await (await conn.execute(AT_REST, {"thread_id": thread_id})).fetchone()
    if row is None or row["rests"]:
        await sweep(conn, thread_id)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
