"""A sync as an ingest does it, as far as connectors can tell."""

from dataclasses import dataclass, field

from artel.tools.knowledge.connectors.diff import Difference, Told, difference, fold
from artel.tools.knowledge.connectors.port import Change, Connector, Cursor, Json


@dataclass
class Known:
    """What is known of one source: {id: version}, and the cursor that came last."""

    source: Connector
    documents: dict[str, str] = field(default_factory=dict)
    cursor: Json | None = None
    told: Told = field(default_factory=lambda: fold([]))

    async def sync(self, *, listing: bool = False) -> Difference:
        """Ask what has changed, and do it; with a listing also what that says."""
        changes: list[Change] = []
        try:
            async for change in self.source.changes(self.cursor):
                changes.append(change)
                if isinstance(change, Cursor):
                    self.cursor = change.value
        finally:
            self.told = fold(changes)
            listed = [one async for one in self.source.listing()] if listing else None
            found = difference(self.documents, self.told, listed)
            for one in found.delete:
                del self.documents[one]
            for one in found.add + found.change:
                told = self.told.changed.get(one)
                self.documents[one] = told.version if told else "missed"
        return found


async def text(source: Connector, id: str) -> str:  # noqa: A002 - as the port calls it
    """Fetch a document and read it."""
    fetched = await source.fetch(id)
    assert isinstance(fetched.data, bytes)
    return fetched.data.decode()


async def listed(source: Connector) -> list[str]:
    """List it, each id once and sorted."""
    return sorted({one async for one in source.listing()})
