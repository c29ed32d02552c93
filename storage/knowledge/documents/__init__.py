"""Documents: put, changed and deleted by the id that their source knows them by.

Their key is (collection, source, id). The hash of the text is a value: two documents may read the same, and
when one goes the other stays.
"""

from artel.storage.knowledge.documents.deleting import delete, delete_all
from artel.storage.knowledge.documents.drafts import Draft, Piece, chunk_hash, content_hash
from artel.storage.knowledge.documents.finding import get, known, listing, replaced, text
from artel.storage.knowledge.documents.putting import put
from artel.storage.knowledge.documents.record import Document, Known, Outcome, Result, UnknownDocument

__all__ = [
    "Document",
    "Draft",
    "Known",
    "Outcome",
    "Piece",
    "Result",
    "UnknownDocument",
    "chunk_hash",
    "content_hash",
    "delete",
    "delete_all",
    "get",
    "known",
    "listing",
    "put",
    "replaced",
    "text",
]
