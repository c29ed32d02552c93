"""A workspace with a neighbour that nobody may touch."""

import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty workspace; beside it lies `secret.txt` and a folder whose name begins alike."""
    (tmp_path / "secret.txt").write_text("outside")
    (tmp_path / "project-evil").mkdir()
    (tmp_path / "project-evil" / "secret.txt").write_text("outside")
    folder = tmp_path / "project"
    folder.mkdir()
    return folder.resolve()


@pytest.fixture
def repository(root: Path) -> Path:
    """The workspace as an empty git repository that knows no other configuration."""
    git(root, "init", "-q")
    return root


def git(folder: Path, *args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git as if nobody had configured it."""
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *args], cwd=folder, env=clean, input=stdin, capture_output=True, check=False
    )


def patch(folder: Path, diff: str) -> subprocess.CompletedProcess[bytes]:
    """Apply a diff with patch(1), which may neither guess nor keep what it replaces."""
    command = ["patch", "-p1", "--binary", "--batch", "--fuzz=0", "--no-backup-if-mismatch"]
    return subprocess.run(command, cwd=folder, input=diff.encode(), capture_output=True, check=False)
