"""A workspace and the private repository that keeps its files."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from artel.tools.snapshots.repository import Repository, repository_of

Seen: TypeAlias = dict[str, tuple[str, bytes, int]]


@dataclass(frozen=True, slots=True)
class Node:
    """A file, or a link to `content`."""

    content: bytes
    mode: int = 0o644
    link: bool = False


Tree: TypeAlias = "dict[str, Node | Tree]"


def lay(folder: Path, tree: Tree) -> None:
    """Make the files of a tree; the folder is there."""
    for name, node in tree.items():
        path = folder / name
        if isinstance(node, dict):
            path.mkdir()
            lay(path, node)
        elif node.link:
            path.symlink_to(os.fsdecode(node.content))
        else:
            path.write_bytes(node.content)
            path.chmod(node.mode)


def seen(folder: Path) -> Seen:
    """Return every file and link below a folder: kind, content, permissions."""
    found: Seen = {}
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(above) / name
            info = path.lstat()
            if stat.S_ISLNK(info.st_mode):
                found[str(path.relative_to(folder))] = ("link", os.fsencode(path.readlink()), 0o777)
            elif stat.S_ISREG(info.st_mode):
                found[str(path.relative_to(folder))] = ("file", path.read_bytes(), info.st_mode & 0o777)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(root: Path, tmp_path: Path) -> Repository:
    return repository_of(tmp_path.resolve() / "snapshots", root)


Write: TypeAlias = Callable[..., None]


@pytest.fixture
def write(root: Path) -> Write:
    """Write files by their paths; None removes one."""

    def writing(**files: str | None) -> None:
        for name, content in files.items():
            path = root / name.replace("__", "/")
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)

    return writing
