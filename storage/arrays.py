"""One-dimensional arrays as parameters: many rows in one statement."""

import struct
from collections.abc import Iterable, Sequence
from typing import ClassVar

from psycopg import adapters
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format


class Array:
    """A one-dimensional array as Postgres takes it in binary.

    psycopg would guess the type from the first element: of an empty list it knows none, and a statement with
    other types is another prepared statement.
    """

    oid: ClassVar[int]
    element: ClassVar[int]

    def __init__(self, elements: Sequence[bytes | None]) -> None:
        self.elements = elements


class TextArray(Array):
    """A text[]."""

    oid, element = 1009, 25


class ByteaArray(Array):
    """A bytea[]."""

    oid, element = 1001, 17


class Int4Array(Array):
    """An int4[]."""

    oid, element = 1007, 23


class Int8Array(Array):
    """An int8[]."""

    oid, element = 1016, 20


class BoolArray(Array):
    """A bool[]."""

    oid, element = 1000, 16


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def __init__(self, cls: type[Array], context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self.oid = cls.oid

    def dump(self, obj: Array) -> Buffer:
        if not obj.elements:
            return struct.pack("!iii", 0, 0, obj.element)
        parts = [struct.pack("!iiiii", 1, int(None in obj.elements), obj.element, len(obj.elements), 1)]
        for one in obj.elements:
            parts += (struct.pack("!i", -1),) if one is None else (struct.pack("!i", len(one)), one)
        return b"".join(parts)


adapters.register_dumper(Array, _ArrayDumper)


def texts(values: Iterable[str | None]) -> TextArray:
    """Return a text[]."""
    return TextArray([None if value is None else value.encode() for value in values])


def ints(values: Iterable[int]) -> Int4Array:
    """Return an int4[]."""
    return Int4Array([struct.pack("!i", value) for value in values])


def bigints(values: Iterable[int]) -> Int8Array:
    """Return an int8[]."""
    return Int8Array([struct.pack("!q", value) for value in values])
