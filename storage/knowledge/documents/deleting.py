"""Deleting documents: each chunk leaves a tombstone, by which the indexes learn of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from artel.storage import arrays
from artel.storage.errors import Invalid
from artel.storage.knowledge.collections import Collection, advance, lock
from artel.storage.knowledge.limits import MAX_IDS, MAX_NAME, plain
from artel.storage.postgres import Connection

DELETE = """
with gone as (
    delete from documents d
     where d.collection_id = (select collection_id from collections
                               where collection_id = %(collection_id)s and owner = %(owner)s)
       and d.source_id is not distinct from %(source_id)s::uuid
       and (%(all)s or d.external_id = any(%(external_ids)s))
    returning d.document_id, d.external_id
), tombs as (
    insert into removed_chunks (collection_id, chunk_id, added_rev, removed_rev)
    select c.collection_id, c.chunk_id, c.added_rev, %(revision)s from chunks c join gone using (document_id)
)
select external_id from gone
"""


async def delete(
    conn: Connection, collection: Collection, external_ids: Sequence[str], *, source_id: UUID | None = None
) -> list[str]:
    """Delete documents of a source, or of none, and return the ids of those that were there.

    Raises:
        Invalid: there are more than MAX_IDS.
        UnknownCollection: it has been dropped.
    """
    if len(external_ids) > MAX_IDS:
        raise Invalid(f"delete {MAX_IDS} documents at once, got {len(external_ids)}")
    ids = [one for one in external_ids if plain(one, "id", MAX_NAME) is None]
    return await _delete(conn, collection, source_id, {"all": False, "external_ids": arrays.texts(ids)})


async def delete_all(conn: Connection, collection: Collection, *, source_id: UUID | None) -> int:
    """Delete all documents of a source, or all of none, and return how many there were.

    Raises:
        UnknownCollection: the collection has been dropped.
    """
    gone = await _delete(conn, collection, source_id, {"all": True, "external_ids": arrays.texts(())})
    return len(gone)


async def _delete(
    conn: Connection, collection: Collection, source_id: UUID | None, which: dict[str, Any]
) -> list[str]:
    async with conn.transaction():
        locked = await lock(conn, collection)
        values = {**locked.whose, **which, "source_id": source_id, "revision": locked.revision + 1}
        gone = [str(row["external_id"]) async for row in await conn.execute(DELETE, values)]
        if gone:
            await advance(conn, locked)
    return gone
