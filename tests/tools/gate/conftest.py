"""A project under a gate: a repository with a base commit, and a change to be judged."""

import json
import stat
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.tools.conftest import git as run_git

from artel.tools.gate.report import CheckResult, Report
from artel.tools.gate.running import run
from artel.tools.git.settings import GitSettings
from artel.tools.registry import TOOLS
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.tool import Work

BUILT_IN = 'checks = ["syntax", "secrets", "calls", "imports", "silencing"]\n'
USER = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


@dataclass
class Project:
    """A repository as a user has it, and the gate as agents meet it."""

    root: Path
    work: Work

    def write(self, path: str, text: str | bytes = "x = 1\n") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def program(self, path: str, script: str) -> Path:
        """Put a program into the project."""
        file = self.write(path, script)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file

    def git(self, *args: str, at: Path | None = None) -> str:
        ran = run_git(at or self.root, *USER, "-c", "protocol.file.allow=always", *args)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout.decode(errors="replace").strip()

    def commit(self, message: str = "Base") -> None:
        self.git("add", "-A", "-f")
        self.git("commit", "-qm", message, "--allow-empty")

    def configure(self, text: str) -> None:
        """Commit a configuration of the gate, as a person does."""
        self.write(".artel/gate.toml", text)
        self.commit("Gate")

    async def judge(self, base: str = "HEAD", paths: Sequence[str] | None = None) -> Report:
        return await run(self.work, base=base, paths=paths)

    async def do(self, tool: str, **args: object) -> str:
        """Call a tool as an agent."""
        one = TOOLS[tool]
        assert one.act is not None
        return (await one.act(self.work, one.parse(args))).text

    def boxed(self, **settings: object) -> "Project":
        """Return the project on a server with other settings of the sandbox."""
        return Project(
            self.root, replace(self.work, sandbox=Sandbox(SandboxSettings.model_validate(settings)))
        )


def named(report: Report, check: str, language: str = "") -> CheckResult:
    """Return the result of one check."""
    return next(one for one in report.checks if (one.check, one.language) == (check, language))


def places(result: CheckResult) -> list[tuple[str, int, str]]:
    """Return where a check found something new, and by which rule."""
    return [(one.path, one.line, one.rule) for one in result.findings if not one.is_old]


def said(found: object) -> str:
    """Return a Python program that prints `found` as JSON and ends with 1."""
    return f"#!/usr/bin/env python3\nprint({json.dumps(json.dumps(found))})\nraise SystemExit(1)\n"


@pytest.fixture
async def unborn(root: Path) -> AsyncIterator[Project]:
    """A repository without a commit."""
    run_git(root, "init", "-q", "-b", "main")
    sandbox = Sandbox()
    yield Project(root, Work(root, "t", "c", roots=(root.parent,), sandbox=sandbox, git=GitSettings()))
    await sandbox.aclose()


@pytest.fixture
def project(unborn: Project) -> Project:
    """A repository whose gate runs no programs."""
    unborn.configure(BUILT_IN + 'exclude = ["vendor/**"]\n[[imports]]\nallowed = ["pydantic"]\n')
    return unborn
