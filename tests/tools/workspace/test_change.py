"""A change is made once, whole, and only to the file it was planned for."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.fakes.changing import apply

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import change, changeset, edit, write
from artel.tools.workspace.change import Stale
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.paths import DeniedPath, OutsideWorkspace


def test_a_change_is_written_once_and_recognised_afterwards(root: Path) -> None:
    (root / "f").write_text("a\n")
    planned = edit.plan(root, "f", "a", "b")
    assert apply(root, planned) == "written"
    assert apply(root, planned) == "already there"
    assert (root / "f").read_text() == "b\n"
    assert change.current_sha(root, "f") == planned.after_sha == planned.intent["after_sha"]


def test_a_file_changed_meanwhile_is_left_alone(root: Path) -> None:
    (root / "f").write_text("a\n")
    planned = edit.plan(root, "f", "a", "b")
    (root / "f").write_text("precious a\n")
    with pytest.raises(Stale, match="changed by somebody else"):
        apply(root, planned)
    (root / "f").unlink()
    with pytest.raises(Stale, match="deleted meanwhile"):
        apply(root, planned)
    assert not (root / "f").exists()


def test_a_file_created_meanwhile_is_left_alone(root: Path) -> None:
    planned = write.plan(root, "f", "new\n")
    (root / "f").write_text("precious\n")
    with pytest.raises(Stale, match="created by somebody else"):
        apply(root, planned)
    assert (root / "f").read_text() == "precious\n"


def test_mode_and_owner_stay(root: Path) -> None:
    (root / "run.sh").write_text("echo a\n")
    (root / "run.sh").chmod(0o2751)
    if os.geteuid() == 0:
        os.chown(root / "run.sh", 12345, 54321)
        (root / "run.sh").chmod(0o2751)
    before = (root / "run.sh").stat()
    apply(root, edit.plan(root, "run.sh", "a", "b"))
    now = (root / "run.sh").stat()
    assert (stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid) == (0o2751, before.st_uid, before.st_gid)


def test_an_edit_through_a_link_changes_the_target_and_keeps_the_link(root: Path) -> None:
    (root / "real").write_text("a\n")
    (root / "link").symlink_to("real")
    apply(root, edit.plan(root, "link", "a", "b"))
    assert (root / "link").is_symlink()
    assert (root / "real").read_text() == "b\n"


def test_nothing_but_the_file_is_left_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "f").write_text("a\n")
    planned = edit.plan(root, "f", "a", "b")

    def broken(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(ToolFailed, match="No space left"):
        apply(root, planned)
    assert [(p.name, p.read_text()) for p in root.iterdir()] == [("f", "a\n")]


@pytest.mark.parametrize("swap", ["folder", "file"])
def test_a_link_swapped_in_between_yes_and_write_leads_nowhere(root: Path, tmp_path: Path, swap: str) -> None:
    (root / "a").mkdir()
    (root / "a" / "secret.txt").write_text("outside")
    planned = edit.plan(root, "a/secret.txt", "outside", "changed")
    if swap == "folder":
        (root / "a").rename(root / "b")
        (root / "a").symlink_to("..")
    else:
        (root / "a" / "secret.txt").unlink()
        (root / "a" / "secret.txt").symlink_to("../../secret.txt")
    with pytest.raises(OutsideWorkspace):
        apply(root, planned)
    assert (tmp_path / "secret.txt").read_text() == "outside"


def test_a_link_into_the_workspace_or_git_swapped_in_is_not_followed_either(root: Path) -> None:
    (root / "a").write_text("x")
    (root / "other").write_text("x")
    planned = edit.plan(root, "a", "x", "y")
    (root / "a").unlink()
    (root / "a").symlink_to("other")
    with pytest.raises(Stale, match="a now leads to other"):
        apply(root, planned)
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("x")
    (root / "a").unlink()
    (root / "a").symlink_to(".git/config")
    with pytest.raises(DeniedPath):
        apply(root, planned)


def test_swaps_during_writing_never_change_what_is_outside(root: Path, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("outside")
    (root / "real").mkdir()
    (root / "real" / "f").write_text("0")
    (root / "link").symlink_to("..")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for source in ("real", "link"):
                (root / source).rename(root / "a")
                (root / "a").rename(root / source)

    swapper = threading.Thread(target=swap)
    swapper.start()
    written = 0
    try:
        for number in range(1500):
            try:
                now = (root / "real" / "f").read_text()
                planned = edit.plan(root, "a/f", now, str(number + 1))
                written += apply(root, planned) == "written"
            except (ToolFailed, ToolRefused, FileNotFoundError):
                continue
    finally:
        done.set()
        swapper.join()
    assert (tmp_path / "f").read_text() == "outside"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "project", "project-evil", "secret.txt"]
    assert sorted(path.name for path in root.iterdir()) == ["link", "real"]


def test_of_many_writers_at_once_one_wins_and_the_others_are_told(root: Path) -> None:
    (root / "f").write_text("start\n")
    plans = [edit.plan(root, "f", "start", f"writer {n}") for n in range(16)]

    def attempt(planned: change.Change) -> str:
        try:
            return apply(root, planned)
        except Stale:
            return "stale"

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(attempt, plans))
    assert sorted(said) == ["stale"] * 15 + ["written"]
    assert (root / "f").read_bytes() == plans[said.index("written")].after


def test_of_many_creators_at_once_one_wins(root: Path) -> None:
    plans = [write.plan(root, "new/folder/f", f"writer {n}\n") for n in range(16)]

    def attempt(planned: change.Change) -> str:
        try:
            return apply(root, planned)
        except Stale:
            return "stale"

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(attempt, plans)) == ["stale"] * 15 + ["written"]


def test_readers_see_the_old_file_or_the_new_one(root: Path) -> None:
    sizes = (200_000, 300_000)
    (root / "f").write_text("a" * sizes[0])
    done = threading.Event()
    torn: list[bytes] = []

    def look() -> None:
        while not done.is_set():
            data = (root / "f").read_bytes()
            if data not in (b"a" * sizes[0], b"b" * sizes[1]):
                torn.append(data)

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(20):
        now = (root / "f").read_text()
        other = "b" * sizes[1] if now[0] == "a" else "a" * sizes[0]
        apply(root, edit.plan(root, "f", now, other))
    done.set()
    reader.join()
    assert not torn


def test_the_report_names_how_and_shows_the_diff(root: Path) -> None:
    (root / "f.py").write_text("x = (1)\n")
    planned = edit.plan(root, "f.py", "(1)", "(1")
    alone = ChangeSet((planned,))
    said = changeset.report(alone, changeset.apply(root, alone))
    assert said.startswith("Changed f.py (exact, line 1).\nNew problems, unless more edits follow:\n- line 1")
    assert "+x = (1\n" in said
    assert changeset.report(alone, ["already there"]).startswith("f.py already is so.")
    big = write.plan(root, "big", "line\n" * 50_000)
    assert len(changeset.report(ChangeSet((big,)), ["written"])) < 5_000
