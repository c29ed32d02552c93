"""Arrays of numbers as Postgres takes them in binary, a hundred times faster than as text."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import adapters
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from artel.storage.knowledge.hits import Ids, Vectors


class Packed(bytes):
    """A parameter as Postgres takes it in binary; its cast in the statement says what it is."""


class _PackedDumper(Dumper):
    format = Format.BINARY
    oid = 0

    def dump(self, obj: Packed) -> Buffer:
        return bytes(obj)


adapters.register_dumper(Packed, _PackedDumper)


def of_length_1(rows: Vectors) -> Vectors:
    """Return rows of length 1, so that half floats hold them; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def bigints(ids: Ids) -> Packed:
    """Return a bigint[]."""
    packed = np.empty(len(ids), dtype=[("size", ">i4"), ("id", ">i8")])
    packed["size"], packed["id"] = 8, ids
    return _array(packed, 20)


def halves(rows: Vectors, oid: int) -> Packed:
    """Return a halfvec[] of shape (n, d); `oid` is that of halfvec in this database."""
    dimension = rows.shape[1]
    head = [("size", ">i4"), ("dimension", ">i2"), ("unused", ">i2")]
    packed = np.zeros(len(rows), dtype=[*head, ("numbers", ">f2", (dimension,))])
    packed["size"], packed["dimension"], packed["numbers"] = 4 + 2 * dimension, dimension, rows
    return _array(packed, oid)


def half(row: NDArray[np.float32]) -> Packed:
    """Return a halfvec of shape (d,)."""
    return Packed(struct.pack("!hh", len(row), 0) + row.astype(">f2").tobytes())


def _array(packed: NDArray[Any], oid: int) -> Packed:
    if not len(packed):
        return Packed(struct.pack("!iii", 0, 0, oid))
    return Packed(struct.pack("!iiiii", 1, 0, oid, len(packed), 1) + packed.tobytes())
