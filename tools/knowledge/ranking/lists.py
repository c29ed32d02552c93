"""What both halves of search found for one question, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from artel.storage.knowledge.hits import Hit, Ids
from artel.storage.knowledge.lexical.languages import Kind

Numbers = NDArray[np.float64]
Normal = Literal["min-max", "dbsf"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of a question before anything is searched."""

    language: str
    "ISO 639-1."
    kind: Kind = "prose"
    rarity: Mapping[str, float] = field(default_factory=dict)
    "How rare each of its terms is in the collection (idf), times what it counts for; without pairs."
    unknown: frozenset[str] = frozenset()
    "Those of its terms that the collection does not hold."
    identifiers: float = 0.0
    "Share of its words that look like names in a program, 0 to 1."

    @property
    def known(self) -> float:
        """The share of its terms, by their rarity, that the collection holds; 0 without any term."""
        whole = sum(self.rarity.values())
        return 1 - sum(self.rarity[one] for one in self.unknown) / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Lists:
    """What was found, each best first. `vector` is empty where the embedder does not know the language."""

    lexical: Sequence[Hit]
    vector: Sequence[Hit]


@dataclass(frozen=True, slots=True)
class Beside:
    """Both lists as columns: all that any of them found, with a score of each between about 0 and 1."""

    ids: Ids
    "Sorted, each once; shape (n,)."
    lexical: Numbers
    vector: Numbers


def beside(lists: Lists, normal: Normal = "min-max") -> Beside:
    """Put the two lists side by side; what a list lacks scores 0 there, as its last does.

    `min-max`: best 1, last 0; a list whose scores are all alike scores 1. `dbsf`: mean minus three deviations
    is 0, plus three is 1, cut at both ends.
    Sources: Bruch, Gai, Ingber, An Analysis of Fusion Functions for Hybrid Retrieval, 2023; Qdrant, Hybrid
    Queries.
    """
    ids = np.unique(
        np.array([hit.chunk_id for one in (lists.lexical, lists.vector) for hit in one], np.int64)
    )
    return Beside(ids, _column(lists.lexical, ids, normal), _column(lists.vector, ids, normal))


def scores(hits: Sequence[Hit]) -> Numbers:
    """Return the scores of hits, shape (n,)."""
    return np.array([hit.score for hit in hits], np.float64)


def _column(hits: Sequence[Hit], ids: Ids, normal: Normal) -> Numbers:
    column = np.zeros(len(ids))
    if hits:
        places = np.searchsorted(ids, [hit.chunk_id for hit in hits])
        column[places] = NORMALS[normal](scores(hits))
    return column


def _min_max(found: Numbers) -> Numbers:
    low, high = float(found.min()), float(found.max())
    return (found - low) / (high - low) if high > low else np.ones_like(found)


def _dbsf(found: Numbers) -> Numbers:
    spread = 3 * found.std()
    if not spread:
        return np.full_like(found, 0.5)
    within: Numbers = np.clip((found - found.mean() + spread) / (2 * spread), 0, 1)
    return within


NORMALS = {"min-max": _min_max, "dbsf": _dbsf}
