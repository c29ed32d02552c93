"""A file of any kind to its text. Runs only in a process that may die of it."""

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from artel.tools.knowledge.formats import wording
from artel.tools.knowledge.formats.errors import BROKEN, Unreadable
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.records import Limits, Read

MODULES = {
    Format.PDF: "pdf",
    Format.ZIP: "office",
    Format.DOCX: "office",
    Format.ODT: "office",
    Format.EPUB: "office",
    Format.RTF: "office",
    Format.OLE: "office",
    Format.HTML: "pages",
    Format.MARKDOWN: "markdown",
    Format.TEXT: "plain",
    Format.CODE: "plain",
    Format.CSV: "plain",
    Format.VTT: "transcripts",
    Format.SRT: "transcripts",
}


@dataclass(frozen=True, slots=True)
class File:
    """What a parser is given."""

    name: str
    data: bytes
    format: Format
    charset: str
    "As the media type declares it, or empty."
    limits: Limits
    pandoc: Path | None
    "The program; None: there is none."


class Parser(Protocol):
    """A module that reads a format."""

    def parse(self, file: File) -> Read:
        """Return the text of a file.

        Raises:
            Unreadable: there is none, or it may not be read.
        """


def module(kind: Format) -> Parser:
    """Return what reads a format; the first time this takes as long as its libraries need."""
    return cast(Parser, import_module(f"artel.tools.knowledge.formats.{MODULES[kind]}"))


def parse(file: File) -> Read:
    """Return the text of a file, cut to the limit.

    Raises:
        Unreadable: it is broken, or holds no text.
    """
    try:
        read = module(file.format).parse(file)
    except MemoryError:
        raise Unreadable(f"it takes more than {file.limits.memory_bytes >> 20} MB of memory") from None
    except RecursionError:
        raise Unreadable("it is nested too deeply to read") from None
    except BROKEN as error:
        said = wording.shown(str(error))[:200]
        raise Unreadable(f"it is damaged ({type(error).__name__}: {said}); send it anew") from None
    if not read.text.strip():
        raise Unreadable("there is no text in it")
    metadata = {
        "format": file.format.value,
        **{key: wording.line(value) for key, value in read.metadata.items()},
    }
    return _cut(replace(read, title=wording.line(read.title), metadata=metadata), file.limits.text_chars)


def charset(media_type: str) -> str:
    """Return the charset that a media type declares, or nothing.

    >>> charset('text/html; charset="KOI8-R"')
    'koi8-r'
    """
    for parameter in media_type.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            return value.strip().strip("\"'").lower()
    return ""


def _cut(read: Read, most: int) -> Read:
    if len(read.text) <= most:
        return read
    places = tuple(replace(one, end=min(one.end, most)) for one in read.places if one.start < most)
    warning = f"only the first {most} of {len(read.text)} characters were read"
    return replace(read, text=read.text[:most], places=places, warnings=(*read.warnings, warning))
