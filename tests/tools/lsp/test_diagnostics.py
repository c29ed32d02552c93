"""Of what a server finds, what an edit brought in is told, and nothing else."""

from typing import Any

import pytest

from artel.tools.lsp.diagnostics import Diagnostic, brought_in, read


def wrong(line: int, message: str) -> Diagnostic:
    return Diagnostic(line, message, "fake")


def item(**values: Any) -> dict[str, Any]:
    return {"range": {"start": {"line": 2, "character": 0}}, "message": "m", **values}


@pytest.mark.parametrize(
    ("before", "after", "old", "new", "told"),
    [
        ([], [wrong(1, "m")], "", "a", [1]),
        ([wrong(1, "m")], [wrong(1, "m")], "a\nb", "a\nc", []),
        ([wrong(2, "m")], [wrong(4, "m")], "a\nb", "x\ny\na\nb", []),
        ([wrong(4, "m")], [wrong(2, "m")], "x\ny\na\nb", "a\nb", []),
        ([wrong(3, "see line 1")], [wrong(4, "see line 2")], "a\nb\nc", "x\na\nb\nc", []),
        ([wrong(2, "m")], [wrong(2, "m"), wrong(3, "m")], "a\nb\nc", "a\nB\nC\nc", [3]),
        ([wrong(2, "m")], [wrong(2, "n")], "a\nb\nc", "a\nB\nc", [2]),
        ([wrong(2, "takes 1")], [wrong(2, "takes 2")], "a\nb\nc", "a\nB\nc", [2]),
        ([wrong(1, "m")], [wrong(3, "m")], "a\nb\nc", "a\nB\nc", [3]),
        ([wrong(1, "m")], [], "a", "", []),
    ],
)
def test_what_was_there_before_is_not_told_again_where_it_moved_to(
    before: list[Diagnostic], after: list[Diagnostic], old: str, new: str, told: list[int]
) -> None:
    assert [one.line for one in brought_in(before, after, old, new)] == told


def test_errors_and_warnings_are_read_and_hints_are_not() -> None:
    items = [item(severity=number, message=str(number)) for number in range(1, 5)] + [item(message="none")]
    assert [one.message for one in read(items)] == ["1", "2", "none"]


@pytest.mark.parametrize(
    "items",
    [
        None,
        {},
        [None, 1, "x", {}],
        [item(range=None), item(range={"start": {"line": "2"}}), item(range={"start": {"line": -1}})],
        [item(message=None), item(message=["m"])],
    ],
)
def test_what_is_no_diagnostic_is_left_out(items: Any) -> None:
    assert read(items) == ()


def test_a_message_is_one_line_without_anything_hidden() -> None:
    (one,) = read([item(message="\n first\u202e " + "x" * 500 + "\nmore", source=3)])
    assert one.said("a.py").startswith("a.py:3: first\\u202e xxx")
    assert len(one.message) < 220
    assert "more" not in one.message
