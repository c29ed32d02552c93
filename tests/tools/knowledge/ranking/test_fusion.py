"""Two lists become one, and the vectors say as much as they know."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from artel.storage.knowledge.hits import Hit
from artel.tools.knowledge.ranking.fusion import (
    FEATURES,
    Collection,
    Weights,
    describe,
    fuse,
    key,
    ordered,
    read,
    reciprocal,
    share_of,
    shipped,
)
from artel.tools.knowledge.ranking.learning import Labelled, fit, learn, loss
from artel.tools.knowledge.ranking.lists import Lists, Question, beside

PROSE = Collection()
ENGLISH = Question("en", rarity={"pump": 2.0, "leak": 3.0})


def hits(*pairs: tuple[int, float]) -> list[Hit]:
    return [Hit(*pair) for pair in pairs]


def ids(found: Sequence[Hit]) -> list[int]:
    return [hit.chunk_id for hit in found]


def constant(share: float, **more: object) -> Weights:
    size = len(FEATURES)
    bias = float(np.log(share / (1 - share)))
    return Weights(bias, np.zeros(size), np.zeros(size), np.ones(size), **more)  # type: ignore[arg-type]


def test_scores_are_brought_between_nought_and_one_and_what_is_missing_counts_as_last() -> None:
    columns = beside(Lists(hits((7, 30.0), (3, 20.0), (5, 10.0)), hits((5, 0.9), (4, 0.5))))
    assert columns.ids.tolist() == [3, 4, 5, 7]
    assert columns.lexical.tolist() == [0.5, 0.0, 0.0, 1.0]
    assert columns.vector.tolist() == [0.0, 0.0, 1.0, 0.0]


def test_a_fused_score_is_the_weighted_sum() -> None:
    columns = beside(Lists(hits((1, 4.0), (2, 3.0), (3, 2.0)), hits((3, 0.8), (2, 0.6), (1, 0.4))))
    found = ordered(columns, 0.25)
    assert ids(found) == [1, 2, 3]
    assert [hit.score for hit in found] == pytest.approx([0.75, 0.5, 0.25])
    assert ids(ordered(columns, 0.75)) == [3, 2, 1]


def test_equal_scores_come_by_their_ids() -> None:
    assert ids(ordered(beside(Lists(hits((9, 1.0), (4, 1.0)), hits((4, 0.5), (9, 0.5)))), 0.5)) == [4, 9]


def test_scores_by_their_spread_keep_an_outlier_within_bounds() -> None:
    lists = Lists(hits((1, 100.0), *((n, 1.0) for n in range(2, 30))), hits((1, 0.5), (2, 0.5)))
    columns = beside(lists, "dbsf")
    assert columns.lexical.max() == 1.0
    assert columns.lexical[1:].min() > 0.4
    assert columns.vector[:2].tolist() == [0.5, 0.5]


def test_without_a_vote_of_the_vectors_the_order_is_that_of_the_words() -> None:
    russian = Question("ru", rarity={"насос": 2.0})
    lists = Lists(hits((5, 9.0), (1, 8.0), (3, 1.0)), [])
    assert share_of(lists, russian, PROSE, shipped()) == 0
    assert ids(fuse(lists, russian, PROSE)) == [5, 1, 3]


def test_where_no_word_is_found_the_vectors_alone_decide() -> None:
    lists = Lists([], hits((2, 0.4), (8, 0.3)))
    assert share_of(lists, ENGLISH, PROSE, shipped()) == 1
    assert ids(fuse(lists, ENGLISH, PROSE)) == [2, 8]
    assert fuse(Lists([], []), ENGLISH, PROSE) == []


def test_a_single_hit_in_each_list_is_no_division_by_nought() -> None:
    found = fuse(Lists(hits((1, 3.0)), hits((2, 0.3))), ENGLISH, PROSE)
    assert {hit.chunk_id for hit in found} == {1, 2}
    assert all(0 < hit.score < 1 for hit in found)


def test_the_features_are_what_their_names_say() -> None:
    question = Question("en", rarity={"a": 3.0, "b": 1.0}, unknown=frozenset("b"), identifiers=0.5)
    lists = Lists(hits((1, 2.0), (2, 1.0)), hits((2, 0.9), (1, 0.7), (3, 0.2)))
    said = dict(zip(FEATURES, describe(lists, question, Collection(code=0.25)).tolist(), strict=True))
    assert said["words"] == pytest.approx(np.log(3))
    assert (said["identifiers"], said["code"], said["known"]) == (0.5, 0.25, 0.75)
    assert (said["reached"], said["lexical gap"], said["lexical peak"]) == (0.5, 0.5, 0.5)
    assert said["vector gap"] == pytest.approx(0.2 / np.std([0.9, 0.7, 0.2]))
    assert (said["heads overlap"], said["overlap"]) == (0.2, 1.0)
    assert (said["lexical first among vectors"], said["vector first among lexical"]) == (0.5, 0.5)


def test_the_sum_of_reciprocal_ranks_is_the_textbooks() -> None:
    found = reciprocal(Lists(hits((1, 9.0), (2, 8.0)), hits((2, 0.9), (3, 0.8))))
    assert ids(found) == [2, 1, 3]
    assert [hit.score for hit in found] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62])


def questions(
    vectors_right: bool, *, many: int = 60, language: str = "en", code: float = 0.0
) -> list[Labelled]:
    """Questions where one half has the right chunk first and the other somewhere, drawn with a fixed seed."""
    chance = np.random.default_rng(many)
    made = []
    for _ in range(many):
        worse = np.sort(chance.random(7))[::-1] * 0.9
        good = hits((1, 1.0), *zip(range(2, 9), worse.tolist(), strict=True))
        order = chance.permutation(range(1, 9)).tolist()
        bad = hits(*((n, 1.0 - place / 10) for place, n in enumerate(order)))
        lists = Lists(bad, good) if vectors_right else Lists(good, bad)
        made.append(Labelled(lists, Question(language, rarity={"x": 2.0}), Collection(code), {1: 1.0}))
    return made


def test_learning_gives_the_share_to_the_half_that_is_right() -> None:
    for vectors_right in (True, False):
        labelled = questions(vectors_right)
        weights = learn(labelled)
        shares = [share_of(one.lists, one.question, one.collection, weights) for one in labelled]
        assert (np.mean(shares) > 0.7) == vectors_right
        assert (np.mean(shares) < 0.3) != vectors_right
        assert loss(labelled, weights) < loss(labelled, constant(0.5, sharpness=weights.sharpness))


def test_one_function_serves_collections_that_need_opposite_shares() -> None:
    code, prose = questions(True, code=1.0), questions(False, many=61)
    weights = learn([*code, *prose])
    assert np.mean([share_of(one.lists, one.question, one.collection, weights) for one in code]) > 0.65
    assert np.mean([share_of(one.lists, one.question, one.collection, weights) for one in prose]) < 0.35


def test_a_collections_own_labels_move_its_language_and_kind_only() -> None:
    own = fit(questions(True), constant(0.3))
    assert set(own.offsets) == {"en/prose"}
    assert own.offsets["en/prose"] > 0.5
    lists = own_lists = questions(True)[0].lists
    assert share_of(lists, Question("en"), PROSE, own) > 0.3
    assert share_of(own_lists, Question("en", "code"), PROSE, own) == pytest.approx(0.3)


def test_a_handful_of_labels_changes_nothing() -> None:
    assert fit(questions(True, many=29), constant(0.3)).offsets == {}


def test_labels_that_no_list_holds_teach_nothing() -> None:
    missed = [Labelled(one.lists, one.question, PROSE, {99: 1.0}) for one in questions(True)]
    assert fit(missed, constant(0.3)).offsets == {}
    with pytest.raises(ValueError, match="right chunk"):
        learn(missed)


def test_weights_survive_being_written_down() -> None:
    own = fit(questions(True), constant(0.3))
    again = read(json.loads(json.dumps(own.as_json())))
    one = questions(True)[3]
    assert share_of(one.lists, one.question, PROSE, again) == share_of(one.lists, one.question, PROSE, own)
    assert again.offsets == own.offsets


def test_weights_of_other_features_are_refused() -> None:
    said = shipped().as_json()
    del said["features"]["overlap"]
    with pytest.raises(KeyError, match="overlap"):
        read(said)


def test_what_is_shipped_hears_the_vectors_more_on_code_than_on_prose() -> None:
    lists = Lists(hits((1, 5.0), (2, 4.0), (3, 2.0)), hits((2, 0.6), (3, 0.5), (4, 0.3)))
    assert key(ENGLISH) == "en/prose"
    code = share_of(lists, ENGLISH, Collection(code=1.0), shipped())
    assert 0 < share_of(lists, ENGLISH, PROSE, shipped()) < code < 1
