"""Questions whose time is over: what follows is in their rows, so one process does it, once."""

from uuid import UUID

from artel.storage.approvals import Approval
from artel.storage.postgres import Connection

EXPIRING = """
select * from approvals
 where decision is null and superseded_at is null and expires_at <= clock_timestamp()
 order by expires_at limit %(limit)s
"""

NEXT_EXPIRY = """
select extract(epoch from min(expires_at) - clock_timestamp())::float8 as in_s from approvals
 where decision is null and superseded_at is null and expires_at is not null
"""

PARK = """
update approvals set parked_at = clock_timestamp(), expires_at = null
 where approval_id = %(approval_id)s and decision is null and superseded_at is null
   and on_timeout = 'park' and expires_at <= clock_timestamp()
returning approval_id
"""

# As much time again as there was, counted from now
ESCALATE = """
update approvals
   set escalated_at = clock_timestamp(), expires_at = clock_timestamp() + (expires_at - asked_at)
 where approval_id = %(approval_id)s and decision is null and superseded_at is null
   and on_timeout = 'escalate' and escalated_at is null and expires_at <= clock_timestamp()
returning approval_id
"""

# The time to answer begins again; the run that asked is the one on the other thread.
ASK_AGAIN = """
insert into approvals (approval_id, thread_id, run_id, interrupt_id, namespace, kind, tool_call_id, tool,
                       args, value, owner, asked_at, expires_at, agent, calls, on_timeout, escalate_to,
                       escalated_at, parked_at)
select gen_random_uuid(), %(target)s, run_id, interrupt_id, namespace, kind, tool_call_id, tool,
       args, value, owner, clock_timestamp(),
       clock_timestamp() + (expires_at - coalesce(escalated_at, asked_at)), agent, calls, on_timeout,
       escalate_to, case when escalated_at is not null then clock_timestamp() end, parked_at
  from approvals
 where thread_id = %(source)s and decision is null and superseded_at is null
"""


async def expiring(conn: Connection, *, limit: int = 100) -> list[Approval]:
    """Return open questions whose time is over, of all owners, longest over first; see `approvals.opened`."""
    rows = await (await conn.execute(EXPIRING, {"limit": limit})).fetchall()
    return [Approval(**row) for row in rows]


async def next_expiry_in(conn: Connection) -> float | None:
    """Return the seconds until the next question expires, negative when one has; None when none will."""
    row = await (await conn.execute(NEXT_EXPIRY)).fetchone()
    return row["in_s"] if row else None


async def park(conn: Connection, approval_id: UUID) -> bool:
    """Let a question that is overdue wait without a limit; say whether it was this call that did."""
    return await _done(conn, PARK, approval_id)


async def escalate(conn: Connection, approval_id: UUID) -> bool:
    """Show a question that is overdue to the users it names, with new time; say whether this call did."""
    return await _done(conn, ESCALATE, approval_id)


async def _done(conn: Connection, query: str, approval_id: UUID) -> bool:
    return await (await conn.execute(query, {"approval_id": approval_id})).fetchone() is not None


async def ask_again(conn: Connection, source_id: UUID, target_id: UUID) -> None:
    """Ask on a copy of a thread what is still open on the thread itself."""
    await conn.execute(ASK_AGAIN, {"source": source_id, "target": target_id})
