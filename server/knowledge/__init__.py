"""What the server knows: opened when it is first asked for, since much is to be loaded and most never ask."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from artel.storage.broker import Broker
from artel.storage.errors import ArtelError
from artel.storage.postgres import Database
from artel.tools.knowledge.settings import KnowledgeSettings

if TYPE_CHECKING:
    from artel.storage.knowledge.collections import Collection
    from artel.storage.knowledge.documents import Outcome
    from artel.tools.knowledge.searching import Searching

log = structlog.get_logger(__name__)


class Knowledge:
    """The library of a process, and who makes missing vectors in the background."""

    def __init__(self, db: Database, broker: Broker, settings: KnowledgeSettings, *, data: Path) -> None:
        self.settings = settings
        self._db = db
        self._broker = broker
        self._data = data
        self._open = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._searching: Searching | None = None
        self._making: dict[UUID, asyncio.Task[None]] = {}

    async def ready(self) -> "Searching":
        """Return what searches; opened by the first who asks, which takes some seconds the very first time.

        Raises:
            ArtelError: the embedder or the index cannot be opened; the message says why.
        """
        async with self._opening:
            if self._searching is None:
                opening: Any = await asyncio.to_thread(import_module, "artel.server.knowledge.opening")
                opened: AbstractAsyncContextManager[Searching] = opening.searching(
                    self._db, self._broker, self.settings, self._data
                )
                self._searching = await self._open.enter_async_context(opened)
            return self._searching

    async def add(
        self, given: Sequence[dict[str, Any]], *, owner: str, collection: str
    ) -> tuple["Collection", list["Outcome"]]:
        """Put documents, each with the fields of `tools.knowledge.adding.Given`; see `adding.add`."""
        adding: Any = await asyncio.to_thread(import_module, "artel.tools.knowledge.adding")
        documents = [adding.Given(**one) for one in given]
        return await adding.add(self._db, documents, owner=owner, collection=collection)  # type: ignore[no-any-return]

    def make_vectors(self, collection: "Collection") -> "asyncio.Task[None]":
        """Make the vectors that a collection lacks, beside all else; one task a collection."""
        running = self._making.get(collection.collection_id)
        if running is None or running.done():
            running = asyncio.create_task(self._make(collection), name=f"vectors of {collection.name}")
            self._making[collection.collection_id] = running
        return running

    async def close(self) -> None:
        """Stop what is made, and let go of files; what is not made yet is made when it is next asked for."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._open.aclose()

    async def _make(self, collection: "Collection") -> None:
        try:
            searching = await self.ready()
            await searching.library.sync(collection)
        except ArtelError as failed:
            log.warning("vectors could not be made", collection=collection.name, reason=str(failed))


@asynccontextmanager
async def open_knowledge(
    db: Database, broker: Broker, settings: KnowledgeSettings, *, data: Path
) -> AsyncIterator[Knowledge]:
    """Yield what a process knows; nothing is opened before somebody asks."""
    knowledge = Knowledge(db, broker, settings, data=data)
    try:
        yield knowledge
    finally:
        await knowledge.close()
