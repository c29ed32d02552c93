"""A change set is made whole, or every file is as it was, whatever fails and wherever it stops."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from artel.graphs.effects import resume
from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.registry import TOOLS
from artel.tools.workspace import changeset, edit, moving, patch, write, writing
from artel.tools.workspace.change import Stale
from artel.tools.workspace.changeset import ChangeSet, NotUndone
from artel.tools.workspace.paths import OutsideWorkspace, TooLarge

PATCH = """*** Begin Patch
*** Update File: a.txt
@@
-one
+ONE
*** Add File: new/deep/b.txt
+new
*** Delete File: c.txt
*** Update File: run.sh
*** Move to: bin/run.sh
@@
-echo 1
+echo 2
*** End Patch
"""
WRITES = ("open", "write", "fchmod", "fsync", "rename", "link", "unlink", "mkdir", "rmdir")


class Killed(BaseException):
    """Ends a process without a word: nothing it does afterwards has an effect."""


@pytest.fixture
def project(root: Path) -> Path:
    (root / "a.txt").write_text("one\ntwo\n")
    (root / "c.txt").write_text("gone\n")
    (root / "run.sh").write_text("echo 1\nexit\n")
    (root / "run.sh").chmod(0o755)
    return root


def files(root: Path) -> dict[str, tuple[bytes, int]]:
    """Return content and mode of all files; folders count with a slash."""
    return {
        str(path.relative_to(root)) + "/" * path.is_dir(): (
            b"" if path.is_dir() else path.read_bytes(),
            0 if path.is_dir() else stat.S_IMODE(path.stat().st_mode),
        )
        for path in root.rglob("*")
    }


@contextmanager
def stopping(monkeypatch: pytest.MonkeyPatch, at: int, *, dead: bool) -> Iterator[list[str]]:
    """Let the call number `at` that writes fail, and if `dead` every later one too; yields their names."""
    called: list[str] = []

    def failing(name: str) -> Any:
        real = getattr(os, name)

        def call(*args: Any, **more: Any) -> Any:
            if name == "open" and not args[1] & os.O_CREAT:
                return real(*args, **more)
            called.append(name)
            if dead and len(called) >= at:
                raise Killed
            if len(called) == at:
                raise OSError(28, "No space left on device")
            return real(*args, **more)

        return call

    fake = {name: getattr(os, name) for name in dir(os) if not name.startswith("__")}
    with monkeypatch.context() as patched:
        patched.setattr(writing, "os", SimpleNamespace(**fake | {name: failing(name) for name in WRITES}))
        yield called


def test_a_set_is_made_whole_and_recognised_afterwards(project: Path) -> None:
    planned = patch.plan(project, PATCH)
    assert changeset.apply(project, planned) == ("written",) * 5
    assert changeset.apply(project, planned) == ("already there",) * 5
    left = {name for name in files(project) if not name.endswith("/")}
    assert left == {"a.txt", "new/deep/b.txt", "bin/run.sh"}
    assert files(project)["bin/run.sh"] == (b"echo 2\nexit\n", 0o755)


def test_every_failure_on_the_way_leaves_the_very_same_files_and_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, planned, at = files(project), patch.plan(project, PATCH), 0
    while True:
        at += 1
        with stopping(monkeypatch, at, dead=False) as called:
            failure = _failure(project, planned)
        if failure:
            assert "No space left" in failure
            assert "nothing was" in failure
            assert files(project) == before
            continue
        if len(called) < at:
            break
        assert called[at - 1] == "unlink"  # what could not be tidied away is by the next writer
        planned = _again(project, before, planned)
    assert at > 20
    assert {"a.txt", "new/deep/b.txt", "bin/run.sh"} <= files(project).keys()


def _failure(root: Path, planned: ChangeSet) -> str:
    try:
        changeset.apply(root, planned)
    except ToolFailed as error:
        return str(error)
    return ""


def _again(root: Path, before: dict[str, tuple[bytes, int]], planned: ChangeSet) -> ChangeSet:
    """Make the files what they were."""
    for name in sorted(files(root), reverse=True):
        (root / name).rmdir() if name.endswith("/") else (root / name).unlink()
    for name, (data, mode) in before.items():
        (root / name).write_bytes(data)
        (root / name).chmod(mode)
    return planned


def test_after_a_kill_at_any_write_the_rest_is_made_and_every_file_is_right_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, args = TOOLS["apply_patch"], {"input": PATCH}
    planned, before = patch.plan(project, PATCH), files(project)
    done, at, halves = False, 0, 0
    while not done:
        at += 1
        with stopping(monkeypatch, at, dead=True), suppress(Killed):
            changeset.apply(project, planned)
            done = True
        half = {name for name, old in before.items() if files(project).get(name) != old}
        rest = resume(tool, args, project, {}, planned.intent, ())
        assert not isinstance(rest, str), rest
        if rest:
            changeset.apply(project, rest)
            halves += 0 < len(half) < len(planned.changes)
        left = {name: found for name, found in files(project).items() if not name.endswith(("/", ".tmp"))}
        assert left.keys() == {"a.txt", "new/deep/b.txt", "bin/run.sh"}
        assert (left["a.txt"][0], left["bin/run.sh"]) == (b"ONE\ntwo\n", (b"echo 2\nexit\n", 0o755))
        _again(project, before, planned)
    assert at > 20
    assert halves > 2


@pytest.mark.parametrize("name", ["a.txt", "new/deep/b.txt", "run.sh"])
def test_after_a_kill_a_file_that_is_neither_old_nor_new_is_named_and_nothing_more_is_made(
    project: Path, name: str
) -> None:
    planned = patch.plan(project, PATCH)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("somebody else's\n")
    before = files(project)
    said = resume(TOOLS["apply_patch"], {"input": PATCH}, project, {}, planned.intent, ())
    assert isinstance(said, str)
    assert "The outcome is unknown" in said
    assert name in said
    assert files(project) == before


def test_the_rest_is_only_made_if_it_comes_out_as_noted(project: Path) -> None:
    planned = patch.plan(project, PATCH)
    noted = [{**file, "after_sha": "0" * 64} if file["path"] == "a.txt" else file for file in planned.intent]
    said = resume(TOOLS["apply_patch"], {"input": PATCH}, project, {}, noted, ())
    assert isinstance(said, str)
    assert "a.txt" in said


def test_one_file_changed_meanwhile_stops_all(project: Path) -> None:
    planned = patch.plan(project, PATCH)
    (project / "c.txt").write_text("precious\n")
    before = files(project)
    with pytest.raises(Stale, match=r"c\.txt was changed by somebody else .* nothing was written"):
        changeset.apply(project, planned)
    assert files(project) == before


def test_a_folder_that_became_a_link_stops_all(project: Path, tmp_path: Path) -> None:
    (project / "src").mkdir()
    (project / "src" / "f").write_text("outside")
    set_ = ChangeSet((edit.plan(project, "a.txt", "one", "1"), edit.plan(project, "src/f", "outside", "in")))
    (project / "src").rename(project / "other")
    (project / "src").symlink_to("..")
    with pytest.raises(OutsideWorkspace):
        changeset.apply(project, set_)
    assert (project / "a.txt").read_text() == "one\ntwo\n"


def test_what_somebody_changes_while_all_is_put_back_is_left_to_them_and_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_ = ChangeSet((edit.plan(project, "a.txt", "one", "1"), edit.plan(project, "c.txt", "gone", "2")))
    real = writing.land

    def land(parent: int, place: Any, staged: str, *, over: bool) -> None:
        if place.name == "c.txt":
            (project / "a.txt").write_text("precious\n")
            raise ToolFailed("c.txt: No space left on device")
        real(parent, place, staged, over=over)

    monkeypatch.setattr(writing, "land", land)
    with pytest.raises(NotUndone, match=r"could not be put back as it was: a\.txt"):
        changeset.apply(project, set_)
    assert (project / "a.txt").read_text() == "precious\n"
    assert (project / "c.txt").read_text() == "gone\n"


def test_a_set_names_each_file_once_and_can_be_reviewed(root: Path) -> None:
    one = write.plan(root, "a", "x\n")
    with pytest.raises(ToolRefused, match="would change twice"):
        ChangeSet((one, write.plan(root, "a", "y\n")))
    with pytest.raises(ToolRefused, match="a cannot be a file and the folder of a/b"):
        ChangeSet((one, write.plan(root, "a/b", "x\n")))
    with pytest.raises(ToolRefused, match="nothing would change"):
        ChangeSet(())
    with pytest.raises(TooLarge, match="at most 50"):
        ChangeSet(tuple(write.plan(root, f"f{number}", "x\n") for number in range(51)))
    with pytest.raises(TooLarge, match="split it"):
        ChangeSet(tuple(write.plan(root, f"f{number}", "line\n" * 20_000) for number in range(6)))


def test_two_sets_over_the_same_folders_in_other_orders_do_not_wait_for_each_other(root: Path) -> None:
    for name in ("p/a", "q/b"):
        (root / name).parent.mkdir()
        (root / name).write_text("0\n")

    def work(names: tuple[str, str]) -> int:
        made = 0
        while made < 20:
            now = int((root / "p/a").read_text())
            try:
                changes = [edit.plan(root, name, str(now), str(now + 1)) for name in names]
                made += changeset.apply(root, ChangeSet(tuple(changes))) == ("written", "written")
            except (ToolFailed, ToolRefused):
                continue
        return made

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, [("p/a", "q/b"), ("q/b", "p/a")])) == 40
    assert (root / "p/a").read_text() == (root / "q/b").read_text() == "40\n"


def test_the_report_tells_of_every_file(project: Path) -> None:
    planned = patch.plan(project, PATCH)
    said = changeset.report(planned, changeset.apply(project, planned))
    for line in (
        "Changed a.txt (exact, line 1).",
        "Created new/deep/b.txt (new file, 1 lines).",
        "Deleted c.txt.",
        "Created bin/run.sh (moved from run.sh; exact, line 1).",
        "Moved run.sh to bin/run.sh.",
        "+ONE",
    ):
        assert line in said


def test_a_move_makes_the_new_file_before_the_old_one_goes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    land, remove = writing.land, writing.remove

    def noting_land(*args: Any, **more: Any) -> None:
        order.append("land")
        land(*args, **more)

    def noting_remove(*args: Any) -> None:
        order.append("remove")
        remove(*args)

    monkeypatch.setattr(writing, "land", noting_land)
    monkeypatch.setattr(writing, "remove", noting_remove)
    changeset.apply(project, ChangeSet(tuple(reversed(moving.move(project, "a.txt", "b.txt")))))
    assert order == ["land", "remove"]
