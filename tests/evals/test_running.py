"""Cases through the real graphs: each check holds where it should and fails where it must."""

from pathlib import Path
from typing import Any

import pytest
from evals.cases import Case, CaseWrong, load
from evals.configurations import USUAL, Configuration, Price
from evals.running import Home, run
from evals.scoring import Score, score

FOLDER = Path(__file__).parents[2] / "evals"
SCRIPTED = Configuration(name="scripted", model="scripted", price=Price(input=10, output=100))
READ = {"name": "read_file", "args": {"file_path": "a.txt"}}
EDIT = {"name": "edit_file", "args": {"file_path": "a.txt", "old_string": "one", "new_string": "two"}}
EDITS: list[Any] = [{"tool_calls": [READ]}, {"tool_calls": [EDIT]}, "Changed a.txt:1 and lost.txt:7."]


def case(checks: dict[str, Any], *script: Any, **more: Any) -> Case:
    said = {
        "name": "one",
        "agent": "coder",
        "request": "go",
        "files": {"a.txt": "one\n"},
        "script": list(script or EDITS),
        "checks": checks,
    }
    return Case.model_validate({**said, **more})


async def marked(one: Case, configuration: Configuration = SCRIPTED) -> Score:
    with Home(one) as home:
        outcome = await run(one, configuration, home)
        try:
            return await score(one, configuration, outcome)
        finally:
            await outcome.sandbox.aclose()


def failed(result: Score) -> list[str]:
    return [mark.name for mark in result.marks if mark.passed is False]


@pytest.mark.parametrize("configuration", USUAL, ids=lambda one: one.name)
@pytest.mark.parametrize("one", load(FOLDER), ids=lambda one: one.id)
async def test_ours_hold(one: Case, configuration: Configuration) -> None:
    if configuration.kind in one.models:
        result = await marked(one, configuration)
        assert result.value >= one.floor, failed(result)


async def test_a_case_that_is_right_has_full_marks() -> None:
    checks = {"files": {"a.txt": "two\n"}, "asked": {"edit_file": 1}, "calls": ["read_file", "edit_file"]}
    result = await marked(case({**checks, "changed_only": ["a.txt"], "max_tokens": 1000, "max_usd": 1}))
    assert (result.value, failed(result)) == (1.0, [])
    assert result.usd is not None
    assert result.usd > 0


@pytest.mark.parametrize(
    ("checks", "name"),
    [
        ({"files": {"a.txt": "one\n"}}, "a.txt is as it should be"),
        ({"contains": {"a.txt": ["one"]}}, "a.txt holds 'one'"),
        ({"lacks": {"a.txt": ["two"]}}, "a.txt lacks 'two'"),
        ({"contains": {"b.txt": ["one"]}}, "b.txt holds 'one'"),
        ({"absent": ["a.txt"]}, "nothing is at a.txt"),
        ({"unchanged": True}, "nothing else changed"),
        ({"changed_only": ["b.txt"]}, "nothing else changed"),
        ({"asked": {"edit_file": 2}}, "it asks about edit_file 2×"),
        ({"asked_nothing": True}, "it asks nothing"),
        ({"calls": ["edit_file", "read_file"]}, "it calls edit_file, read_file"),
        ({"calls_not": ["edit_file"]}, "it does not call edit_file"),
        ({"says": ["nothing"]}, "it says 'nothing'"),
        ({"says_not": ["CHANGED"]}, "it does not say 'CHANGED'"),
        ({"cites": 1}, "what it cites is there"),
        ({"cites": 3}, "it cites at least 3"),
        ({"max_calls": 1}, "at most 1 calls of tools"),
        ({"max_tokens": 1}, "at most 1 tokens"),
        ({"max_usd": 0}, "at most 0 USD"),
        ({"max_s": 1e-9}, "at most 1e-09 seconds"),
        ({"agent": "coder"}, "coder works"),
    ],
)
async def test_a_check_that_must_fail_fails(checks: dict[str, Any], name: str) -> None:
    result = await marked(case(checks))
    assert name in failed(result)
    assert result.value < 1


async def test_a_citation_out_of_the_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x\n")
    said = f"See ..{tmp_path}/secret.txt:1 and a.txt:999999999999 and a.txt:1-9."
    result = await marked(case({"cites": 1}, said))
    assert "what it cites is there" in failed(result)


@pytest.mark.parametrize(
    ("script", "limit_s", "told"),
    [
        ([{"tool_calls": [READ]}], 60, "the script has 1 replies"),
        ([{"error": "away"}], 60, "away"),
        ([{"text": "slow", "delay_s": 90}], 1, "not done after"),
    ],
)
async def test_what_goes_wrong_fails_the_case_and_nothing_else(
    script: list[Any], limit_s: int, told: str
) -> None:
    result = await marked(case({"unchanged": True}, *script, limit_s=limit_s))
    assert failed(result) == ["it ends"]
    assert told in result.marks[0].said


async def test_answers_are_given_by_tool_and_path() -> None:
    two = {"name": "edit_file", "args": {"file_path": "b.txt", "old_string": "one", "new_string": "two"}}
    reads = {"tool_calls": [READ, {"name": "read_file", "args": {"file_path": "b.txt"}}]}
    one = case(
        {"files": {"a.txt": "one\n", "b.txt": "two\n"}, "asked": {"edit_file": 2}},
        reads,
        {"tool_calls": [EDIT, two]},
        "done",
        files={"a.txt": "one\n", "b.txt": "one\n"},
        answers=[{"to": "edit_file", "path": "a.*", "say": "reject", "message": "no"}],
    )
    assert failed(await marked(one)) == []


async def test_a_question_that_the_case_does_not_expect_fails_it() -> None:
    one = case({"unchanged": True}, "unclear", "unclear", agent="orchestrator", request="...")
    result = await marked(one)
    assert failed(result) == ["it ends"]
    assert "for which the case has no answer" in result.marks[0].said


async def test_an_agent_that_is_not_there_is_an_error_of_the_case() -> None:
    with pytest.raises(CaseWrong, match="there is no agent 'nobody'"):
        await marked(case({"unchanged": True}, agent="nobody"))


async def test_the_folder_is_gone_afterwards() -> None:
    with Home(case({"unchanged": True})) as home:
        room = home.room
        assert (home.work / "a.txt").read_text() == "one\n"
    assert not room.exists()


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize(
    ("command", "passes"),
    [
        ({"run": "grep -q two a.txt"}, True),
        ({"run": "grep -q one a.txt"}, False),
        ({"run": "grep -q one a.txt", "exit": 1}, True),
        ({"run": "cat a.txt", "says": "two"}, True),
        ({"run": "cat a.txt", "says": "three"}, False),
        ({"run": "sleep 30", "timeout_s": 1}, False),
    ],
)
async def test_a_command_judges_the_folder(command: dict[str, Any], passes: bool) -> None:
    assert (failed(await marked(case({"commands": [command]}))) == []) is passes
