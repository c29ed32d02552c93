"""Vectors as embeddings are: topics of unequal size, near one low-dimensional surface, of length 1."""

import numpy as np

from artel.storage.knowledge.hits import Ids, Vectors


def clustered(count: int, dimension: int, seed: int = 0) -> Vectors:
    """Return rows of shape (count, dimension)."""
    random = np.random.default_rng(seed)
    inner = min(64, dimension)
    topics = max(8, int(count**0.5) // 2)
    sizes = 1 / np.arange(1, topics + 1) ** 0.7
    surface = random.standard_normal((inner, dimension)) / 8
    centres = random.standard_normal((topics, inner))
    of = random.choice(topics, count, p=sizes / sizes.sum())
    rows = (centres[of] + 0.6 * random.standard_normal((count, inner))) @ surface
    rows += 0.15 * random.standard_normal((count, dimension)) + 0.3 * random.standard_normal(dimension)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def nearest(rows: Vectors, vector: Vectors, limit: int, within: Ids | None = None) -> list[int]:
    """Return the numbers of the rows that are nearest, best first, by looking at each."""
    among = np.arange(len(rows)) if within is None else within
    order = np.argsort(-(rows[among] @ vector), kind="stable")[:limit]
    return [int(one) for one in among[order]]
