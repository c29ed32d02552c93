"""The audit log: who had what done, who let it happen, and what came of it. It is only ever added to.

Each owner has a chain of entries: `seq` without gaps, each with the hash of the one before (`chains`). What
people wrote (`said`) is sealed where there is `encryption`; hashes are of what is stored.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.errors import UndefinedTable

from artel.storage.chains import Broken, Link, Walk, canonical
from artel.storage.chains import said as said_moment
from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.sealing import Sealer

Kind = Literal[
    "verdict",
    "decision",
    "intent",
    "result",
    "call",
    "cut",
    "grant",
    "policy",
    "consent",
    "experiment",
    "edit",
]

PAGE = 1_000  # entries read at a time


class UnknownEntry(NotFound):
    """This owner's chain has no such entry."""


ADD = "select artel_audit(%(owners)s::text[], %(entries)s::text[])"
ADD_AT_COMMIT = "insert into audit_at_commit (owner, entry) values (%(owner)s, %(entry)s)"

# What somebody may see is their own, or of a thread they may see.
SEARCH = """
select owner, seq, written_at, entry::text, encode(prev_hash, 'hex') as prev_hash, encode(hash, 'hex') as hash
  from audit a
 where owner = %(owner)s
   and (%(user)s::text is null or entry ->> 'user' = %(user)s
        or (%(allowed)s::jsonpath is not null
            and exists (select 1 from threads t where t.thread_id = (a.entry ->> 'thread_id')::uuid
                                                  and t.metadata @@ %(allowed)s::jsonpath)))
   and (%(before)s::bigint is null or seq < %(before)s)
   and (%(thread_id)s::text is null or entry ->> 'thread_id' = %(thread_id)s)
   and (%(tool)s::text is null or entry ->> 'tool' = %(tool)s)
   and (%(kind)s::text is null or entry ->> 'kind' = %(kind)s)
   and (%(since)s::timestamptz is null or written_at >= %(since)s)
   and (%(until)s::timestamptz is null or written_at < %(until)s)
 order by seq desc limit %(limit)s
"""

AFTER = """
select owner, seq, written_at, entry::text, encode(prev_hash, 'hex') as prev_hash, encode(hash, 'hex') as hash
  from audit a
 where owner = %(owner)s and seq > %(after)s
   and (%(user)s::text is null or entry ->> 'user' = %(user)s
        or (%(allowed)s::jsonpath is not null
            and exists (select 1 from threads t where t.thread_id = (a.entry ->> 'thread_id')::uuid
                                                  and t.metadata @@ %(allowed)s::jsonpath)))
 order by seq limit %(limit)s
"""

OWNERS = "select owner from audit_heads union select distinct owner from audit order by owner"
HEAD = "select seq, encode(hash, 'hex') as hash from audit_heads where owner = %(owner)s"
ONE_VIEW = "set transaction isolation level repeatable read, read only"
AT = "select encode(hash, 'hex') as hash from audit where owner = %(owner)s and seq = %(seq)s"
CUT = "delete from audit where owner = %(owner)s and seq <= %(seq)s"


async def sealed(sealer: Sealer | None, entry: Mapping[str, Any]) -> str:
    """Return an entry as it is stored: what people wrote is sealed, the rest is looked for.

    Raises:
        CannotSeal: the handler failed.
    """
    if sealer and "said" in entry:
        entry = {**entry, "said": await sealer.seal("audit", "said", entry["said"])}
    return canonical(entry)


async def add(conn: Connection, entries: Sequence[Mapping[str, Any]]) -> None:
    """Have the commit add entries to the chain of their owner, in this order.

    One whose `id` is there already is left out. The chain is held by the commit alone.

    Raises:
        CannotSeal: the handler failed; nothing is added.
    """
    for entry in entries:
        values = {"owner": str(entry["owner"]), "entry": await sealed(conn.sealer, entry)}
        await conn.execute(ADD_AT_COMMIT, values)


async def add_sealed(conn: Connection, entries: Sequence[tuple[str, str]]) -> None:
    """Add entries that `sealed` has made, each with its owner, now: outside of a transaction, or at its end.

    Each chain is held until the transaction ends.
    """
    if entries:
        owners, texts = zip(*entries, strict=True)
        await conn.execute(ADD, {"owners": list(owners), "entries": list(texts)})


async def search(
    conn: Connection,
    *,
    owner: str,
    user: str | None = None,
    allowed: str | None = None,
    before: int | None = None,
    thread_id: UUID | None = None,
    tool: str | None = None,
    kind: Kind | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
) -> list[Link]:
    """Return entries of an owner, newest first, below `before` if given.

    With `user` only theirs, and with `allowed`, a jsonpath, also those of threads whose metadata fulfil it.
    """
    values = {
        "owner": owner,
        "user": user,
        "allowed": allowed,
        "before": before,
        "thread_id": str(thread_id) if thread_id else None,
        "tool": tool,
        "kind": kind,
        "since": since,
        "until": until,
        "limit": limit,
    }
    return await _links(conn, SEARCH, values)


async def after(
    conn: Connection,
    seq: int,
    *,
    owner: str,
    user: str | None = None,
    allowed: str | None = None,
    limit: int = PAGE,
) -> list[Link]:
    """Return entries of an owner above `seq`, oldest first; `user` and `allowed` as in `search`."""
    values = {"owner": owner, "user": user, "allowed": allowed, "after": seq, "limit": limit}
    return await _links(conn, AFTER, values)


async def opened(sealer: Sealer | None, link: Link) -> dict[str, Any]:
    """Return what an entry says, with everything opened that is sealed of it.

    Raises:
        CannotOpen: it cannot be.
    """
    return dict(await sealer.open(link.body)) if sealer else link.body


async def walk(conn: Connection, owner: str) -> AsyncIterator[Link]:
    """Yield all entries of an owner, oldest first."""
    seq = 0
    while page := await after(conn, seq, owner=owner):
        for link in page:
            yield link
        seq = page[-1].seq


async def owners(conn: Connection) -> list[str]:
    """Return who has a chain.

    Raises:
        Conflict: the database has no audit log yet.
    """
    try:
        rows = await (await conn.execute(OWNERS)).fetchall()
    except UndefinedTable as old:
        raise Conflict("this database has no audit log yet: bring it up to date by `artel migrate`") from old
    return [row["owner"] for row in rows]


async def head(conn: Connection, owner: str) -> dict[str, Any] | None:
    """Return where an owner's chain ends: `seq` and `hash`; None when nothing says so."""
    return await (await conn.execute(HEAD, {"owner": owner})).fetchone()


async def verify(conn: Connection, owner: str) -> tuple[Walk, Broken | None]:
    """Walk an owner's chain to its end, or to the first entry that is not what it should be.

    What is added meanwhile is not looked at. Call it outside of a transaction.
    """
    way = Walk(owner)
    async with conn.transaction():
        await conn.execute(ONE_VIEW)
        async for link in walk(conn, owner):
            if broken := way.step(link):
                return way, broken
        return way, way.end(await head(conn, owner))


async def cut(conn: Connection, owner: str, through: int, *, by: str, reason: str) -> int:
    """Remove an owner's entries up to `through`; an entry says who did, why, and which hash came last.

    Return how many went. Call it in a transaction.

    Raises:
        UnknownEntry: there is no entry `through`.
    """
    row = await (await conn.execute(AT, {"owner": owner, "seq": through})).fetchone()
    if row is None:
        raise UnknownEntry(f"the audit log of {owner!r} has no entry {through}")
    moment = said_moment(datetime.now().astimezone())
    signed = {"seq": through, "hash": row["hash"], "reason": reason}
    entry = {"id": str(new_id()), "owner": owner, "kind": "cut", "at": moment, "user": by, "cut": signed}
    await add_sealed(conn, [(owner, canonical(entry))])
    return (await conn.execute(CUT, {"owner": owner, "seq": through})).rowcount


async def _links(conn: Connection, query: str, values: Mapping[str, Any]) -> list[Link]:
    rows = await (await conn.execute(query, values)).fetchall()
    return [Link(**{**row, "written_at": said_moment(row["written_at"])}) for row in rows]
