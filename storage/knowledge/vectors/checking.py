"""What every index refuses, in the same words."""

import numpy as np
from numpy.typing import NDArray

from artel.storage.errors import Conflict, Invalid, Unavailable
from artel.storage.knowledge.hits import Ids, Vectors


class WrongVectors(Invalid):
    """Vectors that no index could find again."""

    code = "wrong_vectors"


class WrongDimension(Conflict):
    """A collection holds vectors of another length; two models never share one."""

    code = "wrong_dimension"


class VectorsUnavailable(Unavailable):
    """The index of vectors does not answer, or cannot keep more."""

    code = "vectors_unavailable"


def batch(chunk_ids: Ids, vectors: Vectors) -> tuple[Ids, Vectors]:
    """Return ids and vectors in one piece, shapes (n,) and (n, d); of an id that comes twice the last row.

    Raises:
        WrongVectors: the shapes differ, an id is negative, or a number is not finite.
    """
    ids = np.ascontiguousarray(chunk_ids, dtype=np.int64)
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    if ids.ndim != 1 or rows.ndim != 2 or len(ids) != len(rows):
        raise WrongVectors(f"ids of shape {ids.shape} do not fit vectors of shape {rows.shape}: (n,), (n, d)")
    if len(ids) and not rows.shape[1]:
        raise WrongVectors("a vector has one number at least, got 0")
    if len(ids) and ids.min() < 0:
        raise WrongVectors(f"an id of a chunk is 0 or more, got {ids.min()}")
    _finite(rows)
    last = len(ids) - 1 - np.unique(ids[::-1], return_index=True)[1]
    if len(last) < len(ids):
        last.sort()
        ids, rows = ids[last], rows[last]
    return ids, rows


def question(vector: Vectors) -> NDArray[np.float32]:
    """Return what is searched for in shape (d,), of (d,) or (1, d).

    Raises:
        WrongVectors: it is more than one vector, or a number is not finite.
    """
    row = np.ascontiguousarray(vector, dtype=np.float32)
    if row.ndim == 2 and len(row) == 1:
        row = row[0]
    if row.ndim != 1 or not row.size:
        raise WrongVectors(f"one vector is searched for, got an array of shape {row.shape}")
    _finite(row)
    return row


def fits(dimension: int, held: int) -> None:
    """Let vectors of the dimension pass that a collection holds.

    Raises:
        WrongDimension: it holds another.
    """
    if dimension != held:
        raise WrongDimension(
            f"this collection holds vectors of {held} numbers, got {dimension}: another model needs another "
            "collection, or the collection made anew"
        )


def _finite(rows: NDArray[np.float32]) -> None:
    if not np.isfinite(rows).all():
        raise WrongVectors("a vector holds an infinite number, or none")
