"""The chunks of documents that have changed: what reads as before keeps its id, only the rest is new."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from artel.storage import arrays
from artel.storage.knowledge.documents.drafts import Draft, chunk_hash
from artel.storage.postgres import Connection

OF = """
select chunk_id, document_id, ordinal, start, "end", content_hash, language
  from chunks where document_id = any(%(document_ids)s::uuid[])
 order by document_id, ordinal
"""
MOVE = """
update chunks c set ordinal = m.ordinal, start = m.start, "end" = m."end"
  from unnest(%(chunk_id)s, %(ordinal)s, %(start)s, %(end)s) as m(chunk_id, ordinal, start, "end")
 where c.chunk_id = m.chunk_id
"""
REMOVE = """
with gone as (
    delete from chunks where chunk_id = any(%(chunk_ids)s) returning collection_id, chunk_id, added_rev
)
insert into removed_chunks (collection_id, chunk_id, added_rev, removed_rev)
select collection_id, chunk_id, added_rev, %(revision)s from gone
"""
ADD = """
insert into chunks (document_id, collection_id, ordinal, start, "end", header, content_hash, language,
                    added_rev)
select c.document_id, %(collection_id)s, c.ordinal, c.start, c."end", c.header, c.content_hash, c.language,
       %(revision)s
  from unnest(%(document_id)s::uuid[], %(ordinal)s, %(start)s, %(end)s, %(header)s, %(content_hash)s,
              %(language)s)
       as c(document_id, ordinal, start, "end", header, content_hash, language)
"""


@dataclass(frozen=True, slots=True)
class Cut:
    """A chunk as a draft has it."""

    document_id: UUID
    ordinal: int
    start: int
    end: int
    header: str
    content_hash: bytes
    language: str | None


def cuts(document_id: UUID, draft: Draft) -> list[Cut]:
    """Return the chunks of a draft; CPU time goes into their hashes."""
    return [
        Cut(
            document_id,
            ordinal,
            piece.start,
            piece.end,
            piece.header,
            chunk_hash(piece.header, draft.text[piece.start : piece.end]),
            piece.language or draft.language,
        )
        for ordinal, piece in enumerate(draft.pieces or ())
    ]


async def recut(
    conn: Connection, collection_id: UUID, wanted: Iterable[Cut], *, changed: list[UUID], revision: int
) -> None:
    """Let documents have these chunks and no others.

    `changed`: those that may have had others before. The collection is locked, and `revision` its next one.
    """
    left: defaultdict[tuple[UUID, bytes, str | None], deque[tuple[int, int, int, int]]] = defaultdict(deque)
    if changed:
        async for row in await conn.execute(OF, {"document_ids": changed}):
            key = (row["document_id"], row["content_hash"], row["language"])
            left[key].append((row["chunk_id"], row["ordinal"], row["start"], row["end"]))
    new: list[Cut] = []
    moved: list[tuple[int, int, int, int]] = []
    for cut in wanted:
        same = left.get((cut.document_id, cut.content_hash, cut.language))
        if not same:
            new.append(cut)
            continue
        chunk_id, *place = same.popleft()
        if place != [cut.ordinal, cut.start, cut.end]:
            moved.append((chunk_id, cut.ordinal, cut.start, cut.end))
    if moved:
        await conn.execute(MOVE, _places(moved))
    if gone := [chunk[0] for chunks in left.values() for chunk in chunks]:
        await conn.execute(REMOVE, {"chunk_ids": arrays.bigints(gone), "revision": revision})
    if new:
        await conn.execute(ADD, {**_rows(new), "collection_id": collection_id, "revision": revision})


def _places(moved: list[tuple[int, int, int, int]]) -> dict[str, object]:
    ids, ordinals, starts, ends = zip(*moved, strict=True)
    return {
        "chunk_id": arrays.bigints(ids),
        "ordinal": arrays.ints(ordinals),
        "start": arrays.ints(starts),
        "end": arrays.ints(ends),
    }


def _rows(new: list[Cut]) -> dict[str, object]:
    return {
        "document_id": [cut.document_id for cut in new],
        "ordinal": arrays.ints(cut.ordinal for cut in new),
        "start": arrays.ints(cut.start for cut in new),
        "end": arrays.ints(cut.end for cut in new),
        "header": arrays.texts(cut.header for cut in new),
        "content_hash": arrays.ByteaArray([cut.content_hash for cut in new]),
        "language": arrays.texts(cut.language for cut in new),
    }
