"""Answers are counted under what calls have in common, and never under what nobody knows."""

import pytest

from artel.tools.covering import LONGEST, covered
from artel.tools.policy import Call


def write(path: str) -> Call:
    return Call(tool="t", action="fs.write", path=path)


def run(*argv: str, unsure: tuple[int, ...] = ()) -> Call:
    return Call(tool="execute", action="exec", argv=argv, unsure=unsure)


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([write("src/a.py")], "fs.write src/*"),
        ([write("src/a.py"), write("src/b.py")], "fs.write src/*"),
        ([write("a.py")], "fs.write *"),
        ([run("pytest")], "exec pytest"),
        ([run("pytest", "-q", "tests")], "exec pytest **"),
        ([run("git", "fetch", "origin")], "exec git fetch **"),
        ([run("cat", "a"), write("b/c")], "exec cat a **, fs.write b/*"),
        ([Call(tool="t", action="git.push")], "git.push"),
        ([run("make", unsure=(0,))], ""),
        ([Call(tool="execute", action="exec", unknown=True)], ""),
        ([write("a/x"), write("b/x"), write("c/x"), write("d/x")], ""),
        ([write("a" * LONGEST + "/b")], ""),
    ],
)
def test_calls_of_one_kind_are_named_alike(calls: list[Call], said: str) -> None:
    assert covered(calls) == said
