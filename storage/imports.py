"""What came with a thread that was imported: history of another place, to read, and never to be answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.errors import NotFound
from artel.storage.postgres import Connection

ADD = """
insert into imports (thread_id, source, imported_by, history)
values (%(thread_id)s, %(source)s, %(imported_by)s, %(history)s)
"""
OF = """
select i.* from imports i join threads t using (thread_id)
 where i.thread_id = %(thread_id)s and t.owner = %(owner)s
"""


class NotImported(NotFound):
    """A thread was made here: nothing came with it."""

    code = "not_imported"


@dataclass(frozen=True, slots=True)
class Imported:
    """Where a thread comes from, and what had happened there."""

    thread_id: UUID
    source: str
    imported_by: str
    imported_at: datetime
    history: dict[str, Any]


async def add(
    conn: Connection, thread_id: UUID, *, source: str, imported_by: str, history: dict[str, Any]
) -> None:
    """Keep what came with a thread."""
    kept = await conn.sealer.seal("import", "history", history) if conn.sealer else history
    values = {"thread_id": thread_id, "source": source, "imported_by": imported_by, "history": Jsonb(kept)}
    await conn.execute(ADD, values)


async def of(conn: Connection, thread_id: UUID, *, owner: str) -> Imported:
    """Return what came with a thread.

    Raises:
        NotImported: this owner has no such thread, or it was made here.
    """
    cursor = await conn.execute(OF, {"thread_id": thread_id, "owner": owner})
    row = await cursor.fetchone()
    if row is None:
        raise NotImported(f"thread {thread_id} was not imported")
    if conn.sealer:
        row = await conn.sealer.open(row)
    return Imported(**row)
