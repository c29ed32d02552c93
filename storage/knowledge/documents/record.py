"""What is known of a document, and what became of one that was put."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from artel.storage.errors import NotFound

Result = Literal["added", "updated", "skipped", "failed"]


class UnknownDocument(NotFound):
    """The collection has no such document."""

    code = "unknown_document"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a draft; `document_id` is None for a new one that failed."""

    external_id: str
    result: Result
    reason: str | None = None
    document_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a source compares with what it finds."""

    document_id: UUID
    external_id: str
    content_hash: bytes
    described: bytes
    chunker: str
    source_version: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document without its text."""

    document_id: UUID
    collection_id: UUID
    source_id: UUID | None
    external_id: str
    title: str
    url: str | None
    language: str | None
    kind: str
    roles: list[str]
    metadata: dict[str, Any]
    size: int
    content_hash: bytes
    source_version: str | None
    version: int
    chunker: str
    created_at: datetime
    updated_at: datetime
    indexed_at: datetime
