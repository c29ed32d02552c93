"""What a call changes is noted with the files before and after it, so that it can be undone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from tests.fakes.driver import Driver, call, calls, edit
from tests.graphs.conftest import Start
from tests.graphs.test_effects import FREE, TO_BYE, Dies

from artel.graphs import agent_loop, approval, keeping
from artel.graphs.ledgers import LocalChange, LocalSnapshots
from artel.tools import registry
from artel.tools.snapshots import trees
from artel.tools.snapshots.repository import SnapshotFailed, repository_of
from artel.tools.snapshots.restoring import restore
from artel.tools.tool import Arguments, Outcome, Risk, Tool, ToolFailed, Work


def noted(run: Driver) -> list[LocalChange]:
    ledger = run.handles.snapshots
    assert isinstance(ledger, LocalSnapshots)
    return list(ledger.changes.values())


def paths(run: Driver) -> list[list[tuple[str, str]]]:
    return [[(path["path"], path["kind"]) for path in change.paths] for change in noted(run)]


async def test_an_edit_is_noted_with_what_was_before_and_after(start: Start, folder: Path) -> None:
    run = start("coder", calls(TO_BYE), "done", policy=FREE)
    await run.say("go")
    (change,) = noted(run)
    assert paths(run) == [[("notes.txt", "changed")]]
    assert (change.call.tool, change.workspace, change.call.thread_id) == (
        "edit_file",
        str(folder),
        run.thread,
    )
    assert change.before
    restore(repository_of(run.handles.snapshot_home, folder), change.before)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


async def test_calls_side_by_side_are_told_apart(start: Start, folder: Path) -> None:
    both = calls(TO_BYE, call("write_file", file_path="new.txt", content="new\n"))
    run = start("coder", both, "done", policy=FREE)
    await run.say("go")
    assert sorted(paths(run)) == [[("new.txt", "added")], [("notes.txt", "changed")]]


async def test_a_call_that_changed_nothing_is_not_noted(start: Start, folder: Path) -> None:
    run = start("coder", calls(edit("notes.txt", "nowhere", "x")), calls(call("ls")), "done", policy=FREE)
    await run.say("go")
    assert noted(run) == []


async def test_a_change_to_what_is_ignored_says_that_it_cannot_be_undone(start: Start, folder: Path) -> None:
    run = start("coder", calls(call("write_file", file_path="build/x", content="1")), "done", policy=FREE)
    await run.say("go")
    (change,) = noted(run)
    assert (change.paths, "ignored" in change.problem) == ((), True)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_that_was_cut_short_is_noted_once_with_what_it_first_found(
    start: Start, folder: Path, when: str
) -> None:
    run = start("coder", calls(TO_BYE), "done", policy=FREE, effects=Dies(when))
    with pytest.raises(ConnectionError):
        await run.say("go")
    (folder / "other.txt").write_text("mine")
    await run.go(None)
    assert paths(run) == [[("notes.txt", "changed")]]


async def test_a_workspace_that_cannot_be_kept_stops_nothing(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> str:
        raise SnapshotFailed("no room")

    monkeypatch.setattr(keeping, "take", fails)
    run = start("coder", calls(TO_BYE), "done", policy=FREE)
    await run.say("go")
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    (change,) = noted(run)
    assert (change.before, change.problem) == (None, "no room")


class Nothing(Arguments):
    """No arguments."""


Act = Callable[[Work, Nothing], Awaitable[Outcome]]


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act], None]:
    """Give the coder a tool whose effect nobody can work out, in place of `write_file`."""

    def given(act: Act) -> None:
        tool = Tool(
            name="write_file",
            risk=Risk.EXECUTE,
            action="fs.act",
            arguments=Nothing,
            sums_up=lambda _: "Act",
            limits={"max_content_bytes": 1},
            act=act,
        )
        tools = MappingProxyType({**registry.TOOLS, "write_file": tool})
        monkeypatch.setattr(registry, "TOOLS", tools)
        monkeypatch.setattr(approval, "TOOLS", tools)
        monkeypatch.setattr(agent_loop, "TOOLS", tools)

    return given


async def test_whatever_a_command_does_is_noted(
    start: Start, folder: Path, acting: Callable[[Act], None]
) -> None:
    async def act(work: Work, _: Nothing) -> Outcome:
        (work.root / "notes.txt").unlink()
        (work.root / "made").mkdir()
        (work.root / "made/x").write_text("x")
        return Outcome("did it")

    acting(act)
    run = start("coder", calls(call("write_file")), "done", policy=FREE)
    await run.say("go")
    assert paths(run) == [[("made/x", "added"), ("notes.txt", "deleted")]]
    (change,) = noted(run)
    assert change.before
    assert change.after
    kept = repository_of(run.handles.snapshot_home, folder)
    assert "-hello" in trees.diff(kept, change.before, change.after)


async def test_what_a_command_did_whose_end_nobody_saw_is_noted(
    start: Start, folder: Path, acting: Callable[[Act], None]
) -> None:
    async def act(work: Work, _: Nothing) -> Outcome:
        with (work.root / "made").open("a") as file:
            file.write("x")
        return Outcome("did it")

    acting(act)
    run = start("coder", calls(call("write_file")), "done", policy=FREE, effects=Dies("after"))
    with pytest.raises(ConnectionError):
        await run.say("go")
    await run.go(None)
    assert "The outcome is unknown" in run.told[0]
    assert (paths(run), (folder / "made").read_text()) == ([[("made", "added")]], "x")


async def test_what_a_command_did_before_it_failed_or_was_cancelled_is_noted(
    start: Start, folder: Path, acting: Callable[[Act], None]
) -> None:
    async def fails(work: Work, _: Nothing) -> Outcome:
        (work.root / "half").write_text("1")
        raise ToolFailed("half way")

    async def hangs(work: Work, _: Nothing) -> Outcome:
        (work.root / "half").write_text("2")
        reached.set()
        await asyncio.sleep(60)
        raise AssertionError

    acting(fails)
    run = start("coder", calls(call("write_file")), "done", policy=FREE)
    await run.say("go")
    assert paths(run) == [[("half", "added")]]

    reached = asyncio.Event()
    acting(hangs)
    again = start("coder", calls(call("write_file")), "done", policy=FREE)
    again = replace(again, custom=[])
    working = asyncio.create_task(again.say("go"))
    await reached.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert paths(again) == [[("half", "changed")]]
