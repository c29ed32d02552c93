"""Checkpoints as a sealer keeps them: values, writes and list items sealed one by one, under their own type.

In clear stays what the tables are swept and walked by: which checkpoint follows which, the names of channels,
and the names of items, which then are no hash that anybody could guess a text by. The length and the checksum
of an item are sealed with it.
"""

import struct
from asyncio import gather
from collections.abc import Iterable, Mapping
from typing import Any

from psycopg.rows import DictRow

from artel.storage.checkpoints.lists import CHUNK, LIST, Item, Typed
from artel.storage.checkpoints.rows import Rows
from artel.storage.encoding import dumps_jsonb, loads
from artel.storage.sealing import SEALED, Sealer, Unsearchable

MODEL = "checkpoint"
CLEAR = frozenset(  # of the metadata: what LangGraph and our own statements look at
    {
        "assistant_id",
        "checkpoint_id",
        "checkpoint_ns",
        "counters_since_delta_snapshot",
        "delta_writes_versioned",
        "graph_id",
        "parents",
        "run_id",
        "source",
        "step",
        "thread_id",
    }
)
_LOOK = struct.Struct("!q")


class DeltaParts(dict[str, Any]):
    """What the history of a DeltaChannel is made of, and may be sealed."""


async def seal(sealer: Sealer, rows: Rows) -> Rows:
    """Return rows as they are stored where everything is sealed.

    Raises:
        CannotSeal: a handler failed.
    """
    items, blobs, writes = await gather(
        gather(*(_sealed_item(sealer, item) for item in rows.items.values())),
        gather(*(_sealed(sealer, typed) for typed in rows.blobs.values())),
        gather(*(_sealed(sealer, (row[2], row[3])) for row in rows.writes.values())),
    )
    return Rows(
        dict(zip(rows.items, items, strict=True)),
        dict(zip(rows.blobs, blobs, strict=True)),
        {
            key: (parent, await _sealed_body(sealer, body), await _sealed_metadata(sealer, metadata))
            for key, (parent, body, metadata) in rows.checkpoints.items()
        },
        {
            key: (row[0], row[1], *typed, row[4])
            for (key, row), typed in zip(rows.writes.items(), writes, strict=True)
        },
    )


async def opened(sealer: Sealer, row: DictRow) -> DictRow:
    """Return a row of a checkpoint as it was before it was sealed.

    Raises:
        CannotOpen: a handler failed.
    """
    values, writes = row["channel_values"] or (), row["pending_writes"] or ()
    typed_values = await gather(*(_opened(sealer, (one[1], one[2])) for one in values))
    typed_writes = await gather(*(_opened(sealer, (one[2], one[3])) for one in writes))
    return {
        **row,
        "checkpoint": await sealer.open(row["checkpoint"]),
        "metadata": await sealer.open(row["metadata"]),
        "channel_values": [[one[0], *typed] for one, typed in zip(values, typed_values, strict=True)],
        "pending_writes": [
            [*one[:2], *typed, *one[4:]] for one, typed in zip(writes, typed_writes, strict=True)
        ],
    }


async def opened_items(sealer: Sealer, items: Mapping[bytes, Item]) -> dict[bytes, Item]:
    """Return list items as they were before they were sealed.

    Raises:
        CannotOpen: a handler failed.
    """
    found = await gather(*(_opened_item(sealer, item) for item in items.values()))
    return dict(zip(items, found, strict=True))


async def opened_typed(sealer: Sealer, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that have a type and a blob as they were before they were sealed.

    Raises:
        CannotOpen: a handler failed.
    """
    found = []
    for row in rows:
        type_, blob = await _opened(sealer, (str(row["type"]).encode(), row["blob"]))
        found.append({**row, "type": type_.decode(), "blob": blob})
    return found


def check_clear(wanted: Mapping[str, Any]) -> None:
    """Refuse to look for checkpoints by what is sealed of their metadata.

    Raises:
        Unsearchable: a key is not one of CLEAR.
    """
    for key in wanted:
        if key not in CLEAR:
            raise Unsearchable(f"metadata.{key} of states cannot be searched: it is encrypted")


async def _sealed(sealer: Sealer, typed: Typed) -> Typed:
    if typed[0] == LIST:
        return typed
    return SEALED, await sealer.seal_bytes(MODEL, "values", b"%b\0%b" % (typed[0].encode(), typed[1]))


async def _sealed_item(sealer: Sealer, item: Item) -> Item:
    type_, blob, look = item
    if type_ == CHUNK:
        return item
    plain = b"%b%b\0%b" % (_LOOK.pack(look), type_.encode(), blob)
    return SEALED, await sealer.seal_bytes(MODEL, "values", plain), 0


async def _sealed_body(sealer: Sealer, text: str) -> str:
    """Seal what could only lie in the checkpoint itself: plain values that have no version."""
    body: Any = loads(text)
    inline = body["channel_values"]
    if all(value is None or value is True for value in inline.values()):  # marks of LangGraph's, or nothing
        return text
    marks = {key: value for key, value in inline.items() if value is None or value is True}
    rest = {key: value for key, value in inline.items() if key not in marks}
    return _json({**body, "channel_values": {**marks, **await sealer.seal(MODEL, "values", rest)}})


async def _sealed_metadata(sealer: Sealer, text: str) -> str:
    metadata: Any = loads(text)
    rest = {key: value for key, value in metadata.items() if key not in CLEAR}
    if not rest:
        return text
    clear = {key: value for key, value in metadata.items() if key in CLEAR}
    return _json({**clear, **await sealer.seal(MODEL, "metadata", rest)})


async def _opened(sealer: Sealer, typed: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    if typed[0] != SEALED.encode():
        return typed
    type_, _, blob = (await sealer.open_bytes(typed[1])).partition(b"\0")
    return type_, blob


async def _opened_item(sealer: Sealer, item: Item) -> Item:
    if item[0] != SEALED:
        return item
    plain = await sealer.open_bytes(item[1])
    type_, _, blob = plain[_LOOK.size :].partition(b"\0")
    return type_.decode(), blob, _LOOK.unpack_from(plain)[0]


def _json(value: object) -> str:
    return dumps_jsonb(value).decode()
