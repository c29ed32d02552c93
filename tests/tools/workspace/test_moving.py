"""Files go away or elsewhere, whole and only where nothing is lost."""

import stat
from pathlib import Path

import pytest
from tests.fakes.changing import apply

from artel.tools.errors import ToolRefused
from artel.tools.workspace import changeset, moving
from artel.tools.workspace.change import Stale
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.paths import DeniedPath, NoSuchFile, OutsideWorkspace, WrongKind


def move(root: Path, src: str, dst: str) -> None:
    changeset.apply(root, ChangeSet(tuple(moving.move(root, src, dst))))


def test_a_deletion_shows_all_that_goes(root: Path) -> None:
    (root / "f").write_text("a\nb\n")
    planned = moving.delete(root, "f")
    assert planned.diff == "--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n"
    assert (root / "f").exists()
    assert apply(root, planned) == "written"
    assert not (root / "f").exists()
    assert apply(root, planned) == "already there"


def test_a_long_or_binary_file_is_shown_in_short(root: Path) -> None:
    (root / "long").write_text("line\n" * 100_000)
    assert len(moving.delete(root, "long").diff) < 61_000
    (root / "binary").write_bytes(b"\0\1\2")
    assert moving.delete(root, "binary").diff == "Binary file binary of 3 bytes is deleted\n"
    (root / "empty").touch()
    apply(root, moving.delete(root, "empty"))
    assert not (root / "empty").exists()


def test_bytes_and_permissions_move_along(root: Path) -> None:
    (root / "a").write_bytes(b"\0binary\xff")
    (root / "a").chmod(0o4750)
    move(root, "a", "new/folder/b")
    assert (root / "new/folder/b").read_bytes() == b"\0binary\xff"
    assert stat.S_IMODE((root / "new/folder/b").stat().st_mode) == 0o750  # never setuid for another owner
    assert not (root / "a").exists()


@pytest.mark.parametrize("dst", ["there", "folder", "link", "dangling", "a"])
def test_nothing_is_moved_over_another_file(root: Path, dst: str) -> None:
    (root / "a").write_text("a")
    (root / "there").write_text("precious")
    (root / "folder").mkdir()
    (root / "link").symlink_to("there")
    (root / "dangling").symlink_to("nowhere")
    with pytest.raises(ToolRefused):
        move(root, "a", dst)
    assert (root / "a").read_text() == "a"
    assert (root / "there").read_text() == "precious"


def test_a_file_made_at_the_new_path_meanwhile_is_left_alone(root: Path) -> None:
    (root / "a").write_text("a")
    planned = ChangeSet(tuple(moving.move(root, "a", "b")))
    (root / "b").write_text("precious")
    with pytest.raises(Stale, match="created by somebody else"):
        changeset.apply(root, planned)
    assert ((root / "a").read_text(), (root / "b").read_text()) == ("a", "precious")


def test_a_link_is_not_taken_for_what_it_leads_to(root: Path) -> None:
    (root / "real").write_text("a")
    (root / "link").symlink_to("real")
    for path in ("link", "./link", "link/", "link/."):
        with pytest.raises((WrongKind, NoSuchFile), match="link"):
            moving.delete(root, path)
        with pytest.raises((WrongKind, NoSuchFile), match="link"):
            moving.move(root, path, "b")
    assert (root / "real").read_text() == "a"


def test_what_is_no_file_of_the_workspace_stays(root: Path) -> None:
    (root / "folder").mkdir()
    (root / "read-only").write_text("a")
    (root / "read-only").chmod(0o444)
    with pytest.raises(WrongKind, match="a folder"):
        moving.delete(root, "folder")
    with pytest.raises(WrongKind):
        moving.delete(root, ".")
    with pytest.raises(ToolRefused, match="read-only"):
        moving.delete(root, "read-only")
    with pytest.raises(NoSuchFile):
        moving.delete(root, "nothing")
    for path in ("../secret.txt", "/etc/passwd"):
        with pytest.raises(OutsideWorkspace):
            moving.delete(root, path)
        with pytest.raises(OutsideWorkspace):
            moving.move(root, "read-only", path)
    with pytest.raises(DeniedPath):
        moving.move(root, "read-only", ".git/hooks/x")
