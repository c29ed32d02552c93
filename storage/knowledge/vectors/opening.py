"""Opens the index of vectors that was chosen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

from artel.storage.errors import Invalid
from artel.storage.knowledge.hits import VectorIndex
from artel.storage.knowledge.vectors.edge import EdgeVectors
from artel.storage.knowledge.vectors.pgvector import PgVectors
from artel.storage.postgres import Database

NEEDED = {"edge": "a folder", "pgvector": "a pool of Postgres", "qdrant": "the URL of a server"}


@dataclass(frozen=True, slots=True)
class VectorChoice:
    """Which index: `edge` needs `folder`, `pgvector` a `pool`, `qdrant` a `url` and perhaps a `key`."""

    kind: Literal["edge", "pgvector", "qdrant"] = "edge"
    folder: Path | None = None
    url: str = ""
    key: str = ""
    pool: Database | None = None


@asynccontextmanager
async def open_vectors(choice: VectorChoice) -> AsyncIterator[VectorIndex]:
    """Open the index, and let go of it at the end.

    Raises:
        Invalid: what the kind needs is not given, or its client is not installed.
        OwnedElsewhere: another process has the folder.
        PgvectorMissing: this Postgres cannot keep vectors.
        Unavailable: what keeps them does not answer.
    """
    index = await _opened(choice)
    try:
        yield index
    finally:
        await index.close()


async def _opened(choice: VectorChoice) -> VectorIndex:
    match choice:
        case VectorChoice(kind="edge", folder=Path() as folder):
            return await EdgeVectors.open(folder)
        case VectorChoice(kind="pgvector", pool=Database() as pool):
            return await PgVectors.open(pool)
        case VectorChoice(kind="qdrant", url=url, key=key) if url:
            return await _qdrant(url, key)
    raise Invalid(f"vectors of kind {choice.kind!r} need {NEEDED[choice.kind]}")


async def _qdrant(url: str, key: str) -> VectorIndex:
    try:
        module = import_module("artel.storage.knowledge.vectors.qdrant")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "qdrant_client":
            raise
        raise Invalid(
            "vectors of kind 'qdrant' need a client that is missing: pip install 'artel[qdrant]'"
        ) from missing
    index: VectorIndex = await module.QdrantVectors.open(url, key=key)
    return index
