"""What is known of documents: for a source that looks for changes, and for a reader."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from artel.storage import arrays
from artel.storage.errors import Invalid
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.documents.record import Document, Known, UnknownDocument
from artel.storage.knowledge.limits import MAX_IDS, MAX_NAME, plain
from artel.storage.postgres import Connection

KNOWN = """
select d.document_id, d.external_id, d.content_hash, d.described, d.chunker, d.source_version, d.version
  from documents d join collections c using (collection_id)
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s
   and d.external_id = any(%(external_ids)s)
   and coalesce(d.source_id, '00000000-0000-0000-0000-000000000000'::uuid)
       = coalesce(%(source_id)s::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
"""
LISTING = """
select d.document_id, d.external_id, d.content_hash, d.described, d.chunker, d.source_version, d.version
  from documents d join collections c using (collection_id)
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s
   and d.source_id is not distinct from %(source_id)s::uuid and d.external_id > %(after)s
 order by d.external_id limit %(limit)s
"""
GET = """
select d.document_id, d.collection_id, d.source_id, d.external_id, d.title, d.url, d.language, d.kind,
       d.roles, d.metadata, d.size, d.content_hash, d.source_version, d.version, d.chunker, d.created_at,
       d.updated_at, d.indexed_at
  from documents d join collections c using (collection_id)
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and d.document_id = %(document_id)s
"""
TEXT = """
select d.text from documents d join collections c using (collection_id)
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and d.document_id = %(document_id)s
"""
REPLACED = """
select v.replaced_at
  from document_versions v join documents d using (document_id) join collections c using (collection_id)
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and v.document_id = %(document_id)s
   and v.version = %(version)s
"""


async def known(
    conn: Connection, collection: Collection, external_ids: Sequence[str], *, source_id: UUID | None = None
) -> dict[str, Known]:
    """Return what is known of documents, by their ids, so that only what has changed is fetched and cut.

    Raises:
        Invalid: there are more than MAX_IDS.
    """
    if len(external_ids) > MAX_IDS:
        raise Invalid(f"ask for {MAX_IDS} documents at once, got {len(external_ids)}")
    ids = arrays.texts(one for one in external_ids if plain(one, "id", MAX_NAME) is None)
    values = {**collection.whose, "source_id": source_id, "external_ids": ids}
    return {row["external_id"]: Known(**row) async for row in await conn.execute(KNOWN, values)}


async def listing(
    conn: Connection, collection: Collection, *, source_id: UUID | None, after: str = "", limit: int = MAX_IDS
) -> list[Known]:
    """Return what is known of a source's documents, by id, from the one after `after` on."""
    values = {**collection.whose, "source_id": source_id, "after": after, "limit": limit}
    return [Known(**row) async for row in await conn.execute(LISTING, values)]


async def get(conn: Connection, collection: Collection, document_id: UUID) -> Document:
    """Return a document.

    Raises:
        UnknownDocument: the collection has none with that id.
    """
    return Document(**await _row(conn, GET, collection, document_id))


async def text(conn: Connection, collection: Collection, document_id: UUID) -> str:
    """Return the text of a document.

    Raises:
        UnknownDocument: the collection has none with that id.
    """
    return str((await _row(conn, TEXT, collection, document_id))["text"])


async def replaced(
    conn: Connection, collection: Collection, document_id: UUID, version: int
) -> datetime | None:
    """Return when a version of a document was replaced by a later one; None: it is the newest, or never was.

    Raises:
        UnknownDocument: the collection has no such document any more.
    """
    values = {**collection.whose, "document_id": document_id, "version": version}
    if row := await (await conn.execute(REPLACED, values)).fetchone():
        moment: datetime = row["replaced_at"]
        return moment
    await get(conn, collection, document_id)
    return None


async def _row(conn: Connection, query: str, collection: Collection, document_id: UUID) -> Mapping[str, Any]:
    row = await (await conn.execute(query, {**collection.whose, "document_id": document_id})).fetchone()
    if row is None:
        raise UnknownDocument(f"collection {collection.name!r} has no document {document_id}")
    return row
