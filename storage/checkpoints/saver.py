"""LangGraph's saver over our pool and our list store; it reads what the stock saver wrote as well."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_serializable_checkpoint_metadata,
    writes_sort_key,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row, tuple_row

from artel.storage.arrays import ByteaArray
from artel.storage.checkpoints import removal, sealed
from artel.storage.checkpoints.lists import (
    LIST,
    EncodedList,
    Encoder,
    Item,
    ListSerializer,
    StoredList,
    Typed,
    assembled,
)
from artel.storage.checkpoints.rows import SAVE, Rows, parameters
from artel.storage.encoding import dumps_jsonb
from artel.storage.postgres import Database

INLINE = 256  # characters of a string that is written into every checkpoint; a longer one once a version
NOBODY = b"00000000-0000-0000-0000-000000000000"  # whom LangGraph names for what no task wrote
THREAD = 64 * 1024  # bytes from which decoding leaves the event loop to others

ITEMS = """
with top as (
    select name, type, blob, shown from checkpoint_items
     where thread_id = %(thread_id)s and name = any(%(names)s)
), inner_names as (
    select distinct substring(top.blob from 1 + 16 * n for 16) as name
      from top, generate_series(0, length(top.blob) / 16 - 1) n where top.type = 'artel.chunk'
)
select name, type, blob, shown from top
union all
select i.name, i.type, i.blob, i.shown from inner_names n
  join checkpoint_items i on i.thread_id = %(thread_id)s and i.name = n.name
"""

ItemRows = dict[str, dict[bytes, Item]]  # by thread


@dataclass(frozen=True, slots=True)
class Encoded:
    """A checkpoint ready to be stored: its rows, and how each of its channels was encoded."""

    rows: Rows
    channels: Mapping[str, Typed | EncodedList]
    config: RunnableConfig


class Saver(AsyncPostgresSaver):
    """A saver over our pool, without LangGraph's lock around every operation; not fenced."""

    def __init__(self, db: Database, *, shares: bool = False) -> None:
        """`shares`: checkpoints of one listing share the items of their lists, which nobody may change."""
        super().__init__(db.pool, serde=ListSerializer())
        self.db = db
        self._shares = shares

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        borrowed = self.db.transaction(batch=True) if pipeline else self.db.connection()
        async with borrowed as conn, conn.cursor(binary=True, row_factory=dict_row) as cursor:
            yield cursor

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint."""
        encoded = self._encoded(self._new_encoder(), config, checkpoint, metadata, new_versions)
        await self._save(encoded.rows)
        return encoded.config

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Save what a task wrote."""
        await self._save(self._encoded_writes(self._new_encoder(), config, writes, task_id, task_path))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names, else the newest of the thread and namespace."""
        row = cast("DictRow | None", await super().aget_tuple(config))
        if row is None:
            return None
        if self.db.sealer:
            row = await sealed.opened(self.db.sealer, row)
        items = await self._item_rows([row])
        found = await self._decoded(row, items)
        self._learn(found, row, items.get(row["thread_id"], {}))
        return found

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, newest first.

        Raises:
            Unsearchable: what `filter` looks for is sealed.
        """
        if self.db.sealer:
            sealed.check_clear(filter or {})
        found = super().alist(config, filter=filter, before=before, limit=limit)
        rows = [cast(DictRow, row) async for row in found]
        if self.db.sealer:
            rows = [await sealed.opened(self.db.sealer, row) for row in rows]
        items = await self._item_rows(rows)
        made: dict[bytes, Any] = {}
        for row in rows:
            yield await self._decoded(row, items, made if self._shares and not _is_unfinished(row) else None)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what a DeltaChannel is rebuilt from: a seed, and the writes since."""
        parts = await super().aget_delta_channel_history(config=config, channels=channels)
        if not isinstance(parts, sealed.DeltaParts):
            return parts
        if self.db.sealer:
            parts["stage2_rows"] = await sealed.opened_typed(self.db.sealer, parts["stage2_rows"])
        found = super()._build_delta_channels_writes_history(**parts)
        thread_id = config["configurable"]["thread_id"]
        stored = [v for one in found.values() for v in _history(one) if isinstance(v, StoredList)]
        if not stored:
            return found
        rows = await self._fetch(thread_id, {name for one in stored for name in one.names})

        def whole(value: Any) -> Any:
            return assembled(value, rows, self.serde.loads_typed) if isinstance(value, StoredList) else value

        for one in found.values():
            one["writes"] = [(task, channel, whole(value)) for task, channel, value in one["writes"]]
            if "seed" in one:
                one["seed"] = whole(one["seed"])
        return found

    async def adelete_thread(self, thread_id: str) -> None:
        """Remove everything of a thread."""
        async with self.db.transaction(batch=True) as conn:
            await removal.delete_thread(conn, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Remove the checkpoints of these runs, and what only they used."""
        async with self.db.transaction() as conn:
            await removal.delete_for_runs(conn, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy everything of a thread."""
        async with self.db.transaction(batch=True) as conn:
            await removal.copy_thread(conn, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the newest checkpoint of each namespace, or (`delete`) none.

        Raises:
            NotImplementedError: a thread uses a DeltaChannel, whose state lies in older checkpoints.
        """
        await super().aprune(thread_ids, strategy=strategy)
        for thread_id in thread_ids:
            async with self.db.transaction() as conn:
                await removal.sweep_at_rest(conn, str(thread_id))

    async def _save(self, rows: Rows) -> None:
        if self.db.sealer:
            rows = await sealed.seal(self.db.sealer, rows)
        async with self.db.connection() as conn:
            await conn.execute(SAVE, parameters([(None, 0, rows)]))

    def _encoded(
        self,
        encoder: Encoder,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> Encoded:
        configurable = config["configurable"]
        thread_id, ns = str(configurable["thread_id"]), configurable.get("checkpoint_ns", "")
        rows, channels, inline = Rows(), {}, {}
        open_here = self.db.sealer is None
        for channel, value in checkpoint["channel_values"].items():
            version = checkpoint["channel_versions"].get(channel)
            atom = type(value) in (str, int, float, bool)
            if value is None or (_fits(value) and open_here) or (atom and version is None):
                inline[channel] = value
                continue
            if isinstance(value, _DeltaSnapshot):
                inline[channel] = True
            if channel in new_versions or (atom and encoder.has_not((ns, channel, version))):
                channels[channel] = self._put(encoder, thread_id, value, rows)
                typed = channels[channel]
                row = (LIST, typed.blob) if isinstance(typed, EncodedList) else typed
                rows.blobs[thread_id, ns, channel, str(version or new_versions[channel])] = row
        parent = configurable.get("checkpoint_id")
        kept = get_serializable_checkpoint_metadata(config, metadata)
        body = dumps_jsonb({**checkpoint, "channel_values": inline}).decode()
        rows.checkpoints[thread_id, ns, checkpoint["id"]] = (parent, body, dumps_jsonb(kept).decode())
        saved = {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint["id"]}
        return Encoded(rows, channels, {"configurable": saved})

    def _encoded_writes(
        self,
        encoder: Encoder,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
    ) -> Rows:
        configurable = config["configurable"]
        thread_id, ns = str(configurable["thread_id"]), configurable.get("checkpoint_ns", "")
        over = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        rows = Rows()
        for place, (channel, value) in enumerate(writes):
            typed = self._put(encoder, thread_id, value, rows)
            type_, blob = (LIST, typed.blob) if isinstance(typed, EncodedList) else typed
            key = (thread_id, ns, configurable["checkpoint_id"], task_id, WRITES_IDX_MAP.get(channel, place))
            if over or key not in rows.writes:
                rows.writes[key] = (task_path, channel, type_, blob, over)
        return rows

    def _put(self, encoder: Encoder, thread_id: str, value: Any, rows: Rows) -> Typed | EncodedList:
        stored = encoder.encode(self.serde, value) if type(value) is list else None
        if stored is None:
            return self.serde.dumps_typed(value)
        rows.items |= {(thread_id, name): item for name, item in stored.items.items()}
        return stored

    def _learn(self, found: CheckpointTuple, row: DictRow, rows: Mapping[bytes, Item]) -> None:
        """Nothing: whoever reads for many threads remembers none."""

    def _new_encoder(self) -> Encoder:
        return Encoder(secret=self.db.sealer is not None)

    def _build_delta_channels_writes_history(self, **parts: Any) -> Any:
        """Leave the parts as they are: sealed ones are opened first."""
        return sealed.DeltaParts(parts)

    async def _load_checkpoint_tuple(self, value: DictRow) -> CheckpointTuple:
        """Leave the row as it is: lists need a second look at the database first."""
        return cast(CheckpointTuple, value)

    async def _item_rows(self, rows: Sequence[DictRow]) -> ItemRows:
        wanted: dict[str, set[bytes]] = {}
        for row in rows:
            for typed in _typed(row):
                if typed[0] == LIST:
                    stored = self.serde.loads_typed(typed)
                    wanted.setdefault(row["thread_id"], set()).update(stored.names)
        return {thread_id: await self._fetch(thread_id, names) for thread_id, names in wanted.items()}

    async def _fetch(self, thread_id: str, names: set[bytes]) -> dict[bytes, Item]:
        async with self.db.connection() as conn, conn.cursor(binary=True, row_factory=tuple_row) as cursor:
            await cursor.execute(ITEMS, {"thread_id": thread_id, "names": ByteaArray(list(names))})
            found = {name: (type_, blob, look) for name, type_, blob, look in await cursor.fetchall()}
        return await sealed.opened_items(self.db.sealer, found) if self.db.sealer else found

    async def _decoded(
        self, row: DictRow, items: ItemRows, made: dict[bytes, Any] | None = None
    ) -> CheckpointTuple:
        rows = items.get(row["thread_id"], {})
        size = sum(len(typed[1] or b"") for typed in _typed(row)) + sum(
            len(item[1]) for item in rows.values()
        )
        if size < THREAD:
            return self._decode(row, rows, made)
        return await asyncio.to_thread(self._decode, row, rows, made)

    def _decode(
        self, row: DictRow, rows: dict[bytes, Item], made: dict[bytes, Any] | None
    ) -> CheckpointTuple:
        where = {"thread_id": row["thread_id"], "checkpoint_ns": row["checkpoint_ns"]}
        values = {
            channel.decode(): self._value((type_.decode(), blob), rows, made)
            for channel, type_, blob in row["channel_values"] or ()
            if type_ != b"empty"
        }
        inline = row["checkpoint"].get("channel_values") or {}
        writes = sorted(row["pending_writes"] or (), key=_order)
        parent = row["parent_checkpoint_id"]
        checkpoint = cast(Checkpoint, {**row["checkpoint"], "channel_values": {**inline, **values}})
        return CheckpointTuple(
            {"configurable": {**where, "checkpoint_id": row["checkpoint_id"]}},
            checkpoint,
            row["metadata"],
            {"configurable": {**where, "checkpoint_id": parent}} if parent else None,
            [(w[0].decode(), w[1].decode(), self._value((w[2].decode(), w[3]), rows)) for w in writes],
        )

    def _value(self, typed: Typed, rows: Mapping[bytes, Item], made: dict[bytes, Any] | None = None) -> Any:
        value = self.serde.loads_typed(typed)
        if isinstance(value, StoredList):
            return assembled(value, rows, self.serde.loads_typed, made)
        return value


def _is_unfinished(row: DictRow) -> bool:
    """Whether reducers go over a checkpoint when it is read: something was written to it by no task."""
    return any(write[0] == NOBODY for write in row["pending_writes"] or ())


def _fits(value: Any) -> bool:
    """Whether a value comes out of a JSON column as it went in, and is small enough to be there."""
    if type(value) is str:
        return len(value) <= INLINE and "\0" not in value and value.isprintable()
    return type(value) is bool or (type(value) is int and -(2**53) <= value <= 2**53)


def _typed(row: DictRow) -> Iterator[Typed]:
    for one in row["channel_values"] or ():
        yield one[1].decode(), one[2]
    for one in row["pending_writes"] or ():
        yield one[2].decode(), one[3]


def _history(one: DeltaChannelHistory) -> Iterator[Any]:
    yield from (value for _, _, value in one["writes"])
    yield one.get("seed")


def _order(write: Sequence[bytes]) -> Any:
    return writes_sort_key(write[4].decode(), write[0].decode(), int(write[5]))
