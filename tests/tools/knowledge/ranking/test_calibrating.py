"""A probability is worth what it promises."""

import numpy as np
import pytest

from artel.tools.knowledge.ranking.calibrating import (
    calibration_error,
    isotonic,
    logistic,
    platt,
    probability,
)
from artel.tools.knowledge.ranking.lists import Numbers


def drawn(many: int = 20_000) -> tuple[Numbers, Numbers]:
    """Features, and answers right with probability 1 / (1 + exp(-(0.5 + 2 x - y)))."""
    chance = np.random.default_rng(1)
    features = chance.normal(size=(many, 2)) * [1, 3] + [0, 5]
    right = chance.random(many) < probability(0.5 + 2 * features[:, 0] - (features[:, 1] - 5))
    return features, right.astype(np.float64)


def test_the_model_that_made_the_answers_is_found_again() -> None:
    features, right = drawn()
    model = logistic(features, right, ridge=1e-3)
    slopes = model.slopes / model.deviations
    assert slopes == pytest.approx([2, -1], abs=0.08)
    assert model.bias - slopes @ model.means == pytest.approx(0.5 + 5, abs=0.4)


def test_its_promises_hold_on_answers_it_has_not_seen() -> None:
    features, right = drawn()
    said = logistic(features[:10_000], right[:10_000])(features[10_000:])
    assert calibration_error(said, right[10_000:]) < 0.02
    assert platt(said, right[10_000:]) == pytest.approx((1, 0), abs=0.1)


def test_answers_that_a_feature_parts_perfectly_keep_the_model_finite() -> None:
    features = np.linspace(-1, 1, 50)[:, None]
    model = logistic(features, (features[:, 0] > 0).astype(np.float64))
    assert np.isfinite(model.slopes).all()
    assert model(np.array([[-1.0], [1.0]])) == pytest.approx([0, 1], abs=0.1)


def test_a_feature_that_never_changes_says_nothing() -> None:
    features, right = drawn(1_000)
    with_constant = np.column_stack([features, np.full(1_000, 7.0)])
    assert logistic(with_constant, right)(with_constant) == pytest.approx(
        logistic(features, right)(features), abs=1e-6
    )


def test_weights_count_an_answer_as_often_as_they_say() -> None:
    features, right = drawn(400)
    twice = logistic(np.repeat(features, 2, axis=0), np.repeat(right, 2))
    assert logistic(features, right, weight=np.full(400, 2.0))(features) == pytest.approx(
        twice(features), abs=1e-6
    )


@pytest.mark.parametrize("right", [[], [1.0, 1.0], [0.0, 0.0]])
def test_answers_of_one_kind_only_teach_nothing(right: list[float]) -> None:
    with pytest.raises(ValueError, match="right and wrong"):
        logistic(np.zeros((len(right), 2)), np.array(right))


def test_rising_steps_pool_what_falls() -> None:
    # worked out by hand: 0 | 1, 0 pooled to 1/2 | 1
    promises, shares = isotonic(np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.0, 1.0, 0.0, 1.0]))
    assert promises == pytest.approx([0.1, 0.5, 0.9])
    assert shares == pytest.approx([0.0, 0.5, 1.0])
    assert isotonic(np.array([]), np.array([]))[0].shape == (0,)


def test_calibration_compares_what_was_promised_with_what_held() -> None:
    # four at 0.85 of which one holds: |3.4 - 1|; two at 0.15 of which none holds: 0.3; all of six
    promised, right = np.array([0.85] * 4 + [0.15] * 2), np.array([1.0, 0, 0, 0, 0, 0])
    assert calibration_error(promised, right) == pytest.approx((2.4 + 0.3) / 6)
    assert calibration_error(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0
    assert calibration_error(np.array([]), np.array([])) == 0
