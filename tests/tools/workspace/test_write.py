"""Whole files are written new, or over what was read."""

import hashlib
from pathlib import Path

import pytest
from tests.fakes.changing import apply

from artel.tools.errors import ToolRefused
from artel.tools.workspace import edit, read, write
from artel.tools.workspace.change import Stale
from artel.tools.workspace.paths import OutsideWorkspace, TooLarge, WrongKind
from artel.tools.workspace.write import NotRead


def test_a_new_file_is_planned_with_its_diff(root: Path) -> None:
    planned = write.plan(root, "src/deep/a.py", "x = 1\n")
    assert planned.diff == "--- /dev/null\n+++ b/src/deep/a.py\n@@ -0,0 +1,1 @@\n+x = 1\n"
    assert not (root / "src").exists()
    assert apply(root, planned) == "written"
    assert (root / "src/deep/a.py").read_text() == "x = 1\n"


def test_a_file_that_was_not_read_is_not_overwritten(root: Path) -> None:
    (root / "f").write_text("precious\n")
    with pytest.raises(NotRead, match="read it first"):
        write.plan(root, "f", "new\n")


def test_a_file_that_changed_since_it_was_read_is_not_overwritten(root: Path) -> None:
    (root / "f").write_text("old\n")
    seen = {"f": read.read(root, "f").sha256}
    (root / "f").write_text("precious\n")
    with pytest.raises(Stale, match="read it again"):
        write.plan(root, "f", "new\n", seen=seen)


def test_a_file_that_was_read_is_overwritten_and_keeps_its_kind(root: Path) -> None:
    (root / "f").write_bytes(b"\xef\xbb\xbfold\r\nlines\r\n")
    seen = {"f": read.read(root, "f").sha256}
    planned = write.plan(root, "f", "new\nlines\n", seen=seen)
    assert planned.after == b"\xef\xbb\xbfnew\r\nlines\r\n"
    assert planned.diff.endswith("@@ -1,2 +1,2 @@\n-old\r\n+new\r\n lines\r\n")


def test_the_same_content_again_is_refused(root: Path) -> None:
    (root / "f").write_text("same\n")
    seen = {"f": hashlib.sha256(b"same\n").hexdigest()}
    with pytest.raises(ToolRefused, match="already has this content"):
        write.plan(root, "f", "same\n", seen=seen)


def test_an_empty_file_can_be_written(root: Path) -> None:
    planned = write.plan(root, "src/__init__.py", "")
    apply(root, planned)
    assert (root / "src/__init__.py").read_bytes() == b""


@pytest.mark.parametrize("content", ["a\0b", "\udcff"])
def test_content_that_is_no_text_is_refused(root: Path, content: str) -> None:
    with pytest.raises(ToolRefused):
        write.plan(root, "f", content)


def test_content_stays_below_a_megabyte(root: Path) -> None:
    write.plan(root, "f", "x" * (edit.MAX_CONTENT_BYTES - 1))
    with pytest.raises(TooLarge):
        write.plan(root, "f", "x" * edit.MAX_CONTENT_BYTES)


def test_nothing_is_written_outside(root: Path, tmp_path: Path) -> None:
    (root / "out").symlink_to("..")
    (root / "dangling").symlink_to("../new.txt")
    for path in ("../new.txt", "out/new.txt", "dangling", str(tmp_path / "new.txt")):
        with pytest.raises(OutsideWorkspace):
            write.plan(root, path, "x")
    with pytest.raises(WrongKind):
        write.plan(root, ".", "x")
    (root / "file").touch()
    with pytest.raises(WrongKind, match="file is a file, not a folder"):
        write.plan(root, "file/x", "x")
