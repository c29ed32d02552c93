"""Cases through the real graphs: each check holds where it should and fails where it must."""

from pathlib import Path
from typing import Any

import pytest
from evals.answers import marks
from evals.cases import Case, CaseWrong, Checks, load
from evals.configurations import USUAL, Configuration
from evals.judging import judge
from evals.marks import Score
from evals.running import Home, Outcome, run

from artel.graphs.models.prices import Price
from artel.tools.sandbox.sandbox import Sandbox

FOLDER = Path(__file__).parents[2] / "evals"
SCRIPTED = Configuration(
    name="scripted", model="scripted", prices={"scripted:*": Price(input=10, output=100)}
)
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
    _, result = await judge(one, configuration)
    return result


def failed(result: Score) -> list[str]:
    return result.failed


SMALL = (  # of each agent one that is quick; `make evals` runs all of them
    "architect/rejection_is_an_answer",
    "debug/rejected_repair",
    "document_writer/code_is_right",
    "orchestrator/rejected_step",
    "orchestrator/one_agent_no_plan",
    "profiler/figures_are_measured",
    "reviewer/nothing_is_wrong",
    "security/secret_is_not_printed",
    "test_writer/fault_is_reported",
)


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize("one", load(FOLDER, ["ask", "coder", *SMALL]), ids=lambda one: one.id)
async def test_ours_hold(one: Case) -> None:
    for configuration in USUAL:
        if configuration.kind in one.models:
            assert failed(await marked(one, configuration)) == []


async def test_a_case_that_is_right_has_full_marks() -> None:
    checks = {"files": {"a.txt": "two\n"}, "asked": {"edit_file": 1}, "calls": ["read_file", "edit_file"]}
    result = await marked(case({**checks, "changed_only": ["a.txt"], "max_tokens": 10_000, "max_usd": 1}))
    assert (result.value, failed(result)) == (1.0, [])


async def test_what_a_run_costs_is_told_by_the_prices_of_the_models_that_it_asked() -> None:
    outcome, _ = await judge(case({"max_usd": 1}), SCRIPTED)
    used = outcome.meter.usage.values()
    assert outcome.usd == pytest.approx(
        sum(one["input_tokens"] * 10 + one["output_tokens"] * 100 for one in used) / 1_000_000
    )
    unknown, result = await judge(case({"max_usd": 1}), Configuration(name="x", model="scripted", prices={}))
    assert (unknown.usd, result.marks[-1].passed) == (None, None)


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
        ({"plan": {}}, "there is a plan"),
        ({"contains": {"*.txt": ["one"]}}, "*.txt holds 'one'"),
        ({"lacks": {"*.txt": ["two"]}}, "*.txt lacks 'two'"),
        ({"lacks": {"*.md": ["two"]}}, "*.md lacks 'two'"),
        ({"changed_only": ["*.md"]}, "nothing else changed"),
        ({"points_to": ["a.txt:2-3"]}, "it points to a.txt:2-3"),
        ({"language": "ru"}, "it answers in ru"),
        ({"measured": 1}, "it gives at least 1 figures"),
    ],
)
async def test_a_check_that_must_fail_fails(checks: dict[str, Any], name: str) -> None:
    result = await marked(case(checks))
    assert name in failed(result)
    assert result.value < 1


FIGURES = "Run: 1.5 ms and 1\u202f973 calls."


@pytest.mark.parametrize(
    ("shown", "wrong"),
    [("0.001502 1973", ""), ("1.502 1973.0", ""), ("1.44 1973", "1.5"), ("1.5", "1\u202f973"), ("", "1.5")],
)
def test_figures_are_those_that_commands_showed(shown: str, wrong: str, tmp_path: Path) -> None:
    outcome = Outcome(tmp_path, {}, Sandbox(), said=FIGURES)
    outcome.meter.shown.append(shown)
    found = {one.name: one for one in marks(Checks(measured=2), "profiler", outcome)}
    assert found["it gives at least 2 figures"].passed
    assert found["its figures were measured"].said.split(", ")[0] == wrong
    assert found["its figures were measured"].passed is (not wrong)


async def test_a_case_that_does_not_notice_what_is_wrong_fails() -> None:
    good = {"how": "it changes nothing", "script": ["Nothing."], "fails": ["a.txt holds"]}
    blind = {"how": "it talks much", "script": ["Blah."], "fails": ["it says", "it ends"]}
    result = await marked(case({"contains": {"a.txt": ["two"]}}, wrong=[good, blind]))
    assert failed(result) == ["it notices: it talks much"]
    assert result.marks[-1].said == "these hold all the same: it says, it ends"


async def test_each_agent_plays_its_own_script() -> None:
    one = case({"files": {"a.txt": "two\n"}}, "Nothing.", scripts={"coder": EDITS})
    assert failed(await marked(one)) == []


async def test_a_configuration_may_tell_what_an_assistant_tells() -> None:
    told = Configuration(name="brief", model="scripted", context={"instructions": "Be brief."})
    with Home(one := case({"unchanged": True}, "No.")) as home:
        outcome = await run(one, told, home)
        await outcome.sandbox.aclose()
    assert outcome.said == "No."
    with pytest.raises(ValueError, match="there is no 'workspace': say any of budget, instructions, lanes"):
        Configuration(name="x", model="offline", context={"workspace": "/"})


async def test_what_was_committed_lies_below_the_files_of_a_case() -> None:
    look = {"tool_calls": [{"name": "git_diff", "args": {}}]}
    one = case({"calls": ["git_diff"], "unchanged": True}, look, "-zero +one", committed={"a.txt": "zero\n"})
    outcome, result = await judge(one, SCRIPTED)
    assert failed(result) == []
    assert ".git/HEAD" not in outcome.before


async def test_headings_are_for_those_who_write_some() -> None:
    with pytest.raises(CaseWrong, match="is no role"):
        await marked(case({"headings": True}, agent="orchestrator", request="Where is a?"))


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
