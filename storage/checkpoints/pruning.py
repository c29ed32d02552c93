"""Forget the past of a thread and keep where it stands: what is shown, asked, and gone on from."""

from uuid import UUID

from artel.storage.checkpoints.removal import SWEEP_BLOBS, SWEEP_ITEMS
from artel.storage.postgres import Connection

# A DeltaChannel has its state in older checkpoints. It leaves counters, or the mark `true` with a snapshot
# beside it, which a plain `true` never has.
DELTAS = """
select exists (
    select from checkpoints c
     where c.thread_id = %(thread_id)s
       and (c.metadata ?| array['counters_since_delta_snapshot', 'delta_writes_versioned']
            or exists (select from jsonb_each(c.checkpoint -> 'channel_values') v
                         join checkpoint_blobs b on b.thread_id = c.thread_id
                                                and b.checkpoint_ns = c.checkpoint_ns and b.channel = v.key
                                                and b.version = c.checkpoint -> 'channel_versions' ->> v.key
                        where v.value = 'true'))) as found
"""

# Of each namespace the newest. A graph inside has one for each time it was called, named by its task after a
# colon: those of calls that began at a checkpoint of the past are over. Checkpoints of before version 4 have
# what was sent to nodes on their parent.
FORGET = """
with heads as (
    select distinct on (checkpoint_ns) checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint,
           metadata -> 'parents' ->> '' as root
      from checkpoints where thread_id = %(thread_id)s
     order by checkpoint_ns, checkpoint_id desc
), live as (
    select h.* from heads h
     where strpos(h.checkpoint_ns, ':') = 0
        or h.root is not distinct from (select checkpoint_id from heads where checkpoint_ns = '')
        or not exists (select from checkpoints c where c.thread_id = %(thread_id)s and c.checkpoint_ns = ''
                                                   and c.checkpoint_id = h.root)
), kept as materialized (
    select checkpoint_ns, checkpoint_id from live
    union
    select checkpoint_ns, parent_checkpoint_id from live where (checkpoint ->> 'v')::int < 4
), forgotten as (
    delete from checkpoints c
     where c.thread_id = %(thread_id)s
       and not exists (select from kept k where k.checkpoint_ns = c.checkpoint_ns
                                            and k.checkpoint_id = c.checkpoint_id)
), written as (
    delete from checkpoint_writes w
     where w.thread_id = %(thread_id)s
       and not exists (select from kept k where k.checkpoint_ns = w.checkpoint_ns
                                            and k.checkpoint_id = w.checkpoint_id)
)
update checkpoints c set parent_checkpoint_id = null
  from kept k
 where c.thread_id = %(thread_id)s and c.checkpoint_ns = k.checkpoint_ns and c.checkpoint_id = k.checkpoint_id
   and not exists (select from kept p where p.checkpoint_ns = c.checkpoint_ns
                                        and p.checkpoint_id = c.parent_checkpoint_id)
"""


async def keep_latest(conn: Connection, thread_id: UUID | str) -> bool:
    """Remove the past of a thread; False when it cannot be told from what its state is made of.

    What is read, asked and resumed at its newest checkpoint stays as it is, in the graphs inside too. No run
    may be running on the thread; the caller has locked it.
    """
    values = {"thread_id": str(thread_id)}
    row = await (await conn.execute(DELTAS, values)).fetchone()
    if row and row["found"]:
        return False
    for query in (FORGET, SWEEP_BLOBS, SWEEP_ITEMS):
        await conn.execute(query, values)
    return True
