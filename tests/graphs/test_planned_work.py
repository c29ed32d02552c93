"""A request of several steps: planned, approved, carried out by agents, checked, told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from tests.fakes.driver import Driver, call, calls, edit
from tests.fakes.plans import PLANS, SILENT, YES, on, plan, step, submits
from tests.graphs.conftest import Start

from artel.graphs import limits
from artel.graphs.budget import AgentSettings
from artel.graphs.models import Models, ModelSettings, prices
from artel.graphs.models.prices import Price

TO_BYE = calls(edit("notes.txt", "hello", "bye"))
TO_TWO = calls(edit("other.txt", "two", "2"))
PLAN = plan(step("notes", "Change the greeting"), step("other", "Change the number", depends_on=["notes"]))
ASK = "Make a plan and change the greeting and the number"


def script(*more: Any, made: Any = PLAN) -> list[Any]:
    """Two steps, each an edit and its result."""
    return [
        made,
        *more,
        on("Change the number", TO_TWO),  # whose brief names the step before it, too
        on("Change the greeting", TO_BYE),
        SILENT,
        "unused",
        submits("it is so"),
    ]


async def approved(start: Start, *replies: Any, lanes: int = 1) -> Driver:
    run = start("orchestrator", *replies)
    run.context["lanes"] = lanes
    await run.say(ASK)
    return await run.answer(YES)


def statuses(run: Driver) -> list[str]:
    return [one["status"] for one in run.state.values["plan"]["steps"]]


async def test_a_plan_is_shown_before_anything_is_done(start: Start) -> None:
    run = await start("orchestrator", *script()).say(ASK)
    (asked,) = run.open
    assert (asked.value["type"], asked.value["artel"]["kind"]) == ("plan", "plan")
    assert [one["title"] for one in asked.value["args"]["steps"]] == [
        "Change the greeting",
        "Change the number",
    ]
    assert run.state.values["plan"]["status"] == "proposed"
    assert len(run.model.asked) == 1


async def test_each_step_is_done_by_an_agent_with_a_brief_and_no_transcript(
    start: Start, folder: Path
) -> None:
    run = await approved(start, *script())
    await run.answer(YES)
    await run.answer(YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert (folder / "other.txt").read_text() == "one\n2\n"
    briefs = [
        asked[1].text for asked in run.model.asked if len(asked) > 1 and "Change the number" in asked[1].text
    ]
    assert "The goal of the plan: All is done" in briefs[0]
    assert "Change the greeting (completed): it is so Changed: notes.txt." in briefs[0]
    assert not any(ASK in m.text for asked in run.model.asked[1:-1] for m in asked)


async def test_the_result_is_a_table_of_what_tools_did(start: Start) -> None:
    run = await approved(start, *script())
    await run.answer(YES)
    await run.answer(YES)
    result = run.state.values["result"]
    assert (result["status"], result["changed"]) == ("done", ["notes.txt", "other.txt"])
    assert [one["files"] for one in result["steps"]] == [
        [{"path": "notes.txt", "added": 1, "removed": 1}],
        [{"path": "other.txt", "added": 1, "removed": 1}],
    ]
    assert result["tokens"]["output"] >= 0
    assert "| Change the greeting | coder | completed | `notes.txt` +1 −1 |" in run.said
    assert "- `gate`: passed" in run.said
    assert run.said.startswith("2 of 2 steps are completed.")


async def test_a_model_puts_words_above_the_table(start: Start) -> None:
    words = on("A plan was carried out", {"text": "All went well.\nIndeed."})
    run = await approved(start, words, *script())
    await run.answer(YES)
    await run.answer(YES)
    assert run.said.startswith("All went well.\nIndeed.\n\n| Step |")
    assert run.state.values["result"]["summary"] == "All went well."


async def test_readers_see_each_change_of_the_plan(start: Start) -> None:
    run = await approved(start, *script())
    await run.answer(YES)
    await run.answer(YES)
    seen = [one["plan"] for one in run.custom if one["type"] == "plan"]
    told = [(one["status"], *(each["status"] for each in one["steps"])) for one in seen]
    assert list(dict.fromkeys(told)) == [
        ("proposed", "pending", "pending"),
        ("running", "pending", "pending"),
        ("running", "in_progress", "pending"),
        ("running", "completed", "pending"),
        ("running", "completed", "in_progress"),
        ("running", "completed", "completed"),
        ("done", "completed", "completed"),
    ]


async def test_an_agent_sees_the_plan_at_the_end_of_what_it_is_shown(start: Start) -> None:
    run = await approved(start, *script())
    last = run.model.asked[1][-1].text
    assert "## Plan" in last
    assert "1. [>] Change the greeting: coder (yours)" in last


async def test_a_no_to_the_plan_does_nothing(start: Start, folder: Path) -> None:
    run = await start("orchestrator", *script()).say(ASK)
    await run.answer({"type": "reject"})
    assert run.said == "All right, I do nothing."
    assert run.state.values["result"]["status"] == "rejected"
    assert statuses(run) == ["cancelled", "cancelled"]
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


async def test_words_to_the_plan_make_another_one(start: Start) -> None:
    other = on(
        "only the number, please", plan(step("a", "Change the number"), step("b", "Look", agent="ask"))
    )
    run = await start("orchestrator", other, *script()).say(ASK)
    prompt = run.model.asked
    # the prompt of the second plan ends with the request; its words stand before it
    await run.answer({"type": "respond", "message": "only the number, please"})
    assert "only the number, please" in prompt[1][0].text
    assert "Change the greeting" in prompt[1][0].text
    assert [one["title"] for one in run.open[0].value["plan"]["steps"]] == ["Change the number", "Look"]


async def test_an_edited_plan_is_carried_out_as_edited(start: Start, folder: Path) -> None:
    run = await start("orchestrator", *script()).say(ASK)
    args = run.open[0].value["args"]
    args["steps"] = [{**args["steps"][1], "depends_on": []}]
    await run.answer({"type": "edit", "edited_action": {"name": "plan", "args": args}})
    await run.answer(YES)
    assert run.state.values["plan"]["version"] == 2
    assert statuses(run) == ["completed"]
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


async def test_a_plan_of_one_step_goes_to_its_agent_at_once(start: Start) -> None:
    run = await start("orchestrator", plan(step("a", "Change the greeting")), TO_BYE, "done").say(ASK)
    assert run.open[0].value["name"] == "edit_file"
    assert run.state.values["route"]["reason"] == "one agent can do all of it"
    assert "plan" not in run.state.values


async def test_a_plan_that_breaks_a_rule_goes_back_once_with_the_error(start: Start) -> None:
    wrong = plan(step("a", agent="nobody"), step("b"))
    run = start("orchestrator", on("could not be used", PLAN), wrong)
    await run.say(ASK)
    assert "there is no agent 'nobody' for it; there are architect, ask, coder" in run.model.asked[1][0].text
    assert len(run.open[0].value["plan"]["steps"]) == 2


async def test_a_model_that_cannot_plan_leaves_the_work_to_the_coder(start: Start) -> None:
    run = await start("orchestrator", on(PLANS, {"text": "I cannot."}), "made").say(ASK)
    assert run.said == "made"
    assert run.state.values["route"]["reason"] == "no plan could be made"


async def test_a_list_is_a_plan_without_any_model(start: Start, folder: Path) -> None:
    run = start("orchestrator")
    run.handles = replace(run.handles, models=Models(ModelSettings(model="offline")))
    await run.say("1. Replace 'hello' with 'bye' in notes.txt\n2. Замени 'two' на '2' в other.txt")
    assert [one["agent"] for one in run.open[0].value["plan"]["steps"]] == ["coder", "coder"]
    await run.answer(YES)
    await run.answer(YES)
    await run.answer(YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert (folder / "other.txt").read_text() == "one\n2\n"
    assert run.state.values["result"]["status"] == "done"


async def test_a_child_that_never_submits_is_told_once_and_then_has_failed(start: Start) -> None:
    run = await approved(start, PLAN, SILENT, "I did it all.", "Really, I did.")
    told = [
        m
        for asked in run.model.asked
        for m in asked
        if isinstance(m, HumanMessage) and m.name == "artel_submit"
    ]
    assert len(told) == 1
    result = run.state.values["plan"]["steps"][0]["result"]
    assert (result["status"], result["by"]) == ("failed", "runtime")
    assert "Really, I did." in result["evidence"][0]
    assert statuses(run) == ["failed", "cancelled"]
    assert run.state.values["result"]["status"] == "failed"


async def test_a_child_that_dies_has_failed_and_the_rest_goes_on(start: Start, folder: Path) -> None:
    made = plan(step("notes", "Change the greeting"), step("other", "Change the number"))
    dies = on("Changed notes.txt", {"error": "the model is gone"})
    run = await approved(start, dies, *script(made=made))
    await run.answer(YES)
    await run.answer(YES)
    assert statuses(run) == ["failed", "completed"]
    died = run.state.values["result"]["steps"][0]
    assert "the model is gone" in died["summary"]
    assert died["files"] == [{"path": "notes.txt", "added": 1, "removed": 1}]


async def test_a_child_that_loops_is_stopped(start: Start) -> None:
    made = plan(step("notes", "Look around", budget={"steps": 5}), step("other", "Change the number"))
    looks = [on("Look around", calls(call("ls"))), on("notes.txt", calls(call("ls")))]
    run = await approved(start, *looks, *script(made=made))
    await run.answer(YES)
    assert statuses(run) == ["failed", "completed"]
    assert "The limit of 5 model calls" in run.state.values["result"]["steps"][0]["summary"]


async def test_a_claim_of_files_that_no_tool_changed_is_noted(start: Start) -> None:
    claims = submits("both are changed", files_changed=["notes.txt", "secret.txt"])
    run = await approved(start, on("Change the", claims), PLAN, SILENT)
    result = run.state.values["result"]
    assert result["changed"] == []
    assert result["steps"][0]["notes"] == [
        "It says that it changed notes.txt, secret.txt, and none of its edits did."
    ]


async def test_a_step_cannot_leave_its_files_and_nobody_is_asked(start: Start, folder: Path) -> None:
    made = plan(step("notes", "Change the greeting", paths=["docs/**"]), step("other", "Change the number"))
    run = await approved(start, *script(made=made))
    assert [one.value["name"] for one in run.open] == ["edit_file"]
    assert run.open[0].value["args"]["file_path"] == "other.txt"
    assert any("notes.txt is not of this step" in m.text for asked in run.model.asked for m in asked)


async def test_two_lanes_ask_at_once_and_are_answered_in_any_order(start: Start, folder: Path) -> None:
    made = plan(
        step("notes", "Change the greeting", paths=["notes.txt"]),
        step("other", "Change the number", paths=["other.txt"]),
    )
    run = await approved(start, *script(made=made), lanes=2)
    assert len(run.open) == 2
    assert statuses(run) == ["in_progress", "in_progress"]
    await run.answer(other=YES)
    await run.answer(notes={"type": "reject", "message": "no"})
    assert (folder / "other.txt").read_text() == "one\n2\n"
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert statuses(run) == ["completed", "completed"]


async def test_steps_beside_each_other_run_no_commands(start: Start) -> None:
    made = plan(
        step("notes", "Change the greeting", paths=["notes.txt"]),
        step("other", "Change the number", paths=["other.txt"]),
    )
    runs = [
        on("Change the greeting", calls(call("execute", command="date"))),
        on("Change the number", submits()),
    ]
    run = await approved(start, made, SILENT, *runs, "unused", submits("without"), lanes=2)
    assert run.open == ()
    assert run.state.values["result"]["status"] == "done"


async def test_a_question_two_levels_down_reaches_the_person(start: Start, folder: Path) -> None:
    outer = plan(step("big", "A big part", agent="orchestrator"), step("look", "Look at it", agent="ask"))
    inner = on("A big part", {**PLAN, "match": "A big part"})
    run = start("orchestrator", inner, on("Look at it", submits("seen")), *script(made=outer))
    await run.say(ASK)
    await run.answer(YES)
    assert [one.value["type"] for one in run.open] == ["plan"]
    assert run.open[0].value["plan"]["depth"] == 2
    assert "orchestrator" not in run.open[0].value["agents"]
    await run.answer(YES)
    assert [one.value["args"]["file_path"] for one in run.open] == ["notes.txt"]
    await run.answer(YES)
    await run.answer(YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert statuses(run) == ["completed", "completed"]
    assert run.state.values["result"]["changed"] == ["notes.txt", "other.txt"]


PRICED = {"scripted": Price(input=1_000, output=1_000)}  # a tenth of a cent a token


@pytest.fixture
def priced() -> Iterator[None]:
    prices.use(PRICED)
    yield
    prices.use({})


@pytest.mark.usefixtures("priced")
async def test_the_table_says_what_each_step_and_the_whole_cost(start: Start) -> None:
    run = await approved(start, *script())
    await (await run.answer(YES)).answer(YES)
    result = run.state.values["result"]
    steps = [one["cost"] for one in result["steps"]]
    assert all(one["usd"] == pytest.approx((one["input"] + one["output"]) / 1_000) for one in steps)
    assert all((one["calls"], one["unpriced"]) == (2, 0) for one in steps)
    assert result["cost"]["calls"] == 6  # the plan and the words about it are calls too
    assert result["cost"]["usd"] == pytest.approx(limits.read(run.state.values["spent"]).usd)
    row = next(line for line in run.said.splitlines() if line.startswith("| Change the greeting"))
    assert row.endswith(f"| ${steps[0]['usd']:.4f} |")
    assert f"In all: ${result['cost']['usd']:.4f}." in run.said


async def test_where_no_price_is_known_the_table_says_tokens(start: Start) -> None:
    run = await approved(start, *script())
    await (await run.answer(YES)).answer(YES)
    cost = run.state.values["result"]["steps"][0]["cost"]
    assert cost["usd"] is None
    assert f"| {cost['input'] + cost['output']} tokens |" in run.said
    assert run.said.splitlines()[-1].startswith("Tokens: ")


async def test_what_steps_use_counts_in_the_budget_of_their_run(start: Start, folder: Path) -> None:
    run = start("orchestrator", *script(), agents=AgentSettings(steps=3))
    await (await run.say(ASK)).answer(YES)
    await run.answer(YES)  # the plan, an edit, its result: three calls
    (asked,) = run.open
    assert asked.value["question"].startswith("The limit of 3 model calls is reached.")
    assert asked.value["artel"]["agent"] == "orchestrator"
    assert statuses(run) == ["completed", "pending"]
    await run.answer({"type": "respond", "message": "go_on"})
    await run.answer(YES)
    assert statuses(run) == ["completed", "completed"]
    assert (folder / "other.txt").read_text() == "one\n2\n"
    assert limits.read(run.state.values["spent"]).more == {"steps": 1}


async def test_a_run_whose_budget_ends_within_a_step_asks_there(start: Start) -> None:
    run = start("orchestrator", *script(), agents=AgentSettings(steps=2))
    await (await run.say(ASK)).answer(YES)
    await run.answer(YES)
    (asked,) = run.open
    assert asked.value["artel"]["agent"] == "coder"
    assert asked.value["artel"]["stopped"] | {"spent": {}} == {
        "by": "steps",
        "used": 2,
        "most": 2,
        "final": False,
        "spent": {},
    }
    await run.answer({"type": "respond", "message": "go_on"})
    assert statuses(run) == ["completed", "in_progress"]


async def test_a_plan_that_was_stopped_says_why_and_goes_on_with_the_next_message(start: Start) -> None:
    run = start("orchestrator", *script(), agents=AgentSettings(steps=2))
    await (await run.say(ASK)).answer(YES)
    await (await run.answer(YES)).answer({"type": "respond", "message": "stop"})
    assert run.open == ()
    assert "The limit of 2 model calls is reached." in run.said
    assert "Say “continue” to go on." in run.said
    assert run.state.values["result"]["stopped"]["by"] == "steps"
    assert statuses(run) == ["pending", "pending"]  # nothing is lost, and nothing is called failed
    run.handles = replace(run.handles, agents=AgentSettings())
    await run.say("continue")
    assert statuses(run) == ["completed", "in_progress"]
    assert limits.read(run.state.values["spent"]).steps == 2  # counted anew


async def test_the_ceiling_of_the_server_ends_a_plan_and_asks_nobody(start: Start) -> None:
    run = start("orchestrator", *script(), agents=AgentSettings(most_steps=3))
    await (await run.say(ASK)).answer(YES)
    await run.answer(YES)
    assert run.open == ()
    assert "your next message starts a new count" in run.said
    assert run.state.values["result"]["stopped"]["final"] is True


async def test_a_step_stopped_by_its_own_budget_may_use_more_when_tried_again(
    start: Start, folder: Path
) -> None:
    made = plan(step("notes", "Change the greeting", budget={"steps": 1}), step("other", "Look"))
    run = await approved(start, *script(made=made))
    await run.answer(YES)
    assert "Too little budget: “Change the greeting”. Say “try again”" in run.said
    stopped = run.state.values["plan"]["steps"][0]["result"]["stopped"]
    assert (stopped["by"], stopped["most"], stopped["of"]) == ("steps", 1, "step")
    (folder / "notes.txt").write_text("hello\n")
    await (await run.say("try again")).answer(YES)
    assert statuses(run) == ["completed", "completed"]
    assert run.state.values["result"]["steps"][0]["cost"]["calls"] == 3  # of both attempts


async def test_beside_each_other_steps_share_what_is_left(start: Start) -> None:
    made = plan(
        step("notes", "Change the greeting", paths=["notes.txt"]),
        step("other", "Change the number", paths=["other.txt"]),
    )
    run = start("orchestrator", *script(made=made), agents=AgentSettings(steps=3))
    run.context["lanes"] = 2
    await (await run.say(ASK)).answer(YES)
    await run.answer(YES, YES)  # three of three, if both are seen; each has seen two
    assert {one.value["artel"]["stopped"]["used"] for one in run.open} == {2}


async def test_a_client_cannot_hand_in_a_plan_that_nobody_approved(start: Start) -> None:
    run = start("orchestrator", "an answer")
    made = {"goal": "x", "version": 1, "depth": 1, "status": "running", "steps": []}
    await run.go({"messages": [HumanMessage("Where is it?")], "plan": made})
    assert (run.said, run.state.values.get("plan")) == ("an answer", None)


@pytest.mark.parametrize("outside", [{"type": "what"}, 5, {"type": "edit", "edited_action": {"name": "x"}}])
async def test_an_answer_that_is_none_is_a_no(start: Start, outside: Any) -> None:
    run = await start("orchestrator", *script()).say(ASK)
    await run.answer(outside)
    assert run.state.values["result"]["status"] == "rejected"
