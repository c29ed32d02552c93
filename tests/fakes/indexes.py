"""Indexes and an embedder for tests: the real ports, and nothing clever behind them."""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

import numpy as np

from artel.storage.knowledge.chunks import Chunk
from artel.storage.knowledge.hits import Hit, Ids, Vectors


class Words:
    """A lexical index that finds chunks with all words of a query."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}
        self.added = 0

    def add(self, chunks: Sequence[Chunk]) -> None:
        self.added += len(chunks)
        self.texts |= {chunk.chunk_id: chunk.embedded.lower() for chunk in chunks}

    def remove(self, chunk_ids: Ids) -> None:
        for chunk_id in chunk_ids.tolist():
            self.texts.pop(chunk_id, None)

    def ids(self) -> Ids:
        return np.array(sorted(self.texts), dtype=np.int64)

    def search(self, query: str) -> list[int]:
        return sorted(n for n, text in self.texts.items() if set(query.lower().split()) <= set(text.split()))


class FileVectors:
    """A vector index in a file, with what a killed process leaves in it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.added = 0
        with closing(self._open()) as opened:
            opened.execute("create table if not exists vectors (k, id, v, primary key (k, id))")

    async def add(self, collection: UUID, chunk_ids: Ids, vectors: Vectors) -> None:
        self.added += len(chunk_ids)
        rows = zip(chunk_ids.tolist(), vectors.astype(np.float32), strict=True)
        self._write(
            "insert or replace into vectors values (?, ?, ?)",
            [(collection.hex, chunk_id, vector.tobytes()) for chunk_id, vector in rows],
        )

    async def remove(self, collection: UUID, chunk_ids: Ids) -> None:
        self._write(
            "delete from vectors where k = ? and id = ?",
            [(collection.hex, one) for one in chunk_ids.tolist()],
        )

    async def drop(self, collection: UUID) -> None:
        self._write("delete from vectors where k = ?", [(collection.hex,)])

    async def search(
        self, collection: UUID, vector: Vectors, *, limit: int, within: Ids | None = None
    ) -> list[Hit]:
        allowed = None if within is None else set(within.tolist())
        with closing(self._open()) as opened:
            found = opened.execute("select id, v from vectors where k = ?", [collection.hex]).fetchall()
        hits = [
            Hit(chunk_id, float(np.frombuffer(kept, dtype=np.float32) @ vector))
            for chunk_id, kept in found
            if allowed is None or chunk_id in allowed
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:limit]

    async def ids(self, collection: UUID) -> Ids:
        with closing(self._open()) as opened:
            found = opened.execute("select id from vectors where k = ? order by id", [collection.hex])
            return np.array([row[0] for row in found], dtype=np.int64)

    async def close(self) -> None:
        pass

    def keys(self) -> set[UUID]:
        with closing(self._open()) as opened:
            return {UUID(hex=row[0]) for row in opened.execute("select distinct k from vectors")}

    def _write(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        with closing(self._open()) as opened, opened:
            opened.executemany(query, rows)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.file)


class Hashes:
    """An embedder: the same text has the same vector, and others have others. It counts what it is asked."""

    languages = frozenset({"en"})

    def __init__(self, name: str = "hashes", dimension: int = 8) -> None:
        self.name = name
        self.dimension = dimension
        self.embedded: list[str] = []

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        self.embedded += texts
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
        vectors = np.stack([np.random.default_rng(seed).normal(size=self.dimension) for seed in seeds])
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
