"""Documents for tests of what is known."""

import re
from typing import Any

from artel.storage.knowledge import collections, documents
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.documents import Draft, Outcome, Piece
from artel.storage.postgres import Connection


def draft(external_id: str, text: str, *, header: str = "", **more: Any) -> Draft:
    """A document of which each line is a chunk."""
    pieces = [Piece(*line.span(), header) for line in re.finditer(r"[^\n]+", text)]
    return Draft(external_id, text, chunker="lines 1", **{"pieces": pieces, **more})


async def put(conn: Connection, collection: Collection, *drafts: Draft, **more: Any) -> list[str]:
    """Put documents, and return what became of each."""
    return [outcome.result for outcome in await outcomes(conn, collection, *drafts, **more)]


async def outcomes(conn: Connection, collection: Collection, *drafts: Draft, **more: Any) -> list[Outcome]:
    return await documents.put(conn, collection, drafts, **more)


async def now(conn: Connection, collection: Collection) -> Collection:
    """The collection as it is by now."""
    return await collections.get(conn, collection.collection_id, owner=collection.owner)
