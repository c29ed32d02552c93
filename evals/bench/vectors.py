"""How fast the indexes of vectors are: loads, searches with and without a filter, memory.

    python evals/bench/vectors.py

Clustered vectors of 384 numbers, 10,000 and 100,000 of them; plain is numpy, which looks at each. `within`
names how many ids a search is kept to, taken at random; `far` are those furthest from the question, where no
index finds a short way. Figures of one run are to be compared with each other, not with those of another
machine or hour. Qdrant is not measured: its local mode is no server.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil
from numpy.typing import NDArray

from artel.storage import embedded
from artel.storage.knowledge.hits import Hit, Ids, Vectors
from artel.storage.knowledge.vectors.edge import EdgeVectors
from artel.storage.knowledge.vectors.pgvector import PgVectors
from artel.storage.postgres import open_database

SIZES = (10_000, 100_000)
DIMENSION = 384
QUESTIONS = 60
BATCH = 1_000

Search = Callable[[Vectors, Ids | None], Awaitable[list[Hit]]]


def main() -> None:
    """Print a table a size."""
    for count in SIZES:
        rows = clustered(count + QUESTIONS)
        rows, questions = rows[:count], rows[count:]
        print(f"\n{count:,} vectors, {QUESTIONS} searches each")
        print(f"{'':44}{'median ms':>10}{'p95 ms':>9}{'ratio':>7}{'recall':>8}")
        plain = _plain(rows, questions)
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            Path(folder).chmod(0o755)  # as root, the database runs as another user
            asyncio.run(_edge(Path(folder), rows, questions, plain))
            with embedded.start(Path(folder) / "postgres") as dsn:
                asyncio.run(_pgvector(dsn, rows, questions, plain))


def clustered(count: int) -> Vectors:
    """Return rows as embeddings are: topics of unequal size, near a surface of 64 dimensions, of length 1."""
    random = np.random.default_rng(0)
    topics = max(8, int(count**0.5) // 2)
    sizes = 1 / np.arange(1, topics + 1) ** 0.7
    of = random.choice(topics, count, p=sizes / sizes.sum())
    surface = random.standard_normal((64, DIMENSION), np.float32) / 8
    inner = random.standard_normal((topics, 64), np.float32)[of]
    inner += 0.6 * random.standard_normal((count, 64), np.float32)
    rows = inner @ surface
    rows += 0.15 * random.standard_normal((count, DIMENSION), np.float32)
    rows += 0.3 * random.standard_normal(DIMENSION, np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _plain(rows: Vectors, questions: Vectors) -> float:
    took = []
    for question in questions:
        start = time.perf_counter()
        np.argpartition(-(rows @ question), 10)
        took.append((time.perf_counter() - start) * 1000)
    plain = statistics.median(took)
    _row("numpy, each scored", took, plain, 1.0)
    return plain


async def _edge(folder: Path, rows: Vectors, questions: Vectors, plain: float) -> None:
    index, collection = await EdgeVectors.open(folder / "edge"), uuid4()
    loaded = await _loaded(lambda ids, some: index.add(collection, ids, some), rows)
    await _searches(
        "edge, as loaded",
        lambda q, w: index.search(collection, q, limit=10, within=w),
        rows,
        questions,
        plain,
    )
    start = time.perf_counter()
    await index.settle()
    made = time.perf_counter() - start
    if len(rows) > min(SIZES):
        await _searches(
            "edge, with its graph",
            lambda q, w: index.search(collection, q, limit=10, within=w),
            rows,
            questions,
            plain,
        )
    owner = psutil.Process().children()[0]
    memory = owner.memory_full_info()
    print(
        f"edge: {loaded:,.0f} vectors/s in, graph after {made:.0f} s more, "
        f"{memory.uss >> 20} MB of its own, {memory.rss >> 20} MB with mapped files"
    )
    await index.close()


async def _pgvector(dsn: str, rows: Vectors, questions: Vectors, plain: float) -> None:
    async with open_database(dsn) as db:
        index, collection = await PgVectors.open(db), uuid4()
        loaded = await _loaded(lambda ids, some: index.add(collection, ids, some), rows)
        start = time.perf_counter()
        await index.settle()
        made = time.perf_counter() - start
        name = "pgvector, with its graph" if len(rows) > min(SIZES) else "pgvector, each scored"
        await _searches(
            name, lambda q, w: index.search(collection, q, limit=10, within=w), rows, questions, plain
        )
        async with db.connection() as conn:
            query = "select pg_total_relation_size('knowledge_vectors') as bytes"
            size = await (await conn.execute(query)).fetchone()
        assert size is not None
        print(
            f"pgvector: {loaded:,.0f} vectors/s in, graph after {made:.0f} s more, "
            f"{size['bytes'] >> 20} MB of tables and graph"
        )
        await index.close()


async def _loaded(add: Callable[[Ids, Vectors], Awaitable[None]], rows: Vectors) -> float:
    start = time.perf_counter()
    for begin in range(0, len(rows), BATCH):
        end = min(begin + BATCH, len(rows))
        await add(np.arange(begin, end, dtype=np.int64), rows[begin:end])
    return len(rows) / (time.perf_counter() - start)


async def _searches(name: str, search: Search, rows: Vectors, questions: Vectors, plain: float) -> None:
    random = np.random.default_rng(1)
    await _search(name, search, rows, questions, plain, lambda _: None)
    for size in sorted({1, 1_000, len(rows) // 10, len(rows) // 2, len(rows)}):
        within = np.sort(random.choice(len(rows), size, replace=False)).astype(np.int64)
        await _search(f"{name}, within {size:,}", search, rows, questions, plain, partial(_same, within))
    half = len(rows) // 2

    def far(question: Vectors) -> Ids:
        return np.sort(np.argsort(rows @ question)[:half]).astype(np.int64)

    await _search(f"{name}, within {half:,} far", search, rows, questions[:10], plain, far)


async def _search(
    name: str,
    search: Search,
    rows: Vectors,
    questions: Vectors,
    plain: float,
    choose: Callable[[Vectors], Ids | None],
) -> None:
    took, right, wanted = [], 0, 0
    for question in questions:
        within = choose(question)
        start = time.perf_counter()
        hits = await search(question, within)
        took.append((time.perf_counter() - start) * 1000)
        nearest = _nearest(rows, question, within)
        right += len(nearest & {hit.chunk_id for hit in hits})
        wanted += len(nearest)
    _row(name, took, plain, right / wanted)


def _same(within: Ids, _: Vectors) -> Ids:
    return within


def _nearest(rows: Vectors, question: Vectors, within: NDArray[np.int64] | None) -> set[int]:
    among = np.arange(len(rows)) if within is None else within
    return {int(one) for one in among[np.argsort(-(rows[among] @ question))[:10]]}


def _row(name: str, took: list[float], plain: float, recall: float) -> None:
    median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"{name:44}{median:10.1f}{p95:9.1f}{median / plain:7.1f}{recall:8.3f}", flush=True)


if __name__ == "__main__":
    main()
