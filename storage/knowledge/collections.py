"""Collections: what is searched together, by one embedder, and how often it has changed.

Who changes the documents of a collection holds its row locked until the transaction ends. So revisions are
committed in their order, and a reader that has seen one has seen all before it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage import clock
from artel.storage.broker import notify
from artel.storage.encoding import dumps_jsonb
from artel.storage.errors import Conflict, Invalid, NotFound
from artel.storage.ids import new_id
from artel.storage.knowledge.limits import MAX_NAME, plain
from artel.storage.postgres import Connection

CHANGED = "knowledge.changed"  # topic of wake-ups; the body is the id of a collection
MAX_LEARNED = 256 * 1024  # bytes of one version
LEARNED_KEPT = 10  # versions to roll back to


class UnknownCollection(NotFound):
    """This owner has no such collection."""

    code = "unknown_collection"


class EmbedderTaken(Conflict):
    """Vectors of another model are in the collection; those of two cannot be compared."""

    code = "embedder_taken"


class UnknownLearned(NotFound):
    """No version of that number is kept of what the collection has learned."""

    code = "unknown_learned"


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as it was when it was read; with its owner, whom every query on it names."""

    collection_id: UUID
    owner: str
    name: str
    embedder: str | None
    dimension: int | None
    revision: int
    pruned: int
    index_key: UUID
    learned: dict[str, Any]  # {live, versions: [{version, model, evidence, learned_at}]}; live 0: none
    created_at: datetime

    @property
    def whose(self) -> dict[str, Any]:
        """What a query needs to find it."""
        return {"collection_id": self.collection_id, "owner": self.owner}

    @property
    def model(self) -> dict[str, Any] | None:
        """What it has learned and searches by, or None."""
        kept = {one["version"]: one["model"] for one in self.learned["versions"]}
        return kept.get(self.learned["live"])


MAKE = """
insert into collections (collection_id, owner, name, index_key)
values (%(collection_id)s, %(owner)s, %(name)s, %(index_key)s)
on conflict (owner, name) do nothing
"""
BY_NAME = "select * from collections where owner = %(owner)s and name = %(name)s"
GET = "select * from collections where collection_id = %(collection_id)s and owner = %(owner)s"
LOCK = """
select * from collections where collection_id = %(collection_id)s and owner = %(owner)s for no key update
"""
SEARCH = """
select * from collections where owner = %(owner)s order by name limit %(limit)s offset %(offset)s
"""
ADVANCE = """
update collections set revision = %(revision)s where collection_id = %(collection_id)s and owner = %(owner)s
"""
BIND = """
update collections set embedder = %(embedder)s, dimension = %(dimension)s
 where collection_id = %(collection_id)s and owner = %(owner)s
"""
LEARN = """
update collections set learned = %(learned)s
 where collection_id = %(collection_id)s and owner = %(owner)s
returning *
"""
DROP = """
with gone as (
    delete from collections where collection_id = %(collection_id)s and owner = %(owner)s returning index_key
)
insert into dropped_indexes (index_key, drop_after) select index_key, clock_timestamp() from gone
on conflict (index_key) do update set drop_after = excluded.drop_after
returning index_key
"""


async def make(conn: Connection, name: str, *, owner: str) -> Collection:
    """Return the collection of that name, made now if there was none.

    Raises:
        Invalid: the name is empty, longer than MAX_NAME characters or no text for Postgres.
    """
    if reason := plain(name, "name", MAX_NAME):
        raise Invalid(reason)
    if not name.strip():
        raise Invalid("a collection needs a name")
    values = {"collection_id": new_id(), "owner": owner, "name": name, "index_key": new_id()}
    await conn.execute(MAKE, values)
    return await named(conn, name, owner=owner)


async def named(conn: Connection, name: str, *, owner: str) -> Collection:
    """Return the collection of that name.

    Raises:
        UnknownCollection: this owner has none.
    """
    row = None
    if not plain(name, "name", MAX_NAME):
        row = await (await conn.execute(BY_NAME, {"owner": owner, "name": name})).fetchone()
    if row is None:
        raise UnknownCollection(f"no collection {name[:80]!r}")
    return Collection(**row)


async def get(conn: Connection, collection_id: UUID, *, owner: str) -> Collection:
    """Return a collection.

    Raises:
        UnknownCollection: this owner has none with that id.
    """
    return await _one(conn, GET, {"collection_id": collection_id, "owner": owner})


async def search(conn: Connection, *, owner: str, limit: int = 100, offset: int = 0) -> list[Collection]:
    """Return the collections of an owner, by name."""
    rows = await conn.execute(SEARCH, {"owner": owner, "limit": limit, "offset": offset})
    return [Collection(**row) async for row in rows]


async def lock(conn: Connection, collection: Collection) -> Collection:
    """Lock a collection until the transaction ends, and return it as it is now.

    A transaction that locks several does so in the order of their ids, or two of them wait for each other.

    Raises:
        UnknownCollection: it has been dropped.
    """
    return await _one(conn, LOCK, collection.whose)


async def advance(conn: Connection, locked: Collection) -> int:
    """Count a change of a locked collection; who listens to CHANGED hears of it once it is committed.

    Returns:
        The new revision, which the rows of the change have: `locked.revision + 1`.
    """
    revision = locked.revision + 1
    await conn.execute(ADVANCE, {**locked.whose, "revision": revision})
    await notify(conn, CHANGED, str(locked.collection_id))
    return revision


async def bind(conn: Connection, collection: Collection, *, embedder: str, dimension: int) -> Collection:
    """Let a collection have the vectors of a model, which is the only one from then on.

    Raises:
        EmbedderTaken: it has those of another model, or of another length.
        UnknownCollection: it has been dropped.
        Invalid: the name is no text for Postgres, or longer than MAX_NAME characters.
    """
    if reason := plain(embedder, "embedder", MAX_NAME):
        raise Invalid(reason)
    async with conn.transaction():
        locked = await lock(conn, collection)
        if locked.embedder is None:
            await conn.execute(BIND, {**locked.whose, "embedder": embedder, "dimension": dimension})
            await notify(conn, CHANGED, str(locked.collection_id))
            return await lock(conn, collection)
    if (locked.embedder, locked.dimension) != (embedder, dimension):
        raise EmbedderTaken(
            f"collection {locked.name!r} has vectors of {locked.embedder!r} ({locked.dimension} numbers); "
            f"{embedder!r} ({dimension} numbers) needs a collection of its own"
        )
    return locked


async def learn(
    conn: Connection, collection: Collection, model: dict[str, Any], *, evidence: dict[str, Any], live: bool
) -> int:
    """Keep what was learned, with what speaks for it, and say its version; LEARNED_KEPT are kept.

    `live`: it is searched by from now on; else it is a shadow, until `go_back` names it.

    Raises:
        Invalid: together they are more than MAX_LEARNED bytes of JSON.
        UnknownCollection: it has been dropped.
    """
    if (size := len(dumps_jsonb([model, evidence]))) > MAX_LEARNED:
        raise Invalid(f"model and evidence may be {MAX_LEARNED} bytes of JSON, got {size}")
    async with conn.transaction():
        learned = (await lock(conn, collection)).learned
        versions = learned["versions"]
        number = 1 + max((one["version"] for one in versions), default=0)
        moment = (await clock.now(conn)).isoformat()
        kept = {"version": number, "model": model, "evidence": evidence, "learned_at": moment}
        newest = versions[-(LEARNED_KEPT - 1) :]
        if (used := [one for one in versions if one["version"] == learned["live"]]) and used[0] not in newest:
            newest = [*used, *newest[1:]]
        now_live = number if live else learned["live"]
        await _learned(conn, collection, {"live": now_live, "versions": [*newest, kept]})
    return number


async def go_back(conn: Connection, collection: Collection, version: int) -> Collection:
    """Search by a version that is kept, an older one or a shadow; 0: by nothing learned.

    Raises:
        UnknownLearned: it is not kept.
        UnknownCollection: the collection has been dropped.
    """
    async with conn.transaction():
        learned = (await lock(conn, collection)).learned
        kept = [one["version"] for one in learned["versions"]]
        if version not in (0, *kept):
            raise UnknownLearned(f"version {version} is not kept; there are {kept}")
        return await _learned(conn, collection, {**learned, "live": version})


async def drop(conn: Connection, collection: Collection) -> None:
    """Delete a collection with all that is in it; its indexes follow.

    Raises:
        UnknownCollection: it has been dropped.
    """
    async with conn.transaction():
        if await (await conn.execute(DROP, collection.whose)).fetchone() is None:
            raise UnknownCollection(f"no collection {collection.collection_id}")
        await notify(conn, CHANGED, str(collection.collection_id))


async def _learned(conn: Connection, collection: Collection, learned: dict[str, Any]) -> Collection:
    changed = await _one(conn, LEARN, {**collection.whose, "learned": Jsonb(learned)})
    await notify(conn, CHANGED, str(collection.collection_id))
    return changed


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> Collection:
    row = await (await conn.execute(query, values)).fetchone()
    if row is None:
        raise UnknownCollection(f"no collection {values['collection_id']}")
    return Collection(**row)
