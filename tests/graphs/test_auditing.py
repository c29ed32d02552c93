"""What the gate says of each call: the verdict, the intent before anything is done, and what came of it."""

from typing import Any

import pytest
from tests.fakes.driver import Driver, call, calls, edit
from tests.graphs.conftest import Start

from artel.graphs.ledgers import LOCAL_ENTRIES, AuditEntry, EffectCall, LocalAudit, LocalEffects
from artel.tools.policy import Policy, Rule

YES, NO = {"type": "approve"}, {"type": "reject", "message": "not now"}
FREE = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
SHUT = Policy(rules=(Rule(id="shut", effect="deny", action="fs.*", reason="closed"),))
TO_BYE = edit("notes.txt", "hello", "bye")
TO_TWO = edit("other.txt", "two", "2")


def told(run: Driver) -> list[AuditEntry]:
    audit = run.handles.audit
    assert isinstance(audit, LocalAudit)
    return list(audit.entries)


def kinds(run: Driver) -> list[tuple[str, str, str]]:
    return [(one.kind, one.effect, one.outcome.get("status", "")) for one in told(run)]


async def test_a_look_that_is_allowed_is_one_entry_with_its_outcome(start: Start) -> None:
    run = await start("coder", calls(call("read_file", file_path="notes.txt")), "ok").say("go")
    (one,) = told(run)
    assert kinds(run) == [("call", "allow", "ok")]
    assert (one.agent, one.rule, one.summary) == ("coder", "read", "Read notes.txt")
    assert (one.call.tool, one.call.args, one.call.thread_id) == (
        "read_file",
        {"file_path": "notes.txt"},
        run.thread,
    )
    assert one.outcome["took_s"] >= 0


async def test_a_look_that_fails_says_so(start: Start) -> None:
    run = await start("coder", calls(call("read_file", file_path="none.txt")), "ok").say("go")
    assert kinds(run) == [("call", "allow", "failed")]
    assert told(run)[0].outcome["code"]


async def test_a_change_is_asked_about_intended_and_made(start: Start) -> None:
    run = await start("coder", calls(TO_BYE), "done").say("go")
    assert kinds(run) == [("verdict", "ask", "asked")]
    await run.answer(YES)
    assert kinds(run)[1:] == [("intent", "ask", ""), ("result", "ask", "ok")]
    intent, result = told(run)[1:]
    assert (intent.decision, intent.rule) == ("approve", "write")
    assert result.outcome["path"] == "notes.txt"
    assert result.outcome["before_sha"] != result.outcome["after_sha"]


async def test_a_no_is_a_verdict_with_who_said_it(start: Start) -> None:
    run = await (await start("coder", calls(TO_BYE), "ok").say("go")).answer(NO)
    assert kinds(run)[1:] == [("verdict", "ask", "refused")]
    assert (told(run)[1].decision, told(run)[1].outcome["by"]) == ("reject", "user")


async def test_what_the_policy_forbids_is_on_record_with_the_rule(start: Start) -> None:
    run = await start("coder", calls(TO_BYE, call("ls")), "ok", policy=SHUT).say("go")
    assert sorted((one.call.tool, one.effect, one.rule, one.reason) for one in told(run)) == [
        ("edit_file", "deny", "shut", "closed"),
        ("ls", "deny", "shut", "closed"),
    ]


async def test_a_call_that_cannot_be_read_is_on_record(start: Start) -> None:
    run = await start("coder", calls(call("read_file", nonsense=1), call("nothing")), "ok").say("go")
    wrong, unknown = sorted(told(run), key=lambda one: one.call.tool, reverse=True)
    assert (wrong.kind, wrong.rule, wrong.summary) == (
        "verdict",
        "arguments",
        "read_file: the arguments cannot be read",
    )
    assert (unknown.kind, unknown.effect, unknown.outcome["status"]) == ("call", "", "failed")


async def test_a_tool_that_the_agent_has_not_is_one_entry(start: Start) -> None:
    run = await start("ask", calls(TO_BYE), "sorry").say("go")
    assert kinds(run) == [("call", "", "failed")]


async def test_of_a_batched_question_each_call_is_on_record(start: Start) -> None:
    run = start("coder", calls(TO_BYE, TO_TWO), "done")
    run.context = {"approvals": "batched"}
    await (await run.say("go")).answer({"decisions": [NO, YES]})
    by_path = [(one.call.args["file_path"], one.kind, one.decision) for one in told(run)]
    assert sorted(by_path) == [
        ("notes.txt", "verdict", ""),
        ("notes.txt", "verdict", "reject"),
        ("other.txt", "intent", "approve"),
        ("other.txt", "result", "approve"),
        ("other.txt", "verdict", ""),
    ]


async def test_an_edited_call_is_on_record_as_it_ran(start: Start) -> None:
    run = await start("coder", calls(TO_BYE), "done").say("go")
    args = {"file_path": "notes.txt", "old_string": "world", "new_string": "all"}
    await run.answer({"type": "edit", "edited_action": {"name": "edit_file", "args": args}})
    assert [(one.kind, one.decision, one.call.args["new_string"]) for one in told(run)] == [
        ("verdict", "", "bye"),
        ("intent", "edit", "all"),
        ("result", "edit", "all"),
    ]


class Dies(LocalEffects):
    """Does not live to write the first result."""

    died = False

    async def finish(self, call: EffectCall, result: str) -> None:
        if not self.died:
            self.died = True
            raise ConnectionError("died after the write")
        await super().finish(call, result)


async def test_what_broke_off_and_what_was_found_afterwards_are_both_on_record(start: Start) -> None:
    run = start("coder", calls(TO_BYE), "done", policy=FREE, effects=Dies())
    with pytest.raises(ConnectionError):
        await run.say("go")
    await run.go(None)
    assert kinds(run) == [
        ("intent", "allow", ""),
        ("result", "allow", "broken off"),
        ("intent", "allow", ""),
        ("result", "allow", "ok"),
    ]
    assert told(run)[1].outcome["code"] == "ConnectionError"


async def test_nothing_is_done_that_could_not_be_put_on_record(start: Start, folder: Any) -> None:
    class Away(LocalAudit):
        async def write(self, entry: AuditEntry) -> None:
            raise ConnectionError("the log is away")

    run = start("coder", calls(TO_BYE), "done", policy=FREE, audit=Away())
    with pytest.raises(ConnectionError):
        await run.say("go")
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


def test_without_a_server_only_the_newest_entries_are_kept() -> None:
    audit = LocalAudit()
    place = EffectCall("", "", "", "", "ls", {})
    for number in range(LOCAL_ENTRIES + 5):
        audit.note(AuditEntry("call", "coder", place, "allow", "look", str(number)))
    assert (len(audit.entries), audit.entries[0].reason) == (LOCAL_ENTRIES, "5")
