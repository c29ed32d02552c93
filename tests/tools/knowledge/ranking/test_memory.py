"""Marks help where questions are alike, and nobody can push a document for others."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from artel.storage.knowledge.hits import Hit, Vectors
from artel.tools.knowledge.ranking.grouping import Grouped
from artel.tools.knowledge.ranking.memory import MOST, Asked, Mark, remember, remembered

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HASHES = {"a": "1", "b": "1", "c": "1"}


def vector(*values: float) -> Vectors:
    made = np.array(values, np.float32)
    return made / np.float32(np.linalg.norm(made))


PUMPS = Asked(frozenset({"pump", "leak"}), vector(1, 0))
ALIKE = Asked(frozenset({"pump", "drip"}), vector(0.9, 0.43))
OTHER = Asked(frozenset({"rate", "tax"}), vector(0, 1))


def mark(
    user: str, document: str = "b", *, liked: bool = True, asked: Asked = PUMPS, **more: object
) -> Mark[str]:
    given = {"text_hash": "1", "at": NOW, **more}
    return Mark(user, asked, document, liked=liked, **given)  # type: ignore[arg-type]


def moved(marks: Sequence[Mark[str]], *, asked: Asked = PUMPS, user: str = "me") -> dict[str, float]:
    return remembered(asked, marks, HASHES, user=user, now=NOW)


def found(**scores: float) -> list[Grouped[str]]:
    return [Grouped(name, score, (Hit(place, score),)) for place, (name, score) in enumerate(scores.items())]


def order(marks: Sequence[Mark[str]], *, user: str = "me") -> list[str]:
    return [one.document for one in remember(found(a=0.80, b=0.78, c=0.3), moved(marks, user=user))]


def test_two_people_who_like_a_result_lift_it_for_all_who_ask_alike() -> None:
    liked = [mark("ann"), mark("bob")]
    assert order(liked) == ["b", "a", "c"]
    assert 0 < moved(liked, asked=ALIKE)["b"] < moved(liked)["b"] == pytest.approx(MOST * 2 / 3)
    assert moved(liked, asked=OTHER) == {}


def test_ones_own_like_counts_for_oneself() -> None:
    assert order([mark("me")]) == ["b", "a", "c"]
    assert moved([mark("me")])["b"] == pytest.approx(MOST / 2)


def test_a_thousand_likes_of_one_user_move_nothing_for_others_and_no_more_for_himself_than_one() -> None:
    many = [mark("spammer", at=NOW - timedelta(seconds=n)) for n in range(1_000)]
    assert moved(many) == {}
    assert order(many) == ["a", "b", "c"]
    assert moved(many, user="spammer")["b"] == pytest.approx(moved(many[:1], user="spammer")["b"])


def test_marks_that_alternate_move_nothing_even_for_who_gave_them() -> None:
    flips = [mark("me", liked=bool(n % 2), at=NOW - timedelta(minutes=n)) for n in range(999)]
    assert moved(flips) == {}
    assert moved([*flips, mark("ann", liked=False)]) == {}


def test_marks_on_a_deleted_document_move_nothing() -> None:
    assert moved([mark("ann", "gone"), mark("bob", "gone")]) == {}


def test_marks_on_a_text_that_was_changed_since_move_nothing() -> None:
    assert moved([mark("ann", text_hash="0"), mark("bob", text_hash="0")]) == {}


def test_one_dislike_demotes_nothing_and_two_do() -> None:
    assert moved([mark("me", "a", liked=False)]) == {}
    both = [mark("ann", "a", liked=False), mark("bob", "a", liked=False)]
    assert moved(both)["a"] == pytest.approx(-MOST * 2 / 3)
    assert order(both) == ["b", "a", "c"]


def test_however_many_agree_the_bound_holds() -> None:
    crowd = [mark(f"user {n}", "c") for n in range(500)]
    assert MOST * 0.99 < moved(crowd)["c"] < MOST
    assert order(crowd) == ["a", "b", "c"]


def test_marks_fade_by_half_in_ninety_days() -> None:
    fresh, old = (moved([mark("me", at=NOW - timedelta(days=days))])["b"] for days in (0, 90))
    assert [fresh, old] == pytest.approx([MOST * 1 / 2, MOST * 0.5 / 1.5])


def test_a_mark_from_a_clock_ahead_counts_as_of_now() -> None:
    assert moved([mark("me", at=NOW + timedelta(days=3))])["b"] == pytest.approx(MOST / 2)


def test_without_vectors_questions_are_alike_by_their_terms() -> None:
    asked = Asked(frozenset({"насос", "течь", "зимой"}))
    near = Asked(frozenset({"насос", "течь", "зимой", "дача"}))
    far = Asked(frozenset({"насос", "купить"}))
    assert asked.likeness(asked) == 1
    assert 0 < asked.likeness(near) < 1
    assert asked.likeness(far) == 0
    assert Asked(frozenset()).likeness(Asked(frozenset())) == 0


def test_memory_brings_nothing_in_that_was_not_found() -> None:
    assert [one.document for one in remember(found(a=0.5), {"z": 0.15})] == ["a"]
    assert remember(found(a=0.5, b=0.4), {}) == found(a=0.5, b=0.4)
