"""Finding assistants, their versions, and their threads."""

from collections.abc import Collection
from typing import Any, Literal
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from artel.storage.assistants.record import SYSTEM, Allowed, Assistant, Version
from artel.storage.postgres import Connection

SORTABLE = ("assistant_id", "created_at", "updated_at", "name", "graph_id")

# What came with a graph that is not served here is kept, for another process may serve it, but not shown.
MATCHING = """
  from assistants
 where metadata @> %(metadata)s
   and (%(graph_id)s::text is null or graph_id = %(graph_id)s)
   and (%(name)s::text is null or strpos(lower(name), lower(%(name)s)) > 0)
   and (graph_id = any(%(served)s) or not metadata @> %(system)s)
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
"""

SEARCH = "select * " + MATCHING + " order by {by} {way}, assistant_id limit %(limit)s offset %(offset)s"

COUNT = "select count(*)::int as found " + MATCHING

VERSIONS = """
select * from assistant_versions
 where assistant_id = %(assistant_id)s and metadata @> %(metadata)s
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
 order by version desc limit %(limit)s offset %(offset)s
"""

THREADS = """
select thread_id from threads
 where owner = %(owner)s and metadata @> %(metadata)s
   and (%(after)s::uuid is null or thread_id > %(after)s)
 order by thread_id limit %(limit)s
"""


async def search(
    conn: Connection,
    *,
    served: Collection[str],
    metadata: dict[str, Any] | None = None,
    graph_id: str | None = None,
    name: str | None = None,
    limit: int = 10,
    offset: int = 0,
    sort_by: str = "created_at",
    sort_order: Literal["asc", "desc"] = "desc",
    allowed: Allowed = None,
) -> list[Assistant]:
    """Return the assistants that match; `name` is a part of the name, `sort_by` one of SORTABLE.

    The case of a name does not count.

    Raises:
        Unsearchable: metadata that are wanted are encrypted.
    """
    if sort_by not in SORTABLE:
        raise ValueError(f"sort_by must be one of {', '.join(SORTABLE)}, got {sort_by!r}")
    by = SQL("lower(name)") if sort_by == "name" else Identifier(sort_by)
    query = SQL(SEARCH).format(by=by, way=SQL("asc" if sort_order == "asc" else "desc"))
    if conn.sealer:
        await conn.sealer.check_clear("assistant", "metadata", metadata or {})
    values = _matching(served, metadata, graph_id, name, allowed) | {"limit": limit, "offset": offset}
    rows = await (await conn.execute(query, values)).fetchall()
    if conn.sealer:
        rows = await conn.sealer.open(rows)
    return [Assistant(**row) for row in rows]


async def count(
    conn: Connection,
    *,
    served: Collection[str],
    metadata: dict[str, Any] | None = None,
    graph_id: str | None = None,
    name: str | None = None,
    allowed: Allowed = None,
) -> int:
    """Return how many assistants match.

    Raises:
        Unsearchable: metadata that are wanted are encrypted.
    """
    if conn.sealer:
        await conn.sealer.check_clear("assistant", "metadata", metadata or {})
    row = await (await conn.execute(COUNT, _matching(served, metadata, graph_id, name, allowed))).fetchone()
    return int(row["found"]) if row else 0


async def versions(
    conn: Connection,
    assistant_id: UUID,
    *,
    metadata: dict[str, Any] | None = None,
    limit: int = 10,
    offset: int = 0,
    allowed: Allowed = None,
) -> list[Version]:
    """Return versions of an assistant, newest first.

    Raises:
        Unsearchable: metadata that are wanted are encrypted.
    """
    if conn.sealer:
        await conn.sealer.check_clear("assistant", "metadata", metadata or {})
    values = {
        "assistant_id": assistant_id,
        "metadata": Jsonb(metadata or {}),
        "limit": limit,
        "offset": offset,
        "allowed": allowed,
    }
    rows = await (await conn.execute(VERSIONS, values)).fetchall()
    if conn.sealer:
        rows = await conn.sealer.open(rows)
    return [Version(**row) for row in rows]


async def threads_of(
    conn: Connection, assistant_id: UUID, *, owner: str, after: UUID | None = None, limit: int = 100
) -> list[UUID]:
    """Return threads of an owner that say in their metadata that they are this assistant's, by id."""
    values = {
        "owner": owner,
        "metadata": Jsonb({"assistant_id": str(assistant_id)}),
        "after": after,
        "limit": limit,
    }
    return [row["thread_id"] for row in await (await conn.execute(THREADS, values)).fetchall()]


def _matching(
    served: Collection[str],
    metadata: dict[str, Any] | None,
    graph_id: str | None,
    name: str | None,
    allowed: Allowed,
) -> dict[str, Any]:
    return {
        "served": list(served),
        "system": Jsonb(SYSTEM),
        "metadata": Jsonb(metadata or {}),
        "graph_id": graph_id,
        "name": name,
        "allowed": allowed,
    }
