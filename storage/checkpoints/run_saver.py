"""The saver of one attempt of a run: fenced, coalescing, and aware of what it has stored."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.serde.types import INTERRUPT
from psycopg.rows import DictRow

from artel.storage import tasks
from artel.storage.checkpoints import sealed
from artel.storage.checkpoints.holding import WORTH, Channel, Held, Shelf, common, shown, typed_channel
from artel.storage.checkpoints.lists import LIST, Encoder, Item, shown_as
from artel.storage.checkpoints.rows import Rows
from artel.storage.checkpoints.saver import Encoded, Saver
from artel.storage.checkpoints.writing import Load, Saves, Writer
from artel.storage.events import Held as Reference
from artel.storage.postgres import Database


@dataclass(slots=True)
class Memory:
    """What the saver of a run knows; shared with the copies that LangGraph makes of it."""

    writer: Writer
    encoders: dict[str, Encoder] = field(default_factory=dict)  # by thread
    shelf: Shelf = field(default_factory=Shelf)
    channels: dict[str, dict[str, tuple[Any, Channel]]] = field(
        default_factory=dict
    )  # root graph: by version
    trusting: bool = False
    closed: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # rows are sealed in the order they were encoded
    unsealed: BaseException | None = None  # why rows were not: without them later ones mean nothing


class RunSaver(Saver):
    """A saver whose writes count only while the attempt does."""

    def __init__(
        self,
        db: Database,
        run_id: UUID,
        attempt: int,
        *,
        new_thread: bool = False,
        saves: Saves | None = None,
    ) -> None:
        """`saves`: shared with other runs of this process.

        `new_thread`: nothing was ever put down on it, so the first read need not be sent.
        """
        super().__init__(db)
        self._nothing_there = new_thread
        self.run_id = run_id
        self.attempt = attempt
        self.raised: dict[str, str] = {}  # questions by their ids: the namespace of the innermost graph
        self._memory = Memory(Writer(saves or Saves(db), run_id, attempt))

    def trust(self) -> None:
        """Let the next step begin before a save is committed: it is done when it is put down.

        A failure shows at the next save. Whoever ends the run writes `rest`, or calls `flush`.
        """
        self._memory.trusting = True

    def close(self) -> None:
        """Write nothing more: what the graph still puts down goes nowhere."""
        self._memory.closed = True

    async def flush(self) -> None:
        """Return when all that was put down is committed.

        Raises:
            StaleAttempt, Unavailable: it could not be.
        """
        if self.db.sealer:
            await self._in_turn()
        await self._memory.writer.flush()

    async def rest(self) -> Load:
        """Return what is not written yet, for whoever ends the run to write it with the ending.

        Raises:
            StaleAttempt, Unavailable: what was put down before could not be written.
        """
        if self.db.sealer:
            await self._in_turn()
        return await self._memory.writer.rest()

    def holding(self, values: Mapping[str, Any]) -> str | None:
        """Return the id of a committed checkpoint of the root graph that holds these very objects."""
        held = self._memory.shelf.find(values)
        return held.checkpoint_id if held and common(held, values) == len(values) else None

    def reference(self, values: Any, data: bytes) -> Reference | None:
        """Return what an event that shows `values` as `data` asks when it is stored."""
        if not isinstance(values, Mapping) or len(data) < WORTH:
            return None
        return partial(self._memory.shelf.reference, values, data)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names, else the newest of the thread and namespace.

        Raises:
            StaleAttempt, Unavailable: what was put down before could not be written; LangGraph says nothing
                when that happens while it stops to ask.
        """
        self._memory.writer.check()
        if self._memory.unsealed:
            raise self._memory.unsealed
        if self._nothing_there:
            self._nothing_there = False
            return None
        await self._caught_up(config)
        return await super().aget_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, newest first."""
        await self.flush()
        async for found in super().alist(config, filter=filter, before=before, limit=limit):
            yield found

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what a DeltaChannel is rebuilt from: a seed, and the writes since."""
        await self._caught_up(config)
        return await super().aget_delta_channel_history(config=config, channels=channels)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint, with the writes that wait for it.

        Raises:
            StaleAttempt: another worker has the run now; nothing is written.
        """
        encoded = self._encoded(self._encoder(config), config, checkpoint, metadata, new_versions)
        if self._memory.closed:
            return encoded.config
        if self.db.sealer:
            remember = partial(self._remember, checkpoint, encoded)
            await tasks.finish(self._put_sealed(encoded.rows, remember, now=True))
        elif self._memory.trusting:
            self._memory.writer.put(encoded.rows, partial(self._remember, checkpoint, encoded))
        else:
            await self._memory.writer.write(encoded.rows, now=True)
            self._remember(checkpoint, encoded)
        return encoded.config

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Save what a task wrote, if it can be with the checkpoint that follows.

        Raises:
            StaleAttempt: another worker has the run now; nothing is written.
        """
        if self._memory.closed:
            return
        for asked in (one for channel, told in writes if channel == INTERRUPT for one in told):
            place = config["configurable"].get("checkpoint_ns", "")
            self.raised[asked.id] = max(self.raised.get(asked.id, ""), place, key=len)
        rows = self._encoded_writes(self._encoder(config), config, writes, task_id, task_path)
        if self.db.sealer:
            await tasks.finish(self._put_sealed(rows, None, now=False))
        elif self._memory.trusting:
            self._memory.writer.put(rows)
        else:
            await self._memory.writer.write(rows, now=False)

    async def _caught_up(self, config: RunnableConfig) -> None:
        """Wait for what was put down where a read looks."""
        if self.db.sealer:
            await self._in_turn()
        where = config["configurable"]
        if self._memory.writer.holds(str(where["thread_id"]), where.get("checkpoint_ns", "")):
            await self.flush()

    async def _put_sealed(self, rows: Rows, then: Callable[[], None] | None, *, now: bool) -> None:
        """Put rows down as soon as they are sealed, after those that were encoded before."""
        memory, sealer = self._memory, self.db.sealer
        assert sealer is not None
        async with memory.turn:
            if memory.unsealed:
                raise memory.unsealed
            try:
                rows = await sealed.seal(sealer, rows)
            except BaseException as failed:
                memory.unsealed = failed
                raise
            if memory.trusting:
                memory.writer.put(rows, then)
                return
            written = asyncio.create_task(memory.writer.write(rows, now=now))
            await asyncio.sleep(0)  # it is put down
        await written
        if then:
            then()

    async def _in_turn(self) -> None:
        """Wait until what was encoded before is sealed and put down."""
        async with self._memory.turn:
            pass

    def _encoder(self, config: RunnableConfig) -> Encoder:
        return self._memory.encoders.setdefault(str(config["configurable"]["thread_id"]), self._new_encoder())

    def _remember(self, checkpoint: Checkpoint, encoded: Encoded) -> None:
        where = encoded.config["configurable"]
        if where["checkpoint_ns"]:
            return
        new = {name: typed_channel(typed, self.serde.loads_typed) for name, typed in encoded.channels.items()}
        self._shelve(where["thread_id"], checkpoint, new)

    def _shelve(self, thread_id: str, checkpoint: Checkpoint, new: Mapping[str, Channel]) -> None:
        known = self._memory.channels.setdefault(thread_id, {})
        versions = checkpoint["channel_versions"]
        channels: dict[str, Channel] = {}
        for name, value in checkpoint["channel_values"].items():
            if name in new:
                channels[name] = new[name]
            elif value is None or type(value) in (str, int, bool):
                channels[name] = Channel(None, shown_as(shown(value)))
            elif name in known and known[name][0] == versions.get(name):
                channels[name] = known[name][1]
        known.update({name: (versions.get(name), channel) for name, channel in channels.items()})
        self._memory.shelf.add(Held(thread_id, checkpoint["id"], checkpoint["channel_values"], channels))

    def _learn(self, found: CheckpointTuple, row: DictRow, rows: Mapping[bytes, Item]) -> None:
        """Remember what was loaded: the next version of a list is mostly this one."""
        values = found.checkpoint["channel_values"]
        encoder = self._memory.encoders.setdefault(row["thread_id"], self._new_encoder())
        new: dict[str, Channel] = {}
        for channel, type_, blob in row["channel_values"] or ():
            name, typed = channel.decode(), (type_.decode(), blob)
            if typed[0] == LIST:
                new[name] = Channel(encoder.learn(self.serde.loads_typed(typed), values[name], rows), 0)
            elif typed[0] != "empty":
                new[name] = typed_channel(typed, self.serde.loads_typed)
        if not row["checkpoint_ns"]:
            self._shelve(row["thread_id"], found.checkpoint, new)
