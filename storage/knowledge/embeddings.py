"""Vectors by what was embedded: what reads the same is embedded once, wherever it stands.

They are kept as numbers of 16 bits: half the room, and a cosine is off by less than 0.001.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from artel.storage import arrays
from artel.storage.errors import Invalid
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.hits import Ids, Vectors
from artel.storage.knowledge.limits import MAX_IDS, MAX_NAME, plain
from artel.storage.postgres import Connection

KEPT = timedelta(days=7)  # of what no chunk reads any more: a file may come back

GET = """
select content_hash, vector from embeddings
 where embedder = %(embedder)s and content_hash = any(%(hashes)s)
"""
PUT = """
insert into embeddings (content_hash, embedder, vector)
select hash, %(embedder)s, vector from unnest(%(hashes)s, %(vectors)s) as v(hash, vector)
on conflict (content_hash, embedder) do nothing
"""
MISSING = """
select k.chunk_id
  from chunks k join collections c using (collection_id)
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s and k.chunk_id > %(after)s
   and not exists (select from embeddings e
                    where e.content_hash = k.content_hash and e.embedder = %(embedder)s)
 order by k.chunk_id limit %(limit)s
"""
PRUNE = """
delete from embeddings e
 where e.created_at < clock_timestamp() - %(older_than)s
   and not exists (select from chunks k where k.content_hash = e.content_hash)
"""


async def get(conn: Connection, hashes: Sequence[bytes], *, embedder: str) -> dict[bytes, Vectors]:
    """Return the vectors that are kept, each of length 1 and shape (d,), by content hash.

    Raises:
        Invalid: there are more than MAX_IDS.
    """
    if len(hashes) > MAX_IDS:
        raise Invalid(f"ask for {MAX_IDS} vectors at once, got {len(hashes)}")
    values = {"embedder": embedder, "hashes": arrays.ByteaArray(hashes)}
    rows = await (await conn.execute(GET, values, binary=True)).fetchall()
    if not rows:
        return {}
    found = np.frombuffer(b"".join(row["vector"] for row in rows), dtype="<f2").astype(np.float32)
    found = found.reshape(len(rows), -1)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return {row["content_hash"]: vector for row, vector in zip(rows, found, strict=True)}


async def put(conn: Connection, hashes: Sequence[bytes], vectors: Vectors, *, embedder: str) -> None:
    """Keep vectors, shape (n, d), of the contents with these n hashes; what is kept already stays.

    Raises:
        Invalid: there is not one of length about 1 for each hash, or more than MAX_IDS, or the name is wrong.
    """
    if reason := plain(embedder, "embedder", MAX_NAME):
        raise Invalid(reason)
    if len(hashes) > MAX_IDS:
        raise Invalid(f"put {MAX_IDS} vectors at once, got {len(hashes)}")
    if vectors.ndim != 2 or len(vectors) != len(hashes):
        raise Invalid(f"{embedder!r} gave vectors of shape {vectors.shape} for {len(hashes)} texts")
    if not hashes:
        return
    if not np.all(np.abs(np.linalg.norm(vectors, axis=1) - 1) < 0.01):
        raise Invalid(f"{embedder!r} gave vectors that are not of length 1")
    # In order of their keys: two that put the same would wait for each other.
    order = sorted(range(len(hashes)), key=lambda n: hashes[n])
    small = vectors.astype("<f2")
    values = {
        "embedder": embedder,
        "hashes": arrays.ByteaArray([hashes[n] for n in order]),
        "vectors": arrays.ByteaArray([small[n].tobytes() for n in order]),
    }
    await conn.execute(PUT, values)


async def missing(
    conn: Connection, collection: Collection, *, embedder: str, after: int = 0, limit: int = 1_000
) -> Ids:
    """Return the ids of chunks without a vector of that model, from the one after `after` on."""
    values = {**collection.whose, "embedder": embedder, "after": after, "limit": limit}
    rows = await (await conn.execute(MISSING, values)).fetchall()
    return np.array([row["chunk_id"] for row in rows], dtype=np.int64)


async def prune(conn: Connection, *, older_than: timedelta = KEPT) -> int:
    """Forget vectors of what no chunk reads any more and say how many; for maintenance, not for a user."""
    return (await conn.execute(PRUNE, {"older_than": older_than})).rowcount
