"""Decisions: which questions are the same, what stands after edits, how copies of one meet."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.graphs import likeness, resolved
from artel.graphs.likeness import same
from artel.graphs.resolved import MAX_TOLD, Edit, Resolved

ASKED = {"id": "database", "question": "Which database do we use?", "options": ["A", "B"], "multiple": False}
ENTRY = resolved.decision(
    ASKED, ["A"], by="ann", at="2026-01-01T00:00:00+00:00", agent="coder", run_id="r", call="c"
)
TIMES = st.integers(0, 50).map(lambda n: f"2026-02-01T00:00:{n:02}+00:00")
EDITS = st.lists(
    st.builds(
        lambda at, by, answer: Edit(at=at, by=by, answer=[answer]),
        TIMES,
        st.sampled_from("xyz"),
        st.sampled_from("ABC"),
    ),
    max_size=5,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Which database should we use?", "What database do you want to use"),
        ("Add tests for the parser?", "Should I add tests for the parser?"),
        ("Какую базу данных использовать?", "Какую базу данных нам нужно использовать"),
        ("Добавить тесты для парсера?", "Нужно ли добавить тест для парсеров?"),
        ("Всё переписать заново?", "Все переписать заново"),
    ],
)
def test_the_same_question_in_other_words_is_known(one: str, other: str) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Should I delete the users table?", "Should I delete the orders table?"),
        ("Should I delete it?", "Should I delete it?"),
        ("Go on?", "Go on?"),
        ("Удалить эту таблицу?", "Удалить эту таблицу?"),
        ("Move it from A to B?", "Move it to A from B?"),
        ("Copy a.py over b.py?", "Copy b.py over a.py?"),
        ("Use version 2 of the API?", "Use version 3 of the API?"),
        ("Should the cache be kept?", "Should the cache not be kept?"),
        ("Сохранять старые файлы?", "Не сохранять старые файлы?"),
        ("Включить проверку типов?", "Выключить проверку типов?"),
        ("Run tests before the commit?", "Run tests after the commit?"),
        ("How many workers start?", "When do workers start?"),
    ],
)
def test_another_question_is_not_taken_for_it(one: str, other: str) -> None:
    assert not same(one, other)


@given(st.text(), st.text())
def test_likeness_is_the_same_both_ways_and_bears_any_text(one: str, other: str) -> None:
    assert same(one, other) == same(other, one)
    assert isinstance(likeness.same_by_id(one, other, [one, other]), bool)
    assert isinstance(likeness.tells(one), bool)


def find(entry: Resolved, **more: Any) -> bool:
    return resolved.find({entry["id"]: entry}, {**ASKED, **more}) is not None


def test_an_id_that_tells_stands_for_its_question_where_the_same_is_offered() -> None:
    assert find(ENTRY, question="Where do rows live?")
    assert not find(ENTRY, question="Where do rows live?", options=["A", "C"])
    assert not find(ENTRY, question="Where do rows live?", id="store")
    numbered = resolved.decision({**ASKED, "id": "q1"}, ["A"], by="a", at="1", agent="", run_id="", call="")
    assert not find(numbered, id="q1", question="Where do rows live?")
    yes = {**ASKED, "id": "keep", "options": ["Yes", "No"], "question": "Keep the users?"}
    kept = resolved.decision(yes, ["Yes"], by="a", at="1", agent="", run_id="", call="")
    assert not resolved.find({kept["id"]: kept}, {**yes, "question": "Keep the orders?"})


def test_what_was_revoked_is_asked_anew() -> None:
    gone = resolved.edited(ENTRY, Edit(by="ann", at="2026-01-02", status="revoked"))
    assert not find(gone)
    assert resolved.told({gone["id"]: gone}) == ""


@given(EDITS, EDITS)
def test_two_copies_that_were_edited_apart_come_to_the_same(left: list[Edit], right: list[Edit]) -> None:
    one, other = ENTRY, ENTRY
    for edit in left:
        one = resolved.edited(one, edit)
    for edit in right:
        other = resolved.edited(other, edit)
    key = ENTRY["id"]
    both = resolved.joined({key: one}, {key: other})
    assert both == resolved.joined({key: other}, {key: one})
    assert resolved.joined(both, both) == both
    assert all(edit in both[key]["edits"] for edit in (*left, *right))
    if edits := both[key]["edits"]:
        assert both[key]["answer"] == edits[-1]["answer"]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_no_decision_of_ours_is_passed_over(value: Any) -> None:
    assert resolved.entries(value) == {}
    assert resolved.joined(value, {ENTRY["id"]: ENTRY}) == {ENTRY["id"]: ENTRY}
    assert resolved.told(value) == ""


def test_what_is_told_is_bounded_and_the_latest_comes_first() -> None:
    many = [
        resolved.decision(
            {**ASKED, "question": f"{n} {'x' * 500}?"},
            ["A"],
            by="a",
            at=f"2026-01-01T00:00:{n:02}",
            agent="",
            run_id="",
            call="c",
        )
        for n in range(40)
    ]
    said = resolved.told({one["id"]: one for one in many})
    assert len(said) < MAX_TOLD + 200
    assert said.splitlines()[2].startswith("- 39 ")
    assert said.splitlines()[-1].startswith("- and ")
