"""Calls of commands as they are checked, judged and shown, before any of them runs."""

from pathlib import Path
from typing import Any

import pytest

from artel.tools.policy import DEFAULT, judge_all
from artel.tools.registry import TOOLS
from artel.tools.tool import ToolRefused
from artel.tools.workspace.paths import OutsideWorkspace

EXECUTE = TOOLS["execute"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "command: Field required"),
        ({"command": " \n"}, "there is no command in it"),
        ({"command": "echo \0"}, "it holds a NUL"),
        ({"command": "echo \ud800"}, "unable to parse raw data as a unicode string"),
        ({"command": "x" * 30_001}, "at most 30000 characters"),
        ({"command": ["ls"]}, "valid string"),
        ({"command": "ls", "timeout": 601}, "timeout: Input should be less than or equal to 600"),
        ({"command": "ls", "timeout": 0}, "timeout: Input should be greater than or equal to 1"),
        ({"command": "ls", "cwd": "/"}, "cwd: Extra inputs are not permitted"),
    ],
)
def test_a_call_that_cannot_be_right_is_refused_before_anybody_is_asked(
    root: Path, args: dict[str, Any], says: str
) -> None:
    with pytest.raises(ToolRefused, match=says):
        EXECUTE.calls(args, root)


def test_a_command_asks_and_a_look_at_its_job_does_not(root: Path) -> None:
    verdict = judge_all(DEFAULT, "coder", EXECUTE.calls({"cmd": "make"}, root))
    assert (verdict.effect, verdict.reason) == ("ask", "no rule speaks about it")
    for name in ("read_output", "kill"):
        assert judge_all(DEFAULT, "coder", TOOLS[name].calls({"job": "a"}, root)).effect == "allow"


def test_a_folder_outside_the_workspace_is_refused_before_anybody_is_asked(root: Path) -> None:
    (root / "out").symlink_to("/")
    for workdir in ("..", "out", "/etc"):
        with pytest.raises(OutsideWorkspace):
            EXECUTE.calls({"command": "ls", "workdir": workdir}, root)


def test_the_person_asked_sees_the_whole_command_and_nothing_hidden_in_it(root: Path) -> None:
    (root / "sub").mkdir()
    (root / "innocent").symlink_to("sub")
    command = "echo 1\n" + "x" * 400 + "\nrm \u202e\x1b[8m -rf ."
    args = {"command": command, "workdir": "innocent"}
    line = EXECUTE.summary(args, root)
    assert line.startswith("Run in innocent: echo 1\\nxxx")
    assert len(line) < 310
    shown = EXECUTE.shown(args, root)
    assert shown == {
        "command": "echo 1\n" + "x" * 400 + "\nrm \\u202e\\x1b[8m -rf .",
        "workdir": "sub",
    }
    assert EXECUTE.summary({"command": "npm start", "background": True}, root) == "Start npm start"
