"""Which index of vectors is opened."""

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from artel.storage.errors import Invalid
from artel.storage.knowledge.vectors.edge import EdgeVectors
from artel.storage.knowledge.vectors.opening import VectorChoice, open_vectors
from artel.storage.knowledge.vectors.pgvector import PgVectors
from artel.storage.postgres import Database


async def test_a_folder_is_free_again_after_its_use(tmp_path: Path) -> None:
    choice, collection = VectorChoice(folder=tmp_path / "data" / "vectors"), uuid4()
    for _ in range(2):
        async with open_vectors(choice) as index:
            assert isinstance(index, EdgeVectors)
            await index.add(collection, np.array([1]), np.eye(2, dtype=np.float32)[:1])
    assert (tmp_path / "data" / "vectors").stat().st_mode & 0o077 == 0


async def test_a_pool_opens_the_vectors_of_its_database(db: Database) -> None:
    async with open_vectors(VectorChoice(kind="pgvector", pool=db)) as index:
        assert isinstance(index, PgVectors)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (VectorChoice(kind="edge"), "'edge' need a folder"),
        (VectorChoice(kind="pgvector"), "'pgvector' need a pool"),
        (VectorChoice(kind="qdrant"), "'qdrant' need the URL"),
    ],
)
async def test_what_a_kind_needs_is_said(choice: VectorChoice, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        async with open_vectors(choice):
            pass
