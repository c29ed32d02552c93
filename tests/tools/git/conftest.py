"""A real repository, a bare one beside it, and the tools as an agent has them."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.tools.conftest import git as run_git

from artel.tools.git.settings import GitSettings
from artel.tools.registry import TOOLS
from artel.tools.tool import Work

Git = Callable[..., str]


@dataclass
class Hands:
    """Calls the git tools of one agent in one folder."""

    work: Work

    async def do(self, tool: str, *, key: str = "", **args: object) -> str:
        one = TOOLS[tool]
        assert one.act is not None
        return (await one.act(replace(self.work, key=key), one.parse(args))).text

    def git(self, *args: str, at: Path | None = None) -> str:
        """Run git as a user would, with nothing configured but who they are."""
        known = (
            "-c",
            "user.name=Ann",
            "-c",
            "user.email=ann@example.org",
            "-c",
            "protocol.file.allow=always",
        )
        ran = run_git(at or self.work.root, *known, *args)
        assert ran.returncode == 0, ran.stderr.decode()
        return os.fsdecode(ran.stdout).rstrip("\n")

    def write(self, path: str, text: str = "x\n") -> Path:
        file = self.work.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def commits(self, branch: str = "HEAD") -> list[str]:
        return self.git("log", "--format=%s", branch).splitlines()


@pytest.fixture
def unborn(root: Path) -> Hands:
    """A repository without a commit."""
    run_git(root, "init", "-q", "-b", "main")
    return Hands(Work(root, "thread", "call", agent="coder", roots=(root.parent,), git=GitSettings()))


@pytest.fixture
def hands(unborn: Hands) -> Hands:
    """A repository with one commit of two files."""
    unborn.write("a.txt", "one\ntwo\nthree\n")
    unborn.write("b.txt", "b\n")
    unborn.git("add", "-A")
    unborn.git("commit", "-qm", "First")
    return unborn


@pytest.fixture
def bare(hands: Hands) -> Path:
    """The remote `origin`: a bare repository beside the workspace, with the first commit."""
    folder = hands.work.root.parent / "remote.git"
    hands.git("clone", "-q", "--bare", str(hands.work.root), str(folder))
    hands.git("remote", "add", "origin", str(folder))
    return folder


@pytest.fixture
def other(hands: Hands, bare: Path) -> Hands:
    """Somebody else's clone of the remote."""
    folder = hands.work.root.parent / "other"
    hands.git("clone", "-q", str(bare), str(folder))
    return Hands(replace(hands.work, root=folder.resolve()))


def trap(folder: Path) -> tuple[Path, Path]:
    """Return a program and the file that betrays that it was run."""
    program, sprung = folder / "trap.sh", folder / "sprung"
    program.write_text(f"#!/bin/sh\ntouch '{sprung}'\ncat\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, sprung
