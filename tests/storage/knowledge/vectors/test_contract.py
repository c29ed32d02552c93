"""What every index of vectors does alike: the engine in files, pgvector, and Qdrant.

No Qdrant server is at hand: its client's own local mode, in memory, stands for one. It has the calls and
answers of a server, but neither its graph nor its bytes, nor the wire between.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient
from tests.storage.knowledge.vectors.clusters import clustered, nearest

from artel.storage.knowledge.hits import Hit, Ids, VectorIndex, Vectors
from artel.storage.knowledge.vectors.checking import WrongDimension, WrongVectors
from artel.storage.knowledge.vectors.edge import EdgeVectors
from artel.storage.knowledge.vectors.pgvector import PgVectors
from artel.storage.knowledge.vectors.qdrant import QdrantVectors
from artel.storage.postgres import open_database

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")

COUNT, DIMENSION = 400, 32
ROWS = clustered(COUNT + 20, DIMENSION)
QUESTIONS, ROWS = ROWS[COUNT:], ROWS[:COUNT]
IDS = np.arange(COUNT, dtype=np.int64)


@pytest.fixture
def collection() -> UUID:
    return uuid4()


@pytest.fixture(params=["edge", "pgvector", "qdrant"])
def kind(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A kind, and where its vectors lie."""
    places = {"edge": "tmp_path", "pgvector": "fresh_dsn"}
    place = places.get(request.param)
    return request.param, str(request.getfixturevalue(place)) if place else ":memory:"


@pytest.fixture
async def index(kind: tuple[str, str]) -> AsyncIterator[VectorIndex]:
    async with AsyncExitStack() as stack:
        match kind:
            case "edge", folder:
                made: VectorIndex = await EdgeVectors.open(Path(folder) / "vectors")
            case "pgvector", dsn:
                made = await PgVectors.open(await stack.enter_async_context(open_database(dsn)))
            case _, location:
                made = QdrantVectors(AsyncQdrantClient(location=location))
        stack.push_async_callback(made.close)
        yield made


def ids(*numbers: int) -> Ids:
    return np.array(numbers, np.int64)


def found(hits: list[Hit]) -> list[int]:
    return [hit.chunk_id for hit in hits]


def towards(*numbers: float) -> Vectors:
    row = np.array(numbers, np.float32)
    return np.asarray(row / np.linalg.norm(row), np.float32)


async def test_the_nearest_come_first_with_their_cosine(index: VectorIndex, collection: UUID) -> None:
    await index.add(collection, IDS, ROWS)
    for question in QUESTIONS:
        hits = await index.search(collection, question, limit=10)
        assert found(hits) == nearest(ROWS, question, 10)
        cosines = ROWS[found(hits)] @ question
        assert [hit.score for hit in hits] == pytest.approx(cosines.tolist(), abs=2e-3)


async def test_a_search_stays_within_the_ids_it_is_given(index: VectorIndex, collection: UUID) -> None:
    await index.add(collection, IDS, ROWS)
    for size in (1, 7, 200, COUNT):
        within = np.sort(np.random.default_rng(size).choice(IDS, size, replace=False))
        hits = await index.search(collection, QUESTIONS[0], limit=10, within=within)
        assert found(hits) == nearest(ROWS, QUESTIONS[0], 10, within)
    assert found(await index.search(collection, ROWS[3], limit=10, within=ids(3, 9_000))) == [3]
    assert await index.search(collection, ROWS[3], limit=10, within=ids(9_000)) == []
    assert await index.search(collection, ROWS[3], limit=10, within=ids()) == []


async def test_a_limit_beyond_what_is_there_gives_all(index: VectorIndex, collection: UUID) -> None:
    await index.add(collection, IDS[:5], ROWS[:5])
    assert sorted(found(await index.search(collection, ROWS[0], limit=50))) == [0, 1, 2, 3, 4]
    assert await index.search(collection, ROWS[0], limit=0) == []


async def test_what_is_added_again_is_in_once_with_its_new_vector(
    index: VectorIndex, collection: UUID
) -> None:
    await index.add(collection, ids(1, 2), np.stack([towards(1, 0), towards(0, 1)]))
    await index.add(collection, ids(2), towards(-1, 0)[None])
    assert (await index.ids(collection)).tolist() == [1, 2]
    hits = await index.search(collection, towards(-1, 0), limit=2)
    assert found(hits) == [2, 1]
    assert [hit.score for hit in hits] == pytest.approx([1, -1], abs=1e-3)


async def test_of_an_id_that_comes_twice_at_once_the_last_vector_counts(
    index: VectorIndex, collection: UUID
) -> None:
    await index.add(collection, ids(1, 2, 1), np.stack([towards(1, 0), towards(0, 1), towards(-1, 0)]))
    assert found(await index.search(collection, towards(-1, 0), limit=2)) == [1, 2]


async def test_what_is_removed_is_found_no_more(index: VectorIndex, collection: UUID) -> None:
    await index.add(collection, IDS, ROWS)
    await index.remove(collection, ids(0, 5, 7, 100_000))
    assert (await index.ids(collection)).tolist() == sorted(set(range(COUNT)) - {0, 5, 7})
    assert 5 not in found(await index.search(collection, ROWS[5], limit=COUNT))
    assert await index.search(collection, ROWS[5], limit=3, within=ids(5)) == []
    await index.remove(collection, ids())


async def test_collections_know_nothing_of_each_other(index: VectorIndex, collection: UUID) -> None:
    other = uuid4()
    await index.add(collection, ids(1), towards(1, 0)[None])
    await index.add(other, ids(1, 2), np.stack([towards(0, 1, 0), towards(0, 1, 1)]))
    await index.remove(other, ids(1))
    assert (await index.ids(collection)).tolist() == [1]
    assert found(await index.search(other, towards(0, 1, 0), limit=5)) == [2]


async def test_a_collection_that_is_not_there_is_empty(index: VectorIndex, collection: UUID) -> None:
    assert await index.search(collection, towards(1, 0), limit=5) == []
    assert (await index.ids(collection)).tolist() == []
    await index.remove(collection, ids(1))
    await index.drop(collection)
    await index.add(collection, ids(), np.empty((0, 4), np.float32))
    assert (await index.ids(collection)).tolist() == []


async def test_a_dropped_collection_may_begin_anew_with_another_dimension(
    index: VectorIndex, collection: UUID
) -> None:
    await index.add(collection, IDS, ROWS)
    await index.drop(collection)
    assert (await index.ids(collection)).tolist() == []
    await index.add(collection, ids(8), towards(1, 0, 0)[None])
    assert found(await index.search(collection, towards(1, 0, 0), limit=5)) == [8]


async def test_vectors_of_another_length_are_refused(index: VectorIndex, collection: UUID) -> None:
    await index.add(collection, ids(1), towards(1, 0)[None])
    with pytest.raises(WrongDimension, match="holds vectors of 2 numbers"):
        await index.add(collection, ids(2), towards(1, 0, 0)[None])
    with pytest.raises(WrongDimension, match="holds vectors of 2 numbers"):
        await index.search(collection, towards(1, 0, 0), limit=5)
    assert (await index.ids(collection)).tolist() == [1]


@pytest.mark.parametrize(
    ("chunk_ids", "rows", "said"),
    [
        (ids(1, 2), np.ones((1, 2)), "do not fit"),
        (ids(1), np.ones(2), "do not fit"),
        (ids(-1), np.ones((1, 2)), "0 or more, got -1"),
        (ids(1), np.array([[1.0, np.nan]]), "infinite number, or none"),
        (ids(1), np.array([[1.0, np.inf]]), "infinite number, or none"),
        (ids(1), np.ones((1, 0)), "one number at least"),
    ],
)
async def test_what_no_index_could_find_again_is_refused(
    index: VectorIndex, collection: UUID, chunk_ids: Ids, rows: Vectors, said: str
) -> None:
    with pytest.raises(WrongVectors, match=said):
        await index.add(collection, chunk_ids, rows)
    assert (await index.ids(collection)).tolist() == []


async def test_a_text_that_says_nothing_is_near_to_nothing(index: VectorIndex, collection: UUID) -> None:
    await index.add(collection, ids(1, 2), np.stack([towards(1, 0), np.zeros(2, np.float32)]))
    assert (await index.ids(collection)).tolist() == [1, 2]
    hits = await index.search(collection, towards(1, 0), limit=2)
    assert [(hit.chunk_id, round(hit.score, 3)) for hit in hits] == [(1, 1.0), (2, 0.0)]
    hits = await index.search(collection, np.zeros(2, np.float32), limit=2)
    assert [hit.score for hit in hits] == [0.0, 0.0]


async def test_large_ids_are_kept_whole(index: VectorIndex, collection: UUID) -> None:
    large = 2**53 + 1  # no float holds it
    await index.add(collection, ids(large), towards(1, 0)[None])
    assert found(await index.search(collection, towards(1, 0), limit=1, within=ids(large))) == [large]
    assert (await index.ids(collection)).tolist() == [large]


async def test_many_write_and_search_at_once(index: VectorIndex, collection: UUID) -> None:
    async def write(n: int) -> None:
        mine = IDS[n * 40 : n * 40 + 40]
        await index.add(collection, mine, ROWS[mine])
        hits = await index.search(collection, ROWS[mine[0]], limit=1)
        assert found(hits) == [mine[0]]
        await index.remove(collection, mine[20:])

    async with asyncio.timeout(60), asyncio.TaskGroup() as writers:
        for n in range(10):
            writers.create_task(write(n))
    assert (await index.ids(collection)).tolist() == [n for n in range(COUNT) if n % 40 < 20]
