"""Who works on a request, said aloud; what came of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from tests.fakes.driver import call, calls, edit
from tests.fakes.plans import plan, step
from tests.graphs.conftest import Start
from tests.graphs.test_approval import DiesAfterTheWrite

from artel.graphs.models import Models, ModelSettings

YES = {"type": "approve"}
DECIDES = "You decide who works"
TO_BYE = edit("notes.txt", "hello", "bye")


@pytest.mark.parametrize(
    ("request_", "agent", "reason"),
    [
        ("Where is the path checked?", "ask", "a question, nothing shall change (“where”)"),
        ("Где проверяется путь?", "ask", "это вопрос, менять ничего не нужно («где»)"),
    ],
)
async def test_the_choice_is_explained_in_the_state_and_at_once(
    start: Start, request_: str, agent: str, reason: str
) -> None:
    run = await start("orchestrator", "an answer").say(request_)
    route = {"agent": agent, "reason": reason, "by": "rules"}
    assert run.state.values["route"] == route
    assert {"type": "route", **route} in run.custom
    assert len(run.model.asked) == 1  # the rules asked no model


async def test_a_change_goes_to_the_coder_and_the_result_names_the_files(start: Start, folder: Path) -> None:
    run = await start("orchestrator", calls(TO_BYE), "Changed the greeting.\nMore.").say(
        "replace hello with bye"
    )
    assert run.open[0].value["artel"]["agent"] == "coder"
    await run.answer(YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert run.state.values["result"] == {
        "agent": "coder",
        "summary": "Changed the greeting.",
        "changed": ["notes.txt"],
    }


async def test_the_model_decides_where_the_rules_are_silent(start: Start) -> None:
    run = await start("orchestrator", {"text": "`coder`.", "match": DECIDES}, "done").say("the blue one")
    assert run.state.values["route"]["agent"] == "coder"
    assert run.state.values["route"]["by"] == "model"
    assert [m.content for m in run.messages if m.type == "ai"] == ["done"]
    assert run.messages[-1].response_metadata["spent"]["steps"] == 2  # to choose was a call, too


async def test_a_follow_up_stays_with_whoever_worked_before(start: Start) -> None:
    run = await start("orchestrator", {"text": "unclear", "match": DECIDES}, "made", "made too").say(
        "create a thing"
    )
    await run.say("the other one as well")
    assert run.state.values["route"]["agent"] == "coder"
    assert run.state.values["route"]["by"] == "thread"


@pytest.mark.parametrize(
    ("answer", "agent"),
    [
        ({"type": "respond", "message": "coder"}, "coder"),
        ({"type": "respond", "message": "ask"}, "ask"),
        ({"type": "respond", "message": "fix them"}, "coder"),
        ({"type": "respond", "message": "hm"}, "ask"),
        ("coder", "coder"),
        ({"type": "respond", "answers": {"wanted": "Change files"}}, "coder"),
    ],
)
async def test_when_nobody_can_tell_a_person_is_asked(start: Start, answer: Any, agent: str) -> None:
    run = await start("orchestrator", {"text": "unclear", "match": DECIDES}, "done").say("the blue one")
    (asked,) = run.open
    assert asked.value["type"] == "question"
    assert asked.value["questions"][0]["question"] == "What shall be done: “the blue one”?"
    assert [option["label"] for option in asked.value["options"]][1] == "Change files"
    assert asked.value["artel"]["kind"] == "question"
    await run.answer(answer)
    assert run.state.values["route"]["agent"] == agent
    assert run.state.values["route"]["by"] == "person"
    assert run.said == "done"
    words = answer.get("message", "coder") if isinstance(answer, dict) else answer
    (decision,) = run.state.values["resolved_context"].values()
    assert (decision["question_id"], decision["agent"], decision["by"]) == ("wanted", "orchestrator", "local")
    told = [m.content for m in run.messages if isinstance(m, HumanMessage)]
    assert (words in told) == (words not in ("ask", "coder"))


@pytest.mark.parametrize("answer", ["step by step: the colour, then the word", "Составь план и сделай это"])
async def test_an_answer_may_ask_for_a_plan_and_the_plan_knows_what_was_asked_first(
    start: Start, answer: str
) -> None:
    made = plan(step("a", "Change the colour"), step("b", "Look", agent="ask"))
    run = await start("orchestrator", {"text": "unclear", "match": DECIDES}, made).say("the blue one")
    await run.answer({"type": "respond", "message": answer})
    (asked,) = run.open
    assert (asked.value["type"], run.state.values["route"]["agent"]) == ("plan", "plan")
    assert all(words in run.model.asked[-1][0].text for words in ("the blue one", answer))


@pytest.mark.parametrize("answer", [{"type": "reject"}, {"type": "what"}, 5])
async def test_a_question_that_is_refused_ends_the_run_without_an_agent(start: Start, answer: Any) -> None:
    run = start("orchestrator")
    run.handles = replace(run.handles, models=Models(ModelSettings(model="offline")))
    await run.say("синий вариант")
    await run.answer(answer)
    assert run.said == "Хорошо, ничего не делаю."
    assert run.state.values["result"]["agent"] == ""


async def test_a_crash_after_the_yes_asks_and_writes_nothing_again_in_a_sub_agent(
    start: Start, folder: Path
) -> None:
    run = await start("orchestrator", calls(TO_BYE), "done", effects=DiesAfterTheWrite()).say("replace it")
    with pytest.raises(ConnectionError):
        await run.answer(YES)
    inode = (folder / "notes.txt").stat().st_ino
    await (run.answer(YES) if run.open else run.go(None))
    assert (folder / "notes.txt").stat().st_ino == inode
    assert (run.said, run.open, len(run.model.asked)) == ("done", (), 2)
    assert run.state.values["result"]["changed"] == ["notes.txt"]


async def test_two_questions_of_a_sub_agent_are_answered_out_of_order(start: Start, folder: Path) -> None:
    two = calls(TO_BYE, edit("other.txt", "two", "2"))
    run = await start("orchestrator", two, "both").say("change both")
    await run.answer(other=YES)
    await run.answer(notes={"type": "reject"})
    assert (folder / "other.txt").read_text() == "one\n2\n"
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert run.said == "both"


async def test_a_long_piece_of_work_is_not_cut_off(start: Start) -> None:
    reads = [calls(call("read_file", file_path="notes.txt", limit=n)) for n in range(1, 61)]
    run = await start("orchestrator", *reads, "done").say("create a class in notes.txt")
    assert (run.said, len(run.told)) == ("done", 60)
