"""Answers to questions: whatever comes is refused by name, or is an answer that fits each question."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from artel.graphs.answering import answered
from artel.graphs.approval import validate
from artel.graphs.questions import clarification
from artel.storage.errors import Invalid

LABELS = st.sampled_from(["A", "Б", "c d", "1"])
QUESTIONS = st.lists(
    st.builds(
        lambda key, labels, multiple, required: {
            "id": key,
            "question": f"What about {key}?",
            "options": labels,
            "multiple": multiple,
            "required": required,
        },
        st.sampled_from(["one", "two", "q3"]),
        st.lists(LABELS, max_size=4, unique=True),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one["id"],
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | LABELS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ONE = LABELS | st.lists(LABELS) | st.text() | st.none() | JSON
BY_ID = st.dictionaries(st.sampled_from(["one", "two", "q3", "four"]), ONE, max_size=4)
DECISIONS = (
    JSON
    | st.builds(lambda by_id: {"type": "respond", "answers": by_id}, BY_ID)
    | st.builds(lambda words: {"type": "respond", "message": words}, st.text() | LABELS)
)


@given(QUESTIONS, DECISIONS)
def test_an_answer_fits_or_is_refused(questions: list[dict[str, Any]], decision: Any) -> None:
    value = clarification(questions, agent="coder", tool_call_id="c")
    try:
        checked = validate(value, decision)
    except Invalid:
        return
    if checked["type"] == "reject":
        return
    said = answered(questions, checked)
    assert said.keys() == {one["id"] for one in questions}
    for one in questions:
        given_ = said[one["id"]]
        assert given_ or not one["required"]
        assert one["multiple"] or sum(part in one["options"] for part in given_) <= 1
        assert all(isinstance(part, str) and part for part in given_)


@given(QUESTIONS, BY_ID)
def test_both_dialects_take_and_refuse_the_same(
    questions: list[dict[str, Any]], by_id: dict[str, Any]
) -> None:
    told = []
    for inbox in (False, True):
        value = clarification(questions, agent="coder", tool_call_id="c", inbox=inbox)
        try:
            told.append(validate(value, {"type": "respond", "answers": by_id}))
        except Invalid as wrong:
            told.append(str(wrong))
    assert told[0] == told[1]
