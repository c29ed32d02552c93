"""Vectors in Postgres: its tables, the graph of a large collection, and several processes on one database."""

import asyncio
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.storage.knowledge.vectors.clusters import clustered, nearest

from artel.storage.knowledge.vectors import pgvector_tables
from artel.storage.knowledge.vectors.pgvector import FEW, PgVectors
from artel.storage.knowledge.vectors.pgvector_tables import PgvectorMissing
from artel.storage.postgres import Database, open_database

COUNT, DIMENSION = 8_000, 48
ROWS = clustered(COUNT + 20, DIMENSION)
QUESTIONS, ROWS = ROWS[COUNT:], ROWS[:COUNT]
IDS = np.arange(COUNT, dtype=np.int64)


@pytest.fixture
def collection() -> UUID:
    return uuid4()


async def graphs(db: Database) -> list[tuple[str, bool]]:
    query = """
        select c.relname as name, i.indisvalid as valid
          from pg_index i join pg_class c on c.oid = i.indexrelid
         where i.indrelid = 'knowledge_vectors'::regclass and not i.indisprimary
    """
    async with db.connection() as conn:
        rows = await (await conn.execute(query)).fetchall()
    return [(row["name"], row["valid"]) for row in rows]


async def test_a_large_collection_gets_a_graph_that_finds_the_nearest(db: Database, collection: UUID) -> None:
    vectors = await PgVectors.open(db, indexed_from=COUNT - 1)
    await vectors.add(collection, IDS, ROWS)
    await vectors.settle()
    assert await graphs(db) == [(f"knowledge_vectors_{collection.hex}", True)]
    within = np.sort(np.random.default_rng(0).choice(IDS, FEW + 500, replace=False))
    right = 0
    for question in QUESTIONS:
        for wanted in (None, within):
            hits = await vectors.search(collection, question, limit=10, within=wanted)
            found = [hit.chunk_id for hit in hits]
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
            right += len(set(found) & set(nearest(ROWS, question, 10, wanted)))
    assert right / (2 * 10 * len(QUESTIONS)) >= 0.97
    await vectors.close()


async def test_the_graph_is_really_used(db: Database, collection: UUID) -> None:
    vectors = await PgVectors.open(db, indexed_from=COUNT - 1)
    await vectors.add(collection, IDS, ROWS)
    await vectors.settle()
    await vectors.search(collection, QUESTIONS[0], limit=10)
    query = "select idx_scan from pg_stat_user_indexes where indexrelname = %s"
    async with asyncio.timeout(20), db.connection() as conn:
        while True:
            await conn.execute("select pg_stat_force_next_flush()")
            rows = await (await conn.execute(query, [f"knowledge_vectors_{collection.hex}"])).fetchall()
            if rows and rows[0]["idx_scan"]:
                break
            await asyncio.sleep(0.1)
    await vectors.close()


async def test_of_wanted_ids_far_away_all_are_found(db: Database, collection: UUID) -> None:
    vectors = await PgVectors.open(db, indexed_from=COUNT - 1)
    await vectors.add(collection, IDS, ROWS)
    await vectors.settle()
    far = np.sort(np.argsort(-(ROWS @ ROWS[0]))[-FEW - 1 :])
    hits = await vectors.search(collection, ROWS[0], limit=10, within=far)
    right = set(nearest(ROWS, ROWS[0], 10, far))
    assert len(right & {hit.chunk_id for hit in hits}) >= 9
    await vectors.close()


async def test_a_graph_goes_with_its_collection(db: Database, collection: UUID) -> None:
    vectors = await PgVectors.open(db, indexed_from=100)
    await vectors.add(collection, IDS[:200], ROWS[:200])
    await vectors.settle()
    await vectors.drop(collection)
    assert await graphs(db) == []


async def test_a_graph_whose_making_was_broken_off_is_made_anew(db: Database, collection: UUID) -> None:
    vectors = await PgVectors.open(db, indexed_from=100)
    await vectors.add(collection, IDS[:200], ROWS[:200])
    await vectors.settle()
    async with db.connection() as conn:
        await conn.execute(
            "update pg_index set indisvalid = false where indrelid = 'knowledge_vectors'::regclass"
            " and not indisprimary"
        )
    assert [valid for _, valid in await graphs(db)] == [False]
    assert len(await vectors.search(collection, ROWS[0], limit=5)) == 5
    await vectors.add(collection, IDS[200:201], ROWS[200:201])
    await vectors.settle()
    assert [valid for _, valid in await graphs(db)] == [True]


async def test_what_one_process_adds_another_finds(db: Database, fresh_dsn: str, collection: UUID) -> None:
    one = await PgVectors.open(db)
    async with open_database(fresh_dsn) as other_db:
        other = await PgVectors.open(other_db)
        await one.add(collection, IDS[:10], ROWS[:10])
        assert [hit.chunk_id for hit in await other.search(collection, ROWS[3], limit=1)] == [3]
        await other.drop(collection)
        assert await one.search(collection, ROWS[3], limit=1) == []


async def test_processes_that_start_together_make_the_tables_once(fresh_dsn: str) -> None:
    async def start() -> None:
        async with open_database(fresh_dsn, pool_size=2) as db:
            await PgVectors.open(db)

    async with asyncio.timeout(30):
        await asyncio.gather(*(start() for _ in range(6)))


async def test_a_collection_that_is_dropped_while_it_is_filled_leaves_no_vector_without_it(
    db: Database, collection: UUID
) -> None:
    vectors = await PgVectors.open(db)
    async with asyncio.timeout(60):
        for n in range(20):
            await asyncio.gather(vectors.add(collection, IDS[:20], ROWS[:20]), vectors.drop(collection))
            if n % 2:
                await vectors.drop(collection)
                assert (await vectors.ids(collection)).tolist() == []
            else:
                found = await vectors.search(collection, ROWS[0], limit=50)
                assert len(found) == len(await vectors.ids(collection))


async def test_a_user_who_may_not_make_them_is_told_who_can(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as conn:
        conn.execute("create role searcher login")
    try:
        async with open_database(make_conninfo(fresh_dsn, user="searcher")) as db:
            with pytest.raises(PgvectorMissing, match="let an administrator run `create extension vector`"):
                await PgVectors.open(db)
    finally:
        with psycopg.connect(fresh_dsn) as conn:
            conn.execute("drop role searcher")


async def test_a_postgres_without_pgvector_is_said_in_a_sentence(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgvector_tables, "EXTENSION", "create extension if not exists no_such_thing")
    with pytest.raises(PgvectorMissing, match="which this PostgreSQL does not have: install it"):
        await PgVectors.open(db)


async def test_a_pgvector_that_is_too_old_is_named(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pgvector_tables, "OLDEST", (99, 0))
    with pytest.raises(PgvectorMissing, match=r"this database has 0\.\d+\.\d+"):
        await PgVectors.open(db)
