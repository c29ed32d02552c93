"""A repository of a thread's own holds what its source does, and none of what could run or lead elsewhere."""

import os
import subprocess
from pathlib import Path

import pytest

from artel.tools.git.errors import BadName, UnsafeRepository
from artel.tools.git.repository import find
from artel.tools.workspace.paths import TooLarge
from artel.tools.workspaces.cloning import clone

GIT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
MANY = 1 << 30


def git(folder: Path, *args: str) -> str:
    named = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main")
    ran = subprocess.run(
        ["git", *named, *args], cwd=folder, env=GIT, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a").write_text("1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "tag", "v1")
    git(folder, "branch", "other")
    (folder / "a").write_text("2\n")
    git(folder, "commit", "-qam", "two")
    git(folder, "remote", "add", "origin", "git@git.example:shop.git")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


async def test_a_clone_has_all_branches_and_its_own(source: Path, target: Path) -> None:
    git(source, "gc", "-q")
    (source / ".git/hooks/post-checkout").write_text("#!/bin/sh\ntouch ran\n")
    (source / ".git/hooks/post-checkout").chmod(0o755)
    made = await clone(find(source), target, branch="artel/1", max_bytes=MANY)
    commit = made.commit
    assert (made.bytes, git(source, "rev-parse", "main")) == (2, commit)
    assert commit == git(source, "rev-parse", "main") == git(target, "rev-parse", "artel/1")
    assert git(target, "for-each-ref", "--format=%(refname)").split() == [
        *("refs/heads/artel/1", "refs/heads/main", "refs/heads/other", "refs/tags/v1"),
    ]
    assert (git(target, "status", "--porcelain"), (target / "a").read_text()) == ("", "2\n")
    assert git(target, "remote", "get-url", "origin") == "git@git.example:shop.git"
    assert names(target) == [".git", "a"]
    assert find(target).root == target
    (target / "a").write_text("3\n")
    git(target, "commit", "-qam", "three")
    git(target, "gc", "-q", "--prune=now")
    assert git(source, "fsck", "--strict") == git(target, "fsck", "--strict") == ""
    assert git(source, "rev-parse", "main") == commit


async def test_a_worktree_of_somebody_s_can_be_the_source(source: Path, target: Path, tmp_path: Path) -> None:
    git(source, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"), "v1")
    commit = (await clone(find(tmp_path / "side"), target, branch="artel/1", max_bytes=MANY)).commit
    assert (commit, (target / "a").read_text()) == (git(source, "rev-parse", "v1"), "1\n")
    assert (target / ".git").is_dir()


async def test_another_commit_is_checked_out_when_it_is_named(source: Path, target: Path) -> None:
    with pytest.raises(BadName, match="nowhere"):
        await clone(find(source), target, branch="artel/1", ref="nowhere", max_bytes=MANY)
    await clone(find(source), target, branch="artel/1", ref="v1", max_bytes=MANY)
    assert (target / "a").read_text() == "1\n"


async def test_files_over_the_limit_are_not_checked_out(source: Path, target: Path) -> None:
    with pytest.raises(TooLarge, match="max_mb"):
        await clone(find(source), target, branch="artel/1", max_bytes=1)
    assert names(target) == [".git"]


async def test_a_repository_that_would_run_programs_is_refused(source: Path, target: Path) -> None:
    git(source, "config", "filter.x.smudge", "touch ran")
    with pytest.raises(UnsafeRepository, match=r"filter\.x\.smudge"):
        find(source)
    git(source, "config", "--unset", "filter.x.smudge")
    (source / ".git/objects/info/alternates").write_text("/elsewhere\n")
    with pytest.raises(UnsafeRepository, match="alternates"):
        find(source)
