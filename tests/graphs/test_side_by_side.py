"""Calls of one message: those that look run side by side, of those that change one file the first is made."""

from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from tests.fakes.driver import Driver, call, calls, edit
from tests.graphs.conftest import Start

from artel.graphs import workbench
from artel.tools import registry
from artel.tools.policy import Policy, Rule
from artel.tools.tool import Outcome, perform

FREE = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
READ = call("read_file", file_path="notes.txt")
HELLO, WORLD = edit("notes.txt", "hello", "HELLO"), edit("notes.txt", "world", "WORLD")
OTHER = edit("other.txt", "one", "ONE")


def answers(run: Driver) -> list[list[str]]:
    """Return what was told of each call of each message, in the order of the calls."""
    told = {m.tool_call_id: str(m.content) for m in run.messages if isinstance(m, ToolMessage)}
    asked = [m.tool_calls for m in run.messages if isinstance(m, AIMessage)]
    assert sum(isinstance(m, ToolMessage) for m in run.messages) == sum(map(len, asked))
    return [[told[one["id"] or ""] for one in many] for many in asked if many]


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let readers go on only when four of them read at once; returns how many did."""
    met: list[int] = []
    barrier = Barrier(4, action=lambda: met.append(4))

    def look(root: Path, args: Any) -> Outcome:
        barrier.wait(20)
        return registry._read(root, args)

    slow = replace(registry.TOOLS["read_file"], look=look)
    monkeypatch.setattr("artel.graphs.agent_loop.TOOLS", {**registry.TOOLS, "read_file": slow})
    return met


@pytest.mark.parametrize("asked", [False, True])
async def test_reads_meet_and_of_two_edits_of_a_file_the_second_comes_again(
    start: Start, folder: Path, meeting: list[int], asked: bool
) -> None:
    many = calls(READ, HELLO, READ, WORLD, READ, OTHER, READ)
    run = start("coder", many, calls(WORLD), "done", **({} if asked else {"policy": FREE}))
    await run.say("go")
    while run.open:
        await run.answer(*[{"type": "approve"} for _ in run.open])
    first, second = answers(run)
    assert meeting == [4]
    assert "Changed notes.txt" in first[1]
    assert "one change to a file at a time. Call this again after the first." in first[3]
    assert "Changed other.txt" in first[5]
    assert "Changed notes.txt" in second[0]
    assert run.said == "done"
    assert (folder / "notes.txt").read_text() == "HELLO\nWORLD\n"
    assert (folder / "other.txt").read_text() == "ONE\ntwo\n"


async def test_changes_of_different_files_run_side_by_side(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier = Barrier(2)

    def meet(*args: Any) -> Outcome:
        barrier.wait(20)
        return perform(*args)

    monkeypatch.setattr(workbench, "perform", meet)
    run = await start("coder", calls(HELLO, OTHER), "done", policy=FREE).say("go")
    assert ["Changed" in said for said in answers(run)[0]] == [True, True]
    assert not barrier.broken


@pytest.mark.parametrize("spelled", ["./notes.txt", "sub/../notes.txt", "link.txt"])
async def test_one_file_by_two_names_is_one_file(start: Start, folder: Path, spelled: str) -> None:
    (folder / "sub").mkdir()
    (folder / "link.txt").symlink_to("notes.txt")
    both = calls(HELLO, edit(spelled, "world", "WORLD"), call("move_file", src="notes.txt", dst="new.txt"))
    run = await start("coder", both, "I see", policy=FREE).say("go")
    assert ["one change to a file at a time" in said for said in answers(run)[0]] == [False, True, True]
    assert (folder / "notes.txt").read_text() == "HELLO\nworld\n"


async def test_an_edit_that_does_not_fit_does_not_keep_the_next_one_from_being_made(
    start: Start, folder: Path
) -> None:
    run = await start("coder", calls(edit("notes.txt", "nowhere", "x"), WORLD), "done", policy=FREE).say("go")
    assert "does not occur" in answers(run)[0][0]
    assert (folder / "notes.txt").read_text() == "hello\nWORLD\n"


async def test_many_edits_in_one_message_are_all_made_in_the_end_and_none_is_lost_in_silence(
    start: Start, folder: Path
) -> None:
    (folder / "many.txt").write_text("".join(f"line {number}.\n" for number in range(6)))
    edits = [edit("many.txt", f"line {number}.", f"LINE {number}.") for number in range(6)]
    replies: list[Any] = [calls(*edits[number:]) for number in range(6)]
    run = await start("coder", *replies, "done", policy=FREE).say("go")
    for number, said in enumerate(answers(run)):
        assert f"+LINE {number}." in said[0]
        assert all("Call this again after the first" in one for one in said[1:])
    assert (folder / "many.txt").read_text() == "".join(f"LINE {number}.\n" for number in range(6))
