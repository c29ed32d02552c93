"""A snapshot holds every file that is not ignored, as it is, and nothing of the user's is touched by it."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from tests.tools.snapshots.conftest import Write

from artel.tools.snapshots import index, repository, taking, trees
from artel.tools.snapshots.grafting import graft
from artel.tools.snapshots.repository import Repository, SnapshotFailed, SnapshotGone, repository_of
from artel.tools.snapshots.restoring import restore
from artel.tools.snapshots.taking import TooManyFiles, take
from artel.tools.workspace.paths import MARKER
from artel.tools.workspace.read import MAX_FILE_BYTES


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def files_of(kept: Repository, tree: str) -> set[str]:
    listed = kept.git("ls-tree", "-r", "-z", "--name-only", f"{tree}:files").decode("latin-1")
    return set(filter(None, listed.split("\0")))


def digest(folder: Path) -> str:
    """Return a digest of every file below a folder, with its times."""
    seen = sorted(
        (str(path), path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
        if not path.is_dir()
    )
    return sha256(repr(seen).encode()).hexdigest()


def test_first_snapshots_of_a_folder_at_the_same_time_are_one(
    root: Path, tmp_path: Path, write: Write
) -> None:
    write(a="1")
    for attempt in range(5):
        home, together = tmp_path / f"home{attempt}", Barrier(4)

        def first(home: Path = home, together: Barrier = together) -> str:
            together.wait()
            return take(repository_of(home, root))

        with ThreadPoolExecutor(4) as pool:
            taken = [pool.submit(first) for _ in range(4)]
        assert len({one.result() for one in taken}) == 1
        assert len([path for path in home.iterdir() if path.is_dir()]) == 1


def test_nothing_changed_gives_the_same_tree_and_a_change_another(kept: Repository, write: Write) -> None:
    write(a="1", d__b="2")
    first = take(kept)
    assert take(kept) == first
    write(a="3")
    second = take(kept)
    assert second != first
    assert [(one.path, one.kind) for one in trees.changed(kept, first, second)] == [("a", "changed")]
    write(a="1")
    assert take(kept) == first


def test_a_change_of_the_same_size_in_the_same_moment_is_seen(kept: Repository, root: Path) -> None:
    for number in range(20):
        (root / "a").write_text(f"{number % 10}")
        tree = take(kept)
        assert next(iter(kept.read([f"{tree}:files/a"]))) == f"{number % 10}".encode()


def test_an_old_file_is_not_read_again(
    kept: Repository, root: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(a="1", b="2")
    monkeypatch.setattr(index, "RACY_NS", 0)
    time.sleep(0.05)
    tree = take(kept)
    monkeypatch.setattr(taking._Taking, "_content", lambda *_: pytest.fail("it was read"))
    assert take(kept) == tree
    index._remembered.clear()
    assert take(kept) == tree
    (root / "c").write_text("new")
    with pytest.raises(pytest.fail.Exception):
        take(kept)


def test_what_git_ignores_and_what_is_git_s_own_stays_out(kept: Repository, root: Path, write: Write) -> None:
    git(root, "init", "-q")
    write(a="1", secret__key="k", src__x="2", src__y="3", node_modules__m="4", inner__z="5")
    (root / ".gitignore").write_text("secret/\n")
    (root / "src/.gitignore").write_text("y\n")
    git(root / "inner", "init", "-q")
    assert files_of(kept, take(kept)) == {".gitignore", "a", "inner/z", "src/.gitignore", "src/x"}
    (root / "src/.gitignore").write_text("x\n")
    assert files_of(kept, take(kept)) == {".gitignore", "a", "inner/z", "src/.gitignore", "src/y"}


def test_artel_s_own_folder_stays_out(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", data__b="2")
    (root / "data" / MARKER).touch()
    assert files_of(kept, take(kept)) == {"a"}
    inside = repository_of(root / "snapshots", root)
    first = take(inside)
    assert (files_of(inside, first), take(inside)) == ({"a"}, first)


def test_the_user_s_own_git_is_not_touched(kept: Repository, root: Path, write: Write) -> None:
    git(root, "init", "-q")
    write(a="1", b="2")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    write(a="stashed")
    git(root, "stash")
    write(a="staged", untracked="u")
    git(root, "add", "a")
    write(a="edited", b="2b")
    told = git(root, "status", "--porcelain")
    before = digest(root / ".git")

    tree = take(kept)
    write(a="x", b=None, new="n")
    restore(kept, tree)

    assert digest(root / ".git") == before
    assert git(root, "status", "--porcelain") == told
    assert git(root, "stash", "list").count("stash@") == 1


def test_attributes_and_filters_change_no_byte(
    kept: Repository, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / ".gitattributes").write_text("* text eol=lf\n*.bin filter=lfs\n*.id ident\n")
    (root / "crlf").write_bytes(b"a\r\nb\r\n")
    (root / "x.bin").write_bytes(bytes(range(256)))
    (root / "x.id").write_bytes(b"$Id$")
    monkeypatch.setenv("GIT_DIR", str(root / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(root / "nowhere"))
    tree = take(kept)
    for name in ("crlf", "x.bin", "x.id"):
        (root / name).write_bytes(b"gone")
    restore(kept, tree)
    assert (root / "crlf").read_bytes() == b"a\r\nb\r\n"
    assert (root / "x.bin").read_bytes() == bytes(range(256))
    assert (root / "x.id").read_bytes() == b"$Id$"


def test_pipes_and_large_files_are_noted_and_not_read(kept: Repository, root: Path, write: Write) -> None:
    write(a="1")
    os.mkfifo(root / "pipe")
    with (root / "large").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with (root / "limit").open("wb") as file:
        file.truncate(MAX_FILE_BYTES)
    tree = take(kept)
    assert files_of(kept, tree) == {"a", "limit"}
    assert trees.about_of(kept, tree)[0].unkept == {"large", "pipe"}


def test_links_are_kept_as_links(kept: Repository, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (root / "out").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    tree = take(kept)
    assert files_of(kept, tree) == {"out", "file"}
    assert next(iter(kept.read([f"{tree}:files/file"]))) == bytes(outside / "secret")


def test_many_files_go_into_a_pack(kept: Repository, root: Path) -> None:
    for number in range(repository.FEW + 50):
        (root / f"f{number}").write_text(f"{number}")
    tree = take(kept)
    assert len(list((kept.git_dir / "objects/pack").glob("*.pack"))) == 1
    assert len(files_of(kept, tree)) == repository.FEW + 50
    kept.git("fsck", "--strict", tree)


def test_a_workspace_that_is_too_large_is_refused_and_not_looked_through_each_time(
    kept: Repository, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MAX_FILES", 5)
    for number in range(6):
        (root / f"{number}").touch()
    with pytest.raises(TooManyFiles, match="more than 5 files"):
        take(kept)
    for number in range(6):
        (root / f"{number}").unlink()
    with pytest.raises(TooManyFiles):
        take(kept)
    monkeypatch.setattr(taking, "_refused", {})
    take(kept)


def test_without_git_it_is_said_what_to_do(
    kept: Repository, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.find_git.cache_clear()
    monkeypatch.setattr("shutil.which", lambda _: None)
    write(a="1")
    try:
        with pytest.raises(SnapshotFailed, match="install git"):
            take(kept)
    finally:
        repository.find_git.cache_clear()


def test_a_broken_index_is_made_anew(kept: Repository, write: Write) -> None:
    write(a="1", d__b="2")
    tree = take(kept)
    for broken in (b"", b"{", b'{"version": 9}', b'{"version": 1, "tree": 3}', b"[]"):
        kept.index.write_bytes(broken)
        assert take(kept) == tree


def test_a_broken_object_is_said_and_not_given_back(kept: Repository, root: Path, write: Write) -> None:
    write(a="1")
    tree = take(kept)
    blob = repository.name_of("blob", b"1")
    path = kept.git_dir / "objects" / blob[:2] / blob[2:]
    path.write_bytes(b"")
    write(a="2")
    with pytest.raises(SnapshotFailed):
        restore(kept, tree)
    assert (root / "a").read_text() == "2"


def test_a_tree_that_is_not_here_is_gone(kept: Repository, write: Write) -> None:
    write(a="1")
    tree = take(kept)
    for other in ("0" * 40, "../../HEAD", ""):
        with pytest.raises(SnapshotGone):
            trees.changed(kept, tree, other)


@pytest.mark.parametrize("path", ["a", "d/b", "d/e/new", "gone", "link"])
def test_a_graft_is_what_a_whole_look_would_find(
    kept: Repository, root: Path, write: Write, path: str
) -> None:
    write(a="1", d__b="2", gone="3", f__g="4")
    (root / "empty").mkdir()
    before = take(kept)
    if path == "gone":
        (root / path).unlink()
    elif path == "link":
        (root / path).symlink_to("a")
    else:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("new")
        (root / path).chmod(0o600)
    assert graft(kept, before, [path]) == take(kept)


def test_a_graft_takes_nothing_else_along(kept: Repository, write: Write) -> None:
    write(a="1", b="1")
    before = take(kept)
    write(a="2", b="2", c="2")
    after = graft(kept, before, ["a"])
    assert [one.path for one in trees.changed(kept, before, after)] == ["a"]


def test_ignored_files_are_not_grafted(kept: Repository, write: Write) -> None:
    write(a="1", build__x="1")
    before = take(kept)
    write(build__x="2")
    assert graft(kept, before, ["build/x", ".git/config", "../out"]) == before


CODE = """
import sys
from pathlib import Path
from artel.tools.snapshots.repository import repository_of
from artel.tools.snapshots.taking import take
home, root, mine = map(Path, sys.argv[1:])
kept = repository_of(home, root)
for number in range(10):
    mine.write_text(f"{number}")
    take(kept)
"""


def test_processes_that_take_at_once_agree_in_the_end(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", d__b="2")
    working = [
        subprocess.Popen([sys.executable, "-c", CODE, kept.git_dir.parent, root, root / name])
        for name in ("one", "two")
    ]
    assert [process.wait(60) for process in working] == [0, 0]
    tree = take(kept)
    kept.index.unlink()
    assert take(kept) == tree
    assert files_of(kept, tree) == {"a", "d/b", "one", "two"}
    kept.git("fsck", "--strict", tree)


def test_what_a_snapshot_keeps_is_on_the_disk_before_it_is_said_to_be_kept(
    kept: Repository, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object that a power cut left without content is taken by its name, by every later tree as well."""
    take(kept)
    events: list[tuple[str, int]] = []
    fsync, rename = os.fsync, Path.rename

    def syncing(handle: int) -> None:
        events.append(("synced", os.fstat(handle).st_ino))
        fsync(handle)

    def renaming(self: Path, target: Path) -> Path:
        events.append(("named", self.stat().st_ino))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "rename", renaming)
    write(a="1", d__b="2", d__e__c="3")
    tree = take(kept)
    ref = kept.ref(tree)
    objects = [path for path in kept.git_dir.glob("objects/??/*") if ("named", path.stat().st_ino) in events]
    assert len(objects) > 5
    for path in (*objects, ref):
        inode = path.stat().st_ino
        assert events.index(("synced", inode)) < events.index(("named", inode)), path
        assert events.index(("named", inode)) <= events.index(("named", ref.stat().st_ino)), path
    assert events.index(("synced", ref.parent.stat().st_ino)) > events.index(("named", ref.stat().st_ino))
    events.clear()
    assert take(kept) == tree
    assert [what for what, _ in events if what == "synced"] == []
