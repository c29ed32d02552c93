"""Vectors in the Postgres that holds all else, by pgvector: for processes that share a database.

One table holds all collections, of any dimension, in half precision: measured on clustered vectors of 384
numbers recall@10 is the same as with whole floats, table and graph take half the room, and a search by the
graph half the time. A collection of up to INDEXED_FROM vectors is scored one by one; a larger one gets a
graph of its own, a partial index over the column cast to its dimension.
"""

import asyncio
import logging
import math
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import Error

from artel.storage import tasks
from artel.storage.errors import ArtelError
from artel.storage.knowledge.hits import Hit, Ids, Vectors
from artel.storage.knowledge.vectors import checking
from artel.storage.knowledge.vectors.packing import bigints, half, halves, of_length_1
from artel.storage.knowledge.vectors.pgvector_tables import prepare
from artel.storage.postgres import Connection, Database, connect

BATCH = 1_000
INDEXED_FROM = 20_000  # vectors, each scored in 25 ms
MOST_INDEXED_DIMS = 4_000  # of an index of halfvec
FEW = 5_000  # ids, each scored; of more the graph finds the nearest
BUILD_MEMORY = "256MB"  # a graph of 200,000 vectors of 384 numbers; beyond it a build is many times slower

BEGIN = """
insert into knowledge_vector_collections (collection, dimension) values (%(collection)s, %(dimension)s)
    on conflict (collection) do nothing
"""
# Held until the vectors are in: whoever drops the collection waits, and then finds them.
HOLD = """
select dimension from knowledge_vector_collections where collection = %(collection)s for key share
"""
ADD = """
insert into knowledge_vectors (collection, chunk_id, embedding)
select %(collection)s, id, embedding
  from unnest(%(ids)s::bigint[], %(vectors)s::halfvec[]) as given (id, embedding)
 order by id
    on conflict (collection, chunk_id) do update set embedding = excluded.embedding
"""
REMOVE = (
    "delete from knowledge_vectors where collection = %(collection)s and chunk_id = any(%(ids)s::bigint[])"
)
DROP = "delete from knowledge_vector_collections where collection = %(collection)s"
EMPTY = "delete from knowledge_vectors where collection = %(collection)s"
IDS = "select chunk_id from knowledge_vectors where collection = %(collection)s order by chunk_id"
STATE = """
select c.dimension, coalesce(i.indisvalid, false) as indexed
  from knowledge_vector_collections c left join pg_index i on i.indexrelid = to_regclass(%(index)s)
 where c.collection = %(collection)s
"""
MANY = """
select count(*) > %(most)s as many
  from (select from knowledge_vectors where collection = %(collection)s limit %(most)s + 1) as first_ones
"""

EXACT = """
select chunk_id, embedding <=> %(vector)s::halfvec as distance
  from knowledge_vectors
 where collection = %(collection)s {within}
 order by distance, chunk_id limit %(limit)s
"""
IN = "and chunk_id = any(%(ids)s::bigint[])"
# With sorting at a price the graph is taken for certain; relaxed, it finds more, hence the order below.
BY_GRAPH = """
select set_config('hnsw.ef_search', %(ef)s, true), set_config('hnsw.iterative_scan', 'relaxed_order', true),
       set_config('enable_sort', 'off', true)
"""
NEAREST = """
with near as materialized (
    select chunk_id, embedding::halfvec({dimension}) <=> %(vector)s::halfvec({dimension}) as distance
      from knowledge_vectors
     where collection = '{collection}' {within}
     order by embedding::halfvec({dimension}) <=> %(vector)s::halfvec({dimension}) limit %(limit)s
)
select chunk_id, distance from near order by distance, chunk_id
"""

MEMORY = f"set maintenance_work_mem = '{BUILD_MEMORY}'"
# What was begun and never ended is in nobody's hands.
LEFT_OVER = """
select 1 from pg_index i
 where i.indexrelid = to_regclass(%(index)s) and not i.indisvalid
   and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)
"""
UNINDEX = "drop index concurrently if exists {index}"
INDEX = """
create index concurrently if not exists {index} on knowledge_vectors
 using hnsw ((embedding::halfvec({dimension})) halfvec_cosine_ops) with (m = 16, ef_construction = 128)
 where collection = '{collection}'
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _State:
    dimension: int
    indexed: bool


class PgVectors:
    """A `VectorIndex` in Postgres; `open` makes one. Several processes share what it holds.

    `indexed_from`: a collection of more vectors gets a graph, which is made in the background while all goes
    on; the process that puts in the vector too many makes it.
    """

    def __init__(self, db: Database, oid: int, *, indexed_from: int = INDEXED_FROM) -> None:
        self.indexed_from = indexed_from
        self._db = db
        self._oid = oid
        self._indexing: dict[UUID, asyncio.Task[None]] = {}

    @classmethod
    async def open(cls, db: Database, *, indexed_from: int = INDEXED_FROM) -> "PgVectors":
        """Make the tables, unless they are there.

        Raises:
            PgvectorMissing: the extension is missing, too old, or may not be made by our user.
            Unavailable: Postgres does not answer.
        """
        return cls(db, await prepare(db), indexed_from=indexed_from)

    async def add(self, collection: UUID, chunk_ids: Ids, vectors: Vectors) -> None:
        """Put vectors in, 1,000 in a transaction; of a failure some may be in.

        Raises:
            WrongVectors: ids and vectors do not fit, or one is no number.
            WrongDimension: the collection holds vectors of another length.
            Unavailable: Postgres does not answer.
        """
        ids, rows = checking.batch(chunk_ids, vectors)
        if not len(ids):
            return
        rows = of_length_1(rows)
        for begin in range(0, len(ids), BATCH):
            await self._add(collection, ids[begin : begin + BATCH], rows[begin : begin + BATCH])
        if rows.shape[1] <= MOST_INDEXED_DIMS and collection not in self._indexing:
            async with self._db.connection() as conn:
                state = await _state(conn, collection)
                if state and not state.indexed and await _many(conn, collection, self.indexed_from):
                    self._indexing[collection] = asyncio.create_task(self._index(collection, state.dimension))

    async def remove(self, collection: UUID, chunk_ids: Ids) -> None:
        """Take chunks out; one that is not there is no error.

        Raises:
            Unavailable: Postgres does not answer.
        """
        async with self._db.connection() as conn:
            await conn.execute(REMOVE, {"collection": collection, "ids": bigints(chunk_ids)})

    async def drop(self, collection: UUID) -> None:
        """Forget a collection and its graph; one that is not there is no error.

        Raises:
            Unavailable: Postgres does not answer.
        """
        if task := self._indexing.get(collection):
            await tasks.end(task)
        async with self._db.transaction() as conn:
            await conn.execute(DROP, {"collection": collection})
            await conn.execute(EMPTY, {"collection": collection})
        async with self._db.connection() as conn:
            await conn.execute(UNINDEX.format(index=_index(collection)).encode())

    async def search(
        self, collection: UUID, vector: Vectors, *, limit: int, within: Ids | None = None
    ) -> list[Hit]:
        """Return the nearest by cosine, best first, among `within` (sorted ids) if it is given.

        Raises:
            WrongVectors, WrongDimension: the vector is none of this collection.
            Unavailable: Postgres does not answer.
        """
        row = checking.question(vector)
        if limit < 1 or (within is not None and not len(within)):
            return []
        asked: dict[str, Any] = {
            "collection": collection,
            "vector": half(of_length_1(row[None])[0]),
            "limit": limit,
        }
        if within is not None:
            asked["ids"] = bigints(within)
        async with self._db.transaction() as conn:
            state = await _state(conn, collection)
            if state is None:
                return []
            checking.fits(len(row), state.dimension)
            found: list[dict[str, Any]] = []
            if state.indexed and (within is None or len(within) > FEW):
                found = await _by_graph(conn, asked, state.dimension)
            if len(found) < limit:  # few are wanted, or the graph gave up before it had found enough of them
                statement = EXACT.format(within=IN if "ids" in asked else "")
                found = await (await conn.execute(statement.encode(), asked)).fetchall()
        return [Hit(one["chunk_id"], _score(one["distance"])) for one in found]

    async def ids(self, collection: UUID) -> Ids:
        """Return the ids of all that is there, sorted.

        Raises:
            Unavailable: Postgres does not answer.
        """
        async with self._db.connection() as conn:
            rows = await (await conn.execute(IDS, {"collection": collection})).fetchall()
        return np.fromiter((row["chunk_id"] for row in rows), np.int64, len(rows))

    async def close(self) -> None:
        """Give up the graphs that are being made; the pool is its opener's."""
        await tasks.end(*self._indexing.values())

    async def settle(self) -> None:
        """Wait for the graphs that are being made."""
        await asyncio.gather(*self._indexing.values())

    async def _add(self, collection: UUID, ids: Ids, rows: Vectors) -> None:
        values = {"collection": collection, "dimension": rows.shape[1]}
        vectors = {"ids": bigints(ids), "vectors": halves(rows, self._oid)}
        async with self._db.transaction() as conn:
            held = None
            while held is None:  # it may be dropped in between
                await conn.execute(BEGIN, values)
                held = await (await conn.execute(HOLD, values)).fetchone()
            checking.fits(rows.shape[1], held["dimension"])
            await conn.execute(ADD, values | vectors)

    async def _index(self, collection: UUID, dimension: int) -> None:
        names = {"index": _index(collection), "dimension": dimension, "collection": collection}
        try:
            async with await connect(self._db.dsn, prepared=False) as conn:
                await conn.execute(MEMORY)
                if await (await conn.execute(LEFT_OVER, {"index": names["index"]})).fetchone():
                    await conn.execute(UNINDEX.format(**names).encode())
                await conn.execute(INDEX.format(**names).encode())
        except (Error, ArtelError) as failed:
            log.error("the vectors of %s get no graph, each is scored instead: %s", collection, failed)
        finally:
            del self._indexing[collection]


async def _state(conn: Connection, collection: UUID) -> _State | None:
    row = await (
        await conn.execute(STATE, {"collection": collection, "index": _index(collection)})
    ).fetchone()
    return _State(**row) if row else None


async def _many(conn: Connection, collection: UUID, most: int) -> bool:
    row = await (await conn.execute(MANY, {"collection": collection, "most": most})).fetchone()
    return bool(row and row["many"])


async def _by_graph(conn: Connection, asked: dict[str, Any], dimension: int) -> list[dict[str, Any]]:
    within = IN if "ids" in asked else ""
    names = {"dimension": dimension, "collection": asked["collection"], "within": within}
    await conn.execute(BY_GRAPH, {"ef": str(min(1_000, max(100, 2 * asked["limit"])))})
    return await (await conn.execute(NEAREST.format(**names).encode(), asked)).fetchall()


def _index(collection: UUID) -> str:
    return f"knowledge_vectors_{collection.hex}"


def _score(distance: float) -> float:
    return 0.0 if math.isnan(distance) else 1.0 - distance  # a vector of zeros has no direction
