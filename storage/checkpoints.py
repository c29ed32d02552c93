"""Checkpoints: LangGraph's saver over our pool, one a run, fenced by the run's attempt."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row

from artel.storage.encoding import dumps
from artel.storage.events import Held, Resolve, ValuesRef
from artel.storage.postgres import Connection, Database

FENCE = "select artel_fence(%(run_id)s, %(attempt)s)"

DELETE_THREAD = (
    "delete from checkpoints where thread_id = %(thread_id)s",
    "delete from checkpoint_blobs where thread_id = %(thread_id)s",
    "delete from checkpoint_writes where thread_id = %(thread_id)s",
)

DELETE_RUN = (
    """
delete from checkpoint_writes w using checkpoints c
 where w.thread_id = %(thread_id)s and c.thread_id = w.thread_id and c.checkpoint_ns = w.checkpoint_ns
   and c.checkpoint_id = w.checkpoint_id and c.metadata ->> 'run_id' = %(run_id)s
""",
    "delete from checkpoints where thread_id = %(thread_id)s and metadata ->> 'run_id' = %(run_id)s",
)


class Saver(AsyncPostgresSaver):
    """A saver over our pool, without LangGraph's lock around every operation."""

    def __init__(self, db: Database) -> None:
        super().__init__(db.pool)
        self.db = db

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        borrowed = self.db.transaction(batch=True) if pipeline else self.db.connection()
        async with borrowed as conn, conn.cursor(binary=True, row_factory=dict_row) as cursor:
            yield cursor


class RunSaver(Saver):
    """The saver of one attempt of a run: what it writes counts only while the attempt does."""

    def __init__(self, db: Database, run_id: UUID, attempt: int) -> None:
        super().__init__(db)
        self.run_id = run_id
        self.attempt = attempt
        self._closed = False

    def close(self) -> None:
        """Write nothing more: what the graph still puts down goes nowhere."""
        self._closed = True

    def holding(self, values: Mapping[str, Any]) -> str | None:
        """Return the id of a committed checkpoint of the root graph that holds these very objects."""
        return None

    def reference(self, values: Mapping[str, Any], data: bytes) -> Held:
        """Return what an event with these values asks when it is stored."""
        return lambda: None

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint.

        Raises:
            StaleAttempt: another worker has the run now; nothing is written.
        """
        if self._closed:
            return config
        return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Save what a task wrote.

        Raises:
            StaleAttempt: another worker has the run now; nothing is written.
        """
        if not self._closed:
            await super().aput_writes(config, writes, task_id, task_path)

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        async with super()._cursor(pipeline=pipeline) as cursor:
            if pipeline:
                await cursor.execute(FENCE, {"run_id": self.run_id, "attempt": self.attempt})
            yield cursor


def reader(db: Database) -> AsyncPostgresSaver:
    """Return an unfenced saver, for reading state and for updates by people."""
    return Saver(db)


def resolver(db: Database) -> Resolve:
    """Return what follows the references of stored `values` events."""
    saver = Saver(db)

    async def resolve(ref: ValuesRef) -> bytes | None:
        configurable = {"thread_id": ref.thread_id, "checkpoint_ns": "", "checkpoint_id": ref.checkpoint_id}
        found = await saver.aget_tuple({"configurable": configurable})
        if found is None:
            return None
        values = found.checkpoint["channel_values"]
        return dumps({key: values[key] for key in ref.keys}) if values.keys() >= set(ref.keys) else None

    return resolve


async def delete_thread(conn: Connection, thread_id: UUID) -> None:
    """Remove all checkpoints of a thread."""
    for query in DELETE_THREAD:
        await conn.execute(query, {"thread_id": str(thread_id)})


async def delete_run(conn: Connection, thread_id: UUID, run_id: UUID) -> None:
    """Remove the checkpoints of a run: the thread is again as it was before it."""
    for query in DELETE_RUN:
        await conn.execute(query, {"thread_id": str(thread_id), "run_id": str(run_id)})
