"""What people may answer is checked before anything is saved."""

from typing import Any

import pytest

from artel.graphs.approval import decision_on, validate
from artel.storage.errors import Invalid

ARGS = {"file_path": "a.txt", "old_string": "x", "new_string": "y"}
ASKED = {"type": "tool_approval", "tool_call_id": "c1", "name": "edit_file", "args": ARGS}
BOTH = {
    "action_requests": [{"name": "edit_file", "args": ARGS}, {"name": "write_file", "args": {}}],
    "review_configs": [
        {"action_name": "edit_file", "allowed_decisions": ["approve", "edit", "reject"]},
        {"action_name": "write_file", "allowed_decisions": ["approve", "reject"]},
    ],
    "artel": {"calls": [{"tool_call_id": "c1"}, {"tool_call_id": "c2"}]},
}
EDITED = {"type": "edit", "edited_action": {"name": "edit_file", "args": {**ARGS, "new_string": "z"}}}


@pytest.mark.parametrize(
    "decision",
    [
        {"type": "approve"},
        EDITED,
        {"type": "reject"},
        {"type": "reject", "message": "no"},
        {"type": "reject", "message": "No answer within 300 s", "timeout": True},
        {"type": "respond", "message": "use b.txt"},
    ],
)
def test_each_kind_of_answer_passes_as_it_is(decision: Any) -> None:
    assert validate(ASKED, decision) == decision


@pytest.mark.parametrize(
    ("decision", "wrong"),
    [
        (None, "decision.type"),
        (True, "decision.type"),
        ("approve", "decision.type"),
        ([{"type": "approve"}], "decision.type"),
        ({}, "decision.type"),
        ({"type": "yes"}, "decision.type must be one of approve, edit, reject, respond, got 'yes'"),
        ({"type": "approve", "args": {}}, "unknown keys: args"),
        ({"type": "reject", "message": 5}, "decision.message must be a string, got 5"),
        ({"type": "respond"}, "decision.message"),
        ({"type": "edit"}, "decision.edited_action"),
        ({"type": "edit", "edited_action": {"name": "edit_file", "args": []}}, "decision.edited_action"),
        ({"type": "edit", "edited_action": {"name": "write_file", "args": {}}}, "must stay 'edit_file'"),
        ({"type": "edit", "edited_action": {"name": "edit_file", "args": {"file_path": "a"}}}, "old_string"),
        ({"type": "edit", "edited_action": {"name": "edit_file", "args": {**ARGS, "mode": 7}}}, "mode"),
        ({"decisions": [{"type": "approve"}]}, "decision.type"),
    ],
)
def test_a_malformed_answer_is_refused_by_the_key_that_is_wrong(decision: Any, wrong: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate(ASKED, decision)
    assert wrong in str(caught.value)


@pytest.mark.parametrize(
    ("decision", "wrong"),
    [
        ({"type": "approve"}, "decisions"),
        ({"decisions": [{"type": "approve"}]}, "must have 2 entries, one per action request, got 1"),
        ({"decisions": [{"type": "approve"}] * 3}, "got 3"),
        ({"decisions": [{"type": "approve"}, EDITED]}, "decisions[1].type must be one of approve, reject"),
        ({"decisions": [{"type": "approve"}, "no"]}, "decisions[1].type"),
    ],
)
def test_a_batched_answer_has_one_decision_per_call(decision: Any, wrong: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate(BOTH, decision)
    assert wrong in str(caught.value)


def test_each_call_finds_its_own_part_of_a_batched_answer() -> None:
    answer = {"decisions": [EDITED, {"type": "reject"}]}
    assert validate(BOTH, answer) == answer
    assert decision_on(BOTH, answer, "c1") == EDITED
    assert decision_on(BOTH, answer, "c2") == {"type": "reject"}
    assert decision_on(BOTH, answer, "c3") is None
    assert decision_on(BOTH, {"decisions": [EDITED]}, "c1") is None
    assert decision_on(ASKED, {"type": "approve"}, "c1") == {"type": "approve"}
    assert decision_on(ASKED, {"type": "approve"}, "c2") is None


def test_a_question_takes_words_and_a_bare_string_becomes_them() -> None:
    question = {"type": "question", "question": "What shall be done?"}
    assert validate(question, "coder") == {"type": "respond", "message": "coder"}
    assert validate(question, {"type": "reject"}) == {"type": "reject"}
    with pytest.raises(Invalid, match=r"decision\.type must be one of respond, reject"):
        validate(question, {"type": "approve"})


@pytest.mark.parametrize("answer", ["anything", None, {"type": "whatever"}, [1, 2]])
def test_a_foreign_interrupt_takes_anything(answer: Any) -> None:
    assert validate({"what": "is your age?"}, answer) == answer
    assert validate("what is your age?", answer) == answer


SHOWN = {"files": [{"path": "a.txt", "hunks": [{"id": "h1"}, {"id": "h2"}]}]}
SHOWING = {**ASKED, "artel": SHOWN}


def test_a_yes_may_name_the_hunks_it_takes() -> None:
    yes = {"type": "approve", "hunks": ["h2"]}
    assert validate(SHOWING, yes) == yes
    both = {**BOTH, "artel": {"calls": [{"tool_call_id": "c1", **SHOWN}, {"tool_call_id": "c2"}]}}
    answer = {"decisions": [yes, {"type": "reject"}]}
    assert validate(both, answer) == answer
    with pytest.raises(Invalid, match=r"decisions\[1\].hunks: this call shows no hunks"):
        validate(both, {"decisions": [yes, yes]})


@pytest.mark.parametrize(
    ("value", "hunks", "wrong"),
    [
        (SHOWING, ["h3"], "decision.hunks must be of 'h1, h2', got 'h3'"),
        (SHOWING, ["h1", {"id": "h2"}], "decision.hunks must be a list"),
        (SHOWING, [], "decision.hunks must be a list of one or more ids, got []; for none, reject"),
        (SHOWING, None, "decision.hunks must be a list"),
        (SHOWING, "h1", "decision.hunks must be a list"),
        (ASKED, ["h1"], "decision.hunks: this call shows no hunks"),
        ({**ASKED, "artel": {"files": [3, {"hunks": [None, {}]}]}}, ["h1"], "shows no hunks"),
        ({**ASKED, "artel": "?"}, ["h1"], "shows no hunks"),
    ],
)
def test_hunks_that_were_not_shown_are_refused(value: Any, hunks: Any, wrong: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate(value, {"type": "approve", "hunks": hunks})
    assert wrong in str(caught.value)


def test_only_a_yes_has_hunks() -> None:
    for decision in ({"type": "reject"}, EDITED, {"type": "respond", "message": "x"}):
        with pytest.raises(Invalid, match="unknown keys: hunks"):
            validate(SHOWING, {**decision, "hunks": ["h1"]})
