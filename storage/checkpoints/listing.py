"""The checkpoints of a thread as a light list: which follows which, and what was said last; no values."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from langchain_core.messages import BaseMessage

from artel.storage.arrays import ByteaArray
from artel.storage.checkpoints import sealed
from artel.storage.checkpoints.lists import LIST, NAME, Item, ListSerializer, Typed
from artel.storage.postgres import Connection

PREVIEW = 120  # characters of a message
MOST_BYTES = 256 * 1024  # of a message or a short list that is looked into; of a longer one nothing is told


@dataclass(frozen=True, slots=True)
class Last:
    """The last message of a checkpoint."""

    id: str | None
    type: str
    preview: str
    tools: list[str]  # that it calls


@dataclass(frozen=True, slots=True)
class Listed:
    """A checkpoint of the graph itself, not of one inside it."""

    checkpoint_id: str
    parent_checkpoint_id: str | None
    source: str  # input, loop, update, or fork
    step: int
    run_id: str | None
    created_at: datetime | None
    nodes: list[str]  # that ran to make it
    next: list[str]  # nodes that come now
    message: Last | None


# A node that has run has seen other versions of channels than before. An edge to a node is a channel of its
# own that is set while the node is to come.
LIST_THEM = """
with page as materialized (
    select checkpoint_id, parent_checkpoint_id, checkpoint, metadata from checkpoints
     where thread_id = %(thread_id)s and checkpoint_ns = ''
       and (%(before)s::text is null or checkpoint_id < %(before)s)
     order by checkpoint_id desc limit %(limit)s
)
select c.checkpoint_id, c.parent_checkpoint_id, c.metadata ->> 'source' as source,
       (c.metadata ->> 'step')::int as step, c.metadata ->> 'run_id' as run_id,
       (c.checkpoint ->> 'ts')::timestamptz as created_at,
       array(select seen.key from jsonb_each(c.checkpoint -> 'versions_seen') seen
              where seen.value is distinct from p.checkpoint -> 'versions_seen' -> seen.key
                and c.metadata ->> 'source' in ('loop', 'update') and left(seen.key, 2) <> '__'
              order by seen.key) as nodes,
       array(select substring(v.key from 11) from jsonb_each(c.checkpoint -> 'channel_values') v
              where left(v.key, 10) = 'branch:to:' order by v.key) as next,
       b.type,
       case when b.type = 'artel.list' then substring(b.blob from length(b.blob) - 15)
            when length(b.blob) <= %(most)s then b.blob end as blob
  from page c
  left join checkpoints p on p.thread_id = %(thread_id)s and p.checkpoint_ns = ''
                         and p.checkpoint_id = c.parent_checkpoint_id
  left join checkpoint_blobs b on b.thread_id = %(thread_id)s and b.checkpoint_ns = ''
                              and b.channel = 'messages'
                              and b.version = c.checkpoint -> 'channel_versions' ->> 'messages'
 order by c.checkpoint_id desc
"""

# The last name of a list is that of an item, or of a chunk that ends with one.
LAST_ITEMS = """
with asked as (
    select i.name, case when i.type = 'artel.chunk' then substring(i.blob from length(i.blob) - 15)
                        else i.name end as item
      from checkpoint_items i where i.thread_id = %(thread_id)s and i.name = any(%(names)s)
)
select asked.name, i.type, i.blob, i.shown
  from asked join checkpoint_items i on i.thread_id = %(thread_id)s and i.name = asked.item
 where length(i.blob) <= %(most)s
"""


async def page(conn: Connection, thread_id: UUID, *, limit: int, before: str | None = None) -> list[Listed]:
    """Return the checkpoints of a thread, newest first; `before` names one, and older ones are told.

    Raises:
        CannotOpen: what was said last is sealed, and a handler failed.
    """
    values = {"thread_id": str(thread_id), "limit": limit, "before": before, "most": MOST_BYTES}
    rows = await (await conn.execute(LIST_THEM, values)).fetchall()
    names = {bytes(row["blob"]) for row in rows if row["type"] == LIST and len(row["blob"]) == NAME}
    items = await _items(conn, thread_id, names) if names else {}
    whole = [
        {"type": row["type"], "blob": row["blob"]} for row in rows if row["type"] != LIST and row["blob"]
    ]
    if conn.sealer and whole:
        whole = await sealed.opened_typed(conn.sealer, whole)
    plain = iter(whole)
    typed: list[Typed | None] = []
    for row in rows:
        if row["type"] == LIST:
            item = items.get(bytes(row["blob"]))
            typed.append(item[:2] if item else None)
        elif row["blob"]:
            one = next(plain)
            typed.append((one["type"], one["blob"]))
        else:
            typed.append(None)
    last = await asyncio.to_thread(_all, typed)
    return [_listed(row, one) for row, one in zip(rows, last, strict=True)]


async def _items(conn: Connection, thread_id: UUID, names: set[bytes]) -> Mapping[bytes, Item]:
    values = {"thread_id": str(thread_id), "names": ByteaArray(list(names)), "most": MOST_BYTES}
    rows = await (await conn.execute(LAST_ITEMS, values)).fetchall()
    found: dict[bytes, Item] = {
        bytes(row["name"]): (row["type"], bytes(row["blob"]), row["shown"]) for row in rows
    }
    return await sealed.opened_items(conn.sealer, found) if conn.sealer else found


def _all(typed: Sequence[Typed | None]) -> list[Last | None]:
    serde, known = ListSerializer(), dict[Typed, Last | None]()
    for one in typed:
        if one and one not in known:
            known[one] = _last(serde.loads_typed(one))
    return [known[one] if one else None for one in typed]


def _last(value: Any) -> Last | None:
    message = value[-1] if isinstance(value, list) and value else value
    if not isinstance(message, BaseMessage):
        return None
    text = " ".join(str(message.text).split())
    tools = [call["name"] for call in getattr(message, "tool_calls", None) or ()]
    return Last(message.id, message.type, text if len(text) <= PREVIEW else f"{text[: PREVIEW - 1]}…", tools)


def _listed(row: Mapping[str, Any], last: Last | None) -> Listed:
    return Listed(
        row["checkpoint_id"],
        row["parent_checkpoint_id"],
        row["source"] or "loop",
        row["step"] if row["step"] is not None else 0,
        row["run_id"],
        row["created_at"],
        row["nodes"],
        row["next"],
        last,
    )
