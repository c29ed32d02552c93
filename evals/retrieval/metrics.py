"""Marks of rankings as trec_eval defines them, and marks of confidence.

A ranking is a list of document ids, best first, each once; `relevant` says the gain of each right document (1
or more). A question without any right document is left out by whoever averages, as trec_eval leaves it out.
Source: https://github.com/usnistgov/trec_eval (m_ndcg_cut.c, m_recall.c, m_recip_rank.c).
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from math import log2

import numpy as np
from numpy.typing import ArrayLike, NDArray

Relevant = Mapping[str, int]


def ndcg(ranking: Sequence[str], relevant: Relevant, k: int) -> float:
    """Return the discounted gain of the first `k` over that of the best order, 0 to 1: `ndcg_cut_k`.

    The gain is the label itself, the discount log2(rank + 1).

    >>> ndcg(["b", "a"], {"a": 1}, 10)
    0.6309297535714575
    """
    best = _gained(sorted(relevant.values(), reverse=True)[:k])
    return _gained([relevant.get(one, 0) for one in ranking[:k]]) / best if best else 0.0


def recall(ranking: Sequence[str], relevant: Relevant, k: int) -> float:
    """Return the share of the right documents that stand among the first `k`: `recall_k`."""
    right = {one for one, gain in relevant.items() if gain > 0}
    return len(right & set(ranking[:k])) / len(right) if right else 0.0


def reciprocal_rank(ranking: Sequence[str], relevant: Relevant, k: int | None = None) -> float:
    """Return 1 / rank of the first right document among the first `k` (all if None), else 0: `recip_rank`."""
    ranks = (rank for rank, one in enumerate(islice(ranking, k), 1) if relevant.get(one, 0) > 0)
    return 1 / next(ranks, np.inf)


def precision_at(coverage: float, confidence: ArrayLike, right: ArrayLike) -> float:
    """Return how many of the `coverage` (0 to 1] most confident answers are right, 0 to 1.

    `confidence` and `right` have shape (n,). At least one is answered; of equals the first.
    """
    order = np.argsort(-_column(confidence), kind="stable")
    answered = max(1, round(coverage * len(order)))
    return float(_column(right)[order[:answered]].mean())


def ranked_above(confidence: ArrayLike, right: ArrayLike) -> float:
    """Return how often a right answer is surer than a wrong one (AUROC), ties half; nan without both."""
    promised, held = _column(confidence), _column(right) > 0
    values, which = np.unique(promised, return_inverse=True)
    counts = np.bincount(which, minlength=len(values))
    middle = np.cumsum(counts) - (counts - 1) / 2  # mean rank of each value, 1-based
    good, bad = int(held.sum()), int((~held).sum())
    if not good or not bad:
        return float("nan")
    return float((middle[which][held].sum() - good * (good + 1) / 2) / (good * bad))


def _gained(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _column(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
