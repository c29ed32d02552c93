"""Edits change what they mean and nothing else."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.tools.conftest import git, patch

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import edit
from artel.tools.workspace.matching import NotFound
from artel.tools.workspace.paths import DeniedPath, NoSuchFile, OutsideWorkspace, TooLarge, WrongKind


def after(root: Path, old: str, new: str, *, replace_all: bool = False) -> bytes:
    return edit.plan(root, "f", old, new, replace_all=replace_all).after or b""


def test_planning_touches_nothing_and_says_all(root: Path) -> None:
    (root / "f").write_text("a = 1\nb = 2\n")
    change = edit.plan(root, "./f", "b = 2", "b = 3")
    assert (root / "f").read_text() == "a = 1\nb = 2\n"
    assert (change.path, change.strategy) == ("f", "exact, line 2")
    assert change.diff == "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a = 1\n-b = 2\n+b = 3\n"


def test_windows_line_ends_stay(root: Path) -> None:
    (root / "f").write_bytes(b"a\r\nb\r\nc\r\n")
    assert after(root, "a\nb\n", "x\ny\nz\n") == b"x\r\ny\r\nz\r\nc\r\n"
    assert after(root, "a\r\nb", "x\r\ny\r\nz") == b"x\r\ny\r\nz\r\nc\r\n"
    assert after(root, "\nc", "") == b"a\r\nb\r\n"


def test_in_a_file_of_mixed_line_ends_the_region_decides(root: Path) -> None:
    (root / "f").write_bytes(b"a\r\nb\r\nc\nd\n")
    assert after(root, "a", "x\ny") == b"x\r\ny\r\nb\r\nc\nd\n"
    assert after(root, "d", "x\ny") == b"a\r\nb\r\nc\nx\ny\n"
    assert after(root, "b\nc", "x\ny") == b"a\r\nx\r\ny\nd\n"
    assert after(root, "c\nd", "x\ny\nz") == b"a\r\nb\r\nx\ny\nz\n"


def test_a_byte_order_mark_and_the_encoding_stay(root: Path) -> None:
    (root / "f").write_bytes(b"\xef\xbb\xbfone\n")
    assert after(root, "one", "два") == b"\xef\xbb\xbf" + "два\n".encode()
    (root / "f").write_bytes("\ufeffпривет\n".encode("utf-16-le"))
    assert after(root, "привет", "пока") == "\ufeffпока\n".encode("utf-16-le")
    (root / "f").write_bytes("Добрый день, коллеги\n".encode("cp1251"))
    assert after(root, "день", "вечер") == "Добрый вечер, коллеги\n".encode("cp1251")
    with pytest.raises(ToolRefused, match="cannot be written in this file's encoding"):
        after(root, "день", "☀")


def test_a_missing_last_line_end_stays_missing(root: Path) -> None:
    (root / "f").write_bytes(b"a\nb")
    assert after(root, "b", "c") == b"a\nc"
    assert after(root, "b\n", "c\n") == b"a\nc"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("", "x", "old_string is empty"),
        ("a", "a", "are the same"),
        ("a\n", "a\r\n", "nothing"),
        ("a", "b\0", "NUL"),
        ("a", "\ud800", "half a character"),
    ],
)
def test_edits_that_make_no_sense_are_refused(root: Path, old: str, new: str, says: str) -> None:
    (root / "f").write_text("a\n")
    with pytest.raises(ToolRefused, match=says):
        edit.plan(root, "f", old, new)


def test_new_text_stays_below_a_megabyte(root: Path) -> None:
    (root / "f").write_text("a\n")
    assert len(after(root, "a", "x" * (edit.MAX_CONTENT_BYTES - 1))) == edit.MAX_CONTENT_BYTES
    for new in ("x" * edit.MAX_CONTENT_BYTES, "й" * (edit.MAX_CONTENT_BYTES // 2)):
        with pytest.raises(TooLarge):
            edit.plan(root, "f", "a", new)


def test_a_file_does_not_grow_over_its_limit(root: Path) -> None:
    (root / "f").write_bytes(b"a" + b"b" * (10 * 1_048_576 - 2))
    assert len(after(root, "a", "c")) == 10 * 1_048_576 - 1
    with pytest.raises(TooLarge):
        edit.plan(root, "f", "a", "cc")


def test_replacing_everything_in_a_large_file_stays_cheap(root: Path) -> None:
    (root / "f").write_text("one two\n" * 100_000)
    change = edit.plan(root, "f", "two", "three", replace_all=True)
    assert change.after == b"one three\n" * 100_000
    assert change.strategy == "exact, 100000 places"
    assert "was cut here" in change.diff


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("../secret.txt", OutsideWorkspace),
        (".git/config", DeniedPath),
        ("none", NoSuchFile),
        (".", WrongKind),
    ],
)
def test_only_files_of_the_workspace_are_edited(root: Path, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        edit.plan(root, path, "outside", "inside")


def test_a_read_only_file_is_left_alone(root: Path) -> None:
    (root / "f").write_text("a")
    (root / "f").chmod(0o444)
    with pytest.raises(ToolRefused, match="read-only"):
        edit.plan(root, "f", "a", "b")


def test_a_syntax_error_is_told_and_not_refused(root: Path) -> None:
    (root / "f.py").write_text("x = (1)\n")
    change = edit.plan(root, "f.py", "(1)", "(1")
    assert change.problems
    assert change.problems[0].startswith("line 1")


ANY = st.text(alphabet="ab \n\t\rй", max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(content=ANY, old=ANY, new=ANY, replace_all=st.booleans())
def test_on_any_text_an_edit_replaces_or_refuses(
    root: Path, content: str, old: str, new: str, replace_all: bool
) -> None:
    assume("\r" not in content + old + new)
    (root / "f").write_bytes(content.encode())
    try:
        change = edit.plan(root, "f", old, new, replace_all=replace_all)
    except (ToolRefused, ToolFailed):
        assert (root / "f").read_bytes() == content.encode()
        return
    if change.strategy.startswith("exact"):
        assert (change.after or b"").decode() == content.replace(old, new)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(
    lines=st.lists(
        st.tuples(st.text(alphabet="abй ", max_size=4), st.sampled_from(["\n", "\r\n"])), max_size=8
    ),
    old=st.text(alphabet="ab\n", min_size=1, max_size=4),
    new=st.text(alphabet="xy\n", max_size=4),
)
def test_with_any_line_ends_the_lines_outside_the_edit_stay_as_they_were(
    root: Path, lines: list[tuple[str, str]], old: str, new: str
) -> None:
    content = "".join(text + end for text, end in lines)
    (root / "f").write_bytes(content.encode())
    try:
        change = edit.plan(root, "f", old, new)
    except (ToolRefused, ToolFailed):
        return
    got = (change.after or b"").decode()
    if change.strategy.startswith("exact"):
        assert got.replace("\r\n", "\n") == content.replace("\r\n", "\n").replace(old, new)
    start = next(
        (n for n, (a, b) in enumerate(zip(content, got, strict=False)) if a != b), min(len(content), len(got))
    )
    kept = content[: content.rfind("\n", 0, start) + 1]
    assert got.startswith(kept)
    assert "\r\r" not in got
    if "\r\n" not in content:
        assert "\r" not in got
    elif "\n" not in content.replace("\r\n", ""):
        assert "\n" not in got.replace("\r\n", "")


EDITS = st.lists(
    st.tuples(st.text("ab\n", min_size=1, max_size=3), st.text("abx\n", max_size=3), st.booleans()),
    min_size=1,
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.text("abc\n", min_size=1, max_size=40), EDITS, st.sampled_from(["\n", "\r\n"]))
def test_many_edits_are_what_they_are_one_after_the_other(
    repository: Path, before: str, many: list[tuple[str, str, bool]], end: str
) -> None:
    start = before.replace("\n", end).encode()
    (repository / "f").write_bytes(start)
    edits = [edit.Edit(*one) for one in many]
    try:
        for one in edits:
            (repository / "f").write_bytes(
                edit.plan(repository, "f", *one[:2], replace_all=one[2]).after or b""
            )
        alone = (repository / "f").read_bytes()
    except (ToolRefused, ToolFailed):
        assume(len(edits) > 1)
        (repository / "f").write_bytes(start)
        with pytest.raises((ToolRefused, ToolFailed)):
            edit.plan_all(repository, "f", edits)
        return
    (repository / "f").write_bytes(start)
    assume(alone != start)
    planned = edit.plan_all(repository, "f", edits)
    assert planned.after == alone
    assume(alone)
    done = git(repository, "apply", "-", stdin=planned.diff.encode())
    assert done.returncode == 0, done.stderr
    assert (repository / "f").read_bytes() == alone


def test_of_many_edits_the_one_that_misses_is_named_and_none_is_made(root: Path) -> None:
    (root / "f").write_text("a\nb\n")
    with pytest.raises(
        NotFound, match=r"edits\[1\], in the text that the edits before it leave: .* No edit was"
    ):
        edit.plan_all(root, "f", [edit.Edit("a", "x"), edit.Edit("a", "y")])
    with pytest.raises(ToolRefused, match=r"edits\[1\]\.old_string is empty"):
        edit.plan_all(root, "f", [edit.Edit("a", "x"), edit.Edit("", "y")])
    with pytest.raises(ToolRefused, match="1 to 100 entries, got 0"):
        edit.plan_all(root, "f", [])
    with pytest.raises(ToolRefused, match="change nothing"):
        edit.plan_all(root, "f", [edit.Edit("a", "x"), edit.Edit("x", "a")])
    planned = edit.plan_all(root, "f", [edit.Edit("a", "x"), edit.Edit("x\nb", "y")])
    assert planned.after == b"y\n"
    assert planned.strategy == "2 edits: exact, line 1; exact, line 1"


LINE = st.sampled_from(["a", "b", "  c", "\td", "", "x y", "return 1", "й"])


@pytest.mark.needs("patch")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(
    lines=st.lists(LINE, min_size=1, max_size=14),
    cut=st.tuples(st.integers(0, 13), st.integers(1, 4)),
    new=st.lists(LINE, max_size=4),
    ends=st.sampled_from(["\n", "\r\n"]),
    closed=st.booleans(),
    drift=st.sampled_from(["", "  ", " "]),
)
def test_git_and_patch_make_of_the_diff_what_the_ladder_makes_of_the_edit(
    repository: Path,
    lines: list[str],
    cut: tuple[int, int],
    new: list[str],
    ends: str,
    closed: bool,
    drift: str,
) -> None:
    content = ends.join(lines) + ends * closed
    old = "\n".join(line + drift for line in lines[cut[0] : cut[0] + cut[1]])
    file = repository / "f"
    file.write_bytes(content.encode())
    try:
        planned = edit.plan(repository, "f", old, "\n".join(new))
    except (ToolRefused, ToolFailed):
        return
    assert planned.after is not None
    for program in ("git", "patch"):
        if planned.after == b"":
            continue  # to both, a diff that leaves nothing takes the file away
        file.write_bytes(content.encode())
        diff = planned.diff
        done = (
            git(repository, "apply", "-", stdin=diff.encode())
            if program == "git"
            else patch(repository, diff)
        )
        assert done.returncode == 0, (planned.diff, done)
        assert file.read_bytes() == planned.after
