"""What an agent left behind goes, all of it and nothing else."""

import os
from pathlib import Path

from artel.tools.workspaces.removing import GONE, remove, take_away


def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("mine")
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    (folder / "in/out").symlink_to(tmp_path / "mine")
    (folder / "file").symlink_to(tmp_path / "mine/file")
    (folder / "closed").mkdir(mode=0)
    os.mkfifo(folder / "pipe")
    remove(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    remove(tmp_path / "link")
    assert (tmp_path / "mine/file").read_text() == "mine"


def test_no_folder_is_too_deep(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    at = os.open(folder, os.O_RDONLY)
    for _ in range(3_000):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    remove(folder)
    assert not folder.exists()


def test_a_folder_that_is_taken_away_is_not_in_its_place_any_more(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    gone = take_away(folder)
    assert gone
    assert (folder.exists(), gone.is_dir(), gone.name.startswith(GONE)) == (False, True, True)
    assert take_away(folder) is None
