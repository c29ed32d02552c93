"""The todos of an agent: told live, told to the model, there after a crash and in the thread above."""

from typing import Any

import pytest
from tests.fakes.driver import Driver, call, calls, edit
from tests.graphs.conftest import Start
from tests.graphs.test_approval import DiesAfterTheWrite

from artel.graphs.models.told import NAME


def todos(**items: str) -> dict[str, Any]:
    return call("write_todos", todos=[{"content": name, "status": status} for name, status in items.items()])


def noted(run: Driver) -> list[tuple[str, str]]:
    return [(one["content"], one["status"]) for one in run.state.values["todos"]]


async def test_a_list_is_kept_told_live_and_shown_to_the_model_last(start: Start) -> None:
    first, then = todos(look="in_progress", write="pending"), todos(look="completed", write="in_progress")
    run = await start("coder", calls(first), calls(then), "done").say("go")
    assert noted(run) == [("look", "completed"), ("write", "in_progress")]
    events = [one for one in run.custom if isinstance(one, dict) and one.get("type") == "todos"]
    assert [[one["status"] for one in event["todos"]] for event in events] == [
        ["in_progress", "pending"],
        ["completed", "in_progress"],
    ]
    assert events[0]["agent"] == "coder"
    last = run.model.asked[-1][-1]
    assert last.name == NAME
    assert "## Todos" in last.text
    assert "- [x] look (" in last.text
    assert "- [~] write (" in last.text


async def test_what_is_finished_is_not_told_again(start: Start) -> None:
    run = await start("coder", calls(todos(a="in_progress")), calls(todos(a="failed")), "done").say("go")
    assert noted(run) == [("a", "failed")]
    assert run.model.asked[-1][-1].name != NAME


async def test_an_illegal_change_teaches_and_changes_nothing(start: Start) -> None:
    run = await start("coder", calls(todos(a="pending")), calls(todos(a="completed")), "I see").say("go")
    assert noted(run) == [("a", "pending")]
    assert "goes to in_progress or cancelled, not to completed" in run.told[1]


async def test_of_two_calls_in_a_message_one_is_made_and_the_other_told_so(start: Start) -> None:
    run = await start("coder", calls(todos(a="in_progress"), todos(b="in_progress")), "done").say("go")
    assert noted(run) == [("a", "in_progress")]
    assert "another call of the same message changes the list" in run.told[1]


async def test_a_crash_leaves_the_list_as_it_was(start: Start) -> None:
    both = calls(todos(greet="in_progress"), edit("notes.txt", "hello", "bye"))
    finish = calls(todos(greet="completed"))
    run = await start("coder", both, finish, "done", effects=DiesAfterTheWrite()).say("go")
    with pytest.raises(ConnectionError):
        await run.answer({"type": "approve"})
    await (run.answer({"type": "approve"}) if run.open else run.go(None))
    assert noted(run) == [("greet", "completed")]
    assert run.said == "done"


async def test_the_thread_above_has_them_and_hands_them_down(start: Start) -> None:
    first, then = todos(a="in_progress", b="pending"), todos(a="completed", b="cancelled")
    run = await start("orchestrator", calls(first), "half", calls(then), "done").say("create a thing")
    assert noted(run) == [("a", "in_progress"), ("b", "pending")]
    await run.say("create the rest")
    assert noted(run) == [("a", "completed"), ("b", "cancelled")]


async def test_a_long_list_is_told_in_part(start: Start) -> None:
    many = call(
        "write_todos", todos=[{"content": f"{n} {'x' * 280}", "status": "pending"} for n in range(30)]
    )
    run = await start("coder", calls(many), "done").say("go")
    assert len(run.model.asked[-1][-1].text) < 4_000
    assert "more" in run.model.asked[-1][-1].text
