"""Vectors in files of ours, by Qdrant's embedded engine in a process that owns them."""

import asyncio
import logging
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from artel.storage import tasks
from artel.storage.knowledge.hits import Hit, Ids, Vectors
from artel.storage.knowledge.vectors import checking
from artel.storage.knowledge.vectors.checking import VectorsUnavailable
from artel.storage.knowledge.vectors.shard_process import ProcessDied, ShardProcess, run

BATCH = 500  # vectors of one message: a search that comes meanwhile waits for 40 ms
PAGE = 20_000  # ids
OPTIMISE_AFTER = (
    96 << 20
)  # bytes without a graph: 65,000 vectors of 384 numbers, of which each is scored in 12 ms
LIVES = 4

log = logging.getLogger(__name__)


class EdgeVectors:
    """A `VectorIndex` in a folder; `open` makes one, and one process has it.

    What was added survives the death of this process, and of the one that owns the shards; that one is
    started anew. A shard that cannot be read is set aside as `COLLECTION.broken`, and its collection is
    empty. Once `optimise_after` bytes of a collection lie outside its graph, the graph is made beside it.
    """

    def __init__(self, folder: Path, *, optimise_after: int = OPTIMISE_AFTER) -> None:
        self.folder = folder
        self.optimise_after = optimise_after
        self._process: ShardProcess | None = None
        self._starting = asyncio.Lock()
        self._writing: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._optimising: dict[UUID, asyncio.Task[None]] = {}
        self._closed = False

    @classmethod
    async def open(cls, folder: Path, *, optimise_after: int = OPTIMISE_AFTER) -> "EdgeVectors":
        """Take the folder, which is made if it is missing.

        Raises:
            OwnedElsewhere: another process has it.
            VectorsUnavailable: the engine cannot be started.
        """
        made = cls(folder, optimise_after=optimise_after)
        await made._alive()
        return made

    async def add(self, collection: UUID, chunk_ids: Ids, vectors: Vectors) -> None:
        """Put vectors in, 500 at a time; of a failure some may be in.

        Raises:
            WrongVectors: ids and vectors do not fit, or one is no number.
            WrongDimension: the collection holds vectors of another length.
            VectorsUnavailable: the disk is full, or the engine does not answer.
        """
        ids, rows = checking.batch(chunk_ids, vectors)
        unindexed = 0
        for begin in range(0, len(ids), BATCH):
            some, theirs = ids[begin : begin + BATCH], rows[begin : begin + BATCH]
            asked = {"do": "add", "count": len(some), "dimension": rows.shape[1]}
            async with self._writing[collection]:
                said, _ = await self._ask(collection, asked, some.tobytes() + theirs.tobytes())
            unindexed = said["unindexed"]
        if unindexed > self.optimise_after and collection not in self._optimising and not self._closed:
            self._optimising[collection] = asyncio.create_task(self._optimise(collection))

    async def remove(self, collection: UUID, chunk_ids: Ids) -> None:
        """Take chunks out; one that is not there is no error.

        Raises:
            VectorsUnavailable: the disk is full, or the engine does not answer.
        """
        ids = np.ascontiguousarray(chunk_ids, dtype=np.int64)
        for begin in range(0, len(ids), PAGE):
            async with self._writing[collection]:
                await self._ask(collection, {"do": "remove"}, ids[begin : begin + PAGE].tobytes())

    async def drop(self, collection: UUID) -> None:
        """Forget a collection and remove its files; one that is not there is no error."""
        if task := self._optimising.get(collection):
            await tasks.end(task)
        async with self._writing[collection]:
            await self._ask(collection, {"do": "drop"})

    async def search(
        self, collection: UUID, vector: Vectors, *, limit: int, within: Ids | None = None
    ) -> list[Hit]:
        """Return the nearest by cosine, best first, among `within` (sorted ids) if it is given.

        Raises:
            WrongVectors, WrongDimension: the vector is none of this collection.
            VectorsUnavailable: the engine does not answer.
        """
        row = checking.question(vector)
        if limit < 1 or (within is not None and not len(within)):
            return []
        only = b"" if within is None else np.ascontiguousarray(within, dtype=np.int64).tobytes()
        asked = {"do": "search", "limit": limit, "dimension": len(row), "filtered": within is not None}
        said, body = await self._ask(collection, asked, row.tobytes() + only)
        ids = np.frombuffer(body, np.int64, said["count"])
        scores = np.frombuffer(body, np.float64, said["count"], offset=ids.nbytes)
        return [Hit(*one) for one in zip(ids.tolist(), scores.tolist(), strict=True)]

    async def ids(self, collection: UUID) -> Ids:
        """Return the ids of all that is there, sorted; what is written meanwhile may be among them."""
        parts, offset = [], 0
        while offset is not None:
            said, body = await self._ask(collection, {"do": "ids", "offset": offset, "limit": PAGE})
            parts.append(np.frombuffer(body, np.int64))
            offset = said["next"]
        return np.sort(np.concatenate(parts))

    async def close(self) -> None:
        """Let go of the folder: all is on the disk then."""
        self._closed = True
        await tasks.end(*self._optimising.values())
        async with self._starting:
            if self._process:
                await self._process.close()
                self._process = None

    async def settle(self) -> None:
        """Wait for the graphs that are being made."""
        await asyncio.gather(*self._optimising.values())

    async def _ask(
        self, collection: UUID, asked: dict[str, Any], body: bytes = b""
    ) -> tuple[dict[str, Any], bytes]:
        """Ask as often as it takes: each question may be asked twice. Who kills twice is set aside."""
        asked |= {"collection": str(collection)}
        killed = 0
        for _ in range(LIVES):
            process = await self._alive()
            try:
                if killed == 2:
                    said = "the process that opened it died, twice"
                    await process.ask({"do": "put_aside", "collection": str(collection), "said": said})
                return await process.ask(asked, body)
            except ProcessDied as died:
                killed += died.was_next
        raise VectorsUnavailable("the process that keeps the vectors died again and again: see the log")

    async def _alive(self) -> ShardProcess:
        async with self._starting:
            if self._closed:
                raise VectorsUnavailable("the index of vectors is closed")
            if self._process and self._process.dead:
                await self._process.close()
                self._process = None
            if self._process is None:
                self._process = await ShardProcess.start(self.folder)
            return self._process

    async def _optimise(self, collection: UUID) -> None:
        """Let the graph be made beside the shard; a failure is logged, and the next write tries again."""
        try:
            if not await self._rebuilt(collection):
                log.error("the graph of the vectors of %s could not be made; searches go on", collection)
        except VectorsUnavailable as failed:
            log.error("the graph of the vectors of %s could not be made: %s", collection, failed)
        finally:
            del self._optimising[collection]

    async def _rebuilt(self, collection: UUID) -> bool:
        """Make the graph of a copy in a process of its own, bring the copy up to date, let it take over."""
        async with self._writing[collection]:
            said, _ = await self._ask(collection, {"do": "begin"})
            if said["source"] is None:
                return True
            pipe = asyncio.subprocess.PIPE
            builder = await run("optimise", said["source"], said["target"], stdout=pipe)
            assert builder.stdout is not None
            try:
                copied = await builder.stdout.readline()
            except BaseException:
                await tasks.finish(_stopped(builder))
                raise
        try:
            if not copied or await builder.wait() != 0:
                await self._ask(collection, {"do": "abandon"})
                return False
        finally:
            await tasks.finish(_stopped(builder))
        while await self._absorbed(collection):
            pass
        return True

    async def _absorbed(self, collection: UUID) -> int:
        async with self._writing[collection]:
            said, _ = await self._ask(collection, {"do": "absorb"})
        return int(said["left"])


async def _stopped(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
