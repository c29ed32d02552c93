"""Agent Inbox: asked and answered in its form, by our gate and by graphs of others."""

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.driver import Driver, calls, edit
from tests.graphs.conftest import Start

from artel.graphs.approval import validate
from artel.graphs.inbox import answer_of, decision_of
from artel.storage.errors import Invalid

TO_BYE = edit("notes.txt", "hello", "bye")
ACCEPT = [{"type": "accept", "args": None}]
CONFIG = {"allow_accept": True, "allow_edit": True, "allow_respond": True, "allow_ignore": True}
FOREIGN = [
    {
        "action_request": {"action": "edit_file", "args": {"to": "eve"}},
        "config": CONFIG,
        "description": None,
    }
]
EDIT = {"action": "edit_file", "args": {"to": "bob"}}


async def asked(start: Start) -> Driver:
    run = start("coder", calls(TO_BYE), "done")
    run.context = {"approvals": "agent_inbox"}
    return await run.say("go")


async def test_our_question_is_a_request_with_all_that_an_inbox_shows(start: Start) -> None:
    (question,) = (await asked(start)).open
    (request,) = question.value
    assert request["action_request"]["action"] == "edit_file"
    assert request["action_request"]["args"]["new_string"] == "bye"
    assert request["config"] == CONFIG
    assert "-hello\n+bye\n" in request["description"]
    artel = request["artel"]
    assert (artel["kind"], artel["agent"], artel["rule"], artel["on_timeout"]) == (
        "tool_call",
        "coder",
        "write",
        "reject",
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (ACCEPT, "bye\nworld\n"),
        ([{"type": "accept", "args": {"action": "edit_file", "args": {}}}], "bye\nworld\n"),
        ({"type": "approve"}, "bye\nworld\n"),
        ([{"type": "ignore", "args": None}], "hello\nworld\n"),
        ([{"type": "response", "args": "another file"}], "hello\nworld\n"),
        ([{"type": "yes", "args": None}], "hello\nworld\n"),
        ([{"type": "approve"}], "hello\nworld\n"),
        ([*ACCEPT, *ACCEPT], "hello\nworld\n"),
        (True, "hello\nworld\n"),
    ],
)
async def test_only_an_accept_makes_the_change(start: Start, folder: Path, answer: Any, text: str) -> None:
    run = await (await asked(start)).answer(answer)
    assert (folder / "notes.txt").read_text() == text
    assert run.open == ()


async def test_an_edit_is_made_as_edited_and_what_is_said_reaches_the_model(
    start: Start, folder: Path
) -> None:
    args = {"file_path": "notes.txt", "old_string": "world", "new_string": "all"}
    run = await (await asked(start)).answer([{"type": "edit", "args": {"action": "edit_file", "args": args}}])
    assert (folder / "notes.txt").read_text() == "hello\nall\n"
    again = await (await asked(start)).answer([{"type": "response", "args": "another file"}])
    assert "another file" in again.told[0]
    assert run.said == "done"


@pytest.mark.parametrize(
    ("decision", "sent"),
    [
        ({"type": "approve"}, ACCEPT),
        ({"type": "reject"}, [{"type": "ignore", "args": None}]),
        ({"type": "reject", "message": "no"}, [{"type": "ignore", "args": "no"}]),
        ({"type": "respond", "message": "later"}, [{"type": "response", "args": "later"}]),
        (
            {"type": "edit", "edited_action": {"name": "edit_file", "args": {"to": "bob"}}},
            [{"type": "edit", "args": EDIT}],
        ),
    ],
)
def test_a_graph_of_others_is_told_in_its_own_form(decision: Any, sent: Any) -> None:
    assert answer_of(FOREIGN, validate(FOREIGN, decision)) == sent
    assert validate(FOREIGN, sent) == decision
    assert decision_of(sent) == decision
    assert answer_of(FOREIGN[0], decision) == sent


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [{}],
        {},
        "yes",
        None,
        [{"type": "accept"}, {"type": "accept"}],
        [{"type": "edit", "args": None}],
        [{"type": "edit", "args": {"action": "other", "args": {}}}],
        [{"type": "edit", "args": {"action": "edit_file", "args": []}}],
        [{"type": "response", "args": None}],
        [{"type": "ignore", "args": 7}],
        {"type": "approve", "hunks": ["a"]},
    ],
)
def test_an_answer_that_fits_no_request_is_refused(wrong: Any) -> None:
    with pytest.raises(Invalid):
        validate(FOREIGN, wrong)


def test_what_a_request_does_not_allow_is_refused() -> None:
    shy = [{**FOREIGN[0], "config": {**CONFIG, "allow_edit": False, "allow_ignore": False}}]
    with pytest.raises(Invalid, match="one of approve, respond"):
        validate(shy, [{"type": "ignore", "args": None}])
    assert validate(shy, ACCEPT) == {"type": "approve"}
