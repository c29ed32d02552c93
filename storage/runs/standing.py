"""How the queue stands: one statement, for those who watch over the server."""

from dataclasses import dataclass

from artel.storage.postgres import Connection


@dataclass(frozen=True, slots=True)
class Standing:
    """What waits and what runs, over all processes; ended runs are not counted: that would read them all."""

    pending: int  # due, and not begun
    delayed: int  # due later
    running: int
    oldest_s: float | None  # since when the oldest of the pending is due
    median_s: float | None
    oldest_free_s: float | None  # of those that no other run of their thread holds up
    workers: int  # with a lease that counts
    approvals: int  # questions that wait for somebody
    webhooks: int  # deliveries not made yet


STANDING = """
with waiting as materialized (
    select run_id, thread_id, created_at, extract(epoch from clock_timestamp() - due_at)::float as waits
      from runs where status = 'pending'
), due as materialized (
    select * from waiting where waits >= 0
)
select (select count(*) from due) as pending,
       (select count(*) from waiting where waits < 0) as delayed,
       (select count(*) from runs where status = 'running') as running,
       (select max(waits) from due) as oldest_s,
       (select percentile_cont(0.5) within group (order by waits) from due) as median_s,
       (select w.waits from due w
         where not exists (select 1 from runs o
                            where o.thread_id = w.thread_id and o.status = 'running')
           and not exists (select 1 from due o
                            where o.thread_id = w.thread_id and o.created_at < w.created_at)
         order by w.waits desc limit 1) as oldest_free_s,
       (select count(*) from workers where lease_until > clock_timestamp()) as workers,
       (select count(*) from approvals where decision is null and superseded_at is null) as approvals,
       (select count(*) from webhook_deliveries where status = 'pending') as webhooks
"""


async def standing(conn: Connection) -> Standing:
    """Look how the queue stands."""
    row = await (await conn.execute(STANDING)).fetchone()
    assert row is not None
    return Standing(**row)
