"""The gate, on real tools and a real folder."""

from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from tests.fakes.driver import call, calls, edit
from tests.graphs.conftest import Start

from artel.graphs.approval import validate
from artel.graphs.context import Handles
from artel.graphs.ledgers import EffectCall, LocalApprovals, LocalEffects
from artel.graphs.workbench import NOT_RUN
from artel.storage.errors import Invalid
from artel.tools.policy import Policy, Rule

YES = {"type": "approve"}
NO = {"type": "reject"}
TO_BYE = edit("notes.txt", "hello", "bye")


async def test_a_change_waits_with_its_diff_and_nothing_is_written(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE), "done").say("go")
    (asked,) = run.open
    assert asked.value["type"] == "tool_approval"
    assert asked.value["args"]["new_string"] == "bye"
    artel = asked.value["artel"]
    assert (artel["kind"], artel["agent"], artel["risk"], artel["path"]) == (
        "tool_call",
        "coder",
        "write",
        "notes.txt",
    )
    assert "-hello\n+bye\n" in artel["diff"]
    assert artel["expires_in_s"] == 300
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


async def test_a_yes_writes_it(start: Start, folder: Path) -> None:
    run = await (await start("coder", calls(TO_BYE), "done").say("go")).answer(YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert (run.said, run.open) == ("done", ())
    artifact: Any = next(m for m in run.messages if m.type == "tool").artifact
    assert (artifact["kind"], artifact["path"]) == ("change", "notes.txt")


async def test_reading_asks_nobody(start: Start) -> None:
    reads = calls(call("read_file", file_path="notes.txt"), call("ls"), call("grep", pattern="two"))
    run = await start("coder", reads, "read").say("go")
    assert run.said == "read"
    assert "hello" in run.told[0]


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (NO, "the user rejected it."),
        ({"type": "reject", "message": "not this file"}, "not this file"),
        ({"type": "reject", "message": "No answer within 300 s", "timeout": True}, "No answer within 300 s"),
        ({"type": "respond", "message": "use other.txt"}, "use other.txt"),
        ({"type": "ok"}, "neither an approval nor a rejection"),
        ("yes", "neither an approval nor a rejection"),
        (True, "neither an approval nor a rejection"),
        ({"type": "edit", "edited_action": {"name": "write_file", "args": {}}}, "neither an approval"),
        ([YES], "neither an approval nor a rejection"),
        ({"type": "approve", "hunks": []}, "neither an approval nor a rejection"),
        ({"type": "approve", "hunks": None}, "neither an approval nor a rejection"),
        ({"type": "approve", "hunks": "all"}, "neither an approval nor a rejection"),
    ],
)
async def test_anything_but_an_explicit_yes_runs_nothing_and_the_model_is_told(
    start: Start, folder: Path, decision: Any, told: str
) -> None:
    run = await (await start("coder", calls(TO_BYE), "I stop").say("go")).answer(decision)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert run.told[0].startswith(NOT_RUN)
    assert told in run.told[0]
    assert run.said == "I stop"


async def test_an_edit_runs_what_the_person_wrote_and_the_model_knows(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE), "done").say("go")
    args = {"file_path": "notes.txt", "old_string": "hello", "new_string": "ciao"}
    await run.answer({"type": "edit", "edited_action": {"name": "edit_file", "args": args}})
    assert (folder / "notes.txt").read_text() == "ciao\nworld\n"
    assert run.told[0].startswith("The user changed this call before it ran")
    assert "ciao" in run.told[0]


@pytest.mark.parametrize(
    "path", ["../evil.txt", "/etc/passwd", ".git/x", "link/evil.txt", "a/../../evil.txt"]
)
async def test_an_edit_cannot_lead_out_of_the_workspace(start: Start, folder: Path, path: str) -> None:
    (folder / "link").symlink_to(folder.parent)
    run = await start("coder", calls(TO_BYE), "done").say("go")
    edited = {"name": "edit_file", "args": {"file_path": path, "old_string": "hello", "new_string": "x"}}
    await run.answer({"type": "edit", "edited_action": edited})
    assert run.told[0].startswith(NOT_RUN)
    assert not (folder.parent / "evil.txt").exists()
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


async def test_a_call_that_cannot_be_done_asks_nobody(start: Start) -> None:
    run = await start("coder", calls(edit("notes.txt", "nowhere", "x"), edit("../x", "a", "b")), "ok").say(
        "go"
    )
    assert run.open == ()
    assert len(run.told) == 2


async def test_two_questions_are_answered_out_of_order_each_once(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE, edit("other.txt", "two", "2")), "both").say("go")
    assert len(run.open) == 2
    await run.answer(other=YES)
    assert ((folder / "other.txt").read_text(), len(run.open)) == ("one\n2\n", 1)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    await run.answer(notes=YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert [told.split(" (")[0] for told in run.told] == ["Changed notes.txt", "Changed other.txt"]
    assert len(run.model.asked) == 2


async def test_a_rejection_does_not_stop_its_sibling(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE, edit("other.txt", "two", "2")), "one of two").say("go")
    await run.answer(notes=NO, other=YES)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert (folder / "other.txt").read_text() == "one\n2\n"
    assert run.said == "one of two"


async def test_a_file_that_changed_since_the_question_is_left_alone(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE), "I see").say("go")
    (folder / "notes.txt").write_text("hello\nnew world\n")
    await run.answer(YES)
    assert (folder / "notes.txt").read_text() == "hello\nnew world\n"
    assert "has changed since the user was asked" in run.told[0]


async def test_of_two_changes_to_one_file_the_second_waits_for_the_first(start: Start, folder: Path) -> None:
    two = calls(TO_BYE, edit("./notes.txt", "world", "all"))
    run = await start("coder", two, calls(edit("notes.txt", "world", "all")), "ok").say("go")
    assert len(run.open) == 1
    await run.answer(YES)
    assert "one change to a file at a time" in run.told[1]
    assert " bye\n-world\n+all\n" in run.open[0].value["artel"]["diff"]
    await run.answer(YES)
    assert (folder / "notes.txt").read_text() == "bye\nall\n"


async def test_an_answer_given_twice_changes_nothing_more(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE), "done").say("go")
    first = {run.open[0].id: YES}
    await run.answer(YES)
    (folder / "notes.txt").write_text("hello again\n")
    await run.go(Command(resume=first))
    assert (folder / "notes.txt").read_text() == "hello again\n"
    assert run.said == "done"


class DiesAfterTheWrite(LocalEffects):
    """Loses the first result: as if the process died between the effect and its checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.deaths = 1

    async def finish(self, call: EffectCall, result: str) -> None:
        if self.deaths:
            self.deaths -= 1
            raise ConnectionError("the process died here")
        await super().finish(call, result)


async def test_a_crash_after_the_yes_asks_and_writes_nothing_again(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE), "done", effects=DiesAfterTheWrite()).say("go")
    (asked,) = run.open
    with pytest.raises(ConnectionError):
        await run.answer(YES)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    before = (folder / "notes.txt").stat()
    await run.answer(YES) if run.open else await run.go(None)
    assert (folder / "notes.txt").stat().st_ino == before.st_ino
    assert (run.said, run.open, len(run.model.asked)) == ("done", (), 2)
    assert "changed as asked" in run.told[0]
    assert asked.id


async def test_a_crash_before_the_write_makes_it_on_the_second_attempt(start: Start, folder: Path) -> None:
    effects = LocalEffects()
    run = await start("coder", calls(TO_BYE), "done", effects=effects).say("go")

    class DiesAtOnce(LocalApprovals):
        async def approved(self, tool_call_id: str, name: str, args: Any) -> Any:
            raise ConnectionError("the database is gone")

    alive = run.handles
    run.handles = Handles(alive.models, alive.roots, alive.default_workspace, DiesAtOnce(), effects)
    with pytest.raises(ConnectionError):
        await run.answer(YES)
    run.handles = alive
    await run.answer(YES)
    assert ((folder / "notes.txt").read_text(), run.said) == ("bye\nworld\n", "done")


async def test_without_a_standing_approval_a_yes_runs_nothing(start: Start, folder: Path) -> None:
    class Nothing(LocalApprovals):
        async def approved(self, tool_call_id: str, name: str, args: Any) -> Any:
            return None

    run = await (await start("coder", calls(TO_BYE), "hm", approvals=Nothing()).say("go")).answer(YES)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert "no approval of this very call stands" in run.told[0]


async def test_a_rejected_call_stays_rejected_when_the_policy_loosens(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE), "ok").say("go")
    free = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
    alive = run.handles
    run.handles = Handles(alive.models, alive.roots, alive.default_workspace, policy=free)
    await run.answer(NO)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


async def test_a_policy_that_tightens_meanwhile_wins_over_the_yes(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE), "ok").say("go")
    shut = Policy(rules=(Rule(id="shut", effect="deny", action="fs.write", reason="frozen for release"),))
    alive = run.handles
    run.handles = Handles(alive.models, alive.roots, alive.default_workspace, policy=shut)
    await run.answer(YES)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert "frozen for release" in run.told[0]


async def test_a_call_the_policy_allows_is_made_without_a_question(start: Start, folder: Path) -> None:
    free = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
    run = await start("coder", calls(TO_BYE), "done", policy=free).say("go")
    assert ((folder / "notes.txt").read_text(), run.said) == ("bye\nworld\n", "done")


async def test_an_unknown_tool_is_named_to_the_model(start: Start) -> None:
    run = await start("ask", calls(TO_BYE, call("nothing")), "sorry").say("go")
    assert all("is not a valid tool" in told for told in run.told)


# batched, for older clients


async def test_batched_asks_once_for_all_gated_calls(start: Start, folder: Path) -> None:
    many = calls(call("ls"), TO_BYE, edit("other.txt", "two", "2"), call("read_file", file_path="notes.txt"))
    run = start("coder", many, "done")
    run.context = {"approvals": "batched"}
    await run.say("go")
    (asked,) = run.open
    assert [a["name"] for a in asked.value["action_requests"]] == ["edit_file", "edit_file"]
    assert [c["action_name"] for c in asked.value["review_configs"]] == ["edit_file", "edit_file"]
    assert "+bye" in asked.value["action_requests"][0]["description"]
    run.context = {}  # a client need not repeat it in its answer
    await run.answer({"decisions": [NO, YES]})
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert (folder / "other.txt").read_text() == "one\n2\n"
    assert [m.tool_call_id for m in run.messages if m.type == "tool"] == [
        "call_2_0",
        "call_2_1",
        "call_2_2",
        "call_2_3",
    ]
    assert run.said == "done"


@pytest.mark.parametrize(
    "answer", [{"decisions": [YES]}, {"decisions": [YES, YES, YES]}, YES, "yes", {"decisions": YES}]
)
async def test_a_batched_answer_of_the_wrong_length_runs_nothing(
    start: Start, folder: Path, answer: Any
) -> None:
    run = start("coder", calls(TO_BYE, edit("other.txt", "two", "2")), "done")
    run.context = {"approvals": "batched"}
    await run.say("go")
    with pytest.raises(Invalid, match="decisions"):
        validate(run.open[0].value, answer)
    await run.answer(answer)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert (folder / "other.txt").read_text() == "one\ntwo\n"
    assert run.said == "done"


async def test_batched_edits_are_edits(start: Start, folder: Path) -> None:
    run = start("coder", calls(TO_BYE), "done")
    run.context = {"approvals": "batched"}
    await run.say("go")
    args = {"file_path": "notes.txt", "old_string": "hello", "new_string": "salut"}
    await run.answer({"decisions": [{"type": "edit", "edited_action": {"name": "edit_file", "args": args}}]})
    assert (folder / "notes.txt").read_text() == "salut\nworld\n"
