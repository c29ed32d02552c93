"""An answer has the headings that its role says; a model that forgot them is asked once more."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field
from tests.fakes.driver import Driver, OneModel, call, calls
from tests.graphs.conftest import Start

from artel.graphs.agent_loop import loop
from artel.graphs.contract import lacks
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.scripted import Reply, Scripted, scripted
from artel.graphs.models.told import NAME
from artel.graphs.roles import Role, built_in

LOOK = calls(call("read_file", file_path="notes.txt"))
WHOLE = "## Findings\nnone\n\n## Verdict\nready"


class Minds(Scripted):
    """A script that, unlike others, hears what it is told between the lines."""

    heard: list[str] = Field(default_factory=list)
    again: str = WHOLE

    def _next(self, messages: list[BaseMessage]) -> Reply:
        reply = super()._next(messages)
        reminders = [str(m.content) for m in messages if m.name == NAME and "<draft>" in str(m.content)]
        self.heard += reminders
        return Reply(text=self.again) if reminders else reply


def reviewing(start: Start, *replies: Any, again: str = WHOLE) -> tuple[Driver, Minds]:
    model = Minds(replies=scripted(*replies).replies, again=again)
    return start("reviewer", models=OneModel(model)), model


async def test_a_model_that_forgot_is_asked_once_more_and_its_draft_is_not_kept(start: Start) -> None:
    run, model = reviewing(start, LOOK, "it is fine, ## Findings in the middle of a line is none")
    await run.say("review")
    assert run.said == WHOLE
    assert [m.type for m in run.messages] == ["human", "ai", "tool", "ai"]
    (heard,) = model.heard
    assert "`## Findings or Находки`" in heard
    assert "it is fine" in heard


async def test_what_has_the_headings_is_taken_as_it_is(start: Start) -> None:
    run, model = reviewing(start, LOOK, "**Находки:**\nнет\n\n### 2. Вывод: готово")
    await run.say("проверь")
    assert run.said.startswith("**Находки")
    assert model.heard == []


async def test_small_talk_needs_no_headings(start: Start) -> None:
    run, model = reviewing(start, LOOK, WHOLE, "You are welcome.")
    await run.say("review")
    await run.say("thanks")
    assert (run.said, model.heard) == ("You are welcome.", [])


async def test_one_that_forgets_twice_is_not_asked_a_third_time(start: Start) -> None:
    run, model = reviewing(start, LOOK, "fine", again="still fine")
    await run.say("review")
    assert (run.said, len(model.heard)) == ("fine", 1)


async def test_a_second_answer_that_has_more_is_taken(start: Start) -> None:
    run, model = reviewing(start, LOOK, "fine", again="## Findings\nnone")
    await run.say("review")
    assert run.said == "## Findings\nnone"
    assert len(model.heard) == 1


async def test_rules_are_not_asked_twice(start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start("reviewer", models=Models(ModelSettings(model="offline")))
    reminders: list[Any] = []
    monkeypatch.setattr("artel.graphs.contract.told", lambda *given: reminders.append(given))
    await run.say("What is in notes.txt?")
    assert any(message.type == "tool" for message in run.messages)
    assert lacks(built_in()["reviewer"], run.said)
    assert reminders == []


async def test_a_role_without_headings_is_left_alone(start: Start) -> None:
    run, model = reviewing(start, LOOK, "fine")
    role = built_in()["reviewer"].model_copy(update={"output": ()})
    run.graph = loop(role).copy(update={"checkpointer": InMemorySaver()})
    await run.say("review")
    assert (run.said, model.heard) == ("fine", [])


@pytest.mark.parametrize(
    ("answer", "lacking"),
    [
        ("", ["Cause | Причина"]),
        ("## Cause", []),
        ("text\n\n#### cause of it", []),
        ("## Causes", ["Cause | Причина"]),
        ("Cause: x", ["Cause | Причина"]),
        ("1. **Причина** в файле", ["Cause | Причина"]),
        ("**Причина.** В файле", []),
        ("## 1. Причина", []),
        ("##Cause", ["Cause | Причина"]),
    ],
)
def test_a_heading_stands_on_a_line_of_its_own(answer: str, lacking: list[str]) -> None:
    role = Role.model_validate(
        {"name": "x", "title": "X", "description": "X.", "output": ["Cause | Причина"], "prompt": "x"}
    )
    assert lacks(role, answer) == lacking


def test_every_role_of_ours_says_its_headings_in_both_languages() -> None:
    for role in built_in().values():
        for heading in role.output:
            assert any("а" <= char <= "я" for char in heading.lower()), role.name
            assert any("a" <= char <= "z" for char in heading.lower()), role.name
