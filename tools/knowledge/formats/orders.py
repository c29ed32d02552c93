"""What is asked of a process that reads a file, and what it may answer."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import TypeAdapter

from artel.tools.knowledge.formats.containers import Member
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.records import Limits, Read

MAX_NAME = 500  # characters of a name, from its end: it is a hint there, nothing more


@dataclass(frozen=True, slots=True)
class Order:
    """Read the file behind the first descriptor, or a member of it."""

    name: str
    media_type: str = ""
    member: int | None = None
    "Index in the directory of the archive; None: the file itself."
    unpack: bool = False
    "Write the member to the second descriptor instead of reading it."
    expected: Format = Format.TEXT
    "Whose libraries will be needed, as far as one can tell before."
    pandoc: str = ""
    "The program; empty: there is none."
    limits: Limits = field(default_factory=Limits)

    def packed(self) -> bytes:
        """Return the order as it travels."""
        return orjson.dumps(self)

    @classmethod
    def from_packed(cls, packed: bytes) -> "Order":
        """Return what was packed."""
        return _ORDER.validate_json(packed)


@dataclass(frozen=True, slots=True)
class Refused:
    """It gives no text."""

    reason: str


@dataclass(frozen=True, slots=True)
class Archive:
    """It holds files."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Nested:
    """The member is an archive; it was written to the second descriptor if that was asked for."""

    size: int


Answer = Read | Refused | Archive | Nested

_ORDER = TypeAdapter(Order)
_ANSWERS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind) for kind in (Read, Refused, Archive, Nested)
}


def packed(answer: Answer) -> bytes:
    """Return an answer as it travels."""
    return orjson.dumps([type(answer).__name__, answer])


def unpacked(data: bytes) -> Answer:
    """Return an answer, checked: it comes from a process that a file may have taken over.

    Raises:
        ValueError: it is none.
    """
    match orjson.loads(data):
        case [str(kind), dict(value)] if kind in _ANSWERS:
            answer: Answer = _ANSWERS[kind].validate_python(value)
            return answer
    raise ValueError("neither a text nor a reason")
