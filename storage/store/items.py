"""Items by their key: kept, read, removed, swept. Many at once are one statement, and one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from langgraph.store.base import Item, SearchItem

from artel.storage.postgres import Connection
from artel.storage.store.index import Embedded
from artel.storage.store.texts import labels_of

Row = dict[str, Any]

SWEPT_AT_ONCE = 1000

# A read moves the end of an item's life only by 1% of it or more: an item that is read a thousand times a
# second is not written as often. Nobody waits for its lock: whoever has it is writing a later end himself.
KEPT_ALIVE = """kept as (
    select s.prefix, s.key
      from store s join found f on s.prefix = f.prefix and s.key = f.key
     where f.refresh and s.expires_at < now() + s.ttl_minutes * interval '0.99 minute'
     order by s.prefix, s.key
       for no key update of s skip locked
), refreshed as (
    update store s set expires_at = now() + s.ttl_minutes * interval '1 minute'
      from kept k where s.prefix = k.prefix and s.key = k.key
)"""
GET = f"""
with found as (
    select w.n, w.refresh, s.prefix, s.key, s.value, s.created_at, s.updated_at
      from unnest(%(prefixes)s::text[], %(keys)s::text[], %(refresh)s::bool[])
           with ordinality as w (prefix, key, refresh, n)
      join store s on s.prefix = w.prefix and s.key = w.key
     where s.expires_at is null or s.expires_at > now()
), {KEPT_ALIVE}
select n, prefix, key, value, created_at, updated_at from found
"""  # noqa: S608 - of constants

_PUT = """
    insert into store (prefix, key, value, expires_at, ttl_minutes)
    select prefix, key, value::jsonb, now() + ttl * interval '1 minute', ttl
      from unnest(%(prefixes)s::text[], %(keys)s::text[], %(values)s::text[], %(ttls)s::float8[])
           as given (prefix, key, value, ttl)
        on conflict (prefix, key) do update
       set value = excluded.value, updated_at = now(),
           created_at = case when store.expires_at <= now() then now() else store.created_at end,
           expires_at = excluded.expires_at, ttl_minutes = excluded.ttl_minutes
"""
PUT = _PUT.strip()

# The vectors of an item are only touched with its row locked: `put` is joined, or Postgres would write them
# first, and two puts of one key could wait for each other. A vector counts only beside the very put that it
# came with (see NEAREST): of two at once, the second does not see the vectors of the first, and leaves them.
PUT_EMBEDDED = f"""
with put as ({_PUT} returning prefix, key), gone as (
    delete from store_vectors v using put p
     where v.prefix = p.prefix and v.key = p.key
       and (v.prefix, v.key, v.field_name) not in (
           select * from unnest(%(of_prefixes)s::text[], %(of_keys)s::text[], %(fields)s::text[]))
)
insert into store_vectors (prefix, key, field_name, embedding, created_at, updated_at)
select p.prefix, p.key, given.field_name, given.embedding::vector, now(), now()
  from unnest(%(of_prefixes)s::text[], %(of_keys)s::text[], %(fields)s::text[], %(vectors)s::text[])
       as given (prefix, key, field_name, embedding)
  join put p on p.prefix = given.prefix and p.key = given.key
    on conflict (prefix, key, field_name) do update
   set embedding = excluded.embedding, updated_at = now()
"""  # noqa: S608 - of constants

DELETE = """
with doomed as (
    select s.prefix, s.key
      from unnest(%(prefixes)s::text[], %(keys)s::text[]) as given (prefix, key)
      join store s on s.prefix = given.prefix and s.key = given.key
     order by s.prefix, s.key
       for update of s
)
delete from store s using doomed d where s.prefix = d.prefix and s.key = d.key
"""

SWEEP = """
delete from store where (prefix, key) in (
    select prefix, key from store where expires_at <= now() limit %(most)s for update skip locked
)
"""


@dataclass(frozen=True, slots=True)
class Put:
    """An item to keep; `value` is its JSON."""

    prefix: str
    key: str
    value: str
    ttl: float | None


async def get(conn: Connection, wanted: Sequence[tuple[str, str, bool]]) -> list[Item | None]:
    """Return items by prefix and key, in that order; with the flag, those found live on for their time."""
    values = {
        "prefixes": [prefix for prefix, _, _ in wanted],
        "keys": [key for _, key, _ in wanted],
        "refresh": [refresh for _, _, refresh in wanted],
    }
    rows = await (await conn.execute(GET, values)).fetchall()
    if conn.sealer:
        rows = await conn.sealer.open(rows)
    found = {row["n"]: row for row in rows}
    return [item_of(found[n]) if n in found else None for n in range(1, len(wanted) + 1)]


async def put(conn: Connection, given: Sequence[Put], embedded: Embedded | None) -> None:
    """Keep items, each key once; one that is there already keeps the time of its making.

    With `embedded`, which holds the vectors of all of them, their old vectors go.
    """
    ordered = sorted(given, key=lambda one: (one.prefix, one.key))  # two at once lock in the same order
    values: dict[str, Any] = {
        "prefixes": [one.prefix for one in ordered],
        "keys": [one.key for one in ordered],
        "values": [one.value for one in ordered],
        "ttls": [one.ttl for one in ordered],
    }
    if embedded is None:
        await conn.execute(PUT, values)
        return
    values |= {
        "of_prefixes": embedded.prefixes,
        "of_keys": embedded.keys,
        "fields": embedded.fields,
        "vectors": embedded.vectors,
    }
    await conn.execute(PUT_EMBEDDED, values)


async def delete(conn: Connection, doomed: Sequence[tuple[str, str]]) -> None:
    """Remove items by prefix and key; those that are not there are no matter."""
    values = {"prefixes": [prefix for prefix, _ in doomed], "keys": [key for _, key in doomed]}
    await conn.execute(DELETE, values)


async def sweep(conn: Connection) -> int:
    """Remove some of what has expired, and say how many; others that sweep too take the rest."""
    return (await conn.execute(SWEEP, {"most": SWEPT_AT_ONCE})).rowcount


def item_of(row: Row) -> Item:
    """Return a row as an item."""
    return Item(
        namespace=labels_of(row["prefix"]),
        key=row["key"],
        value=row["value"],
        created_at=_utc(row["created_at"]),
        updated_at=_utc(row["updated_at"]),
    )


def search_item_of(row: Row) -> SearchItem:
    """Return a row of a search as an item with its score."""
    return SearchItem(
        namespace=labels_of(row["prefix"]),
        key=row["key"],
        value=row["value"],
        created_at=_utc(row["created_at"]),
        updated_at=_utc(row["updated_at"]),
        score=row["score"],
    )


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)
