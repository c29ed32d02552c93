"""Reading shows numbered lines within honest limits."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.errors import ToolRefused
from artel.tools.workspace import read
from artel.tools.workspace.paths import OutsideWorkspace, TooLarge


def test_lines_are_numbered(root: Path) -> None:
    (root / "a.py").write_text("one\n\nthree")
    reading = read.read(root, "a.py")
    assert reading.text == "     1\tone\n     2\t\n     3\tthree"
    assert reading.sha256 == hashlib.sha256(b"one\n\nthree").hexdigest()
    assert reading.path == "a.py"


def test_a_window_says_where_it_is_and_how_to_go_on(root: Path) -> None:
    (root / "a").write_text("".join(f"line {n}\n" for n in range(1, 101)))
    shown = read.read(root, "a", offset=10, limit=2).text
    assert shown == "    11\tline 11\n    12\tline 12\n[lines 11-12 of 100; go on with offset=12]"
    assert read.read(root, "a", offset=99).text == "   100\tline 100\n[lines 100-100 of 100]"


def test_the_end_of_the_last_line_begins_no_new_one(root: Path) -> None:
    (root / "a").write_text("x\n")
    with pytest.raises(ToolRefused, match="offset must be below 1, the number of lines, got 1"):
        read.read(root, "a", offset=1)


def test_an_empty_file_says_so(root: Path) -> None:
    (root / "a").touch()
    assert read.read(root, "a").text == "[the file is empty]"


@pytest.mark.parametrize(("offset", "limit"), [(-1, 1), (0, 0), (0, -5)])
def test_numbers_out_of_range_are_refused(root: Path, offset: int, limit: int) -> None:
    (root / "a").write_text("x")
    with pytest.raises(ToolRefused, match="must be"):
        read.read(root, "a", offset=offset, limit=limit)


def test_long_files_and_long_lines_are_cut_and_say_so(root: Path) -> None:
    (root / "long").write_text("".join(f"{n}\n" for n in range(5000)))
    assert read.read(root, "long").text.endswith("[lines 1-2000 of 5000; go on with offset=2000]")
    (root / "wide").write_text("x" * 100_000)
    assert read.read(root, "wide").text.endswith("x [line cut: 100000 characters]")
    (root / "both").write_text(("x" * 1000 + "\n") * 1000)
    both = read.read(root, "both").text
    assert len(both) < read.MAX_CHARS + 200
    assert "go on with offset=39]" in both


def test_windows_lines_and_old_encodings_are_shown_as_text(root: Path) -> None:
    (root / "a").write_bytes("Привет, это старый файл\r\n".encode("cp1251"))
    assert read.read(root, "a").text == "     1\tПривет, это старый файл\n[encoding: cp1251]"


def test_a_file_of_exactly_the_limit_is_read_and_one_byte_more_is_not(root: Path) -> None:
    (root / "a").write_bytes(b"x" * read.MAX_FILE_BYTES)
    assert "[line cut: 10485760 characters]" in read.read(root, "a").text
    (root / "a").write_bytes(b"x" * (read.MAX_FILE_BYTES + 1))
    with pytest.raises(TooLarge):
        read.read(root, "a")


def test_nothing_outside_is_read(root: Path) -> None:
    with pytest.raises(OutsideWorkspace):
        read.read(root, "../secret.txt")


@given(st.text(alphabet="ab\n", max_size=60), st.integers(0, 60))
def test_a_line_starts_where_counting_says(content: str, skipped: int) -> None:
    if skipped <= content.count("\n"):
        assert content[read.line_start(content, skipped) :] == "\n".join(content.split("\n")[skipped:])
