"""The store that graphs are given, and the wire speaks to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from langgraph.store.base import (
    BaseStore,
    GetOp,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchOp,
    TTLConfig,
    validate_op_namespace,
)

from artel.storage.encoding import loads
from artel.storage.postgres import Connection, Database
from artel.storage.sealing import Sealer
from artel.storage.store import items, searching
from artel.storage.store.index import Embedded, Index
from artel.storage.store.items import Put
from artel.storage.store.texts import json_of, key_of, mapping_of, minutes_of, prefix_of

Step: TypeAlias = Callable[[Connection], Awaitable[None]]


class Store(BaseStore):
    """LangGraph's store over our pools: no queue, no lock, no task of its own; nothing to close.

    One operation, or many gets or puts, are one statement; a batch of several kinds is one transaction, in
    which reads see what was there before it. The model embeds before a connection is borrowed. Nodes in
    threads may use it synchronously; what comes from another event loop is done in the one it was made in.
    """

    supports_ttl = True

    def __init__(self, db: Database, *, index: Index | None = None, ttl: TTLConfig | None = None) -> None:
        self.db = db
        self.index = index
        self.ttl_config = ttl
        self._loop = asyncio.get_running_loop()

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do operations; a later put of a key stands for all of them.

        Raises:
            InvalidNamespaceError: a label is empty, is no text, or has a dot.
            Invalid: a key, a value, a time or a bound cannot be used; the message names it.
            EmbeddingFailed: the embedding model failed.
            Unsearchable: what a filter looks for is encrypted.
            Unavailable: the database does not answer.
        """
        if asyncio.get_running_loop() is not self._loop:
            there = asyncio.run_coroutine_threadsafe(self.abatch(list(ops)), self._loop)
            return await asyncio.wrap_future(there)
        given = list(ops)
        results: list[Result] = [None] * len(given)
        steps = await self._steps(given, results)
        if len(steps) == 1:
            async with self.db.connection() as conn:
                await steps[0](conn)
        elif steps:
            async with self.db.transaction() as conn:
                for step in steps:
                    await step(conn)
        return results

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do operations from a thread, while the event loop goes on.

        Raises:
            InvalidStateError: the caller is in the event loop itself, which would wait for itself for ever.
        """
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            raise asyncio.InvalidStateError(
                "an async node must await the store: `await store.aget(...)`, not `store.get(...)`"
            )
        return asyncio.run_coroutine_threadsafe(self.abatch(list(ops)), self._loop).result()

    async def sweep(self) -> int:
        """Remove what has expired; how many items that were."""
        swept = 0
        while True:
            async with self.db.connection() as conn:
                gone = await items.sweep(conn)
            swept += gone
            if gone < items.SWEPT_AT_ONCE:
                return swept

    async def _steps(self, given: list[Op], results: list[Result]) -> list[Step]:
        """Check and prepare all operations, reads first; nothing is asked of the database yet."""
        gets: list[tuple[int, GetOp]] = []
        puts: dict[tuple[str, str], PutOp] = {}
        steps: list[Step] = []
        for place, op in enumerate(given):
            validate_op_namespace(op)
            match op:
                case GetOp():
                    gets.append((place, op))
                case SearchOp():
                    steps.append(await self._search(place, op, results))
                case ListNamespacesOp():
                    steps.append(_list(place, op, results))
                case PutOp():
                    puts[prefix_of(op.namespace), key_of(op.key)] = op
        if gets:
            steps.insert(0, _get(gets, results))
        return steps + await self._writes(puts)

    async def _search(self, place: int, op: SearchOp, results: list[Result]) -> Step:
        searching.check(op)
        if self.db.sealer and op.filter:
            await searching.check_clear(self.db.sealer, op.filter)
        vector = await self.index.question(op.query) if self.index and op.query else None

        async def search(conn: Connection) -> None:
            results[place] = await searching.search(conn, op, vector)

        return search

    async def _writes(self, puts: dict[tuple[str, str], PutOp]) -> list[Step]:
        doomed = [place for place, op in puts.items() if op.value is None]
        kept = [
            Put(prefix, key, json_of(mapping_of(op.value), "value"), minutes_of(op.ttl))
            for (prefix, key), op in puts.items()
            if op.value is not None
        ]
        steps: list[Step] = []
        if doomed:

            async def delete(conn: Connection) -> None:
                await items.delete(conn, doomed)

            steps.append(delete)
        if kept:
            embedded = await self._embedded(kept, puts)
            stored = [await _sealed(self.db.sealer, one) for one in kept] if self.db.sealer else kept

            async def put(conn: Connection) -> None:
                await items.put(conn, stored, embedded)

            steps.append(put)
        return steps

    async def _embedded(self, kept: Sequence[Put], puts: dict[tuple[str, str], PutOp]) -> Embedded | None:
        """Embed values as they will be read."""
        if self.index is None:
            return None
        read: Any = loads
        return await self.index.embed(
            (one.prefix, one.key, read(one.value), puts[one.prefix, one.key]) for one in kept
        )


async def _sealed(sealer: Sealer, one: Put) -> Put:
    value: Any = loads(one.value)
    return replace(one, value=json_of(await sealer.seal_value("store", "value", value), "value"))


def _get(gets: Sequence[tuple[int, GetOp]], results: list[Result]) -> Step:
    wanted = [(prefix_of(op.namespace), key_of(op.key), op.refresh_ttl) for _, op in gets]

    async def get(conn: Connection) -> None:
        for (place, _), item in zip(gets, await items.get(conn, wanted), strict=True):
            results[place] = item

    return get


def _list(place: int, op: ListNamespacesOp, results: list[Result]) -> Step:
    searching.check(op)

    async def list_(conn: Connection) -> None:
        results[place] = await searching.namespaces(conn, op)

    return list_
