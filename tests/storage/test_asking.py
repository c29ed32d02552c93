"""What a question is about is read from its value, whatever form it takes."""

from typing import Any

import pytest

from artel.storage.asking import about, question_of, request_of

CONFIG = {"allow_accept": True, "allow_edit": False, "allow_respond": True, "allow_ignore": True}
REQUEST = {
    "action_request": {"action": "send_mail", "args": {"to": "eve"}},
    "config": CONFIG,
    "description": "A mail",
}


def test_a_request_in_the_form_of_agent_inbox_is_a_question_about_a_call() -> None:
    for value in (REQUEST, [REQUEST]):
        told = about(value)
        assert (told["kind"], told["tool"], told["args"]) == ("tool_call", "send_mail", {"to": "eve"})
        assert told["calls"] == [{"tool": "send_mail", "rule": None, "tool_call_id": None}]
        assert question_of(value)["description"] == "A mail"


@pytest.mark.parametrize(
    "value",
    [
        [],
        [REQUEST, REQUEST],
        [{**REQUEST, "config": None}],
        [{**REQUEST, "config": dict.fromkeys(CONFIG, False)}],
        [{**REQUEST, "action_request": {"action": 1, "args": {}}}],
        [{**REQUEST, "action_request": {"action": "x", "args": []}}],
        "send_mail",
        None,
    ],
)
def test_what_is_no_such_request_is_a_foreign_question(value: Any) -> None:
    assert request_of(value) is None
    assert (about(value)["kind"], about(value)["tool"]) == ("foreign", None)


def test_our_own_block_says_rule_agent_and_what_follows_in_time() -> None:
    ours = {
        "kind": "tool_call",
        "agent": "coder",
        "rule": "write",
        "on_timeout": "escalate",
        "escalate_to": ["bob", 7],
        "tool_call_id": "c1",
    }
    for value in (
        {"type": "tool_approval", "tool_call_id": "c1", "name": "send_mail", "args": {}, "artel": ours},
        [{**REQUEST, "artel": ours}],
    ):
        told = about(value)
        assert told["calls"] == [{"tool": "send_mail", "rule": "write", "tool_call_id": "c1"}]
        assert (told["tool_call_id"], told["agent"]) == ("c1", "coder")
        assert (told["on_timeout"], told["escalate_to"]) == ("escalate", ["bob"])


@pytest.mark.parametrize(
    "ours",
    [
        {"on_timeout": "approve"},
        {"on_timeout": ["park"]},
        {"on_timeout": "escalate"},
        {"on_timeout": "escalate", "escalate_to": "bob"},
        "park",
    ],
)
def test_nonsense_about_what_follows_means_no(ours: Any) -> None:
    assert about({"question": "why?", "artel": ours})["on_timeout"] == "reject"


def test_a_batch_lists_its_calls() -> None:
    calls = [{"name": "a", "rule": "r1", "tool_call_id": "c1", "args": {}}, {"name": "b"}, 7]
    value = {"action_requests": [{}, {}, {}], "artel": {"kind": "tool_call", "calls": calls}}
    assert [(one["tool"], one["rule"]) for one in about(value)["calls"]] == [
        ("a", "r1"),
        ("b", None),
        (None, None),
    ]
