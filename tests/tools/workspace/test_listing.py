"""Listings are sorted, short and complete, or say what is missing."""

import os
from pathlib import Path

import pytest

from artel.tools.errors import ToolRefused
from artel.tools.workspace import listing
from artel.tools.workspace.paths import DeniedPath, NoSuchFile, OutsideWorkspace, WrongKind


def test_a_folder_is_listed_with_sizes(root: Path) -> None:
    (root / "src").mkdir()
    (root / "a.txt").write_text("x" * 2048)
    (root / "link").symlink_to("a.txt")
    os.mkfifo(root / "pipe")
    assert listing.ls(root).split("\n") == ["a.txt  2.0 KB", "link  (a link)", "pipe  (not a file)", "src/"]


def test_what_is_ignored_is_only_named(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.log\n")
    for name in ("a.log", "b.txt"):
        (repository / name).touch()
    (repository / "node_modules").mkdir()
    assert listing.ls(repository) == ".gitignore  6 B\nb.txt  0 B\n[ignored: a.log, node_modules/]"


def test_an_ignored_folder_is_listed_when_it_is_named(root: Path) -> None:
    (root / "node_modules" / "pkg").mkdir(parents=True)
    (root / "node_modules" / "pkg" / "index.js").touch()
    assert listing.ls(root, "node_modules") == "pkg/"
    assert listing.glob(root, "*.js", "node_modules") == "node_modules/pkg/index.js"
    assert listing.glob(root, "*.js").startswith("[no file")


def test_recursive_lists_the_files_below(root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "c").touch()
    (root / "d").touch()
    assert listing.ls(root, recursive=True) == "a/b/c\nd"


def test_an_empty_folder_says_so(root: Path) -> None:
    assert listing.ls(root) == "[. is empty]"


def test_long_listings_are_cut_and_say_so(root: Path) -> None:
    for number in range(listing.MAX_ENTRIES + 5):
        (root / f"{number:05}.py").touch()
    assert listing.ls(root).endswith(
        "00999.py  0 B\n[only the first 1000 are shown; use glob, or narrow the pattern or the path]"
    )
    found = listing.glob(root, "*.py").split("\n")
    assert len(found) == listing.MAX_ENTRIES + 1
    assert "only the first 1000 are shown" in found[-1]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("..", OutsideWorkspace),
        (".git", DeniedPath),
        ("none", NoSuchFile),
        ("file", WrongKind),
        ("out", OutsideWorkspace),
    ],
)
def test_only_folders_of_the_workspace_are_listed(root: Path, path: str, error: type[Exception]) -> None:
    (root / "file").touch()
    (root / "out").symlink_to("..")
    with pytest.raises(error):
        listing.ls(root, path)
    with pytest.raises(error):
        listing.glob(root, "*", path)


def test_a_pattern_that_leaves_is_refused(root: Path) -> None:
    with pytest.raises(ToolRefused, match="cannot leave"):
        listing.glob(root, "../*")
