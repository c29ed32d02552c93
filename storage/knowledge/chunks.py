"""Chunks: what indexes read, what has come and gone since they read last, and what a hit reads like.

Header and text of a chunk never change under one id. So an index is right when it has the ids that are here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from artel.storage import arrays
from artel.storage.errors import Invalid
from artel.storage.knowledge.collections import Collection, UnknownCollection, lock
from artel.storage.knowledge.filters import Filters, conditions
from artel.storage.knowledge.hits import Ids
from artel.storage.knowledge.limits import MAX_IDS
from artel.storage.postgres import Connection

AT_ONCE = 8_000_000  # bytes of document texts that are fetched together to cut chunks from
TOMBSTONES_KEPT = timedelta(days=1)  # a reader that was away for longer compares all ids


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reader lacks; `anew`: tombstones are missing, and `added` is all there is."""

    revision: int
    anew: bool
    added: Ids
    removed: Ids


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk as an index reads it."""

    chunk_id: int
    document_id: UUID
    header: str
    text: str
    language: str | None
    content_hash: bytes

    @property
    def embedded(self) -> str:
        """What its vector is made from."""
        return f"{self.header}\n{self.text}" if self.header else self.text


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a reader sees it, with its place in its document."""

    chunk_id: int
    document_id: UUID
    source_id: UUID | None
    external_id: str
    title: str
    url: str | None
    kind: str
    language: str | None
    roles: list[str]
    metadata: dict[str, Any]
    header: str
    text: str
    start: int  # characters of the document's text
    end: int
    version: int  # of the document's text
    content_hash: bytes  # of the document's text
    updated_at: datetime


# One statement, so that all three are of one moment. What came and went in between concerns nobody.
SINCE = """
select c.revision, %(revision)s < c.pruned or %(revision)s > c.revision as anew,
       (select string_agg(int8send(k.chunk_id), ''::bytea) from chunks k
         where k.collection_id = c.collection_id
           and k.added_rev > case when %(revision)s < c.pruned or %(revision)s > c.revision then 0
                                  else %(revision)s end) as added,
       (select string_agg(int8send(r.chunk_id), ''::bytea) from removed_chunks r
         where r.collection_id = c.collection_id and r.removed_rev > %(revision)s
           and r.added_rev <= %(revision)s
           and %(revision)s between c.pruned and c.revision) as removed
  from collections c where c.collection_id = %(collection_id)s and c.owner = %(owner)s
"""
AT = """
select (select string_agg(int8send(k.chunk_id), ''::bytea) from chunks k
         where k.collection_id = c.collection_id and k.added_rev <= %(revision)s) as here,
       (select string_agg(int8send(r.chunk_id), ''::bytea) from removed_chunks r
         where r.collection_id = c.collection_id and r.removed_rev > %(revision)s
           and r.added_rev <= %(revision)s) as gone
  from collections c where c.collection_id = %(collection_id)s and c.owner = %(owner)s
"""
PLACES = """
select k.chunk_id, k.document_id, d.size
  from chunks k join documents d using (document_id) join collections c on c.collection_id = d.collection_id
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and k.chunk_id = any(%(chunk_ids)s)
 order by k.document_id, k.chunk_id
"""
# Text and places in one statement: a change in between would cut the one by the other's places.
TEXTS_AND_PLACES = """
select d.document_id, d.text, array_agg(k.chunk_id) as chunk_ids, array_agg(k.start) as starts,
       array_agg(k."end") as ends, array_agg(k.header) as headers, array_agg(k.language) as languages,
       array_agg(k.content_hash) as hashes
  from chunks k join documents d using (document_id) join collections c on c.collection_id = d.collection_id
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and k.chunk_id = any(%(chunk_ids)s)
 group by d.document_id
"""
HASHES = """
select k.chunk_id, k.content_hash
  from chunks k join collections c using (collection_id)
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and k.chunk_id = any(%(chunk_ids)s)
"""
PASSAGES = """
select k.chunk_id, d.document_id, d.source_id, d.external_id, d.title, d.url, d.kind, k.language, d.roles,
       d.metadata, k.header, substr(d.text, k.start + 1, k."end" - k.start) as text, k.start, k."end",
       d.version, d.content_hash, d.updated_at
  from chunks k join documents d using (document_id) join collections c on c.collection_id = d.collection_id
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and k.chunk_id = any(%(chunk_ids)s)
"""
WITHIN = """
select string_agg(int8send(k.chunk_id), ''::bytea) as ids
  from documents d join chunks k on k.document_id = d.document_id and k.collection_id = d.collection_id
 where d.collection_id = (select collection_id from collections
                           where collection_id = %(collection_id)s and owner = %(owner)s)
"""
PRUNE = """
with gone as (
    delete from removed_chunks
     where collection_id = %(collection_id)s and removed_rev <= (
        select max(removed_rev) from removed_chunks
         where collection_id = %(collection_id)s and removed_at < clock_timestamp() - %(older_than)s)
    returning removed_rev
)
update collections set pruned = greatest(pruned, (select max(removed_rev) from gone))
 where collection_id = %(collection_id)s and owner = %(owner)s and exists (select from gone)
returning (select count(*) from gone) as tombstones
"""


async def since(conn: Connection, collection: Collection, revision: int) -> Changes:
    """Return what a reader that has all up to `revision` lacks; 0: all, for it has nothing.

    Raises:
        UnknownCollection: it has been dropped.
    """
    row = await _one(conn, SINCE, {**collection.whose, "revision": revision}, collection)
    return Changes(row["revision"], row["anew"], _ids(row["added"]), _ids(row["removed"]))


async def ids(conn: Connection, collection: Collection, *, at: int) -> Ids:
    """Return the ids of all chunks that were there at a revision, sorted; not one that is pruned.

    Raises:
        UnknownCollection: it has been dropped.
    """
    row = await _one(conn, AT, {**collection.whose, "revision": at}, collection)
    return np.union1d(_ids(row["here"]), _ids(row["gone"]))


async def contents(conn: Connection, collection: Collection, chunk_ids: Ids) -> list[Chunk]:
    """Return chunks as an index reads them, by document; what is gone is left out.

    Raises:
        Invalid: there are more than MAX_IDS.
    """
    values = {**collection.whose, "chunk_ids": _asked(chunk_ids)}
    places = await (await conn.execute(PLACES, values)).fetchall()
    found: list[Chunk] = []
    for some in _bounded(places):
        values = {**collection.whose, "chunk_ids": arrays.bigints(some)}
        async for row in await conn.execute(TEXTS_AND_PLACES, values, binary=True):
            found += _cut(row)
    return found


async def hashes(conn: Connection, collection: Collection, chunk_ids: Ids) -> dict[int, bytes]:
    """Return the content hash of each chunk that is there.

    Raises:
        Invalid: there are more than MAX_IDS.
    """
    values = {**collection.whose, "chunk_ids": _asked(chunk_ids)}
    rows = await conn.execute(HASHES, values, binary=True)
    return {row["chunk_id"]: row["content_hash"] async for row in rows}


async def texts(
    conn: Connection, collection: Collection, chunk_ids: Sequence[int] | Ids
) -> dict[int, Passage]:
    """Return what hits read like, by id. What was deleted is not among them, whatever an index says.

    Raises:
        Invalid: there are more than MAX_IDS.
    """
    wanted = _asked(np.asarray(chunk_ids, dtype=np.int64))
    rows = await conn.execute(PASSAGES, {**collection.whose, "chunk_ids": wanted}, binary=True)
    return {row["chunk_id"]: Passage(**row) async for row in rows}


async def within(conn: Connection, collection: Collection, filters: Filters) -> Ids:
    """Return the ids of the chunks that `filters` let through, sorted; they hold for one revision.

    Raises:
        Invalid: a filter names too much, or no text for Postgres.
    """
    parts, values = conditions(filters)
    query = WITHIN + "".join(f"   and {part}\n" for part in parts)
    cursor = await conn.execute(query.encode(), {**collection.whose, **values}, binary=True)
    row = await cursor.fetchone()
    assert row
    return _ids(row["ids"])


async def prune(conn: Connection, collection: Collection, *, older_than: timedelta = TOMBSTONES_KEPT) -> int:
    """Forget old tombstones and say how many; a reader that has not seen them begins anew.

    Raises:
        UnknownCollection: it has been dropped.
    """
    async with conn.transaction():
        await lock(conn, collection)
        row = await (await conn.execute(PRUNE, {**collection.whose, "older_than": older_than})).fetchone()
    return int(row["tombstones"]) if row else 0


def _asked(chunk_ids: Ids) -> arrays.Int8Array:
    if len(chunk_ids) > MAX_IDS:
        raise Invalid(f"ask for {MAX_IDS} chunks at once, got {len(chunk_ids)}")
    return arrays.bigints(chunk_ids.tolist())


def _bounded(places: Sequence[Mapping[str, Any]]) -> Iterator[list[int]]:
    """Yield ids of chunks whose documents are AT_ONCE bytes together, or one document."""
    some: list[int] = []
    size, document = 0, None
    for place in places:
        if place["document_id"] != document:
            document = place["document_id"]
            if some and size + place["size"] > AT_ONCE:
                yield some
                some, size = [], 0
            size += place["size"]
        some.append(place["chunk_id"])
    if some:
        yield some


def _cut(row: Mapping[str, Any]) -> list[Chunk]:
    text: str = row["text"]
    parts = ("chunk_ids", "starts", "ends", "headers", "languages", "hashes")
    return [
        Chunk(chunk_id, row["document_id"], header, text[start:end], language, content_hash)
        for chunk_id, start, end, header, language, content_hash in zip(
            *(row[part] for part in parts), strict=True
        )
    ]


def _ids(sent: bytes | None) -> Ids:
    """Read what int8send wrote."""
    return np.sort(np.frombuffer(sent or b"", dtype=">i8").astype(np.int64))


async def _one(
    conn: Connection, query: str, values: dict[str, Any], collection: Collection
) -> Mapping[str, Any]:
    row = await (await conn.execute(query, values, binary=True)).fetchone()
    if row is None:
        raise UnknownCollection(f"no collection {collection.collection_id}")
    return row
