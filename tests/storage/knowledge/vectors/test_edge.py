"""Vectors in files: who owns them, what survives, and the graph that is made beside them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psutil
import pytest
from tests.storage.knowledge.vectors.clusters import clustered, nearest

from artel.storage.knowledge.vectors import shards
from artel.storage.knowledge.vectors.checking import VectorsUnavailable
from artel.storage.knowledge.vectors.edge import EdgeVectors
from artel.storage.knowledge.vectors.shard_process import OwnedElsewhere, ShardProcess

COUNT, DIMENSION = 3_000, 32
ROWS = clustered(COUNT + 20, DIMENSION)
QUESTIONS, ROWS = ROWS[COUNT:], ROWS[:COUNT]
IDS = np.arange(COUNT, dtype=np.int64)
ROOT = Path(__file__).parents[4]

ADDS_AND_HANGS = """
import asyncio, sys
from pathlib import Path
from typing import Any
from uuid import UUID
import numpy as np
from artel.storage.knowledge.vectors.edge import EdgeVectors

async def main():
    vectors = await EdgeVectors.open(Path(sys.argv[1]))
    for n in range(50):
        await vectors.add(UUID(sys.argv[2]), np.array([n]), np.eye(64, dtype=np.float32)[n : n + 1])
    print("added", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def collection() -> UUID:
    return uuid4()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vectors"


@pytest.fixture
async def edge(folder: Path) -> AsyncIterator[EdgeVectors]:
    made = await EdgeVectors.open(folder)
    yield made
    await made.close()


def owner_of(edge: EdgeVectors) -> psutil.Process:
    assert edge._process is not None
    return psutil.Process(edge._process._process.pid)


def shard_of(folder: Path, collection: UUID) -> Path:
    (path,) = folder.glob(f"{collection}.*")
    return path


async def test_what_was_added_is_there_after_closing(folder: Path, collection: UUID) -> None:
    first = await EdgeVectors.open(folder)
    await first.add(collection, IDS, ROWS)
    await first.close()
    second = await EdgeVectors.open(folder)
    assert (await second.ids(collection)).tolist() == IDS.tolist()
    hits = await second.search(collection, QUESTIONS[0], limit=10)
    assert [hit.chunk_id for hit in hits] == nearest(ROWS, QUESTIONS[0], 10)
    await second.close()


async def test_what_was_added_survives_the_death_of_the_server(folder: Path, collection: UUID) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    with subprocess.Popen(  # noqa: ASYNC220 - it is to be killed
        [sys.executable, "-c", ADDS_AND_HANGS, str(folder), str(collection)],
        stdout=subprocess.PIPE,
        env=environment,
    ) as server:
        assert server.stdout is not None
        assert await asyncio.to_thread(server.stdout.readline) == b"added\n"
        owners = psutil.Process(server.pid).children()
        server.send_signal(signal.SIGKILL)
    _, left = await asyncio.to_thread(psutil.wait_procs, owners, 10)
    assert not left  # nobody searches any more: the owner of the shards went with the server
    edge = await EdgeVectors.open(folder)
    assert (await edge.ids(collection)).tolist() == list(range(50))
    await edge.close()


async def test_the_death_of_the_owner_of_the_shards_is_not_noticed(
    edge: EdgeVectors, collection: UUID
) -> None:
    await edge.add(collection, IDS[:500], ROWS[:500])
    owner_of(edge).kill()
    await edge.add(collection, IDS[500:600], ROWS[500:600])
    owner_of(edge).kill()
    hits = await edge.search(collection, ROWS[3], limit=1)
    assert [hit.chunk_id for hit in hits] == [3]
    assert (await edge.ids(collection)).tolist() == list(range(600))


async def test_questions_under_way_are_asked_again_when_the_owner_dies(
    edge: EdgeVectors, collection: UUID
) -> None:
    await edge.add(collection, IDS, ROWS)
    searches = [asyncio.create_task(edge.search(collection, row, limit=1)) for row in ROWS[:100]]
    await asyncio.sleep(0)
    owner_of(edge).kill()
    found = [(await search)[0].chunk_id for search in searches]
    assert found == list(range(100))


async def test_a_second_process_is_told_that_the_folder_is_taken(
    edge: EdgeVectors, folder: Path, collection: UUID
) -> None:
    with pytest.raises(OwnedElsewhere, match=rf"{os.getpid()}.*another folder.*kind pgvector"):
        await EdgeVectors.open(folder)
    await edge.add(collection, IDS[:1], ROWS[:1])
    assert (await edge.ids(collection)).tolist() == [0]


async def test_a_closed_index_answers_no_more(folder: Path, collection: UUID) -> None:
    edge = await EdgeVectors.open(folder)
    await edge.close()
    with pytest.raises(VectorsUnavailable, match="closed"):
        await edge.search(collection, ROWS[0], limit=1)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("edge_config.json", b"{"),
        ("wal/first-index", b"rubbish that is no index"),
        ("segments/*/segment.json", b""),
        ("segments/*/vector_storage/vectors/status.dat", b"x"),  # here the engine panics
    ],
)
async def test_a_broken_shard_is_set_aside_and_empty(
    folder: Path, collection: UUID, pattern: str, text: bytes
) -> None:
    other = uuid4()
    edge = await EdgeVectors.open(folder)
    for one in (collection, other):
        await edge.add(one, IDS[:50], ROWS[:50])
    await edge.close()
    for file in shard_of(folder, collection).glob(pattern):
        file.write_bytes(text)
    edge = await EdgeVectors.open(folder)
    assert (await edge.ids(collection)).tolist() == []
    assert await edge.search(collection, ROWS[0], limit=5) == []
    assert (folder / f"{collection}.broken").is_dir()
    assert len(await edge.ids(other)) == 50
    await edge.add(collection, IDS[:50], ROWS[:50])
    assert len(await edge.ids(collection)) == 50
    await edge.close()


async def test_a_shard_that_kills_whoever_opens_it_is_set_aside(
    edge: EdgeVectors, folder: Path, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await edge.add(collection, IDS[:50], ROWS[:50])
    ask = ShardProcess.ask

    async def deadly(
        self: ShardProcess, said: dict[str, Any], body: bytes = b""
    ) -> tuple[dict[str, Any], bytes]:
        if said["do"] == "search" and not (folder / f"{collection}.broken").exists():
            psutil.Process(self._process.pid).kill()
        return await ask(self, said, body)

    monkeypatch.setattr(ShardProcess, "ask", deadly)
    assert await edge.search(collection, ROWS[0], limit=5) == []
    assert (await edge.ids(collection)).tolist() == []


async def test_a_dropped_collection_leaves_no_files(
    edge: EdgeVectors, folder: Path, collection: UUID
) -> None:
    await edge.add(collection, IDS[:50], ROWS[:50])
    await edge.drop(collection)
    left = await asyncio.to_thread(lambda: [path.name for path in folder.iterdir()])
    assert left == ["owner"]


async def test_a_graph_is_made_beside_and_loses_nothing_that_was_written_meanwhile(
    folder: Path, collection: UUID
) -> None:
    rows = clustered(8_000, 384)
    edge = await EdgeVectors.open(folder, optimise_after=7_500 * 384 * 4)
    await edge.add(collection, np.arange(8_000), rows)
    assert edge._optimising
    assert shard_of(folder, collection).name.endswith(".0")
    await edge.remove(collection, np.arange(100))
    await edge.add(collection, np.array([9_000]), rows[50:51])
    hits = await edge.search(collection, rows[50], limit=1)
    assert [hit.chunk_id for hit in hits] == [9_000]
    await edge.settle()
    assert shard_of(folder, collection).name.endswith(".1")
    assert (await edge.ids(collection)).tolist() == [*range(100, 8_000), 9_000]
    hits = await edge.search(collection, rows[50], limit=1)
    assert [hit.chunk_id for hit in hits] == [9_000]
    await edge.close()


async def test_a_graph_that_was_not_finished_is_forgotten(folder: Path, collection: UUID) -> None:
    edge = await EdgeVectors.open(folder, optimise_after=2_900 * DIMENSION * 4)
    await edge.add(collection, IDS, ROWS)
    owner_of(edge).kill()
    await edge.settle()
    await edge.close()
    half = folder / f"{collection}.{DIMENSION}.9"
    half.mkdir()
    edge = await EdgeVectors.open(folder)
    assert (await edge.ids(collection)).tolist() == IDS.tolist()
    assert not half.exists()
    await edge.close()


async def test_of_many_wanted_ids_the_nearest_are_found_wherever_they_lie(
    edge: EdgeVectors, collection: UUID, tmp_path: Path
) -> None:
    count = shards.FEW + 2_000
    rows = clustered(count, 8)
    await edge.add(collection, np.arange(count), rows)
    order = np.argsort(-(rows @ rows[0]))
    for within in (
        np.sort(order[-shards.FEW - 1 :]),
        np.sort(order[::2][: shards.FEW + 1]),
        np.arange(count),
    ):
        wanted = np.asarray(within, np.int64)
        hits = await edge.search(collection, rows[0], limit=10, within=wanted)
        cosines = sorted((rows[wanted] @ rows[0]).tolist(), reverse=True)[:10]
        assert [hit.score for hit in hits] == pytest.approx(cosines, abs=1e-4)
        assert {hit.chunk_id for hit in hits} <= set(wanted.tolist())


async def test_more_collections_than_are_open_at_once_are_all_found(edge: EdgeVectors) -> None:
    many = [uuid4() for _ in range(shards.OPEN_AT_ONCE + 3)]
    for one in many:
        await edge.add(one, IDS[:1], ROWS[:1])
    for one in many:
        assert (await edge.ids(one)).tolist() == [0]
