"""What an index finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]
"""One row a text, each of length 1."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found; scores order the hits of one search in one index, and say nothing beyond."""

    chunk_id: int
    score: float


class Embedder(Protocol):
    """Turns texts into vectors; whose cosine is high says much the same."""

    @property
    def name(self) -> str:
        """Model, revision and precision: vectors of two names never stand in one collection."""

    @property
    def dimension(self) -> int:
        """Numbers of a vector."""

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of what it understands, `code` for programs; its vote counts for these only."""

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Return a row for each text, in order; what is longer than the model reads is cut.

        `query`: the texts are questions, which some models mark otherwise than what is searched.
        """


class VectorIndex(Protocol):
    """Finds near vectors. It is made from what Postgres holds, and can be made anew."""

    async def add(self, collection: UUID, chunk_ids: Ids, vectors: Vectors) -> None:
        """Put vectors in, in place of those the same chunks had; the first ones decide the dimension."""

    async def remove(self, collection: UUID, chunk_ids: Ids) -> None:
        """Take chunks out; one that is not there is no error."""

    async def drop(self, collection: UUID) -> None:
        """Forget a collection; one that is not there is no error."""

    async def search(
        self, collection: UUID, vector: Vectors, *, limit: int, within: Ids | None = None
    ) -> list[Hit]:
        """Return the nearest by cosine, best first, among `within` (sorted ids) if it is given."""

    async def ids(self, collection: UUID) -> Ids:
        """Return the ids of all that is there, sorted: for whoever compares it with the truth."""

    async def close(self) -> None:
        """Let go of files and connections."""
