"""What every source offers: what has changed, what there is, and one document of it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from artel.storage.errors import Forbidden, Invalid, NotFound, Unavailable

Json: TypeAlias = dict[str, Any]

MAX_ITEM = 10 * 1_048_576  # bytes of one document


@dataclass(frozen=True, slots=True)
class Changed:
    """A document that is new, or may be other than it was."""

    id: str
    "Within its source; it stays when the document is renamed or moved, where the source can tell."
    version: str
    "Equal to the one before: nothing has changed."
    title: str
    url: str
    "For people; empty where a browser cannot go."
    modified: datetime | None
    kind: str
    "What roles ask for: page, post, attachment, code, document, text, wiki, issue, rfc, paper."
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gone:
    """A document that the source says is no more."""

    id: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How to go on from here: what came before it need not be asked for again."""

    value: Json


Change: TypeAlias = Changed | Gone | Cursor


@dataclass(frozen=True, slots=True)
class Fetched:
    """The content of a document."""

    data: bytes | Path
    name: str
    "As of a file: its ending helps who reads it."
    media_type: str
    url: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


class SourceDown(Unavailable):
    """A source did not answer as it should; a later time may find it well."""

    code = "source_down"


class Incomplete(SourceDown):
    """A listing did not come to its end, so nothing can be said of what it lacks."""

    code = "listing_incomplete"


class Refused(Forbidden):
    """A source does not let us in, or may not be called; the message names the setting that decides."""

    code = "source_refused"


class TooBig(Invalid):
    """A document, or an answer, has more bytes than are read."""

    code = "document_too_big"


class ItemGone(NotFound):
    """The source no longer has the document, or no longer shows it."""

    code = "document_gone"


class Connector(Protocol):
    """Brings the documents of one source."""

    @property
    def name(self) -> str:
        """How reports and errors call the source."""

    def changes(self, cursor: Json | None) -> AsyncIterator[Change]:
        """Yield what has changed since `cursor`; None: all there is.

        A document may come although its version is the same, and twice; what comes last is true. A cursor
        may be kept as soon as it came, and what came before it is then not told again: who could not take a
        document finds it in the next listing, as one that is not known. Deletions may be missing: only a
        listing has them all.

        Raises:
            SourceDown, Refused: it cannot go on; the cursor that came last still holds.
        """

    def listing(self) -> AsyncIterator[str]:
        """Yield the ids of all documents, each once at least.

        Raises:
            Incomplete: it was cut short. What is missing may exist, so nothing may be deleted for it.
            SourceDown, Refused: the same holds.
        """

    async def fetch(self, id: str) -> Fetched:  # noqa: A002 - the word of the port
        """Return a document as it is now.

        Raises:
            ItemGone: it is no longer there.
            TooBig: it is over the limit of the connector.
            SourceDown, Refused: it cannot be got.
        """
