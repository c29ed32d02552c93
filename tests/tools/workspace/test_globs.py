"""Glob patterns mean what a shell means by them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.errors import ToolRefused
from artel.tools.workspace import globs


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.py", ["a.py", "x/y/a.py", ".py"], ["a.pyc", "a.py/b"]),
        ("src/*.py", ["src/a.py"], ["a.py", "src/x/a.py", "x/src/a.py"]),
        ("src/**/*.py", ["src/a.py", "src/x/y/a.py"], ["src/a.txt", "srcx/a.py"]),
        ("**/test_*.{py,ts}", ["test_a.py", "x/y/test_b.ts"], ["test_a.js", "xtest_a.py"]),
        ("src/**", ["src/a", "src/x/y"], ["src", "a/src/b"]),
        ("**", ["a", "a/b/c"], []),
        ("**/", ["a", "a/b/c"], []),
        ("./a/b", ["a/b"], ["b"]),
        ("/a", ["a"], ["x/a"]),
        ("a?c", ["abc", "x/abc"], ["ac", "a/c"]),
        ("[!a].txt", ["b.txt"], ["a.txt"]),
        ("*", ["a", ".hidden", "x/y"], []),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c"], ["a/c", "b/c"]),
        ("{a,b}/{c,d}.x", ["a/c.x", "b/d.x"], ["a/b.x"]),
        ("{single}.x", ["{single}.x"], ["single.x"]),
        ("[", ["["], ["a"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    test = globs.matcher(pattern)
    assert [path for path in yes if not test(path)] == []
    assert [path for path in no if test(path)] == []


@pytest.mark.parametrize("pattern", ["", "../x", "a/../b", "x" * 501, "{a,b}" * 7, "/"])
def test_bad_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(ToolRefused):
        globs.matcher(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 200 + "b", "**/a/" * 80 + "b", "/".join(["**", "*a*a*a*a*b"] * 20), "a/" + "**/" * 150 + "b"],
)
def test_no_pattern_is_catastrophic(pattern: str) -> None:
    test = globs.matcher(pattern)
    began = time.monotonic()
    test("a" * 4000)
    test("/".join(["a" * 200] * 20))
    test("/".join(["a"] * 2000))
    assert time.monotonic() - began < 1


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_pattern_is_refused_or_answers(pattern: str, path: str) -> None:
    try:
        test = globs.matcher(pattern)
    except ToolRefused:
        return
    assert test(path) in (True, False)
