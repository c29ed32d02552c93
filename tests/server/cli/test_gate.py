"""`artel gate`: green, red, and what cannot be judged."""

import json
from pathlib import Path

import pytest
from tests.tools.conftest import git

from artel.server.__main__ import main

USER = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".artel").mkdir()
    (tmp_path / ".artel/gate.toml").write_text('checks = ["calls", "secrets"]\n')
    git(tmp_path, "add", "-A", "-f")
    git(tmp_path, *USER, "commit", "-qm", "Gate")
    return tmp_path


def test_green_is_0_red_is_1_and_what_cannot_be_judged_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["gate", "--workspace", str(folder)]
    assert main(where) == 0
    (folder / "a.py").write_text("eval('1')\n")
    (folder / "b.py").write_text("x = 1\n")
    assert main(where) == 1
    assert "a.py:1: eval runs text as code" in capsys.readouterr().out
    assert main([*where, "b.py"]) == 0
    assert main([*where, "--base", "nowhere"]) == 2
    assert "artel gate: there is no commit 'nowhere'" in capsys.readouterr().err
    assert main([*where, "../outside"]) == 2


def test_the_report_is_data_when_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.py").write_text("eval('1')\n")
    assert main(["gate", "--json", "--workspace", str(folder)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["passed"], report["files"]) == (False, ["a.py"])
    assert [one["rule"] for check in report["checks"] for one in check["findings"]] == ["eval"]
