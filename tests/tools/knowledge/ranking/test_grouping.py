"""A document is shown once, and its length alone lifts it nowhere."""

import pytest

from artel.storage.knowledge.hits import Hit
from artel.tools.knowledge.ranking.grouping import Bonus, group, shipped


def test_a_document_stands_where_its_best_chunk_stands() -> None:
    hits = [Hit(1, 0.9), Hit(2, 0.8), Hit(3, 0.7), Hit(4, 0.6)]
    found = group(hits, {1: "a", 2: "b", 3: "a", 4: "c"}, Bonus(0.0))
    assert [(one.document, one.score) for one in found] == [("a", 0.9), ("b", 0.8), ("c", 0.6)]
    assert [hit.chunk_id for hit in found[0].hits] == [1, 3]


def test_further_chunks_decide_between_near_rivals() -> None:
    hits = [Hit(1, 0.80), Hit(2, 0.79), Hit(3, 0.7)]
    found = group(hits, {1: "alone", 2: "twice", 3: "twice"}, Bonus(0.2, 0.5))
    assert [one.document for one in found] == ["twice", "alone"]
    assert found[0].score == pytest.approx(0.79 + 0.2 * 0.5 * 0.7)


def test_a_thousand_chunks_add_less_than_the_bound() -> None:
    many = [Hit(n, 0.5) for n in range(1_000)]
    owners = {-1: "short", **dict.fromkeys(range(1_000), "long")}
    short, long = group([Hit(-1, 0.75), *many], owners, Bonus(0.2, 0.9))
    assert (long.document, short.document) == ("long", "short")
    assert long.score < 0.5 + 0.2


def test_chunks_of_documents_that_are_gone_are_left_out() -> None:
    assert [one.document for one in group([Hit(1, 0.9), Hit(2, 0.8)], {2: "b"})] == ["b"]
    assert group([], {1: "a"}) == []


def test_equal_documents_keep_the_order_of_their_chunks() -> None:
    found = group([Hit(5, 0.5), Hit(4, 0.5)], {4: "a", 5: "b"}, Bonus(0.0))
    assert [one.document for one in found] == ["b", "a"]


def test_the_shipped_bonus_is_bounded() -> None:
    assert 0 <= shipped().most <= 0.5
    assert 0 < shipped().decay < 1
