"""Sources: where documents come from, up to where their changes are known, and how the last look went."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from artel.storage.encoding import dumps_jsonb
from artel.storage.errors import Conflict, Invalid, NotFound
from artel.storage.ids import new_id
from artel.storage.knowledge.collections import Collection, advance, lock
from artel.storage.knowledge.limits import MAX_NAME, MAX_WORD, plain
from artel.storage.postgres import Connection

State = Literal["idle", "running", "failed", "paused"]

MAX_CONFIG = 64 * 1024  # bytes of JSON; of a cursor and a report too
SECRET = (
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "private_key",
    "authorization",
    "cookie",
)


class UnknownSource(NotFound):
    """The collection has no such source."""

    code = "unknown_source"


class SourceNameTaken(Conflict):
    """Another source of the collection has that name."""

    code = "source_name_taken"


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it was when it was read."""

    source_id: UUID
    owner: str
    collection_id: UUID
    kind: str
    name: str
    config: dict[str, Any]
    cursor: Any
    schedule: str | None
    state: State
    report: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    listed_at: datetime | None


ADD = """
insert into sources (source_id, owner, collection_id, kind, name, config, schedule)
select %(source_id)s, owner, collection_id, %(kind)s, %(name)s, %(config)s, %(schedule)s
  from collections where collection_id = %(collection_id)s and owner = %(owner)s
returning *
"""
GET = """
select * from sources
 where source_id = %(source_id)s and collection_id = %(collection_id)s and owner = %(owner)s
"""
SEARCH = """
select * from sources where owner = %(owner)s and collection_id = %(collection_id)s
 order by name limit %(limit)s offset %(offset)s
"""
SCHEDULED = "select * from sources where schedule is not null and state <> 'paused' order by source_id"
CHANGE = """
update sources set config = coalesce(%(config)s, config), state = coalesce(%(state)s, state),
                   schedule = case when %(reschedule)s then %(schedule)s else schedule end,
                   updated_at = clock_timestamp()
 where source_id = %(source_id)s and collection_id = %(collection_id)s and owner = %(owner)s
returning *
"""
BEGIN = """
update sources set state = 'running', began_at = clock_timestamp(), ended_at = null
 where source_id = %(source_id)s and collection_id = %(collection_id)s and owner = %(owner)s
returning *
"""
END = """
update sources set state = %(state)s, report = %(report)s, cursor = coalesce(%(cursor)s, cursor),
                   ended_at = clock_timestamp(),
                   listed_at = case when %(listed)s then clock_timestamp() else listed_at end
 where source_id = %(source_id)s and collection_id = %(collection_id)s and owner = %(owner)s
returning *
"""
DELETE = """
with gone as (
    delete from sources
     where source_id = %(source_id)s and collection_id = %(collection_id)s and owner = %(owner)s
    returning source_id
), tombs as (
    insert into removed_chunks (collection_id, chunk_id, added_rev, removed_rev)
    select c.collection_id, c.chunk_id, c.added_rev, %(revision)s
      from gone join documents d using (source_id) join chunks c using (document_id)
    returning chunk_id
)
select (select count(*) from gone) as sources, (select count(*) from tombs) as chunks
"""


async def add(
    conn: Connection,
    collection: Collection,
    *,
    kind: str,
    name: str,
    config: Mapping[str, Any],
    schedule: str | None = None,
) -> Source:
    """Add a source to a collection; the caller has checked that `config` fits `kind`, and the schedule.

    Raises:
        Invalid: kind, name or schedule is no text for Postgres or too long, or a secret is in `config`.
        SourceNameTaken: the collection has one of that name.
        UnknownCollection: it has been dropped.
    """
    named = ((kind, "kind", MAX_WORD), (name, "name", MAX_NAME), (schedule or "", "schedule", MAX_NAME))
    for text, what, most in named:
        if reason := plain(text, what, most):
            raise Invalid(reason)
    checked = _checked(config)
    values = {
        **collection.whose,
        "source_id": new_id(),
        "kind": kind,
        "name": name,
        "config": Jsonb(checked),
        "schedule": schedule,
    }
    async with conn.transaction():
        await lock(conn, collection)
        try:
            async with conn.transaction():
                return await _one(conn, ADD, values)
        except UniqueViolation as taken:
            raise SourceNameTaken(f"collection {collection.name!r} has a source {name[:80]!r}") from taken


async def get(conn: Connection, collection: Collection, source_id: UUID) -> Source:
    """Return a source.

    Raises:
        UnknownSource: the collection has none with that id.
    """
    return await _one(conn, GET, {**collection.whose, "source_id": source_id})


async def search(
    conn: Connection, collection: Collection, *, limit: int = 100, offset: int = 0
) -> list[Source]:
    """Return the sources of a collection, by name."""
    values = {**collection.whose, "limit": limit, "offset": offset}
    return [Source(**row) async for row in await conn.execute(SEARCH, values)]


async def scheduled(conn: Connection) -> list[Source]:
    """Return everybody's sources that have a schedule and are not paused: for the engine alone."""
    return [Source(**row) async for row in await conn.execute(SCHEDULED)]


async def change(
    conn: Connection,
    collection: Collection,
    source_id: UUID,
    *,
    config: Mapping[str, Any] | None = None,
    state: Literal["idle", "paused"] | None = None,
    schedule: str | None = None,
    reschedule: bool = False,
) -> Source:
    """Change what is given; the schedule, also to None, where `reschedule` says so.

    Raises:
        Invalid: a secret is in `config`, or it is more than MAX_CONFIG bytes.
        UnknownSource: the collection has none with that id.
    """
    if reason := plain(schedule or "", "schedule", MAX_NAME):
        raise Invalid(reason)
    checked = None if config is None else Jsonb(_checked(config))
    values = {"config": checked, "state": state, "schedule": schedule, "reschedule": reschedule}
    return await _one(conn, CHANGE, {**collection.whose, **values, "source_id": source_id})


async def begin(conn: Connection, collection: Collection, source_id: UUID) -> Source:
    """Say that a look at the source has begun.

    Raises:
        UnknownSource: the collection has none with that id.
    """
    return await _one(conn, BEGIN, {**collection.whose, "source_id": source_id})


async def end(
    conn: Connection,
    collection: Collection,
    source_id: UUID,
    *,
    report: Mapping[str, Any],
    failed: bool = False,
    cursor: Any = None,
    listed: bool = False,
) -> Source:
    """Say how a look has ended; a `cursor` of None leaves the one there is. `listed`: all of it was seen.

    Raises:
        Invalid: report or cursor is more than MAX_CONFIG bytes of JSON.
        UnknownSource: the collection has none with that id.
    """
    for value, what in ((report, "report"), (cursor, "cursor")):
        if (size := len(dumps_jsonb(value))) > MAX_CONFIG:
            raise Invalid(f"{what} may have {MAX_CONFIG} bytes of JSON, got {size}")
    values = {
        "state": "failed" if failed else "idle",
        "report": Jsonb(report),
        "cursor": None if cursor is None else Jsonb(cursor),
        "listed": listed,
    }
    return await _one(conn, END, {**collection.whose, **values, "source_id": source_id})


async def delete(conn: Connection, collection: Collection, source_id: UUID) -> None:
    """Delete a source with all documents that came from it.

    Raises:
        UnknownSource: the collection has none with that id.
        UnknownCollection: it has been dropped.
    """
    async with conn.transaction():
        locked = await lock(conn, collection)
        values = {**locked.whose, "source_id": source_id, "revision": locked.revision + 1}
        row = await (await conn.execute(DELETE, values)).fetchone()
        if row is None or not row["sources"]:
            raise UnknownSource(f"collection {locked.name!r} has no source {source_id}")
        await advance(conn, locked)


def _checked(config: Mapping[str, Any]) -> Mapping[str, Any]:
    if (size := len(dumps_jsonb(config))) > MAX_CONFIG:
        raise Invalid(f"config may have {MAX_CONFIG} bytes of JSON, got {size}")
    for path, value in _leaves(config, "config"):
        name = path.rpartition(".")[2].lower()
        if value and any(name == word or name.endswith(f"_{word}") for word in SECRET):
            raise Invalid(f"{path} is a secret: keep it in the environment and give the variable's name")
        if isinstance(value, str) and "://" in value and _has_password(value):
            raise Invalid(f"{path} has a password in its address: keep it in the environment")
    return config


def _has_password(address: str) -> bool:
    try:
        return urlsplit(address).password is not None
    except ValueError:  # no address after all
        return False


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [(f"{path}.{key}", one) for key, one in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(path, one) for one in value]
        else:
            yield path, value


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> Source:
    row = await (await conn.execute(query, values)).fetchone()
    if row is None:
        raise UnknownSource(f"no source {values['source_id']}")
    return Source(**row)
