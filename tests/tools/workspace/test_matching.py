"""The ladder: provable matches with a single hit, or a refusal that helps."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from artel.tools.workspace.matching import BLANKS, NotFound, NotUnique, find

FILE = "def a():\n    x = 1  \n    return x\n\n\ndef b():\n    y = 2\n    return y\n"


def replaced(text: str, old: str, new: str, *, replace_all: bool = False) -> str:
    for hit in reversed(find(text, old, new, replace_all=replace_all).hits):
        text = text[: hit.start] + hit.new + text[hit.end :]
    return text


def test_exact_text_is_replaced_wherever_it_stands_in_a_line() -> None:
    assert replaced(FILE, "y = 2", "y = 3") == FILE.replace("y = 2", "y = 3")
    assert find(FILE, "y = 2", "y = 3").strategy == "exact"


def test_text_that_occurs_twice_is_refused_with_its_lines() -> None:
    with pytest.raises(
        NotUnique, match="occurs 2 times, at lines 3, 8; add lines until it is unique, or set replace_all"
    ):
        find(FILE, "    return", "    yield")


def test_overlapping_occurrences_are_two() -> None:
    with pytest.raises(NotUnique, match="2 times"):
        find("aaa", "aa", "b")


def test_replace_all_replaces_all_and_takes_exact_text_only() -> None:
    assert replaced(FILE, "return", "yield", replace_all=True) == FILE.replace("return", "yield")
    with pytest.raises(NotFound, match="exact text only"):
        find(FILE, "x = 1\n", "x = 2\n", replace_all=True)


def test_copied_line_numbers_are_taken_off_both_texts() -> None:
    old = "     6\tdef b():\n     7\t    y = 2\n"
    assert replaced(FILE, old, "     6\tdef b():\n     7\t    y = 3\n") == FILE.replace("y = 2", "y = 3")
    assert replaced(FILE, old, "def b():\n    y = 3\n") == FILE.replace("y = 2", "y = 3")
    assert find(FILE, old, "x").strategy == "line numbers stripped"


def test_numbers_that_do_not_count_on_are_text() -> None:
    with pytest.raises(NotFound):
        find(FILE, "     6\tdef b():\n     9\t    y = 2\n", "x")
    with pytest.raises(NotFound):
        find(FILE, "     6\tdef b():\n     7\t    y = 2\n", "     6\tdef b():\n    y = 3\n")


def test_trailing_blanks_are_ignored_and_kept_on_lines_left_alone() -> None:
    old, new = "    x = 1\n    return x\n", "    x = 1\n    return x + 1\n"
    assert replaced(FILE, old, new) == FILE.replace("return x\n", "return x + 1\n")
    assert find(FILE, old, new).strategy == "trailing blanks ignored"


def test_one_uniform_shift_of_indent_moves_the_new_text_too() -> None:
    old, new = "x = 1\nreturn x\n", "x = 1\nif x:\n    return x\n"
    assert replaced(FILE, old, new) == FILE.replace("    return x\n", "    if x:\n        return x\n")
    assert find(FILE, old, new).strategy == "indent shifted"
    deeper = "            y = 2\n            return y"
    assert replaced(FILE, deeper, "            y = 3\n\n            return y") == FILE.replace(
        "    y = 2\n", "    y = 3\n\n"
    )


def test_a_shift_that_is_not_uniform_is_refused() -> None:
    with pytest.raises(NotFound, match="only the blanks differ"):
        find(FILE, "  y = 2\nreturn y\n", "z")


def test_new_text_that_cannot_move_as_far_is_refused() -> None:
    with pytest.raises(NotFound, match="too little indent"):
        find(FILE, "        y = 2\n        return y\n", "  y = 3\n")


def test_a_shift_of_tabs_is_not_one_of_spaces() -> None:
    with pytest.raises(NotFound):
        find("\tif a:\n\t    b()\n", "    if a:\n        b()\n", "x")
    assert replaced("\tif a:\n\t\tb()\n", "if a:\n\tb()\n", "if c:\n\tb()\n") == "\tif c:\n\t\tb()\n"


def test_a_looser_match_must_be_single_too() -> None:
    twice = "if a:\n    go() \nif b:\n    go() \n"
    with pytest.raises(NotUnique, match=r"2 times \(trailing blanks ignored\), at lines 2, 4"):
        find(twice, "    go()\n", "    stop()\n")


def test_a_line_remembered_wrongly_is_never_overwritten() -> None:
    with pytest.raises(
        NotFound, match=r"nearest at line 6, but in line 7 there is '    y = 2', not '    y = 4'"
    ):
        find(FILE, "def b():\n    y = 4\n    return y\n", "def b():\n    return 4\n")


def test_blank_lines_alone_match_nothing_loosely() -> None:
    with pytest.raises(NotFound):
        find("a\n\t\nb\n", "  \n  \n", "x")


def test_text_at_the_end_of_a_file_without_a_last_line_end() -> None:
    assert replaced("a\nb", "b\n", "c\n") == "a\nc"
    assert replaced("a\nb  ", "b\n", "") == "a\n"


def test_lines_can_be_deleted_loosely() -> None:
    assert replaced("a\nb  \nc\n", "b\n", "") == "a\nc\n"


def missed(lines: int) -> float:
    """Return the processor time in seconds of misses in a file of so many lines."""
    text = "\n".join(f"value_{n} = compute({n}, other_{n % 7})" for n in range(lines))
    began = time.process_time()
    with pytest.raises(NotFound):
        find(text, "\n".join(f"wrong_{n} = compute({n}, nothing)" for n in range(50)), "x")
    with pytest.raises(NotUnique):
        find("a" * 10 * lines, "aa", "b")
    with pytest.raises(NotFound):
        find("  x\n" * lines, "\n".join(["x"] * (lines // 30)) + "\ny", "b")
    return time.process_time() - began


def test_a_miss_in_a_file_of_twenty_times_the_size_takes_no_more_than_forty_times_as_long() -> None:
    assert missed(100_000) < 40 * max(missed(5_000), 0.01)


LINES = st.lists(st.text(alphabet="ab \t1", max_size=5), max_size=8).map("\n".join)


@given(text=LINES, old=LINES, new=LINES)
def test_an_edit_is_a_replacement_or_touches_only_lines_that_differ_in_blanks(
    text: str, old: str, new: str
) -> None:
    assume(old and old != new)
    try:
        match = find(text, old, new)
    except (NotFound, NotUnique):
        assert not (text.count(old) == 1 and text.find(old) == text.rfind(old))
        return
    (hit,) = match.hits
    if match.strategy == "exact":
        assert text[: hit.start] + hit.new + text[hit.end :] == text.replace(old, new)
        return
    assert old not in text
    assert hit.start == 0 or text[hit.start - 1] == "\n"
    assert hit.end == len(text) or text[hit.end] == "\n" or text[hit.end - 1] == "\n"
    if match.strategy != "line numbers stripped":
        region = text[hit.start : hit.end].removesuffix("\n").split("\n")
        assert [line.strip(BLANKS) for line in region] == [
            line.strip(BLANKS) for line in old.removesuffix("\n").split("\n")
        ]


@given(
    lines=st.lists(st.text(alphabet="abc", min_size=1, max_size=4), min_size=1, max_size=6),
    by=st.integers(1, 6),
)
def test_harmless_drift_of_indent_is_always_repaired(lines: list[str], by: int) -> None:
    assume(len(set(lines)) == len(lines))
    text = "".join(" " * by + line + "\n" for line in lines) + "end\n"
    old = "".join(line + "\n" for line in lines)
    assume(old not in text and "end" not in lines)
    assert replaced(text, old, "new\n") == " " * by + "new\nend\n"
