"""Items by what is in them, and the namespaces there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.store.base import ListNamespacesOp, SearchItem, SearchOp

from artel.storage.errors import Invalid
from artel.storage.postgres import Connection
from artel.storage.sealing import Sealer, Unsearchable
from artel.storage.store.filters import conditions
from artel.storage.store.items import KEPT_ALIVE, search_item_of
from artel.storage.store.texts import labels_of, prefix_of

MAX_OFFSET = 2**31

LIVE = "(s.expires_at is null or s.expires_at > now())"
# By whole labels: "user.1" is not in "user.10". "/" follows "." in the alphabet of bytes.
WITHIN = "(s.prefix = %(prefix)s or s.prefix ~>=~ (%(prefix)s || '.') and s.prefix ~<~ (%(prefix)s || '/'))"

NEWEST = """
    select s.prefix, s.key, s.value, s.created_at, s.updated_at, null::float8 as score,
           row_number() over (order by s.updated_at desc, s.prefix, s.key) as n
      from store s
     where {live} and {within} and {filter}
     order by n limit %(limit)s offset %(offset)s
"""
# An item counts by the nearest of its fields. The angle to a vector of nothing but zeros is NaN, which
# Postgres takes for more than any number.
NEAREST = """
    select s.prefix, s.key, s.value, s.created_at, s.updated_at, b.score,
           row_number() over (order by b.score desc, s.prefix, s.key) as n
      from (
           select s.prefix, s.key,
                  max(coalesce(nullif(1 - (v.embedding <=> %(vector)s::vector), 'NaN'), 0)) as score
             from store s
             join store_vectors v on v.prefix = s.prefix and v.key = s.key and v.updated_at = s.updated_at
            where {live} and {within} and {filter}
            group by s.prefix, s.key
            order by score desc, s.prefix, s.key
            limit %(limit)s offset %(offset)s
           ) b
      join store s on s.prefix = b.prefix and s.key = b.key
"""
REFRESHING = """
with found as (select x.*, true as refresh from ({search}) x), {kept_alive}
select prefix, key, value, created_at, updated_at, score from found order by n
"""
READING = "select prefix, key, value, created_at, updated_at, score from ({search}) x order by n"

NAMESPACES = """
select distinct l.whole[1:coalesce(%(max_depth)s::int, 2147483647)] collate "C" as labels
  from (select distinct s.prefix from store s where {live} and {within}) s,
       lateral (select string_to_array(s.prefix, '.') as whole) l
 where {matches}
 order by labels limit %(limit)s offset %(offset)s
"""
PREFIX = """(cardinality(l.whole) >= cardinality(%({name})s::text[]) and not exists (
    select from unnest(%({name})s::text[]) with ordinality as w (label, n)
     where label <> '*' and label <> l.whole[n]))"""
SUFFIX = """(cardinality(l.whole) >= cardinality(%({name})s::text[]) and not exists (
    select from unnest(%({name})s::text[]) with ordinality as w (label, n)
     where label <> '*' and label <> l.whole[cardinality(l.whole) - cardinality(%({name})s::text[]) + n]))"""


def check(op: SearchOp | ListNamespacesOp) -> None:
    """Check the bounds of a search.

    Raises:
        Invalid: the limit, the offset or the depth is below zero, or beyond what Postgres counts.
    """
    for name, number in (("limit", op.limit), ("offset", op.offset)):
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MAX_OFFSET:
            raise Invalid(f"{name} must be 0 or more, and at most {MAX_OFFSET}, got {number!r}")
    depth = op.max_depth if isinstance(op, ListNamespacesOp) else None
    if depth is not None and not 0 <= depth < MAX_OFFSET:
        raise Invalid(f"max_depth must be 0 or more, got {depth!r}")


async def check_clear(sealer: Sealer, wanted: Mapping[str, Any]) -> None:
    """Refuse a filter on what is encrypted: it would find nothing, or the wrong items.

    Raises:
        Unsearchable: items are sealed whole, or `encrypt.json` does not leave that in clear.
    """
    if not sealer.keeps_keys:
        raise Unsearchable(
            f"filter.{next(iter(wanted))} cannot be searched: without encrypt.json of `encryption` items are "
            "encrypted whole"
        )
    for key, value in wanted.items():
        operands = (
            value if isinstance(value, Mapping) and any(k.startswith("$") for k in value) else {"": value}
        )
        for operand in operands.values():
            await sealer.check_clear("store", "value", {key: operand})


async def search(conn: Connection, op: SearchOp, vector: str | None) -> list[SearchItem]:
    """Return the items of a namespace and those below: the newest first, or with `vector` the nearest.

    By nearness only items that have a vector are found.
    """
    matches, values = conditions(op.filter)
    query = (NEAREST if vector else NEWEST).format(
        live=LIVE, within=WITHIN if op.namespace_prefix else "true", filter=matches
    )
    query = (REFRESHING if op.refresh_ttl else READING).format(search=query, kept_alive=KEPT_ALIVE)
    given: dict[str, Any] = {
        "prefix": prefix_of(op.namespace_prefix),
        "vector": vector,
        "limit": op.limit,
        "offset": op.offset,
    }
    rows = await (await conn.execute(query.encode(), given | values)).fetchall()
    if conn.sealer:
        rows = await conn.sealer.open(rows)
    return [search_item_of(row) for row in rows]


async def namespaces(conn: Connection, op: ListNamespacesOp) -> list[tuple[str, ...]]:
    """Return the namespaces that hold something, in order; deeper ones cut off at `max_depth`."""
    matches: list[str] = []
    given: dict[str, Any] = {"max_depth": op.max_depth, "limit": op.limit, "offset": op.offset}
    head: tuple[str, ...] = ()
    for n, condition in enumerate(op.match_conditions or ()):
        name = f"path{n}"
        given[name] = list(labels_of(prefix_of(condition.path)))
        matches.append((PREFIX if condition.match_type == "prefix" else SUFFIX).format(name=name))
        if condition.match_type == "prefix":
            head = head or _until_wildcard(condition.path)
    query = NAMESPACES.format(
        live=LIVE, within=WITHIN if head else "true", matches=" and ".join(matches) or "true"
    )
    given["prefix"] = prefix_of(head)
    return [tuple(row["labels"]) async for row in await conn.execute(query.encode(), given)]


def _until_wildcard(path: Sequence[str]) -> tuple[str, ...]:
    """Return the labels before the first wildcard: those an index can find."""
    return tuple(path[: path.index("*")] if "*" in path else path)
