"""What is given back is exactly what was taken; what is not ours is left alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.tools.snapshots.conftest import Node, Tree, Write, lay, seen

from artel.tools.snapshots import disk, trees
from artel.tools.snapshots.repository import Repository, repository_of
from artel.tools.snapshots.restoring import Report, put_back, restore
from artel.tools.snapshots.taking import look, take
from artel.tools.snapshots.undoing import Step, reverts_of, reverts_to
from artel.tools.workspace.paths import DeniedPath, Place
from artel.tools.workspace.read import MAX_FILE_BYTES

# Any bytes that a name may have, framed so that no rule of what is ignored by default speaks about them.
NAMES = st.one_of(
    st.binary(max_size=6), st.text(max_size=4).map(lambda text: text.encode("utf-8", "replace"))
).map(lambda raw: os.fsdecode(b"n" + raw.replace(b"/", b"").replace(b"\0", b"") + b"_"))
CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"a\r\nb\r\n", b"\xef\xbb\xbftext", b"no end", b"\0\1\2"]),
)
MODES = st.one_of(
    st.sampled_from([0o644, 0o755, 0o600, 0o444]), st.integers(0, 0o777).map(lambda m: m | 0o400)
)
FILES = st.builds(Node, CONTENTS, MODES)
LINKS = st.builds(
    lambda target: Node(target.replace(b"\0", b"") or b"nowhere", link=True), st.binary(max_size=9)
)
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(NAMES, st.one_of(FILES, LINKS), max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(FILES, LINKS, inner), max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=TREES, second=TREES)
@example(first={"n_": Node(b"nowhere", link=True)}, second={"n_": {"n_": {}}})
@example(first={"n_": Node(b"x")}, second={"n_": {"n_": {"n_": {}}, "x_": {}}})
def test_any_tree_comes_back_from_any_other(first: Tree, second: Tree) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "work"
        root.mkdir()
        kept = repository_of(root.parent / "snapshots", root)
        lay(root, first)
        wanted, tree = seen(root), take(kept)
        assert len(trees.differences(kept, _empty(kept, root), tree)) == len(wanted)
        lay(root, second)
        later = seen(root)

        report = restore(kept, tree)
        assert seen(root) == wanted
        assert report.conflicts == ()
        assert restore(kept, report.before).conflicts == ()
        assert seen(root) == later


def _empty(kept: Repository, root: Path) -> str:
    """Remove everything below a folder, and return the tree of nothing."""
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return take(kept)


def undo(kept: Repository, *steps: tuple[str, str], force: bool = False) -> Report:
    found = [Step(*step) for step in steps]
    return put_back(kept, reverts_of(kept, found, take(kept)), steps[0][0], force=force)


def changed(report: Report) -> dict[str, str]:
    return {one.path: one.kind for one in report.changed}


def left(report: Report) -> list[str]:
    return [one.path for one in report.conflicts]


def test_only_the_files_of_the_step_go_back(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", b="1")
    before = take(kept)
    write(a="2", new="2")
    after = take(kept)
    write(b="mine", other="mine")
    report = undo(kept, (before, after))
    assert changed(report) == {"a": "changed", "new": "deleted"}
    assert {name: content for name, (_, content, _) in seen(root).items()} == {
        "a": b"1",
        "b": b"mine",
        "other": b"mine",
    }
    undo(kept, (report.before, report.after))
    assert (root / "a").read_text() == "2"
    assert (root / "new").read_text() == "2"


def test_what_somebody_else_changed_since_is_named_and_left_unless_forced(
    kept: Repository, root: Path, write: Write
) -> None:
    write(a="1", b="1", c="1")
    before = take(kept)
    write(a="2", b="2", c=None, d="2")
    after = take(kept)
    write(a="mine", c="mine", d="mine")
    report = undo(kept, (before, after))
    assert (changed(report), left(report)) == ({"b": "changed"}, ["a", "c", "d"])
    assert "somebody else" in report.conflicts[0].reason
    assert (root / "a").read_text() == "mine"
    forced = undo(kept, (before, after), force=True)
    assert changed(forced) == {"a": "changed", "c": "changed", "d": "deleted"}
    undo(kept, (forced.before, forced.after))
    assert (root / "d").read_text() == "mine"


def test_steps_are_undone_together_unless_somebody_else_came_between(
    kept: Repository, root: Path, write: Write
) -> None:
    write(a="1", b="1")
    one = take(kept)
    write(a="2", b="2")
    two = take(kept)
    write(b="mine")
    three = take(kept)
    write(a="3", b="3")
    four = take(kept)
    report = undo(kept, (one, two), (three, four))
    assert (changed(report), left(report)) == ({"a": "changed"}, ["b"])
    assert "between" in report.conflicts[0].reason
    assert (root / "a").read_text() == "1"


def test_a_step_that_was_broken_off_is_undone_only_by_force(
    kept: Repository, root: Path, write: Write
) -> None:
    write(a="1")
    before = take(kept)
    write(a="2")
    reverts = reverts_of(kept, [Step(before, None)], take(kept))
    assert left(put_back(kept, reverts, before)) == ["a"]
    assert changed(put_back(kept, reverts, before, force=True)) == {"a": "changed"}


def test_back_to_a_tree_goes_what_the_steps_since_made(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", b="1")
    tree = take(kept)
    write(a="2")
    later = take(kept)
    write(b="mine", c="mine")
    reverts = reverts_to(kept, tree, [Step(tree, later)], take(kept))
    report = put_back(kept, reverts, tree)
    assert (changed(report), left(report)) == ({"a": "changed"}, ["b", "c"])


def test_ignored_files_are_never_touched(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", node_modules__m="1")
    (root / ".gitignore").write_text("*.env\n")
    before = take(kept)
    write(a="2", node_modules__m="2")
    (root / "x.env").write_text("key")
    after = take(kept)
    undo(kept, (before, after), force=True)
    assert (root / "node_modules/m").read_text() == "2"
    assert (root / "x.env").read_text() == "key"


def test_a_file_that_was_ignored_before_the_step_is_not_removed_by_its_undo(
    kept: Repository, root: Path, write: Write
) -> None:
    (root / ".gitignore").write_text("*.env\n")
    write(a="1")
    (root / "x.env").write_text("key")
    before = take(kept)
    (root / ".gitignore").write_text("")
    after = take(kept)
    report = undo(kept, (before, after))
    assert (root / "x.env").read_text() == "key"
    assert (left(report), (root / ".gitignore").read_text()) == (["x.env"], "*.env\n")


@pytest.mark.parametrize("force", [False, True])
def test_files_too_large_to_be_kept_are_never_touched(
    kept: Repository, root: Path, write: Write, force: bool
) -> None:
    write(small="1")
    (root / "large").write_bytes(b"\0" * (MAX_FILE_BYTES + 1))
    before = take(kept)
    (root / "small").write_bytes(b"\1" * (MAX_FILE_BYTES + 1))
    (root / "large").write_bytes(b"2")
    after = take(kept)
    report = undo(kept, (before, after), force=force)
    assert sorted(left(report)) == ["large", "small"]
    assert (root / "large").read_bytes() == b"2"
    assert (root / "small").stat().st_size == MAX_FILE_BYTES + 1


def test_folders_and_files_change_places(kept: Repository, root: Path, write: Write) -> None:
    write(a__x="1", a__y="1", b="1")
    before = take(kept)
    shutil.rmtree(root / "a")
    (root / "b").unlink()
    write(a="now a file", b__z="now a folder")
    after = take(kept)
    report = undo(kept, (before, after))
    assert (report.conflicts, {*seen(root)}) == ((), {"a/x", "a/y", "b"})
    undo(kept, (report.before, report.after))
    assert {*seen(root)} == {"a", "b/z"}


def test_a_folder_with_something_of_others_in_it_does_not_make_way(
    kept: Repository, root: Path, write: Write
) -> None:
    write(b="1")
    before = take(kept)
    (root / "b").unlink()
    write(b__z="2", b__build__o="ignored")
    after = take(kept)
    report = undo(kept, (before, after))
    assert left(report) == ["b"]
    assert (root / "b/build/o").read_text() == "ignored"
    assert not (root / "b/z").exists()


def test_empty_folders_go_only_if_they_came_with_the_step(kept: Repository, root: Path, write: Write) -> None:
    (root / "was/here").mkdir(parents=True)
    before = take(kept)
    write(was__here__a="2", new__deep__b="2")
    after = take(kept)
    undo(kept, (before, after))
    assert (root / "was/here").is_dir()
    assert not (root / "new").exists()


def test_a_folder_that_became_a_link_leads_nowhere(
    kept: Repository, root: Path, tmp_path: Path, write: Write
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("2")
    write(d__x="1", d__gone="1")
    before = take(kept)
    write(d__x="2", d__gone=None, d__new="2")
    after = take(kept)
    reverts, now = reverts_of(kept, [Step(before, after)], after), look(kept)
    shutil.rmtree(root / "d")
    (root / "d").symlink_to(outside)
    report = put_back(kept, reverts, before, force=True, now=now)
    assert (changed(report), sorted(left(report))) == ({}, ["d/gone", "d/new", "d/x"])
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"x": "2"}


def test_a_file_that_became_a_link_is_not_followed(
    kept: Repository, root: Path, tmp_path: Path, write: Write
) -> None:
    (tmp_path / "outside").write_text("2")
    write(a="1")
    before = take(kept)
    write(a="2")
    after = take(kept)
    reverts, now = reverts_of(kept, [Step(before, after)], after), look(kept)
    (root / "a").unlink()
    (root / "a").symlink_to(tmp_path / "outside")
    assert left(put_back(kept, reverts, before, force=True, now=now)) == ["a"]
    assert (tmp_path / "outside").read_text() == "2"
    assert changed(undo(kept, (before, after), force=True)) == {"a": "changed"}
    assert (root / "a").read_text() == "1"
    assert not (root / "a").is_symlink()


def test_a_file_that_changes_in_the_last_moment_is_left(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", b="1")
    before = take(kept)
    write(a="2", b=None, c="2")
    after = take(kept)
    reverts, now = reverts_of(kept, [Step(before, after)], after), look(kept)
    write(a="mine", b="mine", c="mine")
    report = put_back(kept, reverts, before, now=now)
    assert sorted(left(report)) == ["a", "b", "c"]
    assert {content for _, content, _ in seen(root).values()} == {b"mine"}


def test_only_permissions_differ(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", b="1", c="1")
    before = take(kept)
    (root / "a").chmod(0o600)
    (root / "b").chmod(0o755)
    after = take(kept)
    assert [(one.path, one.kind) for one in trees.changed(kept, before, after)] == [
        ("a", "mode"),
        ("b", "mode"),
    ]
    undo(kept, (before, after))
    assert {mode for _, _, mode in seen(root).values()} == {0o644}


def test_only_the_paths_that_were_asked_for_go_back(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", b="1")
    tree = take(kept)
    write(a="2", b="2")
    assert changed(restore(kept, tree, {"a"})) == {"a": "changed"}
    assert (root / "b").read_text() == "2"


@pytest.mark.parametrize("path", ["../out", "a/../../out", ".git/config", "/etc/passwd", "a//b", "."])
def test_a_tree_with_odd_paths_writes_nowhere(kept: Repository, root: Path, path: str) -> None:
    with pytest.raises(DeniedPath):
        disk.place_of(Place(root, ()), path)


KILLED = """
import os, sys
from pathlib import Path
from artel.tools.snapshots import disk
from artel.tools.snapshots.repository import repository_of
from artel.tools.snapshots.restoring import restore
left, fill = int(sys.argv[4]), disk._fill
def dying(*args):
    global left
    fill(*args)
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)
kept = repository_of(Path(sys.argv[1]), Path(sys.argv[2]))
disk._fill = dying
restore(kept, sys.argv[3])
"""


@pytest.mark.parametrize("after", [0, 2, 5])
def test_a_restore_that_was_killed_is_done_by_doing_it_again(
    kept: Repository, root: Path, write: Write, after: int
) -> None:
    names = [f"f{number}" for number in range(8)]
    write(**dict.fromkeys(names, "1"))
    tree = take(kept)
    write(**dict.fromkeys(names, "2"))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, kept.git_dir.parent, root, tree, str(after)], check=False
    )
    assert killed.returncode == -9
    assert {content for _, content, _ in seen(root).values()} <= {b"1", b"2"}
    restore(kept, tree)
    assert seen(root) == dict.fromkeys(names, ("file", b"1", 420))
