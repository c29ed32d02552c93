"""A run that is replayed comes to the same without a folder, or says where first it did not."""

from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.archived import decide, say, taken, wired
from tests.fakes.driver import call, calls, edit
from tests.fakes.plans import SUMS_UP, YES, on, plan, step, submits
from tests.server.protocol.conftest import Wire

from artel.graphs.replaying.recording import Recording, of_file
from artel.graphs.replaying.running import NotReplayable, Replay, replay
from artel.server.__main__ import main
from artel.tools.policy import DEFAULT, Policy, Rule

ALL = Rule(id="all", effect="allow", action="*")
QUESTION = {"id": "db", "question": "Which database?", "options": ["PostgreSQL", "SQLite"]}


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with wired(fresh_dsn) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/a.txt").write_text("one\nthree\n")
    return tmp_path / "work"


async def recording(wire: Wire, thread: str, to: Path) -> Recording:
    return read(await taken(wire, thread), to)


def read(archive: bytes, to: Path) -> Recording:
    to.write_bytes(archive)
    return of_file(to)


def texts(folder: Path) -> dict[str, str]:
    return {one.name: one.read_text() for one in folder.iterdir() if one.is_file()}


def emptied(folder: Path) -> None:
    for one in folder.iterdir():
        one.unlink()


async def test_a_coders_thread_with_answers_comes_to_the_same_and_touches_no_folder(
    wire: Wire, folder: Path, tmp_path: Path
) -> None:
    thread = await wire.thread()
    replies = (
        calls(call("question", questions=[QUESTION])),
        calls(call("read_file", file_path="a.txt"), call("grep", pattern="one")),
        calls(edit("a.txt", "nothing like it", "two")),
        calls(edit("a.txt", "one", "two")),
        calls(call("execute", command="rm a.txt")),
        calls(call("write_file", file_path="b.txt", content="b\n")),
        "done",
    )
    await say(wire, folder, thread, *replies)
    await decide(wire, thread, {"type": "respond", "answers": {"db": "SQLite"}})
    await decide(wire, thread, {"type": "approve"})
    await decide(wire, thread, {"type": "reject", "message": "keep it"})
    await decide(
        wire,
        thread,
        {
            "type": "edit",
            "edited_action": {"name": "write_file", "args": {"file_path": "c.txt", "content": "c\n"}},
        },
    )
    await say(wire, folder, thread, *[""] * 7, "and more", words="anything else?")
    after = texts(folder)
    record = await recording(wire, thread, tmp_path / "it.zip")
    emptied(folder)
    assert await to_thread(main, ["thread", "replay", str(tmp_path / "it.zip")]) == 0
    came = await replay(record)
    assert str(came) == "equal: 6 runs, 8 calls of models, 4 results of tools"
    assert (texts(folder), after) == ({}, {"a.txt": "two\nthree\n", "c.txt": "c\n"})


async def test_the_first_divergence_is_named_with_both_sides(
    wire: Wire, folder: Path, tmp_path: Path
) -> None:
    thread = await wire.thread()
    await say(
        wire,
        folder,
        thread,
        calls(call("read_file", file_path="a.txt")),
        calls(edit("a.txt", "one", "two")),
        "done",
    )
    await decide(wire, thread, {"type": "approve"})

    async def under(policy: Policy) -> Replay:
        return await replay(await recording(wire, thread, tmp_path / "it.zip"), policy)

    lax = await under(Policy(floor=DEFAULT.floor, rules=(ALL,)))
    assert "the gate let the call of edit_file through, and asked a person then" in str(lax)
    strict = await under(Policy(rules=(ALL, Rule(id="none", effect="deny", action="fs.write"))))
    assert "the gate decided otherwise on the call of edit_file" in str(strict)
    asking = await under(Policy(rules=(Rule(id="ask", effect="ask", action="*"),)))
    assert "the gate asks a person, and did not then" in str(asking)
    record = await recording(wire, thread, tmp_path / "it.zip")
    (talk,) = [one for one in record.conversations if one.namespace == ""]
    talk.messages[0] = talk.messages[0].model_copy(update={"content": "do something else"})
    other = await replay(record)
    assert "message 1: a message to the model differs: human" in str(other)
    assert "then: do something else" in str(other)
    assert "now : change a.txt" in str(other)


async def test_a_plan_comes_to_the_same_with_its_steps_checks_and_a_step_that_broke_off(
    wire: Wire, folder: Path, tmp_path: Path
) -> None:
    thread = await wire.thread()
    steps = (
        step("a", "Change the first", checks=["true"]),
        step("b", "Make another", depends_on=["a"]),
        step("c", "Break off", agent="ask"),
    )
    replies = (
        plan(*steps),
        on("Make another", calls(call("write_file", file_path="b.txt", content="b\n"))),
        on("Break off", {"error": "no power"}),
        on("Change the first", calls(edit("a.txt", "one", "two"))),
        on(SUMS_UP, {"text": "Two of three."}),
        "unused",
        submits("it is so"),
    )
    await say(wire, folder, thread, *replies, words="Make a plan and change two files", agent="orchestrator")
    while await wire.ok("GET", f"/api/v1/approvals?status=pending&thread_id={thread}"):
        await decide(wire, thread, YES)
    values = (await wire.ok("GET", f"/threads/{thread}/state"))["values"]
    assert [one["status"] for one in values["plan"]["steps"]] == ["completed", "completed", "failed"]
    record = await recording(wire, thread, tmp_path / "it.zip")
    assert len(record.broken) == 1, values["plan"]["steps"][2]
    came = await replay(record)
    assert came.divergence is None, str(came)
    assert (came.runs, came.results) == (4, 2)


async def test_a_thread_of_another_graph_is_refused_by_name(wire: Wire, folder: Path, tmp_path: Path) -> None:
    thread = await wire.thread()
    asked = {"messages": [{"role": "user", "content": "hi"}]}
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": asked})
    with pytest.raises(NotReplayable, match="'flow' cannot be replayed"):
        await replay(await recording(wire, thread, tmp_path / "it.zip"))
