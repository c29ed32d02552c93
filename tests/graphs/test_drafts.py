"""Plans as models and people write them: what is wrong is said, what small models add is passed over."""

from json import dumps
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artel.graphs.approval import validate
from artel.graphs.drafts import read, revised, shown
from artel.graphs.plan import Plan, PlanWrong, new
from artel.graphs.planning import wants_plan
from artel.graphs.questions import plan_question
from artel.storage.errors import Invalid

AGENTS = ("ask", "coder")
STEP: dict[str, Any] = {"id": "a", "title": "Do it", "agent": "coder"}


def told(*steps: Any, **more: Any) -> str:
    return dumps({"goal": "all is well", "steps": list(steps), **more})


def plan() -> Plan:
    return read(told(STEP, {**STEP, "id": "b", "depends_on": ["a"]}), AGENTS, depth=1)


@pytest.mark.parametrize(
    "text",
    [
        told(STEP),
        f"Sure!\n```json\n{told(STEP)}\n```\nShall I?",
        f"```\n{told(STEP)}\n```",
        f"The plan: {told(STEP)} That is all.",
        told({**STEP, "id": 1, "depends_on": None, "status": "pending", "priority": "high"}, notes="none"),
    ],
)
def test_a_plan_is_found_in_what_models_say(text: str) -> None:
    (step,) = read(text, AGENTS, depth=1)["steps"]
    assert (step["title"], step["status"], step["attempts"]) == ("Do it", "pending", 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I would rather not.", "there is no JSON object in it; answer with"),
        ('{"goal": "x", "steps": [', "there is no JSON object in it"),
        ('{"goal": "x", steps}', "it is no JSON"),
        ("{" * 5_000 + "}" * 5_000, "it is no JSON"),
        ("[]", "there is no JSON object"),
        ('{"a": 1}', "goal: Field required; steps: Field required"),
        (told(), "steps: List should have at least 1 item"),
        (told(5), "steps.0: Input should be a valid dictionary"),
        (told({**STEP, "agent": "nobody"}), "there is no agent 'nobody' for it; there are ask, coder"),
        (told({"id": "a"}), "steps.0.title: Field required"),
        (told({**STEP, "id": "a b"}), "steps.0.id: String should match"),
        (told({**STEP, "title": "a\0b"}), "steps.0.title: Value error, it holds a character that is no text"),
        (told({**STEP, "title": "\ud800"}), "no text"),
        (told({**STEP, "paths": ["/etc/passwd"]}), "a path is written from the workspace"),
        (told({**STEP, "paths": ["../x"]}), "cannot leave its folder"),
        (told({**STEP, "budget": {"steps": 0}}), "budget.steps"),
        (told({**STEP, "checks": ["  "]}), "checks.0"),
    ],
)
def test_what_is_no_plan_is_refused_in_words_a_model_can_use(text: str, said: str) -> None:
    with pytest.raises(PlanWrong) as refused:
        read(text, AGENTS, depth=1)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 2_000


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(dumps))
@settings(max_examples=50, deadline=None)
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(PlanWrong):
        read(text, AGENTS, depth=1)


def test_an_edit_may_come_back_as_it_was_shown_or_whole() -> None:
    assert [one["id"] for one in revised(plan(), shown(plan()), AGENTS)["steps"]] == ["a", "b"]
    assert revised(plan(), {**plan()}, AGENTS)["version"] == 2


def asked() -> dict[str, Any]:
    return plan_question(plan(), shown(plan()), AGENTS, agent="orchestrator", russian=False)


def edit(**args: Any) -> dict[str, Any]:
    return {"type": "edit", "edited_action": {"name": "plan", "args": args}}


@pytest.mark.parametrize(
    "decision",
    [
        {"type": "approve"},
        {"type": "reject", "message": "no"},
        {"type": "respond", "message": "tests first"},
        edit(steps=[STEP]),
        edit(goal="other", steps=[{**STEP, "status": "completed", "result": None}]),
    ],
)
def test_a_plan_is_answered_like_any_question(decision: Any) -> None:
    assert validate(asked(), decision) == decision


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ("yes", "decision.type must be one of"),
        ({"type": "approve", "hunks": ["a"]}, "shows no hunks"),
        (edit(steps=[{**STEP, "agent": "x"}]), r"decision.edited_action.args: .*there is no agent 'x'"),
        (edit(steps=[{**STEP, "depend_on": []}]), "steps.0.depend_on: Extra inputs are not permitted"),
        (edit(steps=[{**STEP, "depends_on": ["a"]}]), "wait for each other"),
        (edit(), "steps: Input should be a valid list"),
        (edit(steps=[STEP], extra=1), "extra: Extra inputs"),
        ({"type": "edit", "edited_action": {"name": "execute", "args": {}}}, "name must stay 'plan'"),
    ],
)
def test_an_edit_is_checked_before_anything_is_saved(decision: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        validate(asked(), decision)


@pytest.mark.parametrize(
    ("request_", "wants"),
    [
        ("Составь план и добавь поле в форму", True),
        ("Разбей на шаги: добавь поле, обнови тесты", True),
        ("Add the field step by step", True),
        ("1. Add a field\n2. Update the form", True),
        ("- добавь поле\n- объясни, зачем оно", True),
        ("Explain step by step how it works", False),
        ("Что такое план по шагам?", False),
        ("1. What is this?\n2. Where is that?", False),
        ("Fix the bug in a.py", False),
        ("", False),
    ],
)
def test_rules_say_when_a_request_gets_a_plan(request_: str, wants: bool) -> None:
    assert wants_plan(request_) is wants


def test_a_plan_of_the_code_is_checked_too() -> None:
    with pytest.raises(PlanWrong, match="1 to 20 steps"):
        new("x", [], AGENTS)
