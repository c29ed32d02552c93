"""`python -m evals`: what it prints, what it keeps, and how it ends."""

from pathlib import Path
from typing import Any

import pytest
from evals import history
from evals.__main__ import FELL, FINE, WRONG, main
from evals.versions import version
from tests.evals.test_cases import SOUND, written

GOOD, BAD = SOUND, {**SOUND, "checks": {"says": ["farewell"]}}
TWO = """
- {name: first, model: scripted}
- {name: second, model: scripted, prices: {"scripted:*": {input: 1, output: 2}}}
"""


def evals(tmp_path: Path, *argv: str, case: dict[str, Any] | None = None) -> int:
    if case:
        written(tmp_path / "cases", case)
    more = ["--cases", str(tmp_path / "cases")] if argv[0] == "run" else []
    return main([*argv, *more, "--data", str(tmp_path / "data")])


def test_a_run_that_is_well_ends_with_zero_and_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evals(tmp_path, "run", "--accept", case=GOOD) == FINE
    said = capsys.readouterr().out
    assert "ask/one" in said
    assert "100%" in said
    kept = history.read(tmp_path / "data")
    assert kept.accepted == kept.runs[0]
    assert kept.results[0].commit
    assert kept.results[0].prompt == version("ask")


def test_a_case_that_must_fail_fails_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evals(tmp_path, "run", "--accept", case=BAD) == FELL
    said = capsys.readouterr().out
    assert "FAILED  scripted  ask/one: it says 'farewell': hi" in said
    assert "FELL" in said
    assert history.read(tmp_path / "data").accepted == ""  # what fell is not accepted


def test_a_case_above_its_floor_may_not_fall_below_the_accepted_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        "request": "Which files are there?",
        "files": {"a.txt": "x\n"},
        "models": ["offline"],
        "floor": 0.1,
    }
    assert evals(tmp_path, "run", case={**found, "checks": {"says": ["a.txt"]}}) == FINE
    assert evals(tmp_path, "accept") == FINE
    assert evals(tmp_path, "run", case={**found, "checks": {"says": ["b.txt"]}}) == FELL
    assert "100% in the accepted run" in capsys.readouterr().out


def test_a_script_has_no_room_below_all_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evals(tmp_path, "run", case={**BAD, "floor": 0.1}) == FELL
    assert "below its floor of 100%" in capsys.readouterr().out


def test_two_configurations_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "two.yaml").write_text(TWO)
    assert evals(tmp_path, "run", "--configurations", str(tmp_path / "two.yaml"), case=GOOD) == FINE
    assert evals(tmp_path, "compare", "second", "first") == FINE
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if line.startswith("case ")] == [
        ["case", "first", "second"],
        ["case", "second", "first"],
    ]
    written(tmp_path / "cases", GOOD, name="two")
    assert evals(tmp_path, "run", "ask/two") == FINE
    assert evals(tmp_path, "compare", "first", "scripted") == WRONG
    assert "have no case in common" in capsys.readouterr().err
    assert evals(tmp_path, "run", "--configurations", str(tmp_path / "two.yaml"), "ask/two") == FINE
    assert evals(tmp_path, "compare", "first", "scripted") == FINE
    assert "ask/one" not in capsys.readouterr().out.split("run ")[-1]
    assert evals(tmp_path, "compare", "third") == WRONG
    assert "there are those of first, scripted, second" in capsys.readouterr().err


def test_a_report_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evals(tmp_path, "run", case=GOOD)
    assert evals(tmp_path, "report") == FINE
    assert "<svg" in (tmp_path / "data/report.html").read_text()
    assert str(tmp_path / "data/report.html") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["run", "nobody"], "no case 'nobody'"),
        (["run", "--model", "offline"], "no case stands for these models"),
        (["run", "--model", "b=offline", "--model", "b=scripted"], "two configurations"),
        (["accept"], "no run"),
        (["accept", "r9"], "no run 'r9'"),
    ],
)
def test_a_wrong_order_says_what_would_be_right(
    tmp_path: Path, argv: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evals(tmp_path, *argv, case=GOOD) == WRONG
    assert told in capsys.readouterr().err


def test_the_routing_rules_are_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routing"]) == FINE
    assert "held_out" in capsys.readouterr().out
