"""Finding threads: by what they carry, and by the plain values of their newest state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from artel.storage.postgres import Connection
from artel.storage.threads.record import Allowed, Thread

SORTABLE = ("thread_id", "status", "created_at", "updated_at", "state_updated_at")

MATCHING = """
  from threads
 where owner = %(owner)s and metadata @> %(metadata)s
   and (%(status)s::text is null or status = %(status)s)
   and (%(ids)s::uuid[] is null or thread_id = any(%(ids)s))
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
"""

# A plain value lies in the checkpoint itself, or once a version beside it: as it was encoded then.
HAVING = """
   and exists (
       select from (select checkpoint from checkpoints c
                     where c.thread_id = threads.thread_id::text and c.checkpoint_ns = ''
                     order by c.checkpoint_id desc limit 1) newest
        where not exists (
              select from unnest(%(keys)s::text[], %(values)s::jsonb[]) wanted (key, value)
               where newest.checkpoint -> 'channel_values' -> wanted.key is distinct from wanted.value
                 and not exists (
                     select from checkpoint_blobs b, unnest(%(blob_keys)s::text[], %(blobs)s::bytea[])
                                                     as stored (key, blob)
                      where b.thread_id = threads.thread_id::text and b.checkpoint_ns = ''
                        and b.channel = wanted.key and stored.key = wanted.key and b.blob = stored.blob
                        and b.version = newest.checkpoint -> 'channel_versions' ->> wanted.key)))
"""

SEARCH = "select * {matching} order by {by} {way}, thread_id limit %(limit)s offset %(offset)s"

COUNT = "select count(*)::int as found {matching}"

_SERDE = JsonPlusSerializer()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which threads: all that is given must hold. `plain` are values of their state, see `is_plain`.

    Where states are sealed the database can compare none: `plain` must be empty then.
    """

    owner: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    status: str | None = None
    ids: Sequence[UUID] | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)
    allowed: Allowed = None


def is_plain(key: str, value: object) -> bool:
    """Whether the database itself can tell that a state has this value.

    Not so an object, a list, or nothing: nothing may be what a channel shows that was never written.
    """
    if not value or "\0" in key or key.startswith(("__", "branch:", "join:")):
        return False
    return isinstance(value, bool | int | float) or (isinstance(value, str) and "\0" not in value)


async def search(
    conn: Connection,
    wanted: Filter,
    *,
    limit: int = 10,
    offset: int = 0,
    sort_by: str = "created_at",
    sort_order: Literal["asc", "desc"] = "desc",
) -> list[Thread]:
    """Return the threads that match; `sort_by` is one of SORTABLE.

    Raises:
        Unsearchable: metadata that are wanted are encrypted.
    """
    if sort_by not in SORTABLE:
        raise ValueError(f"sort_by must be one of {', '.join(SORTABLE)}, got {sort_by!r}")
    query = SQL(SEARCH).format(
        matching=_matching(wanted),
        by=Identifier(sort_by),
        way=SQL("asc" if sort_order == "asc" else "desc"),
    )
    if conn.sealer:
        await conn.sealer.check_clear("thread", "metadata", wanted.metadata)
    rows = await (await conn.execute(query, _values(wanted) | {"limit": limit, "offset": offset})).fetchall()
    if conn.sealer:
        rows = await conn.sealer.open(rows)
    return [Thread(**row) for row in rows]


async def count(conn: Connection, wanted: Filter) -> int:
    """Return how many threads match.

    Raises:
        Unsearchable: metadata that are wanted are encrypted.
    """
    if conn.sealer:
        await conn.sealer.check_clear("thread", "metadata", wanted.metadata)
    query = SQL(COUNT).format(matching=_matching(wanted))
    row = await (await conn.execute(query, _values(wanted))).fetchone()
    return int(row["found"]) if row else 0


def _matching(wanted: Filter) -> Composed:
    return SQL(MATCHING) + SQL(HAVING if wanted.plain else "")


def _values(wanted: Filter) -> dict[str, Any]:
    blobs = [(key, blob) for key, value in wanted.plain.items() for blob in _stored(value)]
    return {
        "owner": wanted.owner,
        "metadata": Jsonb(wanted.metadata),
        "status": wanted.status,
        "ids": None if wanted.ids is None else list(wanted.ids),
        "allowed": wanted.allowed,
        "keys": list(wanted.plain),
        "values": [Jsonb(value) for value in wanted.plain.values()],
        "blob_keys": [key for key, _ in blobs],
        "blobs": [blob for _, blob in blobs],
    }


def _stored(value: Any) -> list[bytes]:
    """Return how a plain value may be encoded beside the checkpoint; in JSON 5 and 5.0 are one number."""
    forms = [value]
    if type(value) is int and abs(value) <= 2**53:
        forms.append(float(value))
    if type(value) is float and value.is_integer():
        forms.append(int(value))
    return [_SERDE.dumps_typed(form)[1] for form in forms if type(form) is not int or abs(form) < 2**63]
