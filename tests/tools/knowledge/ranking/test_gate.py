"""What was fitted anew goes live only when it has won on what came later, and lost nowhere."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from artel.tools.knowledge.ranking.gate import by_time, compare, judge
from artel.tools.knowledge.ranking.lists import Numbers

CHANCE = np.random.default_rng(3)
BEFORE = CHANCE.random(300)


def better(by: float) -> Numbers:
    return np.clip(BEFORE + by + CHANCE.normal(0, 0.02, 300), 0, 1)


def test_a_clear_gain_that_loses_nowhere_passes() -> None:
    verdict = judge((BEFORE, better(0.05)), {"scifact": (BEFORE, BEFORE), "code": (BEFORE, BEFORE - 0.009)})
    assert verdict.passed
    assert 0 < verdict.later.low < verdict.later.candidate - verdict.later.current < verdict.later.high


def test_a_gain_that_may_be_chance_does_not_pass() -> None:
    verdict = judge((BEFORE, BEFORE + CHANCE.normal(0, 0.5, 300)), {})
    assert not verdict.passed
    assert "lower bound" in verdict.why
    assert not judge((BEFORE, BEFORE), {}).passed


def test_a_loss_of_more_than_a_point_on_a_fixed_set_stops_it_by_name() -> None:
    verdict = judge((BEFORE, better(0.2)), {"fine": (BEFORE, BEFORE), "russian": (BEFORE, BEFORE - 0.011)})
    assert not verdict.passed
    assert verdict.why == "loses on russian 0.0110"


def test_a_few_questions_show_nothing() -> None:
    verdict = judge((BEFORE[:49], np.ones(49)), {})
    assert not verdict.passed
    assert "49" in verdict.why
    assert not judge((BEFORE[:0], BEFORE[:0]), {}).passed


def test_marks_are_parted_by_time_and_those_of_one_moment_stay_together() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    marks = [(start + timedelta(days=day // 4), day) for day in reversed(range(20))]
    earlier, later = by_time(marks)
    assert sorted(earlier) == list(range(12))
    assert sorted(later) == list(range(12, 20))
    assert by_time([]) == ([], [])


def test_the_same_marks_give_the_same_verdict_which_is_plain_json() -> None:
    pair = (BEFORE, better(0.01))
    assert compare(*pair) == compare(*pair)
    said = judge(pair, {"one": pair}).as_json()
    assert json.loads(json.dumps(said))["fixed"]["one"]["questions"] == 300


def test_marks_of_different_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="299"):
        judge((BEFORE, BEFORE[:299]), {})
