"""The words of a collection, as the library keeps them."""

from collections.abc import Sequence

from artel.storage.knowledge.chunks import Chunk
from artel.storage.knowledge.hits import Ids
from artel.storage.knowledge.lexical.index import LexicalIndex, Snapshot
from artel.storage.knowledge.lexical.languages import tell
from artel.storage.knowledge.lexical.terms import indexed


class Words:
    """A lexical index that reads chunks: their headers count twice, as titles do."""

    def __init__(self) -> None:
        self._index = LexicalIndex()

    @property
    def snapshot(self) -> Snapshot:
        """Return what stands now; it stays as it is."""
        return self._index.snapshot

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Put chunks in, in place of those with the same ids."""
        self._index.add(
            [(one.chunk_id, indexed(one.text, _language(one), title=one.header)) for one in chunks]
        )

    def remove(self, chunk_ids: Ids) -> None:
        """Take chunks out; one that is not there is no error."""
        self._index.remove(chunk_ids)

    def ids(self) -> Ids:
        """Return the ids of all that is there, sorted."""
        return self._index.ids()


def _language(chunk: Chunk) -> str:
    return chunk.language or tell(chunk.text).language
