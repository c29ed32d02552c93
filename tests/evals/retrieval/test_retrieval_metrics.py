"""Marks are those of trec_eval: each expected number here was worked out by hand."""

from math import isnan, log2

import pytest
from evals.retrieval.metrics import ndcg, precision_at, ranked_above, recall, reciprocal_rank


def test_the_gain_of_a_rank_is_the_label_over_the_logarithm() -> None:
    # ranks 1, 3 and 5 hold gains 2, 1 and 3; the best order is 3, 2, 1 and one more 1 that was not found
    ranking = ["a", "x", "b", "y", "c"]
    relevant = {"a": 2, "b": 1, "c": 3, "missed": 1}
    gained = 2 / log2(2) + 1 / log2(4) + 3 / log2(6)
    best = 3 / log2(2) + 2 / log2(3) + 1 / log2(4) + 1 / log2(5)
    assert ndcg(ranking, relevant, 10) == pytest.approx(gained / best, abs=1e-12)
    assert ndcg(ranking, relevant, 2) == pytest.approx(2 / (3 + 2 / log2(3)), abs=1e-12)


def test_what_stands_below_the_cut_counts_for_nothing() -> None:
    ranking = [f"wrong {n}" for n in range(10)] + ["right"]
    assert ndcg(ranking, {"right": 1}, 10) == 0
    assert recall(ranking, {"right": 1}, 10) == 0
    assert reciprocal_rank(ranking, {"right": 1}, 10) == 0
    assert reciprocal_rank(ranking, {"right": 1}) == pytest.approx(1 / 11)


def test_the_share_found_is_of_all_that_is_right() -> None:
    assert recall(["a", "b", "c"], {"a": 1, "c": 5, "d": 1, "e": 1}, 3) == 0.5


def test_a_label_of_nought_is_no_right_document() -> None:
    assert recall(["a"], {"a": 0, "b": 1}, 10) == 0
    assert reciprocal_rank(["a", "b"], {"a": 0, "b": 1}) == 0.5


def test_an_empty_ranking_scores_nothing() -> None:
    assert (ndcg([], {"a": 1}, 10), recall([], {"a": 1}, 10), reciprocal_rank([], {"a": 1})) == (0, 0, 0)


def test_precision_is_that_of_the_surest_answers() -> None:
    confidence, right = [0.9, 0.2, 0.8, 0.4], [1, 0, 0, 1]
    assert precision_at(0.25, confidence, right) == 1
    assert precision_at(0.5, confidence, right) == 0.5
    assert precision_at(1, confidence, right) == 0.5


def test_order_of_confidence_counts_ties_half() -> None:
    assert ranked_above([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0]) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert isnan(ranked_above([0.9, 0.1], [1, 1]))
