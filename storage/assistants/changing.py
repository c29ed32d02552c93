"""Assistants are made, change by a new version, and go. What one is and its version are written as one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.assistants.record import (
    SYSTEM,
    Allowed,
    Assistant,
    AssistantExists,
    OfTheGraph,
    UnknownVersion,
    known,
    one,
)
from artel.storage.ids import system_assistant_id
from artel.storage.postgres import Connection

KEEP = """
insert into assistants (assistant_id, graph_id, name, description, metadata, created_at, updated_at)
values (%(assistant_id)s, %(graph_id)s, %(graph_id)s, %(description)s, %(metadata)s,
        clock_timestamp(), clock_timestamp())
on conflict (assistant_id) do update
   set description = excluded.description, updated_at = excluded.updated_at
 where assistants.version = 1 and assistants.description is distinct from excluded.description
"""

# The first version is the graph's own word and follows the configuration; later ones are somebody's.
KEEP_FIRST = """
insert into assistant_versions
       (assistant_id, version, graph_id, name, description, config, context, metadata)
values (%(assistant_id)s, 1, %(graph_id)s, %(graph_id)s, %(description)s, '{}', '{}', %(metadata)s)
on conflict (assistant_id, version) do update set description = excluded.description
 where assistant_versions.description is distinct from excluded.description
"""

CREATE = """
with written as (
    insert into assistants (assistant_id, graph_id, name, description, config, context, metadata)
    values (%(assistant_id)s, %(graph_id)s, %(name)s, %(description)s, %(config)s, %(context)s, %(metadata)s)
    on conflict (assistant_id) do nothing
    returning *),
recorded as (
    insert into assistant_versions
           (assistant_id, version, graph_id, name, description, config, context, metadata, created_at)
    select assistant_id, version, graph_id, name, description, config, context, metadata, updated_at
      from written)
select * from written
"""

GET = """
select * from assistants
 where assistant_id = %(assistant_id)s
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
"""

LOCK = GET + " for no key update"

PATCH = """
with written as (
    update assistants
       set version = 1 + (select max(version) from assistant_versions v
                           where v.assistant_id = assistants.assistant_id),
           graph_id = %(graph_id)s, name = %(name)s, description = %(description)s, config = %(config)s,
           context = %(context)s, metadata = %(metadata)s, updated_at = clock_timestamp()
     where assistant_id = %(assistant_id)s
    returning *),
recorded as (
    insert into assistant_versions
           (assistant_id, version, graph_id, name, description, config, context, metadata, created_at)
    select assistant_id, version, graph_id, name, description, config, context, metadata, updated_at
      from written)
select * from written
"""

POINT = """
update assistants a
   set version = v.version, graph_id = v.graph_id, name = v.name, description = v.description,
       config = v.config, context = v.context, metadata = v.metadata, updated_at = clock_timestamp()
  from assistant_versions v
 where a.assistant_id = %(assistant_id)s and v.assistant_id = a.assistant_id and v.version = %(version)s
   and (%(allowed)s::jsonpath is null or v.metadata @@ %(allowed)s::jsonpath)
returning a.*
"""

DELETE = "delete from assistants where assistant_id = %(assistant_id)s"


@dataclass(frozen=True, slots=True)
class Change:
    """What a new version has otherwise; None: as it was. `metadata` is merged, the rest replaced."""

    graph_id: str | None = None
    name: str | None = None
    description: str | None = None
    config: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None

    def of(self, now: Assistant) -> dict[str, Any]:
        """Return what an assistant becomes by it, as columns.

        Raises:
            OfTheGraph: it came with its graph, and this would give it another.
        """
        if now.is_system and self.graph_id not in (None, now.graph_id):
            raise OfTheGraph(
                f'assistant {now.assistant_id} came with the graph "{now.graph_id}" and keeps it'
            )
        config = now.config if self.config is None else self.config
        if self.context == {} and self.config is None:
            config = {key: value for key, value in config.items() if key != "configurable"}
        context = now.context if self.context is None else self.context
        own = SYSTEM if now.is_system else {}
        return {
            "assistant_id": now.assistant_id,
            "graph_id": now.graph_id if self.graph_id is None else self.graph_id,
            "name": now.name if self.name is None else self.name,
            "description": now.description if self.description is None else self.description,
            "config": config,
            "context": context,
            "metadata": {**now.metadata, **(self.metadata or {}), **own},
        }


async def keep_system(
    conn: Connection, graphs: Mapping[str, str | None], kinds: Mapping[str, str] | None = None
) -> None:
    """Make sure that each graph has its own assistant; `graphs` are descriptions by graph id.

    `kinds` are noted in the metadata, for lists that show only some. One that somebody has changed stays as
    they want it.
    """
    for graph_id, description in sorted(graphs.items()):
        values = {
            "assistant_id": system_assistant_id(graph_id),
            "graph_id": graph_id,
            "description": description,
            "metadata": Jsonb(SYSTEM | ({"kind": kinds[graph_id]} if kinds and graph_id in kinds else {})),
        }
        await conn.execute(KEEP, values)
        await conn.execute(KEEP_FIRST, values)


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
    allowed: Allowed = None,
) -> Assistant:
    """Make an assistant, or return the one that is there when `if_exists` says so.

    Raises:
        AssistantExists: there is one with that id, and that is an error or it is not theirs to see.
    """
    values = {
        "assistant_id": assistant_id,
        "graph_id": graph_id,
        "name": name,
        "description": description,
        "config": config or {},
        "context": context or {},
        "metadata": metadata or {},
        "allowed": allowed,
    }
    values = await _stored(conn, values)
    made = await one(conn, CREATE, values)
    if made is None and if_exists == "do_nothing":
        made = await one(conn, GET, values)
    if made is None:
        raise AssistantExists(f"assistant {assistant_id} exists already")
    return made


async def get(conn: Connection, assistant_id: UUID, *, allowed: Allowed = None) -> Assistant:
    """Return an assistant.

    Raises:
        UnknownAssistant: there is none with that id, or `allowed` does not let them see it.
    """
    return known(await one(conn, GET, {"assistant_id": assistant_id, "allowed": allowed}), assistant_id)


async def patch(
    conn: Connection, assistant_id: UUID, change: Change, *, allowed: Allowed = None
) -> Assistant:
    """Make a new version of an assistant, numbered after the highest that it has; the caller commits.

    Raises:
        UnknownAssistant: there is none with that id, or `allowed` does not let them see it.
        OfTheGraph: it came with its graph, and the change would give it another.
    """
    now = await lock(conn, assistant_id, allowed=allowed)
    return known(await one(conn, PATCH, await _stored(conn, change.of(now))), assistant_id)


async def point(conn: Connection, assistant_id: UUID, version: int, *, allowed: Allowed = None) -> Assistant:
    """Make an assistant what it was in one of its versions, which stay; the caller commits.

    Raises:
        UnknownAssistant: there is none with that id, or `allowed` does not let them see it.
        UnknownVersion: it has no such version that `allowed` lets them see.
    """
    await lock(conn, assistant_id, allowed=allowed)
    pointed = await one(conn, POINT, {"assistant_id": assistant_id, "version": version, "allowed": allowed})
    if pointed is None:
        raise UnknownVersion(f"assistant {assistant_id} has no version {version}")
    return pointed


async def lock(conn: Connection, assistant_id: UUID, *, allowed: Allowed = None) -> Assistant:
    """Return an assistant, kept from changing until the transaction ends.

    Raises:
        UnknownAssistant: there is none with that id, or `allowed` does not let them see it.
    """
    return known(await one(conn, LOCK, {"assistant_id": assistant_id, "allowed": allowed}), assistant_id)


async def delete(conn: Connection, assistant_id: UUID, *, allowed: Allowed = None) -> None:
    """Remove an assistant with its versions and schedules; its threads stay. The caller commits.

    Raises:
        UnknownAssistant: there is none with that id, or `allowed` does not let them see it.
        OfTheGraph: it came with its graph.
    """
    removable(await lock(conn, assistant_id, allowed=allowed))
    await conn.execute(DELETE, {"assistant_id": assistant_id})


async def _stored(conn: Connection, columns: dict[str, Any]) -> dict[str, Any]:
    """Return columns as they are stored: JSON as such, and sealed where something seals."""
    given = {name: columns[name] for name in ("config", "context", "metadata")}
    if conn.sealer:
        for name in ("config", "context"):
            given[name] = await conn.sealer.seal("assistant", name, given[name]) if given[name] else {}
        given["metadata"] = await conn.sealer.seal_keys("assistant", "metadata", given["metadata"])
    return columns | {name: Jsonb(value) for name, value in given.items()}


def removable(assistant: Assistant) -> None:
    """Say whether an assistant may go.

    Raises:
        OfTheGraph: it came with its graph.
    """
    if assistant.is_system:
        raise OfTheGraph(
            f"assistant {assistant.assistant_id} came with its graph and stays while that is served"
        )
