"""A document as a source gives it: cut into pieces, within limits."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artel.storage.encoding import dumps, dumps_jsonb, loads, without_nul
from artel.storage.knowledge.limits import (
    MAX_CHUNKS,
    MAX_HEADER,
    MAX_METADATA,
    MAX_NAME,
    MAX_ROLES,
    MAX_TEXT,
    MAX_TITLE,
    MAX_URL,
    MAX_WORD,
    plain,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a document that is found by itself: characters `start` to `end` of its text."""

    start: int
    end: int
    header: str = ""  # what stands before it when it is embedded: path and scope, or headings
    language: str | None = None  # None: that of the document


@dataclass(frozen=True, slots=True)
class Draft:
    """A document to be put. Without `pieces` only what is said of it may differ from what is known."""

    external_id: str
    text: str
    chunker: str  # and its version: another one cuts anew
    pieces: Sequence[Piece] | None = None
    title: str = ""
    url: str | None = None
    language: str | None = None
    kind: str = "text"
    roles: Sequence[str] = ()  # none: for all
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source_version: str | None = None  # an etag, a commit; a new one alone is no change


@dataclass(frozen=True, slots=True)
class Sum:
    """What a draft is compared by."""

    content_hash: bytes
    described: bytes
    size: int  # bytes


def content_hash(text: str) -> bytes:
    """Return the hash by which two texts are the same."""
    return hashlib.sha256(text.encode()).digest()


def chunk_hash(header: str, text: str) -> bytes:
    """Return the hash by which two chunks are embedded once; no text holds a NUL."""
    return hashlib.sha256(f"{header}\0{text}".encode()).digest()


def summed(draft: Draft) -> Sum:
    """Return the sums of a draft that is not wrong."""
    text = draft.text.encode()
    said = [draft.title, draft.url, draft.language, draft.kind, list(draft.roles), draft.chunker]
    # Sorted, for a source may give its metadata in another order each time.
    metadata = json.dumps(loads(dumps_jsonb(draft.metadata)), sort_keys=True)
    described = hashlib.sha256(dumps_jsonb(said) + metadata.encode()).digest()
    return Sum(hashlib.sha256(text).digest(), described, len(text))


def wrong(draft: Draft) -> str | None:
    """Return why a draft cannot be put, or None."""
    named = (
        (draft.external_id, "id", MAX_NAME),
        (draft.chunker, "chunker", MAX_NAME),
        (draft.title, "title", MAX_TITLE),
        (draft.url, "url", MAX_URL),
        (draft.language, "language", MAX_WORD),
        (draft.kind, "kind", MAX_WORD),
        (draft.source_version, "source_version", MAX_NAME),
        *((role, "role", MAX_WORD) for role in draft.roles),
        (draft.text, "text", MAX_TEXT),
    )
    for text, what, most in named:
        if text is not None and (reason := plain(text, what, most)):
            return reason
    if not draft.external_id:
        return "a document needs an id"
    if (size := len(draft.text.encode())) > MAX_TEXT:
        return f"text may have {MAX_TEXT} bytes, got {size}"
    if len(draft.roles) > MAX_ROLES:
        return f"a document may have {MAX_ROLES} roles, got {len(draft.roles)}"
    return _wrong_metadata(draft.metadata) or _wrong_pieces(draft)


def _wrong_metadata(metadata: Mapping[str, Any]) -> str | None:
    written = dumps(metadata)
    if without_nul(written) != written:
        return "metadata has a NUL character in it"
    if len(written) > MAX_METADATA:
        return f"metadata may have {MAX_METADATA} bytes of JSON, got {len(written)}"
    if not written.startswith(b"{"):
        return f"metadata must be an object, got {type(metadata).__name__}"
    return None


def _wrong_pieces(draft: Draft) -> str | None:
    pieces = draft.pieces or ()
    if len(pieces) > MAX_CHUNKS:
        return f"a document may have {MAX_CHUNKS} chunks, got {len(pieces)}"
    for piece in pieces:
        if not 0 <= piece.start < piece.end <= len(draft.text):
            place = f"characters {piece.start} to {piece.end}"
            return f"a chunk of {place} is not in a text of {len(draft.text)}"
        if reason := plain(piece.header, "header", MAX_HEADER):
            return reason
        if piece.language is not None and (reason := plain(piece.language, "language", MAX_WORD)):
            return reason
    return None
