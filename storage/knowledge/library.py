"""The library: the indexes of all collections in one process, kept equal to what Postgres holds."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic
from uuid import UUID

import numpy as np

from artel.storage.broker import Broker, notify
from artel.storage.errors import ArtelError, Conflict
from artel.storage.ids import new_id
from artel.storage.knowledge import chunks, collections
from artel.storage.knowledge.collections import Collection, UnknownCollection
from artel.storage.knowledge.hits import Embedder, Hit, Ids, VectorIndex, Vectors
from artel.storage.knowledge.shelves import Lexical, Shelf, add_made, bring, make_vectors, sorted_ids
from artel.storage.postgres import Database

GRACE_S = 60.0  # for searches that are on, before an index is dropped that another has replaced
BUILDING_S = 24 * 3600.0  # after which a rebuild is surely given up

BUILD = """
insert into dropped_indexes (index_key, drop_after)
values (%(index_key)s, clock_timestamp() + make_interval(secs => %(building_s)s))
"""
SWAP = """
with swapped as (
    update collections set index_key = %(new)s
     where collection_id = %(collection_id)s and owner = %(owner)s and index_key = %(old)s
    returning collection_id
), kept as (
    delete from dropped_indexes where index_key = %(new)s and exists (select from swapped)
)
insert into dropped_indexes (index_key, drop_after)
select %(old)s, clock_timestamp() + make_interval(secs => %(grace_s)s) from swapped
returning index_key
"""
DUE = "select index_key from dropped_indexes where drop_after <= clock_timestamp() order by drop_after"
DROPPED = "delete from dropped_indexes where index_key = %(index_key)s"
GIVEN_UP = "update dropped_indexes set drop_after = clock_timestamp() where index_key = %(index_key)s"

log = logging.getLogger(__name__)


class RebuiltMeanwhile(Conflict):
    """Another process has built the indexes anew at the same time; its one is used."""

    code = "rebuilt_meanwhile"


@dataclass(frozen=True, slots=True)
class Report:
    """What indexes have too little or too much, by chunk id, at the revision that they are at."""

    revision: int
    newest: int
    chunks: int
    lexical_lacks: Ids
    lexical_has_more: Ids
    vectors_lack: Ids  # but for those that wait for their vector
    vectors_have_more: Ids
    waiting: int  # chunks whose vector is not made yet

    @property
    def equal(self) -> bool:
        """Whether both indexes have what Postgres has."""
        parts = (self.lexical_lacks, self.lexical_has_more, self.vectors_lack, self.vectors_have_more)
        return not any(len(part) for part in parts)


class Library(Generic[Lexical]):
    """The indexes of all collections in one process.

    `embedder` may be None: chunks then wait until another process has made their vectors.
    """

    def __init__(
        self,
        db: Database,
        vectors: VectorIndex,
        make_lexical: Callable[[], Lexical],
        *,
        embedder: Embedder | None = None,
    ) -> None:
        self.vectors = vectors
        self.embedder = embedder
        self._db = db
        self._make_lexical = make_lexical
        self._shelves: dict[UUID, Shelf[Lexical]] = {}
        self._turns: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)  # to change an index
        self._models: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)  # to embed: that takes long

    def lexical(self, collection: Collection) -> Lexical:
        """Return the index of words of a collection, as the last `sync` left it; before it, an empty one."""
        return self._shelf(collection).lexical

    async def near(
        self, collection: Collection, vector: Vectors, *, limit: int, within: Ids | None = None
    ) -> list[Hit]:
        """Return the chunks near a vector, shape (d,), as the last `sync` left them; before it, none."""
        key = self._shelf(collection).key
        if key is None:
            return []
        return await self.vectors.search(key, vector, limit=limit, within=within)

    async def sync(self, collection: Collection, *, embed: bool = True) -> Collection:
        """Bring both indexes to what Postgres holds, and return the collection as it was then.

        `embed`: vectors that are missing are made, while others may sync and search; else their chunks wait,
        and words alone find them. Nothing new costs one query. What fails is made good by the next call.

        Raises:
            UnknownCollection: it has been dropped; so are its indexes here.
            EmbedderTaken: its vectors are those of another model than ours.
        """
        now = await self._sync(collection)
        if not embed or not self._shelf(now).waiting:
            return now
        async with self._models[now.collection_id]:
            while self.embedder and (some := self._shelf(now).some()) is not None:
                await make_vectors(self._db, self.embedder, now, some)
                async with self._turns[now.collection_id]:
                    await add_made(self._db, self.vectors, self._shelf(now), now, some)
                if self._shelf(now).waits_for_all(some):
                    break
            return await self._sync(now)

    async def check(self, collection: Collection) -> Report:
        """Compare the ids in Postgres, in the words and in the vectors; nothing is changed.

        Raises:
            UnknownCollection: it has been dropped.
        """
        async with self._turns[collection.collection_id]:
            shelf = self._shelf(collection)
            async with self._db.connection() as conn:
                now = await collections.get(conn, collection.collection_id, owner=collection.owner)
                words_at = now.revision if shelf.lexical_at is None else shelf.lexical_at
                vectors_at = now.revision if shelf.vectors_at is None else shelf.vectors_at
                words = await chunks.ids(conn, now, at=words_at)
                meant = await chunks.ids(conn, now, at=vectors_at)
            has_words = await asyncio.to_thread(shelf.lexical.ids)
            has = await self.vectors.ids(shelf.key or now.index_key)
        waiting = sorted_ids(shelf.waiting)
        lacks = np.setdiff1d(meant, has) if now.embedder else meant[:0]
        return Report(
            revision=min(words_at, vectors_at) if now.embedder else words_at,
            newest=now.revision,
            chunks=len(words),
            lexical_lacks=np.setdiff1d(words, has_words),
            lexical_has_more=np.setdiff1d(has_words, words),
            vectors_lack=np.setdiff1d(lacks, waiting),
            vectors_have_more=np.setdiff1d(has, meant),
            waiting=len(np.intersect1d(lacks, waiting)),
        )

    async def rebuild(self, collection: Collection) -> Collection:
        """Build both indexes anew beside those there are, and swap; searches find all the while.

        Vectors come from where they are kept; only missing ones are made.

        Raises:
            RebuiltMeanwhile: another process was quicker, and its vectors stay.
            UnknownCollection: it has been dropped.
            EmbedderTaken: its vectors are those of another model than ours.
        """
        async with self._models[collection.collection_id]:
            old, new = await self._sync(collection), Shelf(self._make_lexical(), key=new_id())
            async with self._db.connection() as conn:
                await conn.execute(BUILD, {"index_key": new.key, "building_s": BUILDING_S})
            try:
                await self._build(new, old)
                async with self._turns[old.collection_id]:
                    await self._swap(old, new)
                    self._shelves[old.collection_id] = new
            except BaseException:
                async with self._db.connection() as conn:
                    await conn.execute(GIVEN_UP, {"index_key": new.key})
                raise
            return await self._sync(old)

    async def sweep(self) -> int:
        """Drop vectors of collections that are gone, and of indexes that were replaced; say how many."""
        async with self._db.connection() as conn:
            due = [row["index_key"] async for row in await conn.execute(DUE)]
        for key in due:
            await self.vectors.drop(key)
            async with self._db.connection() as conn:
                await conn.execute(DROPPED, {"index_key": key})
        return len(due)

    async def follow(self, broker: Broker) -> None:
        """Sync what changes elsewhere, for ever, so that a search has little left to read.

        Vectors are not made. What fails is logged, and made good by the next sync.
        """
        async with broker.listen(collections.CHANGED) as changed:
            async for body in changed:
                shelf = self._shelves.get(UUID(body))
                if shelf and shelf.collection:
                    try:
                        await self.sync(shelf.collection, embed=False)
                    except ArtelError as failed:
                        log.info("collection %s was not brought up to date: %s", body, failed)

    def _shelf(self, collection: Collection) -> Shelf[Lexical]:
        found = self._shelves.get(collection.collection_id)
        if found is None:
            found = self._shelves[collection.collection_id] = Shelf(self._make_lexical())
        return found

    async def _sync(self, collection: Collection) -> Collection:
        async with self._turns[collection.collection_id]:
            try:
                now = await self._bound(collection)
                shelf = self._shelf(now)
                await bring(self._db, self.vectors, shelf, now)
            except UnknownCollection:
                gone = self._shelves.pop(collection.collection_id, None)
                if gone and gone.key:
                    await self.vectors.drop(gone.key)
                raise
            shelf.collection = now
            return now

    async def _bound(self, collection: Collection) -> Collection:
        """Return a collection as it is, with our embedder, unless we have none."""
        async with self._db.connection() as conn:
            now = await collections.get(conn, collection.collection_id, owner=collection.owner)
            ours = self.embedder
            if ours is None or (now.embedder, now.dimension) == (ours.name, ours.dimension):
                return now
            return await collections.bind(conn, now, embedder=ours.name, dimension=ours.dimension)

    async def _build(self, new: Shelf[Lexical], old: Collection) -> None:
        """Fill the indexes of a rebuild; no search sees them, so nobody waits."""
        assert new.key
        beside = replace(old, index_key=new.key)
        await bring(self._db, self.vectors, new, beside)
        while self.embedder and (some := new.some()) is not None:
            await make_vectors(self._db, self.embedder, beside, some)
            await add_made(self._db, self.vectors, new, beside, some)
            if new.waits_for_all(some):
                break

    async def _swap(self, old: Collection, new: Shelf[Lexical]) -> None:
        values = {**old.whose, "old": old.index_key, "new": new.key, "grace_s": GRACE_S}
        async with self._db.transaction() as conn:
            if await (await conn.execute(SWAP, values)).fetchone() is None:
                await collections.get(conn, old.collection_id, owner=old.owner)
                raise RebuiltMeanwhile(
                    f"the indexes of {old.name!r} were rebuilt by another process meanwhile"
                )
            await notify(conn, collections.CHANGED, str(old.collection_id))
