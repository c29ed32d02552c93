"""Assistants: a graph with a configuration. Each graph that is served has one that nobody made."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import system_assistant_id
from artel.storage.postgres import Connection

SORTABLE = ("assistant_id", "created_at", "updated_at", "name", "graph_id")
SYSTEM = {"created_by": "system"}


class UnknownAssistant(NotFound):
    """No assistant has that id."""


class AssistantExists(Conflict):
    """There is an assistant with that id already."""

    code = "assistant_exists"


class OfTheGraph(Conflict):
    """The assistant belongs to its graph: it stays as long as the graph is served."""

    code = "assistant_of_the_graph"


@dataclass(frozen=True, slots=True)
class Assistant:
    """A graph, and what its runs are given unless they say otherwise."""

    assistant_id: UUID
    graph_id: str
    name: str
    description: str | None
    config: dict[str, Any]
    context: dict[str, Any]
    metadata: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_system(self) -> bool:
        """Whether it came with its graph."""
        return self.assistant_id == system_assistant_id(self.graph_id)


KEEP = """
insert into assistants (assistant_id, graph_id, name, description, metadata, created_at, updated_at)
values (%(assistant_id)s, %(graph_id)s, %(graph_id)s, %(description)s, %(metadata)s,
        clock_timestamp(), clock_timestamp())
on conflict (assistant_id) do update
   set description = excluded.description, updated_at = excluded.updated_at
 where assistants.description is distinct from excluded.description
"""

CREATE = """
insert into assistants (assistant_id, graph_id, name, description, config, context, metadata)
values (%(assistant_id)s, %(graph_id)s, %(name)s, %(description)s, %(config)s, %(context)s, %(metadata)s)
on conflict (assistant_id) do nothing
returning *
"""

GET = "select * from assistants where assistant_id = %(assistant_id)s"

DELETE = "delete from assistants where assistant_id = %(assistant_id)s"

# What came with a graph that is not served here is kept, for another process may serve it, but not shown.
MATCHING = """
  from assistants
 where metadata @> %(metadata)s
   and (%(graph_id)s::text is null or graph_id = %(graph_id)s)
   and (%(name)s::text is null or strpos(lower(name), lower(%(name)s)) > 0)
   and (graph_id = any(%(served)s) or not metadata @> %(system)s)
"""

SEARCH = "select * " + MATCHING + " order by {by} {way}, assistant_id limit %(limit)s offset %(offset)s"

COUNT = "select count(*)::int as found " + MATCHING


async def keep_system(conn: Connection, graphs: Mapping[str, str | None]) -> None:
    """Make sure that each graph has its own assistant; `graphs` are descriptions by graph id."""
    for graph_id, description in graphs.items():
        values = {
            "assistant_id": system_assistant_id(graph_id),
            "graph_id": graph_id,
            "description": description,
            "metadata": Jsonb(SYSTEM),
        }
        await conn.execute(KEEP, values)


async def create(
    conn: Connection,
    assistant_id: UUID,
    graph_id: str,
    *,
    name: str = "Untitled",
    description: str | None = None,
    config: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    if_exists: Literal["raise", "do_nothing"] = "raise",
) -> Assistant:
    """Make an assistant, or return the one that is there when `if_exists` says so.

    Raises:
        AssistantExists: there is one with that id.
    """
    values = {
        "assistant_id": assistant_id,
        "graph_id": graph_id,
        "name": name,
        "description": description,
        "config": Jsonb(config or {}),
        "context": Jsonb(context or {}),
        "metadata": Jsonb(metadata or {}),
    }
    made = await _one(conn, CREATE, values)
    if made is None and if_exists == "do_nothing":
        made = await _one(conn, GET, values)
    if made is None:
        raise AssistantExists(f"assistant {assistant_id} exists already")
    return made


async def get(conn: Connection, assistant_id: UUID) -> Assistant:
    """Return an assistant.

    Raises:
        UnknownAssistant: there is none with that id.
    """
    found = await _one(conn, GET, {"assistant_id": assistant_id})
    if found is None:
        raise UnknownAssistant(f"no assistant {assistant_id}")
    return found


async def delete(conn: Connection, assistant_id: UUID) -> None:
    """Remove an assistant; its threads stay.

    Raises:
        UnknownAssistant: there is none with that id.
        OfTheGraph: it came with its graph.
    """
    if (await get(conn, assistant_id)).is_system:
        raise OfTheGraph(f"assistant {assistant_id} came with its graph and stays while that is served")
    await conn.execute(DELETE, {"assistant_id": assistant_id})


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
) -> list[Assistant]:
    """Return the assistants that match; `name` is a part of the name, `sort_by` one of SORTABLE."""
    if sort_by not in SORTABLE:
        raise ValueError(f"sort_by must be one of {', '.join(SORTABLE)}, got {sort_by!r}")
    query = SQL(SEARCH).format(by=Identifier(sort_by), way=SQL("asc" if sort_order == "asc" else "desc"))
    values = _matching(served, metadata, graph_id, name) | {"limit": limit, "offset": offset}
    cursor = await conn.execute(query, values)
    return [Assistant(**row) for row in await cursor.fetchall()]


async def count(
    conn: Connection,
    *,
    served: Collection[str],
    metadata: dict[str, Any] | None = None,
    graph_id: str | None = None,
    name: str | None = None,
) -> int:
    """Return how many assistants match."""
    row = await (await conn.execute(COUNT, _matching(served, metadata, graph_id, name))).fetchone()
    return int(row["found"]) if row else 0


def _matching(
    served: Collection[str], metadata: dict[str, Any] | None, graph_id: str | None, name: str | None
) -> dict[str, Any]:
    return {
        "served": list(served),
        "system": Jsonb(SYSTEM),
        "metadata": Jsonb(metadata or {}),
        "graph_id": graph_id,
        "name": name,
    }


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> Assistant | None:
    row = await (await conn.execute(query, values)).fetchone()
    return Assistant(**row) if row else None
