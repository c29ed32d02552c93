"""A verdict can be explained: of what a call is made, and which rule spoke about each part."""

from pathlib import Path

import pytest
from tests.tools.shell.test_calls import SHELL, allowing

from artel.tools.policy import DEFAULT
from artel.tools.registry import TOOLS
from artel.tools.tool import ToolRefused
from artel.tools.verdicts import explain


def test_each_part_of_a_call_has_its_rule(root: Path) -> None:
    (told,) = explain((DEFAULT,), "coder", SHELL, {"command": "cat a.py > b.py && sudo ls"}, root)
    assert (told.verdict, told.rule) == ("deny", "never-sudo")
    parts = [(part.action, " ".join(part.argv), part.path, part.effect, part.rule) for part in told.calls]
    assert parts == [
        ("fs.read", "", "a.py", "allow", "read"),
        ("exec", "cat a.py", "", "allow", "harmless-cat"),
        ("fs.write", "", "b.py", "ask", "write"),
        ("exec", "sudo ls", "", "deny", "never-sudo"),
    ]


def test_policies_are_asked_about_the_same_call(root: Path) -> None:
    before, after = explain((DEFAULT, allowing("pytest **")), "coder", SHELL, {"command": "pytest -q"}, root)
    assert (before.verdict, before.rule, after.verdict, after.rule) == (
        "ask",
        "default",
        "allow",
        "pytest **",
    )


def test_what_no_policy_can_allow_is_refused_by_the_tool(root: Path) -> None:
    (told,) = explain((DEFAULT,), "ask", TOOLS["read_file"], {"file_path": "../secret.txt"}, root)
    assert (told.verdict, told.rule, told.calls) == ("deny", "refused", ())
    assert "leads out of the workspace" in told.reason


def test_arguments_that_the_tool_does_not_take_have_no_verdict(root: Path) -> None:
    with pytest.raises(ToolRefused, match="file_path: Field required"):
        explain((DEFAULT,), "ask", TOOLS["read_file"], {}, root)
