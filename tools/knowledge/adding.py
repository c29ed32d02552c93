"""Adding documents: cut into chunks, put, and found by their words as soon as they are."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from artel.storage.knowledge import collections, documents
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.documents import Draft, Outcome, Piece, content_hash
from artel.storage.knowledge.lexical.languages import tell
from artel.storage.knowledge.limits import MAX_TEXT
from artel.storage.postgres import Database
from artel.tools.knowledge.chunking import chunks

CHUNKER = "artel-1"
"""Another number cuts every document anew when it is put again."""
TOGETHER = 8_000_000  # characters of text that are cut and put in one go
DRAFTS = 200
SAMPLE = 20_000  # characters that the language is told from


@dataclass(frozen=True, slots=True)
class Given:
    """A document as somebody gives it."""

    id: str
    "As they know it, unique in its source."
    text: str
    title: str = ""
    url: str | None = None
    language: str | None = None
    "ISO 639-1; None: told from the text."
    kind: str = "text"
    roles: Sequence[str] = ()
    "For whom it is; none: for all."
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source_version: str | None = None


async def add(
    db: Database, given: Sequence[Given], *, owner: str, collection: str, source_id: UUID | None = None
) -> tuple[Collection, list[Outcome]]:
    """Put documents in a collection, made if there was none, and say of each, in order, what became of it.

    What is wrong with one holds up no other. Of two with one id the last counts. Each batch is a revision.

    Raises:
        Invalid: the collection's name is wrong.
    """
    async with db.transaction() as conn:
        made = await collections.make(conn, collection, owner=owner)
    outcomes: list[Outcome] = []
    for batch in _batches(given):
        async with db.connection() as conn:
            known = await documents.known(conn, made, [one.id for one in batch], source_id=source_id)
        same = {name: one.content_hash for name, one in known.items() if one.chunker == CHUNKER}
        drafts = await asyncio.to_thread(_drafts, batch, same)
        async with db.connection() as conn:
            outcomes += await documents.put(conn, made, drafts, source_id=source_id)
    return made, outcomes


def _batches(given: Sequence[Given]) -> Iterator[list[Given]]:
    batch: list[Given] = []
    size = 0
    for one in given:
        if batch and (len(batch) == DRAFTS or size + len(one.text) > TOGETHER):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one.text)
    if batch:
        yield batch


def _drafts(batch: Sequence[Given], same: Mapping[str, bytes]) -> list[Draft]:
    return [_draft(one, same) for one in batch]


def _draft(given: Given, same: Mapping[str, bytes]) -> Draft:
    """Return a document as it is put; one whose text is known, or too long to be kept, is not cut."""
    pieces = None
    if len(given.text) <= MAX_TEXT and same.get(given.id) != _hash(given.text):
        path = str(given.metadata.get("path", ""))
        pieces = [
            Piece(one.start, one.end, one.header) for one in chunks(given.text, path=path, title=given.title)
        ]
    return Draft(
        external_id=given.id,
        text=given.text,
        chunker=CHUNKER,
        pieces=pieces,
        title=given.title,
        url=given.url,
        language=given.language or tell(given.text[:SAMPLE]).language,
        kind=given.kind,
        roles=given.roles,
        metadata=given.metadata,
        source_version=given.source_version,
    )


def _hash(text: str) -> bytes | None:
    try:
        return content_hash(text)
    except UnicodeEncodeError:  # half a character: putting says so
        return None
