"""`git apply` makes of the first files exactly the last ones; and of a thread's steps, only what they did."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from tests.tools.snapshots.conftest import Node, Tree, Write, lay, seen
from tests.tools.snapshots.test_restoring import TREES

from artel.tools.snapshots.repository import Repository, repository_of
from artel.tools.snapshots.results import SECRET, UNKEPT, result_of, result_since
from artel.tools.snapshots.taking import take
from artel.tools.snapshots.undoing import Step
from artel.tools.workspace.read import MAX_FILE_BYTES

GIT_KNOWS = {0o644, 0o755}


def applied(patch: Path, folder: Path) -> None:
    if patch.stat().st_size:
        command = ["git", "-c", "core.fileMode=true", "apply", "--whitespace=nowarn", str(patch)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def plain(tree: Tree) -> Tree:
    """Return a tree as git knows one: its permissions only, and no folder in which there is nothing."""
    known = {
        name: plain(node)
        if isinstance(node, dict)
        else Node(node.content, 0o755 if node.mode & 0o100 else 0o644, link=node.link)
        for name, node in tree.items()
    }
    return {name: node for name, node in known.items() if node != {}}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=TREES, second=TREES)
def test_the_patch_makes_any_tree_of_any_other(first: Tree, second: Tree) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "work"
        root.mkdir()
        kept = repository_of(root.parent / "snapshots", root)
        lay(root, plain(first))
        base = take(kept)
        shutil.copytree(root, root.parent / "base", symlinks=True)
        shutil.rmtree(root)
        root.mkdir()
        lay(root, plain(second))
        result_since(kept, base, take(kept)).patch(root.parent / "patch")
        applied(root.parent / "patch", root.parent / "base")
        assert seen(root.parent / "base") == seen(root)


def test_a_move_is_a_rename_and_binary_files_come_along(root: Path, kept: Repository, tmp_path: Path) -> None:
    (root / "old").write_text("line\n" * 50)
    (root / "bin").write_bytes(bytes(range(256)))
    base = take(kept)
    (root / "old").rename(root / "new")
    (root / "bin").write_bytes(bytes(range(255, -1, -1)))
    result_since(kept, base, take(kept)).patch(tmp_path / "patch")
    said = (tmp_path / "patch").read_text()
    assert ("rename from old\nrename to new\n" in said, "GIT binary patch" in said) == (True, True)


def test_only_what_the_steps_did_is_their_result(root: Path, kept: Repository, write: Write) -> None:
    write(a="1", b="b")
    one = take(kept)
    write(a="2")
    two = take(kept)
    write(b="others")
    three = take(kept)
    write(a="3", c="c")
    four = take(kept)
    write(c=None)
    steps = [Step(one, two), Step(three, four), Step(four, None), Step(four, take(kept))]
    found = result_of(kept, steps)
    assert list(found.changed) == ["a"]
    assert [content for _, _, content in found.contents(found.files(everything=False))] == [b"3"]
    assert set(found.files(everything=True)) == {"a", "b"}


def test_secrets_and_what_is_not_kept_are_named_and_left_out(
    root: Path, kept: Repository, write: Write
) -> None:
    base = take(kept)
    write(a="1", **{".env": "KEY=1", "keys__id_rsa": "2"})
    (root / "large").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    found = result_since(kept, base, take(kept))
    assert list(found.files(everything=True)) == list(found.changed) == ["a"]
    assert found.left_out == {".env": SECRET, "keys/id_rsa": SECRET, "large": UNKEPT}
