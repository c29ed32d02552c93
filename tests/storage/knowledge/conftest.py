"""A collection of one's own."""

import pytest

from artel.storage.knowledge import collections
from artel.storage.knowledge.collections import Collection
from artel.storage.postgres import Connection, Database


@pytest.fixture
async def shelf(conn: Connection) -> Collection:
    """A collection in a transaction that is rolled back."""
    return await collections.make(conn, "shelf", owner="ada")


@pytest.fixture
async def kept(db: Database) -> Collection:
    """A collection in a database of its own."""
    async with db.connection() as conn:
        return await collections.make(conn, "kept", owner="ada")
