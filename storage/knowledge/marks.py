"""Marks: what people think of what was found, with all that was shown to them then.

One mark of a user counts for a question and a document: a new one takes the place of the one before. A mark
outlives its document, so that it is known what was asked in vain, but it counts only while the text is the
one that was shown.
"""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
from psycopg.types.json import Jsonb

from artel.storage import arrays
from artel.storage.encoding import dumps_jsonb
from artel.storage.errors import Conflict, Invalid, NotFound
from artel.storage.ids import new_id
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.hits import Vectors
from artel.storage.knowledge.limits import plain
from artel.storage.postgres import Connection

Score = Literal[-1, 1]

MOST = 10_000  # live marks of one user in one collection
MAX_QUERY = 4_000  # characters
MAX_COMMENT = 10_000
MAX_SHOWN = 256 * 1024  # bytes of JSON
MAX_TERMS = 256


class UnknownMark(NotFound):
    """This user has no live mark with that id."""

    code = "unknown_mark"


class NotShown(NotFound):
    """What is marked is not in the collection, or never was of that version."""

    code = "not_shown"


class TooManyMarks(Conflict):
    """This user has marked enough in one collection."""

    code = "too_many_marks"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a user saw when they marked something."""

    query: str
    document_id: UUID
    document_version: int
    rank: int  # from 1 on
    results: Sequence[Mapping[str, Any]]  # [{document_id, rank, features}]
    index_revision: int
    learned_version: int = 0
    chunk_id: int | None = None
    terms: Sequence[str] = ()
    vector: Vectors | None = None  # shape (d,)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a user thinks of a result."""

    mark_id: UUID
    owner: str
    user_id: str
    collection_id: UUID
    query: str
    query_key: bytes
    query_terms: list[str] | None
    query_vector: bytes | None
    document_id: UUID
    chunk_id: int | None
    document_version: int
    rank: int
    shown: list[dict[str, Any]]
    score: Score
    comment: str | None
    index_revision: int
    learned_version: int
    created_at: datetime
    undone_at: datetime | None

    @property
    def vector(self) -> Vectors | None:
        """The vector of the query, shape (d,), if it was kept."""
        if self.query_vector is None:
            return None
        return np.frombuffer(self.query_vector, dtype="<f2").astype(np.float32)


PUT = """
insert into marks as m (mark_id, owner, user_id, collection_id, query, query_key, query_terms, query_vector,
                        document_id, chunk_id, document_version, rank, shown, score, comment, index_revision,
                        learned_version)
select %(mark_id)s, c.owner, %(user_id)s, c.collection_id, %(query)s, %(query_key)s, %(query_terms)s,
       %(query_vector)s, d.document_id,
       (select k.chunk_id from chunks k where k.chunk_id = %(chunk_id)s and k.document_id = d.document_id),
       %(document_version)s, %(rank)s, %(shown)s, %(score)s, %(comment)s, %(index_revision)s,
       %(learned_version)s
  from collections c join documents d using (collection_id)
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and d.document_id = %(document_id)s
   and %(document_version)s between 1 and d.version and %(index_revision)s between 0 and c.revision
on conflict (collection_id, user_id, query_key, document_id) where undone_at is null do update
   set query = excluded.query, query_terms = excluded.query_terms, query_vector = excluded.query_vector,
       chunk_id = excluded.chunk_id, document_version = excluded.document_version, rank = excluded.rank,
       shown = excluded.shown, score = excluded.score, comment = excluded.comment,
       index_revision = excluded.index_revision, learned_version = excluded.learned_version,
       created_at = excluded.created_at
returning m.*
"""
COUNT = """
select count(*) as count from marks
 where collection_id = %(collection_id)s and user_id = %(user_id)s and owner = %(owner)s
   and undone_at is null
   and not (query_key = %(query_key)s and document_id = %(document_id)s)
"""
UNDO = """
update marks set undone_at = clock_timestamp()
 where mark_id = %(mark_id)s and owner = %(owner)s and user_id = %(user_id)s and undone_at is null
returning mark_id
"""
OF_USER = """
select * from marks
 where owner = %(owner)s and user_id = %(user_id)s and undone_at is null
   and (%(collection_id)s::uuid is null or collection_id = %(collection_id)s)
 order by mark_id desc limit %(limit)s offset %(offset)s
"""
LIVE = """
select m.* from marks m join collections c using (collection_id)
  join documents d on d.document_id = m.document_id and d.version = m.document_version
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and m.undone_at is null
   and (m.created_at, m.mark_id) > (%(after)s, %(after_id)s)
 order by m.created_at, m.mark_id limit %(limit)s
"""


def normal(query: str) -> str:
    """Return a question as it is compared with others.

    >>> normal("  How do I  DEPLOY? ")
    'how do i deploy'
    """
    return " ".join(unicodedata.normalize("NFKC", query).casefold().split()).strip(" ?!.")


async def put(
    conn: Connection,
    collection: Collection,
    shown: Shown,
    score: Score,
    *,
    user_id: str,
    comment: str | None = None,
) -> Mark:
    """Keep what a user thinks of a result, in place of what they thought before of it for that question.

    Raises:
        Invalid: the query or the comment is no text for Postgres or too long, or `shown` is too much.
        NotShown: the collection has no such document, or it never had that version or revision.
        TooManyMarks: the user has MOST marks in this collection.
        CannotSeal: the handler of `encryption` failed; nothing is written.
    """
    values = {**collection.whose, **await _values(conn, shown), "user_id": user_id, "score": score}
    if reason := plain(comment or "", "comment", MAX_COMMENT):
        raise Invalid(reason)
    values["comment"] = None if comment is None else Jsonb(await _sealed(conn, "comment", comment))
    counted = await (await conn.execute(COUNT, values)).fetchone()
    if counted and counted["count"] >= MOST:
        raise TooManyMarks(f"you have {MOST} marks in collection {collection.name!r}")
    row = await (await conn.execute(PUT, values)).fetchone()
    if row is None:
        raise NotShown(
            f"collection {collection.name!r} has no document {shown.document_id} of version"
            f" {shown.document_version} at revision {shown.index_revision}"
        )
    return await _read(conn, row)


async def undo(conn: Connection, mark_id: UUID, *, owner: str, user_id: str) -> None:
    """Take a mark back; it is kept, and counts no more.

    Raises:
        UnknownMark: this user has no live one with that id.
    """
    values = {"mark_id": mark_id, "owner": owner, "user_id": user_id}
    if await (await conn.execute(UNDO, values)).fetchone() is None:
        raise UnknownMark(f"no mark {mark_id} of yours")


async def of_user(
    conn: Connection,
    *,
    owner: str,
    user_id: str,
    collection_id: UUID | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Mark]:
    """Return the marks of a user that count, or would if their documents were as they were; newest first."""
    values = {
        "owner": owner,
        "user_id": user_id,
        "collection_id": collection_id,
        "limit": limit,
        "offset": offset,
    }
    return [await _read(conn, row) for row in await (await conn.execute(OF_USER, values)).fetchall()]


async def live(
    conn: Connection, collection: Collection, *, after: Mark | None = None, limit: int = 1_000
) -> list[Mark]:
    """Return the marks that count: not undone, on a text that is as it was shown; oldest first.

    `after`: the last one of the page before.
    """
    values = {
        **collection.whose,
        "after": after.created_at if after else datetime.min.replace(tzinfo=UTC),
        "after_id": after.mark_id if after else UUID(int=0),
        "limit": limit,
    }
    return [await _read(conn, row) for row in await (await conn.execute(LIVE, values)).fetchall()]


async def _values(conn: Connection, shown: Shown) -> dict[str, Any]:
    for text in (shown.query, *shown.terms):
        if reason := plain(text, "query", MAX_QUERY):
            raise Invalid(reason)
    if len(shown.terms) > MAX_TERMS:
        raise Invalid(f"a query may have {MAX_TERMS} terms, got {len(shown.terms)}")
    if shown.rank < 1:
        raise Invalid(f"rank must be 1 or more, got {shown.rank}")
    if (size := len(dumps_jsonb(shown.results))) > MAX_SHOWN:
        raise Invalid(f"what was shown may have {MAX_SHOWN} bytes of JSON, got {size}")
    return {
        "mark_id": new_id(),
        "query": Jsonb(await _sealed(conn, "query", shown.query)),
        "query_key": hashlib.sha256(normal(shown.query).encode()).digest(),
        "query_terms": None if conn.sealer else arrays.texts(shown.terms),
        "query_vector": None if shown.vector is None else shown.vector.astype("<f2").tobytes(),
        "document_id": shown.document_id,
        "document_version": shown.document_version,
        "chunk_id": shown.chunk_id,
        "rank": shown.rank,
        "shown": Jsonb(list(shown.results)),
        "index_revision": shown.index_revision,
        "learned_version": shown.learned_version,
    }


async def _sealed(conn: Connection, field: str, text: str) -> Any:
    return await conn.sealer.seal("mark", field, text) if conn.sealer else text


async def _read(conn: Connection, row: Mapping[str, Any]) -> Mark:
    return Mark(**(await conn.sealer.open(dict(row)) if conn.sealer else row))
