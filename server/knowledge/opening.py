"""Opens what searches: the embedder, the vectors, the library over both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from artel.storage.broker import Broker
from artel.storage.knowledge.embedders.opening import EmbedderChoice
from artel.storage.knowledge.embedders.opening import opened as open_embedder
from artel.storage.knowledge.hits import VectorIndex
from artel.storage.knowledge.library import Library
from artel.storage.knowledge.vectors.opening import VectorChoice, open_vectors
from artel.storage.knowledge.vectors.shard_process import OwnedElsewhere
from artel.storage.knowledge.words import Words
from artel.storage.postgres import Database
from artel.tools.knowledge.searching import Searching
from artel.tools.knowledge.settings import KnowledgeSettings

FOLDERS = (
    32  # processes on one data folder, each with an index of its own: it is made from what Postgres holds
)


@asynccontextmanager
async def searching(
    db: Database, broker: Broker, settings: KnowledgeSettings, data: Path
) -> AsyncIterator[Searching]:
    """Yield what searches.

    Raises:
        ArtelError: the embedder or the index cannot be opened; the message says why.
    """
    async with AsyncExitStack() as stack:
        embedder = await open_embedder(_embedder(settings), models=data / "models")
        if embedder:
            stack.push_async_callback(embedder.close)
        vectors = await _vectors(stack, db, settings, data)
        library = Library(db, vectors, Words, embedder=embedder)
        following = asyncio.create_task(library.follow(broker), name="knowledge that changes elsewhere")
        try:
            yield Searching(db, library)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following


async def _vectors(
    stack: AsyncExitStack, db: Database, settings: KnowledgeSettings, data: Path
) -> VectorIndex:
    if settings.vectors != "edge":
        key = settings.qdrant_key.get_secret_value()
        choice = VectorChoice(settings.vectors, url=settings.qdrant_url, key=key, pool=db)
        return await stack.enter_async_context(open_vectors(choice))
    for number in range(1, FOLDERS):
        choice = VectorChoice("edge", folder=data / "vectors" / str(number))
        with suppress(OwnedElsewhere):
            return await stack.enter_async_context(open_vectors(choice))
    return await stack.enter_async_context(open_vectors(choice))


def _embedder(settings: KnowledgeSettings) -> EmbedderChoice:
    return EmbedderChoice(
        kind=settings.embedder,
        model=settings.model,
        languages=frozenset(settings.languages),
        url=settings.url,
        api_key=settings.api_key.get_secret_value(),
        revision=settings.revision,
        threads=settings.threads,
    )
