"""What became of the documents of an import: counts that add up, and failures with their reasons."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from artel.storage import arrays
from artel.storage.errors import Conflict, Invalid, NotFound
from artel.storage.ids import new_id
from artel.storage.knowledge.collections import Collection, UnknownCollection
from artel.storage.knowledge.documents import Outcome
from artel.storage.knowledge.limits import MAX_NAME
from artel.storage.knowledge.sources import UnknownSource
from artel.storage.postgres import Connection

State = Literal["running", "done", "failed"]

MAX_REASON = 1_000  # characters
MAX_NOTES = 10_000
FAILURES_KEPT = 10_000  # of one import; the rest is only counted


class UnknownImport(NotFound):
    """This owner has no such import."""

    code = "unknown_import"


class ImportEnded(Conflict):
    """An import that has ended counts no more."""

    code = "import_ended"


@dataclass(frozen=True, slots=True)
class Import:
    """What became of the documents so far; `seen` is the sum of added, updated, skipped and failed."""

    import_id: UUID
    owner: str
    collection_id: UUID
    source_id: UUID | None
    state: State
    seen: int
    added: int
    updated: int
    skipped: int
    failed: int
    deleted: int
    notes: str | None
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be taken."""

    external_id: str
    reason: str


BEGIN = """
insert into document_imports (import_id, owner, collection_id, source_id)
select %(import_id)s, c.owner, c.collection_id, s.source_id
  from collections c left join sources s on s.source_id = %(source_id)s and s.collection_id = c.collection_id
 where c.collection_id = %(collection_id)s and c.owner = %(owner)s
   and (%(source_id)s::uuid is null or s.source_id is not null)
returning *
"""
COUNT = """
update document_imports
   set seen = seen + %(added)s + %(updated)s + %(skipped)s + %(failed)s, added = added + %(added)s,
       updated = updated + %(updated)s, skipped = skipped + %(skipped)s, failed = failed + %(failed)s,
       deleted = deleted + %(deleted)s
 where import_id = %(import_id)s and owner = %(owner)s and state = 'running'
returning *
"""
FAIL = """
insert into document_import_failures (import_id, external_id, reason)
select %(import_id)s, f.external_id, f.reason
  from unnest(%(external_ids)s, %(reasons)s) with ordinality as f(external_id, reason, n)
 where f.n <= %(room)s
"""
END = """
update document_imports set state = %(state)s, notes = %(notes)s, ended_at = clock_timestamp()
 where import_id = %(import_id)s and owner = %(owner)s and state = 'running'
returning *
"""
GET = "select * from document_imports where import_id = %(import_id)s and owner = %(owner)s"
SEARCH = """
select * from document_imports where collection_id = %(collection_id)s and owner = %(owner)s
 order by import_id desc limit %(limit)s offset %(offset)s
"""
FAILURES = """
select f.external_id, f.reason
  from document_import_failures f join document_imports i using (import_id)
 where i.import_id = %(import_id)s and i.owner = %(owner)s
 order by f.failure_id limit %(limit)s offset %(offset)s
"""


async def begin(conn: Connection, collection: Collection, *, source_id: UUID | None = None) -> Import:
    """Begin to count.

    Raises:
        UnknownSource: the source is not one of this collection.
        UnknownCollection: it has been dropped.
    """
    values = {**collection.whose, "import_id": new_id(), "source_id": source_id}
    row = await (await conn.execute(BEGIN, values)).fetchone()
    if row:
        return Import(**row)
    if source_id:
        raise UnknownSource(f"collection {collection.name!r} has no source {source_id}")
    raise UnknownCollection(f"no collection {collection.collection_id}")


async def count(
    conn: Connection, import_id: UUID, outcomes: Sequence[Outcome], *, owner: str, deleted: int = 0
) -> Import:
    """Count what became of documents; in the transaction that put them it is counted once.

    Raises:
        ImportEnded: it has ended.
        UnknownImport: this owner has none with that id.
    """
    results = Counter(outcome.result for outcome in outcomes)
    counts = {result: results[result] for result in ("added", "updated", "skipped", "failed")}
    failures = [outcome for outcome in outcomes if outcome.result == "failed"]
    values: dict[str, Any] = {"import_id": import_id, "owner": owner, "deleted": deleted, **counts}
    async with conn.transaction():
        counted = await _running(conn, COUNT, values)
        if failures:
            values = {
                "import_id": import_id,
                "external_ids": arrays.texts(_clean(one.external_id, MAX_NAME) for one in failures),
                "reasons": arrays.texts(_clean(one.reason or "", MAX_REASON) for one in failures),
                "room": max(0, FAILURES_KEPT - (counted.failed - len(failures))),
            }
            await conn.execute(FAIL, values)
    return counted


async def end(
    conn: Connection, import_id: UUID, *, owner: str, failed: bool = False, notes: str | None = None
) -> Import:
    """End an import; `failed`: it broke off, and not that documents of it failed.

    Raises:
        ImportEnded: it has ended.
        UnknownImport: this owner has none with that id.
    """
    state = "failed" if failed else "done"
    said = None if notes is None else _clean(notes, MAX_NOTES)
    return await _running(conn, END, {"import_id": import_id, "owner": owner, "state": state, "notes": said})


async def get(conn: Connection, import_id: UUID, *, owner: str) -> Import:
    """Return an import.

    Raises:
        UnknownImport: this owner has none with that id.
    """
    row = await (await conn.execute(GET, {"import_id": import_id, "owner": owner})).fetchone()
    if row is None:
        raise UnknownImport(f"no import {import_id}")
    return Import(**row)


async def search(
    conn: Connection, collection: Collection, *, limit: int = 100, offset: int = 0
) -> list[Import]:
    """Return the imports into a collection, newest first."""
    values = {**collection.whose, "limit": limit, "offset": offset}
    return [Import(**row) async for row in await conn.execute(SEARCH, values)]


async def failures(
    conn: Connection, import_id: UUID, *, owner: str, limit: int = 1_000, offset: int = 0
) -> list[Failure]:
    """Return what could not be taken and why, the first FAILURES_KEPT of it, in order.

    Raises:
        Invalid: `limit` is more than FAILURES_KEPT.
    """
    if limit > FAILURES_KEPT:
        raise Invalid(f"limit may be {FAILURES_KEPT}, got {limit}")
    values = {"import_id": import_id, "owner": owner, "limit": limit, "offset": offset}
    return [Failure(**row) async for row in await conn.execute(FAILURES, values)]


def _clean(text: str, most: int) -> str:
    """Return a text as Postgres takes it: what failed may have failed for its id."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()[:most]


async def _running(conn: Connection, query: str, values: dict[str, Any]) -> Import:
    row = await (await conn.execute(query, values)).fetchone()
    if row:
        return Import(**row)
    ended = await get(conn, values["import_id"], owner=values["owner"])
    raise ImportEnded(f"import {ended.import_id} has ended: it is {ended.state}")
