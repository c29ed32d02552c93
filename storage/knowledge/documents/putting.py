"""Putting documents: what has changed is written, in a few statements for all of a call."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from artel.storage import arrays
from artel.storage.errors import Invalid
from artel.storage.knowledge.collections import Collection, advance, lock
from artel.storage.knowledge.documents.comparing import Plan, Row, compared
from artel.storage.knowledge.documents.drafts import Draft, Sum, summed, wrong
from artel.storage.knowledge.documents.finding import KNOWN
from artel.storage.knowledge.documents.record import Known, Outcome
from artel.storage.knowledge.documents.recutting import recut
from artel.storage.knowledge.limits import MAX_DRAFTS, MAX_TOGETHER
from artel.storage.knowledge.sources import UnknownSource
from artel.storage.postgres import Connection

Checked = Sum | str

OF_SOURCE = """
select source_id from sources
 where source_id = %(source_id)s and collection_id = %(collection_id)s and owner = %(owner)s
"""
ADD = """
insert into documents (document_id, collection_id, source_id, external_id, title, url, language, kind, roles,
                       metadata, text, size, content_hash, described, source_version, chunker)
select g.document_id, %(collection_id)s, %(source_id)s, g.external_id, g.title, g.url, g.language, g.kind,
       array(select jsonb_array_elements_text(g.roles::jsonb)), g.metadata::jsonb, g.text, g.size,
       g.content_hash, g.described, g.source_version, g.chunker
  from unnest(%(document_id)s::uuid[], %(external_id)s, %(title)s, %(url)s, %(language)s, %(kind)s, %(roles)s,
              %(metadata)s, %(text)s, %(size)s, %(content_hash)s, %(described)s, %(source_version)s,
              %(chunker)s)
       as g(document_id, external_id, title, url, language, kind, roles, metadata, text, size, content_hash,
            described, source_version, chunker)
"""
# A text that stays the same is not sent, and not written again.
CHANGE = """
with given as materialized (
    select * from unnest(
        %(document_id)s::uuid[], %(title)s, %(url)s, %(language)s, %(kind)s, %(roles)s, %(metadata)s,
        %(text)s, %(size)s, %(content_hash)s, %(described)s, %(source_version)s, %(chunker)s, %(is_cut)s)
    as g(document_id, title, url, language, kind, roles, metadata, text, size, content_hash, described,
         source_version, chunker, is_cut)
), replaced as (
    insert into document_versions (document_id, version, content_hash)
    select d.document_id, d.version, d.content_hash from documents d join given g using (document_id)
     where d.content_hash <> g.content_hash
)
update documents d
   set title = g.title, url = g.url, language = g.language, kind = g.kind,
       roles = array(select jsonb_array_elements_text(g.roles::jsonb)), metadata = g.metadata::jsonb,
       text = coalesce(g.text, d.text), size = g.size, content_hash = g.content_hash, described = g.described,
       source_version = g.source_version, chunker = g.chunker,
       version = d.version + (d.content_hash <> g.content_hash)::int, updated_at = clock_timestamp(),
       indexed_at = case when g.is_cut then clock_timestamp() else d.indexed_at end
  from given g where d.document_id = g.document_id
"""
SEEN_AS = """
update documents d set source_version = g.source_version
  from unnest(%(document_id)s::uuid[], %(source_version)s) as g(document_id, source_version)
 where d.document_id = g.document_id
"""


async def put(
    conn: Connection, collection: Collection, drafts: Sequence[Draft], *, source_id: UUID | None = None
) -> list[Outcome]:
    """Add or change documents and say of each, in order, what became of it; a wrong one holds up no other.

    All that is not wrong is committed together, as one revision; nothing changed is none.

    Raises:
        Invalid: there are more than MAX_DRAFTS, or more than MAX_TOGETHER characters of text.
        UnknownCollection: it has been dropped.
        UnknownSource: the source is not one of this collection.
    """
    if len(drafts) > MAX_DRAFTS:
        raise Invalid(f"put {MAX_DRAFTS} documents at once, got {len(drafts)}")
    if (size := sum(len(draft.text) for draft in drafts)) > MAX_TOGETHER:
        raise Invalid(f"put {MAX_TOGETHER} characters of text at once, got {size}")
    checked = await asyncio.to_thread(_checked, drafts)
    ids = [draft.external_id for draft, sums in zip(drafts, checked, strict=True) if isinstance(sums, Sum)]
    async with conn.transaction():
        locked = await lock(conn, collection)
        values = {**locked.whose, "source_id": source_id}
        if source_id and await (await conn.execute(OF_SOURCE, values)).fetchone() is None:
            raise UnknownSource(f"collection {locked.name!r} has no source {source_id}")
        rows = await conn.execute(KNOWN, {**values, "external_ids": arrays.texts(ids)})
        known = {row["external_id"]: Known(**row) async for row in rows}
        plan = await asyncio.to_thread(compared, drafts, checked, known)
        await _write(conn, locked, plan, source_id)
    return plan.outcomes


def _checked(drafts: Sequence[Draft]) -> list[Checked]:
    return [wrong(draft) or summed(draft) for draft in drafts]


async def _write(conn: Connection, locked: Collection, plan: Plan, source_id: UUID | None) -> None:
    values: dict[str, object] = {"collection_id": locked.collection_id, "source_id": source_id}
    if plan.seen:
        seen = {"document_id": list(plan.seen), "source_version": arrays.texts(plan.seen.values())}
        await conn.execute(SEEN_AS, seen)
    if not plan.added and not plan.changed:
        return
    revision = await advance(conn, locked)
    if plan.added:
        names = arrays.texts(row.draft.external_id for row in plan.added)
        await conn.execute(ADD, {**values, **_columns(plan.added), "external_id": names})
    if plan.changed:
        await conn.execute(CHANGE, _columns(plan.changed))
    cut = [row.document_id for row in plan.changed if row.is_cut]
    await recut(conn, locked.collection_id, plan.cuts, changed=cut, revision=revision)


def _columns(rows: Sequence[Row]) -> dict[str, object]:
    drafts = [row.draft for row in rows]
    return {
        "document_id": [row.document_id for row in rows],
        "title": arrays.texts(draft.title for draft in drafts),
        "url": arrays.texts(draft.url for draft in drafts),
        "language": arrays.texts(draft.language for draft in drafts),
        "kind": arrays.texts(draft.kind for draft in drafts),
        "roles": arrays.texts(row.roles for row in rows),
        "metadata": arrays.texts(row.metadata for row in rows),
        "text": arrays.texts(row.text for row in rows),
        "size": arrays.ints(row.sums.size for row in rows),
        "content_hash": arrays.ByteaArray([row.sums.content_hash for row in rows]),
        "described": arrays.ByteaArray([row.sums.described for row in rows]),
        "source_version": arrays.texts(draft.source_version for draft in drafts),
        "chunker": arrays.texts(draft.chunker for draft in drafts),
        "is_cut": arrays.BoolArray([b"\1" if row.is_cut else b"\0" for row in rows]),
    }
