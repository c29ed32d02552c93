"""A run stops at its limits and in circles, says so, and goes on when its person says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from tests.fakes.driver import Driver, call, calls
from tests.graphs.conftest import Start

from artel.graphs import limits, pausing
from artel.graphs.budget import AgentSettings
from artel.graphs.steering import Steer

READ = calls(call("read_file", file_path="notes.txt"))
OTHER = calls(call("read_file", file_path="other.txt"))
GO_ON = {"type": "respond", "message": "go_on"}


def asked(driver: Driver) -> dict[str, Any]:
    (question,) = driver.open
    assert question.value["type"] == "question"
    assert question.value["artel"]["kind"] == "question"
    return dict(question.value)


def events(driver: Driver, kind: str) -> list[dict[str, Any]]:
    return [one for one in driver.custom if isinstance(one, dict) and one.get("type") == kind]


async def test_a_run_that_reaches_its_limit_asks_and_goes_on_with_as_much_again(start: Start) -> None:
    driver = start("coder", READ, OTHER, READ, OTHER, "done", agents=AgentSettings(steps=2))
    await driver.say("go")
    question = asked(driver)
    assert question["question"].startswith(
        "The limit of 2 model calls is reached. Used so far: 2 model calls"
    )
    assert "Its last step was `read_file`." in question["question"]
    assert [one["id"] for one in question["options"]] == ["go_on", "stop"]
    assert question["artel"]["stopped"] | {"spent": {}} == {
        "by": "steps",
        "used": 2,
        "most": 2,
        "final": False,
        "spent": {},
    }
    await driver.answer(GO_ON)
    assert asked(driver)["artel"]["stopped"]["most"] == 4
    await driver.answer(GO_ON)
    assert (driver.said, len(driver.model.asked)) == ("done", 5)
    assert [one["most"] for one in events(driver, "limit")] == [2, 4]  # each told once, also when resumed


async def test_a_run_that_is_told_to_stop_says_why_and_the_next_request_counts_anew(start: Start) -> None:
    driver = start("coder", READ, OTHER, "done", agents=AgentSettings(steps=1))
    await (await driver.say("go")).answer({"type": "respond", "message": "stop"})
    assert (driver.open, len(driver.model.asked)) == ((), 1)
    stopped = pausing.stopped(driver.messages)
    assert stopped
    assert stopped["by"] == "steps"
    assert driver.said.startswith("The limit of 1 model calls")
    await driver.say("and now")
    assert len(driver.model.asked) == 2


@pytest.mark.parametrize("no", [{"type": "reject"}, {"type": "respond", "message": "Нет."}, "stop"])
async def test_every_no_stops(start: Start, no: Any) -> None:
    driver = start("coder", READ, OTHER, agents=AgentSettings(steps=1))
    await (await driver.say("go")).answer(no)
    assert driver.open == ()
    assert len(driver.model.asked) == 1


async def test_other_words_are_a_new_request(start: Start) -> None:
    driver = start("coder", READ, OTHER, "done", agents=AgentSettings(steps=1))
    await (await driver.say("go")).answer({"type": "respond", "message": "only other.txt, please"})
    assert [m.text for m in driver.messages if isinstance(m, HumanMessage)] == [
        "go",
        "only other.txt, please",
    ]
    assert driver.model.asked[1][-1].text == "only other.txt, please"
    assert asked(driver)["artel"]["stopped"]["used"] == 1


async def test_it_speaks_the_language_of_the_request(start: Start) -> None:
    driver = start("coder", READ, agents=AgentSettings(steps=1))
    await driver.say("прочитай заметки")
    assert asked(driver)["question"].startswith("Достигнут предел: 1 вызовов модели.")


async def test_the_most_of_the_server_ends_a_run_and_asks_nobody(start: Start) -> None:
    driver = await start("coder", READ, OTHER, agents=AgentSettings(most_steps=1)).say("go")
    assert driver.open == ()
    assert driver.said.endswith("your next message starts a new count.")
    (told,) = events(driver, "limit")
    assert (told["by"], told["final"]) == ("steps", True)


async def test_a_step_of_a_plan_ends_at_its_limit_and_asks_nobody(start: Start) -> None:
    driver = start("coder", READ, OTHER)
    await driver.go({"messages": [HumanMessage("go")], "budget": {"steps": 1}})
    assert driver.open == ()
    stopped = pausing.stopped(driver.messages)
    assert stopped
    assert stopped["by"] == "steps"


async def test_what_an_earlier_run_of_another_agent_used_does_not_count(start: Start) -> None:
    driver = start("coder", READ, "done", agents=AgentSettings(steps=2))
    await driver.go({"messages": [HumanMessage("go")], "spent": {"steps": 9}})
    assert (driver.open, driver.said) == ((), "done")


async def test_a_run_may_ask_for_less_and_tokens_count(start: Start) -> None:
    driver = start("coder", READ, OTHER, "done")
    driver.context = {"budget": {"tokens": 1}}
    await driver.say("go")
    assert asked(driver)["artel"]["stopped"]["by"] == "tokens"


async def test_minutes_are_of_work_and_not_of_waiting(start: Start) -> None:
    edit = call("edit_file", file_path="notes.txt", old_string="hello", new_string="bye")
    driver = start("coder", {**calls(edit), "delay_s": 0.2}, "done")
    driver.context = {"budget": {"minutes": 0.001}}
    await driver.say("go")
    assert driver.open[0].value["type"] == "tool_approval"
    before = limits.spent(driver.messages).ms
    await driver.answer({"type": "approve"})
    assert asked(driver)["artel"]["stopped"]["by"] == "minutes"
    after = limits.spent(driver.messages).ms
    assert 200 <= before <= after < before + 5_000


async def test_the_limit_holds_in_an_agent_inside_another(start: Start) -> None:
    driver = start("orchestrator", READ, OTHER, "done", agents=AgentSettings(steps=1))
    await driver.say("Change notes.txt")
    assert asked(driver)["artel"]["agent"] == "coder"
    await driver.answer(GO_ON)
    assert asked(driver)["artel"]["stopped"]["most"] == 2


async def test_a_model_that_repeats_itself_is_told_and_then_its_person_is_asked(start: Start) -> None:
    driver = await start("coder", *[READ] * 6, "done").say("go")
    assert asked(driver)["question"].startswith(
        "The agent goes round in circles: the same calls of `read_file`, 5 times."
    )
    told = ["round in circles" in messages[-1].text for messages in driver.model.asked]
    assert told == [False, False, False, True, True]
    assert events(driver, "loop")[0]["times"] == 5
    await driver.answer(GO_ON)
    assert (driver.said, driver.open) == ("done", ())


async def test_an_empty_answer_is_asked_for_once_more(start: Start) -> None:
    nudged = {"match": "Your answer was empty", "text": "here it is"}
    driver = await start("coder", "", nudged).say("go")
    assert driver.said == "here it is"
    assert [m.type for m in driver.messages] == ["human", "ai"]  # the thread knows of no nudge
    assert limits.spent(driver.messages).steps == 2


async def test_a_model_without_an_answer_is_not_asked_for_ever(start: Start) -> None:
    driver = await start("coder", "").say("go")
    assert len(driver.model.asked) == 2
    assert driver.said.startswith("The model gave no answer, twice.")
    assert events(driver, "loop")[0]["by"] == "empty"


@dataclass
class Said:
    """What waits for a run: given to the step that asks first, and to it again."""

    waits: list[Steer] = field(default_factory=list)
    taken: dict[str, list[Steer]] = field(default_factory=dict)

    async def take(self, checkpoint_ns: str) -> Sequence[Steer]:
        fresh, self.waits = self.waits, []
        return self.taken.setdefault(checkpoint_ns, fresh)


async def test_what_is_said_meanwhile_is_heard_before_the_next_call_and_kept_once(start: Start) -> None:
    said = Said()
    driver = start("coder", READ, "as you say", "more", steering=said)
    said.waits = [Steer("1", "look at other.txt"), Steer("2", "and hurry")]
    await driver.say("go")
    kept = [(m.id, m.text) for m in driver.messages if isinstance(m, HumanMessage)]
    assert kept[1:] == [("steer-1", "look at other.txt"), ("steer-2", "and hurry")]
    assert [m.text for m in driver.model.asked[0][1:]] == ["go", "look at other.txt", "and hurry"]
    (event,) = events(driver, "steered")
    assert event["messages"][0] == {"id": "steer-1", "text": "look at other.txt"}
    said.waits = [Steer("1", "look at other.txt")]  # of a run before, which the thread has already
    await driver.say("on")
    assert sum(m.id == "steer-1" for m in driver.messages) == 1


async def test_nothing_is_taken_while_a_limit_is_asked_about(start: Start) -> None:
    said = Said()
    driver = start("coder", READ, "done", steering=said, agents=AgentSettings(steps=1))
    await driver.say("go")
    said.waits = [Steer("1", "be brief")]
    assert asked(driver)
    await driver.answer(GO_ON)
    assert [m.text for m in driver.model.asked[1][-1:]] == ["be brief"]
    (answer,) = [m for m in driver.messages if isinstance(m, AIMessage) and not m.tool_calls]
    assert answer.text == "done"
    assert limits.spent(driver.messages).steps == 2  # a word in between starts no new count
