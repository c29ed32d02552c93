"""Vectors on a Qdrant server, for many machines; its collections can be read by langchain-qdrant."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from artel.storage.knowledge.hits import Hit, Ids, Vectors
from artel.storage.knowledge.vectors import checking
from artel.storage.knowledge.vectors.checking import VectorsUnavailable

BATCH = 256  # vectors of a request: 2 MB of JSON at 384 numbers
PAGE = 10_000  # ids
TIMEOUT_S = 30
EF = 128
FEW = 10_000  # ids of a filter, 100 kB; what is more is picked out of the nearest
MOST_TAKEN = 5_000
QUANTISED_FROM = 100_000  # vectors: their bytes are kept in memory, a quarter of the floats
QUANTISATION = models.ScalarQuantization(
    scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
)
RESCORED = models.QuantizationSearchParams(rescore=True, oversampling=2.0)


class QdrantVectors:
    """A `VectorIndex` on a server; `open` makes one. A collection is called `PREFIX` and its id there.

    `quantised_from`: of more vectors the server searches bytes, and scores twice as many as are wanted anew
    by their floats.
    """

    def __init__(
        self, client: AsyncQdrantClient, *, prefix: str = "artel_", quantised_from: int = QUANTISED_FROM
    ) -> None:
        self.prefix = prefix
        self.quantised_from = quantised_from
        self._client = client

    @classmethod
    async def open(cls, url: str, *, key: str = "", prefix: str = "artel_") -> "QdrantVectors":
        """Reach the server at `url`, with its key.

        Raises:
            VectorsUnavailable: it does not answer, or refuses the key.
        """
        client = AsyncQdrantClient(url=url, api_key=key or None, timeout=TIMEOUT_S, check_compatibility=False)
        try:
            with _speaking(url):
                await client.get_collections()
        except VectorsUnavailable:
            await client.close()
            raise
        return cls(client, prefix=prefix)

    async def add(self, collection: UUID, chunk_ids: Ids, vectors: Vectors) -> None:
        """Put vectors in, 256 in a request; of a failure some may be in.

        Raises:
            WrongVectors: ids and vectors do not fit, or one is no number.
            WrongDimension: the collection holds vectors of another length.
            VectorsUnavailable: the server does not answer, or takes no more.
        """
        ids, rows = checking.batch(chunk_ids, vectors)
        if not len(ids):
            return
        name = self.name(collection)
        with _speaking(name):
            held = await self._held(name) or await self._created(name, rows.shape[1])
            checking.fits(rows.shape[1], _dimension(held))
            for begin in range(0, len(ids), BATCH):
                end = begin + BATCH
                points = [
                    models.PointStruct(id=one, vector=row, payload={"metadata": {"chunk_id": one}})
                    for one, row in zip(ids[begin:end].tolist(), rows[begin:end].tolist(), strict=True)
                ]
                await self._client.upsert(name, points, wait=True)
            if held.config.quantization_config is None:
                await self._quantise(name)

    async def remove(self, collection: UUID, chunk_ids: Ids) -> None:
        """Take chunks out; one that is not there is no error.

        Raises:
            VectorsUnavailable: the server does not answer.
        """
        name = self.name(collection)
        with _speaking(name):
            if await self._client.collection_exists(name):
                for begin in range(0, len(chunk_ids), PAGE):
                    points = models.PointIdsList(points=chunk_ids[begin : begin + PAGE].tolist())
                    await self._client.delete(name, points, wait=True)

    async def drop(self, collection: UUID) -> None:
        """Forget a collection; one that is not there is no error.

        Raises:
            VectorsUnavailable: the server does not answer.
        """
        with _speaking(self.name(collection)):
            await self._client.delete_collection(self.name(collection))

    async def search(
        self, collection: UUID, vector: Vectors, *, limit: int, within: Ids | None = None
    ) -> list[Hit]:
        """Return the nearest by cosine, best first, among `within` (sorted ids) if it is given.

        Raises:
            WrongVectors, WrongDimension: the vector is none of this collection.
            VectorsUnavailable: the server does not answer.
        """
        row = checking.question(vector)
        if limit < 1 or (within is not None and not len(within)):
            return []
        name = self.name(collection)
        with _speaking(name):
            if (held := await self._held(name)) is None:
                return []
            checking.fits(len(row), _dimension(held))
            if within is None:
                return await self._nearest(name, row, limit)
            if len(within) > FEW:
                found = await self._picked(name, row, limit, within, held.points_count or 0)
                if found is not None:
                    return found
            only = models.Filter(must=[models.HasIdCondition(has_id=within.tolist())])
            return await self._nearest(name, row, limit, only)

    async def ids(self, collection: UUID) -> Ids:
        """Return the ids of all that is there, sorted; what is written meanwhile may be among them.

        Raises:
            VectorsUnavailable: the server does not answer.
        """
        name, found, offset = self.name(collection), [], None
        with _speaking(name):
            if not await self._client.collection_exists(name):
                return np.empty(0, np.int64)
            while True:
                records, offset = await self._client.scroll(
                    name, limit=PAGE, offset=offset, with_payload=False, with_vectors=False
                )
                found += [int(record.id) for record in records]
                if offset is None:
                    return np.sort(np.array(found, np.int64))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    def name(self, collection: UUID) -> str:
        """Return what the collection is called on the server."""
        return f"{self.prefix}{collection}"

    async def _held(self, name: str) -> models.CollectionInfo | None:
        try:
            return await self._client.get_collection(name)
        except UnexpectedResponse as refused:
            if refused.status_code == 404:
                return None
            raise
        except ValueError:  # of the client's local mode
            return None

    async def _created(self, name: str, dimension: int) -> models.CollectionInfo:
        try:
            await self._client.create_collection(
                name,
                vectors_config=models.VectorParams(size=dimension, distance=models.Distance.COSINE),
                hnsw_config=models.HnswConfigDiff(m=16, ef_construct=EF),
            )
        except UnexpectedResponse as refused:
            if refused.status_code != 409:  # another process was first
                raise
        return await self._client.get_collection(name)

    async def _quantise(self, name: str) -> None:
        if (await self._client.count(name, exact=False)).count > self.quantised_from:
            await self._client.update_collection(name, quantization_config=QUANTISATION)

    async def _picked(
        self, name: str, row: NDArray[np.float32], limit: int, within: Ids, total: int
    ) -> list[Hit] | None:
        """Return those of the nearest that are wanted, or None if they are too few."""
        take = 32 + int(1.5 * limit * total / len(within))
        while take <= MOST_TAKEN:
            found = await self._nearest(name, row, take)
            ids = np.fromiter((hit.chunk_id for hit in found), np.int64, len(found))
            kept = np.flatnonzero(np.isin(ids, within, assume_unique=True))
            if len(kept) >= limit or len(found) < take:
                return [found[n] for n in kept[:limit]]
            take *= 4
        return None

    async def _nearest(
        self, name: str, row: NDArray[np.float32], limit: int, only: models.Filter | None = None
    ) -> list[Hit]:
        params = models.SearchParams(hnsw_ef=max(EF, limit), quantization=RESCORED)
        answer = await self._client.query_points(
            name, query=row.tolist(), query_filter=only, limit=limit, search_params=params, with_payload=False
        )
        return [Hit(int(point.id), point.score) for point in answer.points]


def _dimension(held: models.CollectionInfo) -> int:
    params = held.config.params.vectors
    return params.size if isinstance(params, models.VectorParams) else 0


@contextmanager
def _speaking(to: str) -> Iterator[None]:
    try:
        yield
    except ResponseHandlingException as failed:
        raise VectorsUnavailable(f"the Qdrant server does not answer for {to}: {failed}") from failed
    except UnexpectedResponse as refused:
        raise VectorsUnavailable(
            f"the Qdrant server refuses {to}: {refused.status_code} {refused.reason_phrase}"
        ) from refused
    except ApiException as failed:
        raise VectorsUnavailable(f"the Qdrant server failed for {to}: {failed}") from failed
