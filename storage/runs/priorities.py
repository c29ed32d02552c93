"""Priorities of threads: said once by the configuration's own function, and kept."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from artel.storage.postgres import Connection

KNOWN = """
select p.priority, t.metadata as thread_metadata, a.metadata as assistant_metadata
  from (select 1) here
  left join threads t on t.thread_id = %(thread_id)s and t.owner = %(owner)s
  left join thread_priorities p on p.thread_id = t.thread_id
  left join assistants a on a.assistant_id = %(assistant_id)s
"""

KEEP = """
insert into thread_priorities (thread_id, priority)
select thread_id, %(priority)s from threads where thread_id = %(thread_id)s
on conflict (thread_id) do nothing
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a thread and an assistant when a run is asked for; `priority` None: nothing yet."""

    priority: int | None
    thread_metadata: dict[str, Any] | None
    assistant_metadata: dict[str, Any] | None


async def known(conn: Connection, thread_id: UUID, assistant_id: UUID, *, owner: str) -> Known:
    """Return what a thread's priority is, or could be decided by."""
    values = {"thread_id": thread_id, "assistant_id": assistant_id, "owner": owner}
    row = await (await conn.execute(KNOWN, values)).fetchone()
    return Known(**row) if row else Known(None, None, None)


async def keep(conn: Connection, thread_id: UUID, priority: int) -> None:
    """Remember a thread's priority; the first that was said stays."""
    await conn.execute(KEEP, {"thread_id": thread_id, "priority": priority})
