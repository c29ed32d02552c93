"""A yes may hold for later: offered with the question, checked before it is saved, looked up when asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from tests.fakes.driver import call, calls, edit
from tests.graphs.conftest import Start

from artel.graphs.approval import validate
from artel.graphs.granting import taken
from artel.graphs.ledgers import EffectCall, LocalEffects, LocalGrants
from artel.storage.errors import Invalid
from artel.tools.grants import Grant
from artel.tools.policy import DEFAULT, Policy, Rule

YES = {"type": "approve"}
NO = {"type": "reject"}
TO_BYE = edit("notes.txt", "hello", "bye")
BACK = edit("notes.txt", "bye", "hello")
TO_TWO = edit("other.txt", "two", "2")
FREE = Policy(floor=DEFAULT.floor, rules=(Rule(id="free", effect="allow", action="fs.*"),))


def granting(covers: str = "exact", scope: str = "thread", **more: Any) -> dict[str, Any]:
    return {**YES, "grant": {"scope": scope, "covers": covers, **more}}


@dataclass
class Counting(LocalGrants):
    """Counts how often it is asked, and what was used."""

    asked: int = 0
    uses: tuple[str, ...] = ()

    async def standing(self, thread_id: str, workspace: str, tools: Collection[str]) -> Sequence[Grant]:
        self.asked += 1
        return await LocalGrants.standing(self, thread_id, workspace, tools)

    async def used(self, grant_ids: Collection[str]) -> None:
        self.uses += tuple(grant_ids)


def counting(*grants: Grant) -> Counting:
    return Counting(list(grants))


async def test_a_question_says_what_may_be_granted_with_its_answer(start: Start, folder: Path) -> None:
    run = await start("coder", calls(TO_BYE), "done").say("go")
    artel = run.open[0].value["artel"]
    assert artel["workspace"] == str(folder)
    assert [(one["id"], one["label"], one["scopes"]) for one in artel["grants"]] == [
        ("exact", "edit_file: notes.txt", ["thread", "project", "always"]),
        ("wide", "edit_file: any file of the project, but secrets", ["thread", "project", "always"]),
    ]


async def test_what_was_granted_is_asked_once(start: Start, folder: Path) -> None:
    ledger = counting()
    run = start("coder", calls(TO_BYE), "one", calls(BACK), "two", calls(TO_TWO), "three", grants=ledger)
    await (await run.say("go")).answer(granting())
    await run.say("back")
    assert ((folder / "notes.txt").read_text(), run.open) == ("hello\nworld\n", ())
    (grant,) = ledger.grants
    assert ledger.uses == (grant.grant_id,)
    entry = list(run.handles.audit.entries)[-1]  # type: ignore[attr-defined]
    assert (entry.effect, entry.rule) == ("allow", f"grant:{grant.grant_id}")
    await run.say("another file")
    assert len(run.open) == 1


async def test_grants_are_looked_up_only_for_what_they_may_lift(start: Start) -> None:
    ledger = counting()
    many = calls(call("ls"), call("read_file", file_path="notes.txt"), call("read_file", file_path="../x"))
    await start("coder", many, "done", grants=ledger).say("go")
    assert ledger.asked == 0
    await start("coder", calls(call("execute", command="eval x")), "done", grants=ledger).say("go")
    assert ledger.asked == 0
    await start("coder", calls(TO_BYE, TO_TWO), "done", grants=ledger).say("go")
    assert ledger.asked == 1


async def test_a_grant_of_a_thread_holds_in_no_other_and_one_of_a_project_does(
    start: Start, folder: Path
) -> None:
    ledger = counting()
    for scope, asks in (("thread", 1), ("project", 0)):
        first = start("coder", calls(TO_BYE), "done", grants=ledger)
        await (await first.say("go")).answer(granting(scope=scope))
        (folder / "notes.txt").write_text("hello\nworld\n")
        other = await start("coder", calls(TO_BYE), "done", grants=ledger).say("go")
        assert len(other.open) == asks, scope
        (folder / "notes.txt").write_text("hello\nworld\n")
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "notes.txt").write_text("hello\n")
    third = start("coder", calls(TO_BYE), "done", grants=ledger)
    third.context = {"workspace": str(elsewhere)}
    assert len((await third.say("go")).open) == 1


async def test_a_grant_is_for_the_agent_that_asked_whoever_handed_it_the_work(
    start: Start, folder: Path
) -> None:
    ledger = counting()
    run = await start("orchestrator", calls(TO_BYE), "done", grants=ledger).say("change the greeting")
    await run.answer(granting(scope="always"))
    assert [grant.agent for grant in ledger.grants] == ["coder"]
    (folder / "notes.txt").write_text("hello\nworld\n")
    alone = await start("coder", calls(TO_BYE), "done", grants=ledger).say("go")
    assert ((folder / "notes.txt").read_text(), alone.open) == ("bye\nworld\n", ())


async def test_an_open_question_stays_open_though_a_grant_appears(start: Start, folder: Path) -> None:
    ledger = counting()
    run = await start("coder", calls(TO_BYE), "ok", grants=ledger).say("go")
    other = await start("coder", calls(TO_BYE), "ok", grants=ledger).say("go")
    await other.answer(granting(scope="always"))
    (folder / "notes.txt").write_text("hello\nworld\n")
    assert len(run.open) == 1
    await run.answer(NO)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert "the user rejected it" in run.told[0]


async def test_a_grant_that_is_revoked_before_the_call_runs_is_not_used(start: Start, folder: Path) -> None:
    class Revoked(Counting):
        async def standing(self, thread_id: str, workspace: str, tools: Collection[str]) -> Sequence[Grant]:
            found = await Counting.standing(self, thread_id, workspace, tools)
            self.grants.clear()
            return found

    ledger = counting()
    run = await start("coder", calls(TO_BYE), "ok", calls(BACK), "ok", grants=ledger).say("go")
    await run.answer(granting())
    run.handles = replace(run.handles, grants=Revoked(list(ledger.grants)))
    await run.say("back")
    assert ((folder / "notes.txt").read_text(), run.open) == ("bye\nworld\n", ())
    assert "what let it through when it was called holds no more" in run.told[-1]


async def test_a_change_that_was_begun_under_a_grant_is_completed_though_it_is_over(
    start: Start, folder: Path
) -> None:
    class Dies(LocalEffects):
        async def finish(self, call: EffectCall, result: str) -> None:
            if "LATER" in str(call.args) and ("died",) * 5 not in self.done:
                self.done[("died",) * 5] = ""
                raise ConnectionError("killed before the result was written")
            await LocalEffects.finish(self, call, result)

    later = edit("notes.txt", "bye", "LATER")
    run = start("coder", calls(TO_BYE), "ok", calls(later), "done", grants=counting(), effects=Dies())
    await (await run.say("go")).answer(granting())
    with pytest.raises(ConnectionError):
        await run.say("more")
    run.handles.grants.grants.clear()  # type: ignore[attr-defined]
    await run.go(None)
    assert ((folder / "notes.txt").read_text(), run.open, run.said) == ("LATER\nworld\n", (), "done")
    assert "was changed as asked" in run.told[-1]


async def test_a_rule_that_is_gone_when_the_call_runs_lets_nothing_through(
    start: Start, folder: Path
) -> None:
    ended = replace(start("coder").handles, policy=DEFAULT)

    class Tightens(LocalGrants):
        pass

    run = start("coder", calls(TO_BYE), "ok", policy=FREE, grants=Tightens())
    run.graph = run.graph.copy(update={"interrupt_before_nodes": ["tools"]})
    await run.say("go")
    run.handles = replace(run.handles, policy=ended.policy)
    await run.go(None)
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert "holds no more" in run.told[0]


async def test_text_from_outside_brings_the_question_back(start: Start) -> None:
    line = call("execute", command="pytest -q")
    ledger = counting()
    run = start("coder", calls(line), "ok", calls(line), "ok", grants=ledger)
    await run.say("go")
    assert run.open[0].value["artel"]["grants"][1]["label"] == "`pytest`, whatever follows"
    await run.answer(NO)
    grant = Grant.model_validate(
        {
            "grant_id": "g",
            "scope": "always",
            "tool": "execute",
            "covers": [{"action": "exec", "argv": ["pytest"], "rest": True}],
        }
    )
    await ledger.given(grant)
    await run.go({"messages": [HumanMessage("again")], "tainted": True})
    assert len(run.open) == 1
    assert "grants" not in run.open[0].value["artel"]


async def test_a_batched_answer_grants_for_the_calls_it_says(start: Start, folder: Path) -> None:
    ledger = counting()
    run = start("coder", calls(TO_BYE, TO_TWO), "one", calls(BACK), "two", grants=ledger)
    run.context = {"approvals": "batched"}
    await run.say("go")
    answer = {"decisions": [granting(), YES]}
    assert validate(run.open[0].value, answer) == answer
    await run.answer(answer)
    assert [said.path for grant in ledger.grants for said in grant.covers] == ["notes.txt"]
    await run.say("back")
    assert ((folder / "notes.txt").read_text(), run.open) == ("hello\nworld\n", ())


@pytest.mark.parametrize(
    "artel",
    [
        {"agent": "x"},
        {"agent": "x", "grants": "all"},
        {"agent": "x", "grants": [{"id": "exact"}]},
        {"agent": "x", "grants": [{"id": "exact", "covers": [{"path": 1}]}]},
        {"agent": "x", "grants": [{"id": 1, "covers": [{"action": "exec"}]}]},
    ],
)
def test_a_question_of_others_that_looks_like_ours_grants_nothing(artel: dict[str, Any]) -> None:
    value = {"type": "tool_approval", "name": "execute", "artel": artel}
    assert taken(value, granting()) == []
    with pytest.raises(Invalid, match="offers nothing"):
        validate(value, granting())


def test_without_a_project_nothing_can_be_granted_in_it() -> None:
    offer = {"id": "exact", "covers": [{"action": "exec", "argv": ["x"]}]}
    value = {"type": "tool_approval", "name": "execute", "artel": {"agent": "x", "grants": [offer]}}
    validate(value, granting())
    with pytest.raises(Invalid, match="scope must be thread or always"):
        validate(value, granting(scope="project"))


@pytest.mark.parametrize(
    ("grant", "says"),
    [
        ("always", "decision.grant must be"),
        ({"scope": "always"}, "decision.grant.covers must be one of exact, wide, got None"),
        ({"scope": "always", "covers": "all"}, "must be one of exact, wide, got 'all'"),
        ({"scope": "always", "covers": ["exact"]}, "must be one of exact, wide"),
        ({"scope": "ever", "covers": "exact"}, "scope must be one of thread, project, always, got 'ever'"),
        ({"scope": ["always"], "covers": "exact"}, "scope must be one of"),
        ({"scope": "always", "covers": "exact", "argv": ["*"]}, "decision.grant must be"),
        ({"scope": "always", "covers": "exact", "expires_in_s": 0}, "expires_in_s must be from 1 to"),
        ({"scope": "always", "covers": "exact", "expires_in_s": True}, "expires_in_s must be from 1 to"),
        ({"scope": "always", "covers": "exact", "expires_in_s": 1e300}, "expires_in_s must be from 1 to"),
        ({"scope": "always", "covers": "exact", "expires_in_s": "1"}, "expires_in_s must be from 1 to"),
    ],
)
async def test_a_grant_that_was_not_offered_is_refused(start: Start, grant: Any, says: str) -> None:
    run = await start("coder", calls(TO_BYE), "done").say("go")
    with pytest.raises(Invalid, match=says):
        validate(run.open[0].value, {**YES, "grant": grant})


async def test_a_no_an_edit_and_a_yes_to_parts_grant_nothing(start: Start) -> None:
    run = await start("coder", calls(TO_BYE), "done").say("go")
    value = run.open[0].value
    (hunk,) = value["artel"]["files"][0]["hunks"]
    grant = granting()["grant"]
    args = {**TO_BYE["args"], "new_string": "x"}
    edited = {"type": "edit", "edited_action": {"name": "edit_file", "args": args}}
    for answer in ({**NO, "grant": grant}, {**edited, "grant": grant}, {**granting(), "hunks": [hunk["id"]]}):
        with pytest.raises(Invalid):
            validate(value, answer)


async def test_where_nothing_is_offered_nothing_can_be_granted(start: Start) -> None:
    run = await start("coder", calls(call("execute", command="eval x")), "done").say("go")
    with pytest.raises(Invalid, match="offers nothing to grant"):
        validate(run.open[0].value, granting())
