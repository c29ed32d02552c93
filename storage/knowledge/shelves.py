"""The indexes of one collection in one process, and how they are brought to what Postgres holds.

A chunk never changes under its id. So an index is right when it has the ids that Postgres has, whatever
happened before: a process that begins compares ids, and reads only what came and went from then on. Nothing
is written down about how far an index is, so nothing can be wrong about it after a crash.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import numpy as np

from artel.storage.knowledge import chunks, embeddings
from artel.storage.knowledge.chunks import Chunk
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.hits import Embedder, Ids, VectorIndex
from artel.storage.postgres import Database

PAGE = 1_000  # chunks that are read and added together
EMBEDDED_TOGETHER = 64  # texts; what is embedded is kept after each such batch


class LexicalIndex(Protocol):
    """Holds the words of one collection, in one process; these methods take CPU time and run in a thread.

    A search may run in another thread meanwhile, and sees it before or after a call.
    """

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Put chunks in, in place of those with the same ids."""

    def remove(self, chunk_ids: Ids) -> None:
        """Take chunks out; one that is not there is no error."""

    def ids(self) -> Ids:
        """Return the ids of all that is there, sorted."""


Lexical = TypeVar("Lexical", bound=LexicalIndex)


@dataclass(slots=True)
class Shelf(Generic[Lexical]):
    """The indexes of a collection in this process, and the revisions that they are at; None: not known."""

    lexical: Lexical
    lexical_at: int | None = None
    vectors_at: int | None = None
    key: UUID | None = None
    waiting: set[int] = field(default_factory=set)  # chunks whose vectors nobody has made yet
    asked: int = 0  # the last of those that were looked for in what others have made
    collection: Collection | None = None  # as it was last

    def some(self) -> Ids | None:
        """Return some chunks that wait for a vector, or None."""
        return sorted_ids(self.waiting)[:PAGE] if self.waiting else None

    def waits_for_all(self, some: Ids) -> bool:
        """Whether a model was asked for these in vain: asking again would go on for ever."""
        return self.waiting.issuperset(some.tolist())


async def bring(db: Database, vectors: VectorIndex, shelf: Shelf[Lexical], now: Collection) -> None:
    """Bring the indexes of a shelf to the newest revision; chunks whose vectors are not kept wait.

    One caller at a time; a call that fails leaves the shelf such that the next one makes it good.

    Raises:
        UnknownCollection: it has been dropped.
    """
    if shelf.lexical_at != now.revision:
        await _bring_words(db, shelf, now)
    if now.embedder is None:
        return
    if shelf.key != now.index_key:  # the first time, or rebuilt elsewhere
        shelf.key, shelf.vectors_at = now.index_key, None
    if shelf.waiting:  # a page of them each time: there may be many, and a search waits for this
        waiting = sorted_ids(shelf.waiting)
        after = waiting[np.searchsorted(waiting, shelf.asked, side="right") :]
        page = (after if len(after) else waiting)[:PAGE]
        await add_made(db, vectors, shelf, now, page)
        shelf.asked = int(page[-1])
    if shelf.vectors_at != now.revision:
        await _bring_vectors(db, vectors, shelf, now, now.index_key)


async def add_made(
    db: Database, vectors: VectorIndex, shelf: Shelf[Lexical], now: Collection, some: Ids
) -> None:
    """Add those of the chunks that wait whose vectors have been made; of one caller at a time too."""
    if shelf.key:
        still = await _add_vectors(db, vectors, shelf.key, now, some)
        shelf.waiting = shelf.waiting.difference(some.tolist()) | still


async def make_vectors(db: Database, embedder: Embedder, now: Collection, some: Ids) -> None:
    """Make vectors of contents that have none, each once, and keep them batch by batch.

    Raises:
        Invalid: the embedder gave what are no vectors of length 1, or not one a text.
    """
    async with db.connection() as conn:
        read = {chunk.content_hash: chunk.embedded for chunk in await chunks.contents(conn, now, some)}
        kept = await embeddings.get(conn, sorted(read), embedder=embedder.name)
    new = [(content, text) for content, text in read.items() if content not in kept]
    for first in range(0, len(new), EMBEDDED_TOGETHER):
        hashes, texts = zip(*new[first : first + EMBEDDED_TOGETHER], strict=True)
        vectors = await embedder.embed(texts)
        async with db.connection() as conn:
            await embeddings.put(conn, hashes, vectors, embedder=embedder.name)


async def _bring_words(db: Database, shelf: Shelf[Lexical], now: Collection) -> None:
    async with db.connection() as conn:
        lacks = await chunks.since(conn, now, shelf.lexical_at or 0)
    gone, new = lacks.removed, lacks.added
    if lacks.anew or shelf.lexical_at is None:
        gone, new = _difference(await asyncio.to_thread(shelf.lexical.ids), lacks.added)
    if len(gone):
        await asyncio.to_thread(shelf.lexical.remove, gone)
    for page in _pages(new):
        async with db.connection() as conn:
            read = await chunks.contents(conn, now, page)
        await asyncio.to_thread(shelf.lexical.add, read)
    shelf.lexical_at = lacks.revision


async def _bring_vectors(
    db: Database, vectors: VectorIndex, shelf: Shelf[Lexical], now: Collection, key: UUID
) -> None:
    async with db.connection() as conn:
        lacks = await chunks.since(conn, now, shelf.vectors_at or 0)
    gone, new, waiting = lacks.removed, lacks.added, shelf.waiting.difference(lacks.removed.tolist())
    if lacks.anew or shelf.vectors_at is None:
        gone, new = _difference(await vectors.ids(key), lacks.added)
        waiting = set()
    if len(gone):
        await vectors.remove(key, gone)
    for page in _pages(new):
        waiting |= await _add_vectors(db, vectors, key, now, page)
    shelf.waiting, shelf.vectors_at = waiting, lacks.revision


async def _add_vectors(db: Database, index: VectorIndex, key: UUID, now: Collection, page: Ids) -> set[int]:
    """Add the vectors that are kept, and return the chunks that have none."""
    assert now.embedder
    async with db.connection() as conn:
        hashes = await chunks.hashes(conn, now, page)
        kept = await embeddings.get(conn, sorted(set(hashes.values())), embedder=now.embedder)
    ready = [chunk_id for chunk_id in sorted(hashes) if hashes[chunk_id] in kept]
    if ready:
        vectors = np.stack([kept[hashes[chunk_id]] for chunk_id in ready])
        await index.add(key, np.array(ready, dtype=np.int64), vectors)
    return set(hashes).difference(ready)


def _difference(has: Ids, wanted: Ids) -> tuple[Ids, Ids]:
    """Return what an index has too much, and what it lacks."""
    return np.setdiff1d(has, wanted), np.setdiff1d(wanted, has)


def sorted_ids(chunk_ids: set[int]) -> Ids:
    """Return ids as an index takes them."""
    return np.array(sorted(chunk_ids), dtype=np.int64)


def _pages(chunk_ids: Ids) -> Iterator[Ids]:
    for first in range(0, len(chunk_ids), PAGE):
        yield chunk_ids[first : first + PAGE]
