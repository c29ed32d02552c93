"""What came out of a file, and how much may."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["prose", "code", "transcript"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of the text stood in the file: characters `start` up to `end` of the text."""

    start: int
    end: int
    page: int | None = None
    "Of a PDF, from 1."
    seconds: float | None = None
    "Of a recording, when the part begins."
    heading: str = ""
    "Of Markdown and what becomes it: the part is the heading and all up to the next one."


@dataclass(frozen=True, slots=True)
class Read:
    """The text of one file: line ends are line feeds, Unicode is NFC, there are no control characters."""

    name: str
    "As it was given; of a member of an archive its path inside."
    text: str
    title: str = ""
    language: str = ""
    "Of code the language as tree-sitter calls it; of prose what the file declares, as ISO 639-1; else empty."
    kind: Kind = "prose"
    places: tuple[Place, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    "`format` always; author, date, description, encoding, pages … where the file says so."
    warnings: tuple[str, ...] = ()
    "What is missing from the text, a sentence each."


@dataclass(frozen=True, slots=True)
class Unread:
    """A member of an archive that gave no text, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may cost. What is over is refused, or said in the warnings."""

    file_bytes: int = 50_000_000
    "Of one file, unpacked."
    media_bytes: int = 500_000_000
    "Of a recording: it is not read here, only sent."
    archive_bytes: int = 200_000_000
    "Of all that is packed in one file, nested archives counted in."
    members: int = 2_000
    "Files in an archive, nested archives counted in."
    ratio: int = 200
    "How many times longer than packed a file may be that is longer than a million bytes."
    text_chars: int = 20_000_000
    "Of the text of one file, about 10,000 pages; the rest is cut and the warnings say so."
    file_s: float = 60
    "Wall clock and processor time for one file."
    page_s: float = 15
    "For one page of a PDF; a page that takes longer is left out and the warnings say so."
    memory_bytes: int = 1 << 30
    "Address space of the process that reads a file."
