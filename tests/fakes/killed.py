"""A process that changes a collection, syncs its indexes, and is killed at a write of the vector index.

python -m tests.fakes.killed DSN COLLECTION FILE WRITE before|after
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from tests.fakes.indexes import FileVectors, Hashes, Words
from tests.fakes.written import draft, put

from artel.storage.knowledge import collections, documents, shelves
from artel.storage.knowledge.library import Library
from artel.storage.postgres import open_database


class Killed(FileVectors):
    """An index at whose n-th write the process dies."""

    def __init__(self, file: Path, at: int, when: str) -> None:
        super().__init__(file)
        self.left = at
        self.when = when

    def _write(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        falls, self.left = self.left == 0, self.left - 1
        if falls and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super()._write(query, rows)
        if falls:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(dsn: str, collection_id: str, file: str, at: str, when: str) -> None:
    """Delete one document, change one, add one; sync in pages of two."""
    shelves.PAGE = 2
    async with open_database(dsn) as db:
        async with db.connection() as conn:
            collection = await collections.get(conn, UUID(collection_id), owner="ada")
        books = Library(db, Killed(Path(file), int(at), when), Words, embedder=Hashes())
        async with db.transaction() as conn:
            await documents.delete(conn, collection, ["a"])
            await put(conn, collection, draft("b", "four\nsix\nseven"), draft("c", "four\neight\nnine\nten"))
        await books.sync(collection)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
