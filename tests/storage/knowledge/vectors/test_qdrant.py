"""Vectors on Qdrant, by its client's own local mode: no server is at hand (see `test_contract`)."""

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore
from qdrant_client import AsyncQdrantClient, QdrantClient, models
from tests.storage.knowledge.vectors.clusters import clustered

from artel.storage.knowledge.vectors.checking import VectorsUnavailable
from artel.storage.knowledge.vectors.qdrant import QdrantVectors

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")

ROWS = clustered(50, 16)


class Rows(Embeddings):
    """Embeds the number of a row as that row."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        found: list[float] = ROWS[int(text) if text.isdigit() else 0].tolist()  # it tries one of its own
        return found


async def test_the_store_of_langchain_reads_the_same_collection(tmp_path: Path) -> None:
    collection, place = uuid4(), str(tmp_path / "qdrant")
    index = QdrantVectors(AsyncQdrantClient(path=place))
    await index.add(collection, np.arange(50), ROWS)
    await index.close()
    client = QdrantClient(path=place)
    store = QdrantVectorStore(client, index.name(collection), Rows())
    ((document, score),) = store.similarity_search_with_score("7", k=1)
    assert document.metadata["chunk_id"] == 7
    assert score == pytest.approx(1.0, abs=1e-4)
    client.close()


async def test_a_large_collection_is_quantised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = AsyncQdrantClient(location=":memory:")
    asked: list[models.ScalarQuantization] = []

    async def update(name: str, *, quantization_config: models.ScalarQuantization) -> bool:
        asked.append(quantization_config)
        return True

    monkeypatch.setattr(client, "update_collection", update)  # local mode keeps no bytes
    index = QdrantVectors(client, quantised_from=40)
    collection = uuid4()
    await index.add(collection, np.arange(40), ROWS[:40])
    assert asked == []
    await index.add(collection, np.arange(40, 50), ROWS[40:])
    assert [one.scalar.type for one in asked] == [models.ScalarType.INT8]
    await index.close()


async def test_a_server_that_does_not_answer_is_said() -> None:
    with pytest.raises(VectorsUnavailable, match="does not answer for http://127"):
        await QdrantVectors.open("http://127.0.0.1:9")
