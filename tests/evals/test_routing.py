"""The labelled set, and how good the rules are on it: floors, that a change of the rules must hold."""

from collections import Counter
from statistics import median

import pytest
from evals.routing.judging import PARTS, UNCLEAR, Phrase, judge, phrases, table

from artel.graphs.routing import is_russian

EVERY = [one for part in PARTS for one in phrases(part)]
AGENTS = ["coder", "ask", "architect", "debug", "reviewer"]
AGENTS += ["test_writer", "profiler", "security", "document_writer", "plan"]
LIMIT_MS = 1


def test_the_set_is_large_half_russian_and_knows_every_agent() -> None:
    clear = [one for one in EVERY if one.agent != UNCLEAR]
    russian = sum(is_russian(one.say) for one in clear)
    assert len(clear) >= 400
    assert 0.45 <= russian / len(clear) <= 0.55
    assert len({one.say.lower() for one in EVERY}) == len(EVERY)
    counts = Counter(one.agent for one in EVERY)
    assert set(counts) == {*AGENTS, UNCLEAR}
    assert min(counts.values()) >= 25


def test_a_third_is_held_out() -> None:
    held = phrases("held_out")
    assert abs(len(held) / len(EVERY) - 1 / 3) < 0.02
    assert set(AGENTS) <= {one.agent for one in held}


@pytest.mark.parametrize(("part", "right", "silent"), [("tuning", 0.98, 0.03), ("held_out", 0.95, 0.05)])
def test_the_rules_are_right_where_they_speak_and_seldom_silent(
    part: str, right: float, silent: float
) -> None:
    marks = judge(phrases(part))
    assert marks.accuracy >= right, [one.phrase.say for one in marks.wrong]
    assert marks.silence <= silent


def test_both_languages_are_understood_as_well() -> None:
    halves = (
        judge([o for o in EVERY if is_russian(o.say)]),
        judge([o for o in EVERY if not is_russian(o.say)]),
    )
    assert min(marks.accuracy for marks in halves) >= 0.96


def test_a_phrase_takes_less_than_a_millisecond() -> None:
    judge(EVERY)
    assert median(one.ms for one in judge(EVERY).verdicts) < LIMIT_MS


def test_words_where_nobody_can_tell_are_an_error_and_silence_is_none() -> None:
    marks = judge([Phrase("fix the page", UNCLEAR), Phrase("fix the page", "coder"), Phrase("page", "coder")])
    assert (marks.accuracy, marks.silence) == (0.5, 0.5)


def test_the_table_names_no_phrase_that_is_held_out() -> None:
    said = table()
    assert not [one.say for one in phrases("held_out") if repr(one.say) in said]
