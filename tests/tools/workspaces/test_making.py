"""A thread's folder is there whole or not at all, whatever its source is."""

from pathlib import Path

import pytest
from tests.tools.workspaces.test_cloning import MANY, git

from artel.tools.errors import ToolFailed
from artel.tools.git.errors import GitFailed
from artel.tools.git.repository import find
from artel.tools.workspaces.making import Place, Wish, checked_out, copied

WISH = Wish(MANY, "artel/1")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "deep/a").write_text("1\n")
    (folder / ".gitignore").write_text("built\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "threads/owner/one", tmp_path / "snapshots")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_copy_of_a_worktree_is_a_repository_with_what_is_not_committed(
    source: Path, place: Place, tmp_path: Path
) -> None:
    side = tmp_path / "side"
    git(source, "worktree", "add", "-q", "-b", "side", str(side))
    (side / "deep/a").write_text("2\n")
    (side / "built").write_text("ignored\n")
    made = await copied(side, place, WISH)
    assert (made.base_commit, made.bytes) == (git(source, "rev-parse", "main"), 16)
    assert names(place.path) == [".git", ".gitignore", "built", "deep"]
    assert (find(place.path).root, git(place.path, "status", "--porcelain")) == (place.path, "M deep/a")
    assert names(place.path.parent) == ["one"]


async def test_a_folder_of_a_repository_is_copied_without_it(source: Path, place: Place) -> None:
    made = await copied(source / "deep", place, WISH)
    assert (made.base_commit, names(place.path)) == ("", ["a"])


async def test_a_repository_without_a_commit_can_be_copied_but_not_checked_out(
    place: Place, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "unborn")
    (tmp_path / "unborn/a").write_text("1\n")
    with pytest.raises(GitFailed, match="no commit yet"):
        await checked_out(find(tmp_path / "unborn"), place, WISH)
    assert names(place.path.parent) == []
    await copied(tmp_path / "unborn", place, WISH)
    assert names(place.path) == [".git", "a"]


async def test_what_was_made_twice_at_once_is_there_once(source: Path, place: Place) -> None:
    first = await copied(source, place, WISH)
    (place.path / "mine").write_text("worked on\n")
    second = await copied(source, place, WISH)
    assert (first.base_tree, "mine" in names(place.path)) == (second.base_tree, True)
    assert names(place.path.parent) == ["one"]


async def test_where_nothing_can_be_written_nothing_is_made(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = Place(tmp_path / "file/one", tmp_path / "snapshots")
    with pytest.raises(ToolFailed, match="cannot be written"):
        await copied(source, place, WISH)
