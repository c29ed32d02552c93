"""What it costs Postgres to keep documents, and indexes equal to them.

    python evals/bench/knowledge.py [postgresql://…]

100 documents of 4 KB in 10 chunks each are put at once. WAL is counted from a Postgres checkpoint on and so
has the first image of each page in it. Statements are those of one call; begin, wake-up and commit come on
top. Vectors are of 384 random numbers. Without a DSN it runs on an embedded Postgres in a temporary folder.
Compare figures of one run only.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from artel.storage import embedded
from artel.storage.ids import new_id
from artel.storage.knowledge import chunks, collections, documents
from artel.storage.knowledge.chunks import Chunk
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.documents import Draft, Piece
from artel.storage.knowledge.filters import Filters
from artel.storage.knowledge.hits import Hit, Ids, Vectors
from artel.storage.knowledge.library import Library
from artel.storage.migrations import migrate
from artel.storage.postgres import Connection, Database, open_database

DOCUMENTS, CHUNKS, CHUNK = 100, 10, 400
ROUNDS = 5
CALLS = 20
RANDOM = random.Random(7)  # the same words in every run
WORDS = ["".join(RANDOM.choice("etaoinshrdlu") for _ in range(RANDOM.randint(2, 8))) for _ in range(800)]
WAL = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes"


class Held:
    """Indexes that only remember ids: what is measured is what Postgres and the library cost."""

    def __init__(self) -> None:
        self.held: set[int] = set()

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Remember chunks."""
        self.held.update(chunk.chunk_id for chunk in chunks)

    def remove(self, chunk_ids: Ids) -> None:
        """Forget chunks."""
        self.held.difference_update(chunk_ids.tolist())

    def ids(self) -> Ids:
        """Return what is remembered."""
        return np.array(sorted(self.held), dtype=np.int64)


class HeldVectors:
    """The same for vectors."""

    def __init__(self) -> None:
        self.held = Held()

    async def add(self, collection: UUID, chunk_ids: Ids, vectors: Vectors) -> None:
        """Remember chunks."""
        self.held.held.update(chunk_ids.tolist())

    async def remove(self, collection: UUID, chunk_ids: Ids) -> None:
        """Forget chunks."""
        self.held.remove(chunk_ids)

    async def drop(self, collection: UUID) -> None:
        """Forget all."""
        self.held.held.clear()

    async def search(
        self, collection: UUID, vector: Vectors, *, limit: int, within: Ids | None = None
    ) -> list[Hit]:
        """Find nothing."""
        return []

    async def ids(self, collection: UUID) -> Ids:
        """Return what is remembered."""
        return self.held.ids()

    async def close(self) -> None:
        """Do nothing."""


class Noise:
    """An embedder without a model."""

    name, dimension, languages = "noise", 384, frozenset({"en"})

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Return random vectors."""
        vectors = np.random.default_rng(7).normal(size=(len(texts), self.dimension))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class Counting:
    """Counts the statements that a connection sends."""

    def __init__(self, conn: Connection) -> None:
        self.sent = 0
        self._execute = conn.execute
        conn.execute = self._counted  # type: ignore[method-assign]

    async def _counted(self, *args: Any, **kwargs: Any) -> Any:
        self.sent += 1
        return await self._execute(*args, **kwargs)


def words() -> str:
    """Return about CHUNK characters that compress like prose."""
    return " ".join(RANDOM.choice(WORDS) for _ in range(CHUNK // 6))


def document(name: str, parts: Sequence[str]) -> Draft:
    """Return a document of which each part is a chunk."""
    pieces, at = [], 0
    for part in parts:
        pieces.append(Piece(at, at + len(part), "guide > deploy"))
        at += len(part) + 1
    return Draft(name, "\n".join(parts), "parts 1", pieces, title=name, kind="page", language="en")


async def wal(conn: Connection) -> int:
    """Return how much was ever logged."""
    row = await (await conn.execute(WAL)).fetchone()
    assert row
    return int(row["bytes"])


async def cost(db: Database, work: Callable[[Connection], Awaitable[object]]) -> tuple[float, int, float]:
    """Return the ms, the statements and the WAL KB of one transaction."""
    async with db.connection() as conn:
        await conn.execute("checkpoint")
        before = await wal(conn)
    began = time.perf_counter()
    async with db.transaction() as conn:
        counting = Counting(conn)
        await work(conn)
        del conn.execute
    took = (time.perf_counter() - began) * 1000
    async with db.connection() as conn:
        return took, counting.sent, (await wal(conn) - before) / 1000


async def puts(db: Database, shelf: Collection) -> None:
    """Print what putting costs: new, unchanged, one chunk of ten changed, all gone."""
    print(f"\n{DOCUMENTS} documents of {CHUNKS} chunks, {DOCUMENTS * CHUNKS * CHUNK / 1000:.0f} KB of text\n")
    print("| | ms (median) | statements | WAL KB |\n|---|---|---|---|")
    found: dict[str, list[tuple[float, int, float]]] = {}
    for turn in range(ROUNDS):
        parts = {f"d{turn}-{n}": [words() for _ in range(CHUNKS)] for n in range(DOCUMENTS)}
        first = [document(name, given) for name, given in parts.items()]
        later = [document(name, [*given[:-1], words()]) for name, given in parts.items()]

        async def put(conn: Connection, drafts: Sequence[Draft] = first) -> object:
            return await documents.put(conn, shelf, drafts)

        async def put_later(conn: Connection, drafts: Sequence[Draft] = later) -> object:
            return await documents.put(conn, shelf, drafts)

        async def delete(conn: Connection, names: Sequence[str] = tuple(parts)) -> object:
            return await documents.delete(conn, shelf, names)

        acts: dict[str, Callable[[Connection], Awaitable[object]]] = {
            "new": put,
            "unchanged": put,
            "one chunk changed": put_later,
            "deleted": delete,
        }
        for name, act in acts.items():
            found.setdefault(name, []).append(await cost(db, act))
    for name, figures in found.items():
        ms, sent, logged = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"| {name} | {ms:.0f} | {sent:.0f} | {logged:.0f} |")


async def syncs(db: Database, shelf: Collection) -> None:
    """Print what keeping indexes equal costs, with 10,000 chunks."""
    for turn in range(10):
        drafts = [document(f"s{turn}-{n}", [words() for _ in range(CHUNKS)]) for n in range(DOCUMENTS)]
        async with db.transaction() as conn:
            await documents.put(conn, shelf, drafts)
    books = Library(db, HeldVectors(), Held, embedder=Noise())
    began = time.perf_counter()
    await books.sync(shelf)
    first = time.perf_counter() - began
    cold = Library(db, HeldVectors(), Held, embedder=Noise())
    began = time.perf_counter()
    await cold.sync(shelf)
    again = time.perf_counter() - began
    async with db.connection() as conn:
        await conn.execute("analyze documents, chunks, embeddings")
        ids = (await chunks.since(conn, shelf, 0)).added
        some = ids[:: len(ids) // 10][:10]
        print(f"\n{len(ids)} chunks, in indexes that only remember ids\n")
        print("| | ms (median) |\n|---|---|")
        print(f"| first sync, vectors put into the cache | {first * 1000:.0f} |")
        print(f"| first sync of another process, from the cache | {again * 1000:.0f} |")
        everything, nothing = Filters(kinds=("page",)), Filters(kinds=("no",))
        timed: dict[str, Callable[[], Awaitable[object]]] = {
            "sync, nothing new": lambda: books.sync(shelf),
            "texts of 10 hits": lambda: chunks.texts(conn, shelf, some),
            "ids of a filter that lets all through": lambda: chunks.within(conn, shelf, everything),
            "ids of a filter that lets none through": lambda: chunks.within(conn, shelf, nothing),
        }
        for name, call in timed.items():
            print(f"| {name} | {await median_ms(call):.1f} |")

    async def change_one() -> None:
        async with db.transaction() as conn:
            await documents.put(conn, shelf, [document("s0-0", [words() for _ in range(CHUNKS)])])
        await books.sync(shelf)

    print(f"| one document changed and synced | {await median_ms(change_one):.1f} |")


async def median_ms(call: Callable[[], Awaitable[object]]) -> float:
    """Return what a call takes; the first is not counted."""
    took = []
    for _ in range(CALLS + 1):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took[1:])


async def bench(dsn: str) -> None:
    """Print two tables."""
    await migrate(dsn)
    async with open_database(dsn) as db:
        async with db.connection() as conn:
            one = await collections.make(conn, f"bench {new_id()}", owner="bench")
            two = await collections.make(conn, f"bench {new_id()}", owner="bench")
        try:
            await puts(db, one)
            await syncs(db, two)
        finally:
            async with db.connection() as conn:
                for collection in (one, two):
                    await collections.drop(conn, collection)


def main() -> None:
    """Measure on the database that was named, or on a fresh one."""
    folder = tempfile.TemporaryDirectory(prefix="artel-bench-", dir="/tmp")
    Path(folder.name).chmod(0o755)
    named = nullcontext(sys.argv[1]) if len(sys.argv) > 1 else embedded.start(Path(folder.name) / "data")
    with folder, named as dsn:
        asyncio.run(bench(dsn))


if __name__ == "__main__":
    main()
