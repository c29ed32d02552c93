"""How long a question of the coder waits, and what follows: as the policy says, frozen with the call."""

from typing import Any

from tests.fakes.driver import call, calls, edit
from tests.graphs.conftest import Start

from artel.graphs.context import Handles
from artel.tools.policy import Policy, Rule

TO_BYE, TO_TWO = edit("notes.txt", "hello", "bye"), edit("other.txt", "two", "2")
UP = {"on_timeout": "escalate", "escalate_to": ["eve"]}
NOTES = {"id": "notes", "effect": "ask", "action": "fs.write", "path": ["notes.txt"], "timeout_s": 60, **UP}
OTHER = {"id": "other", "effect": "ask", "action": "fs.write", "on_timeout": "park"}


def policy(*rules: Any) -> Policy:
    return Policy(rules=tuple(Rule.model_validate(rule) for rule in rules))


def waits(question: Any) -> tuple[Any, ...]:
    ours = question["artel"]
    return ours["expires_in_s"], ours["on_timeout"], ours.get("escalate_to"), ours.get("rule")


async def test_each_question_says_its_rule_its_time_and_what_follows(start: Start) -> None:
    run = await start("coder", calls(TO_BYE, TO_TWO), "done", policy=policy(NOTES, OTHER)).say("go")
    assert waits(run.about("notes").value) == (60, "escalate", ["eve"], "notes")
    assert waits(run.about("other").value) == (300, "park", None, "other")


async def test_a_batch_waits_as_the_strictest_of_its_calls(start: Start) -> None:
    run = start("coder", calls(TO_BYE, TO_TWO), "done", policy=policy(NOTES, OTHER))
    run.context = {"approvals": "batched"}
    (question,) = (await run.say("go")).open
    assert waits(question.value) == (60, "escalate", ["eve"], None)
    assert [one["rule"] for one in question.value["artel"]["calls"]] == ["notes", "other"]


async def test_what_was_frozen_with_the_call_stays(start: Start) -> None:
    late = {**NOTES, "timeout_s": 9}
    run = await start("coder", calls(TO_BYE, TO_TWO), "done", policy=policy(NOTES)).say("go")
    run.handles = Handles(
        run.handles.models, run.handles.roots, run.handles.default_workspace, policy=policy(late)
    )
    await run.answer(other={"type": "reject"})
    (question,) = run.open
    assert waits(question.value) == (60, "escalate", ["eve"], "notes")


async def test_a_policy_that_says_nothing_of_time_means_the_servers_and_a_no(start: Start) -> None:
    run = await start("coder", calls(call("delete_file", file_path="notes.txt")), "done").say("go")
    assert waits(run.open[0].value) == (300, "reject", None, "write")
