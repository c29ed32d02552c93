"""Publishing without a database: a real repository of five changed files, a bare remote, a fake gate."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Interrupt
from tests.fakes.driver import OneModel
from tests.fakes.gates import Gate, put_up
from tests.tools.conftest import git as run_git

from artel.graphs.context import Handles, use
from artel.graphs.ledgers import LocalAudit
from artel.graphs.models.scripted import scripted
from artel.graphs.workflows import publish

YES = {"type": "approve"}
NO = {"type": "reject"}
ASKED = {"title": "Five files", "description": "They say bye."}
FIVE = ("a.py", "b.py", "c.py", "d.py", "new.py")


def git(folder: Path, *args: str) -> str:
    ran = run_git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *args)
    assert ran.returncode == 0, ran.stderr.decode()
    return os.fsdecode(ran.stdout).rstrip("\n")


@dataclass
class Publisher:
    """A thread on which a folder is published."""

    folder: Path
    bare: Path
    gate: Gate
    handles: Handles
    audit: LocalAudit
    saver: InMemorySaver
    thread: str = "11111111-2222-3333-4444-555555555555"
    user: str = ""
    state: Any = None

    async def publish(self, **asked: Any) -> "Publisher":
        return await self.go({**ASKED, **asked})

    async def answer(self, decision: Any) -> "Publisher":
        (question,) = self.open
        return await self.go(Command(resume={question.id: decision}))

    async def go(self, given: Any) -> "Publisher":
        """Run on a graph built anew, as a restarted process has it, with what was saved."""
        graph: Any = publish.build().copy(update={"checkpointer": self.saver})
        config: Any = {"configurable": {"thread_id": self.thread, "langgraph_auth_user_id": self.user}}
        with use(self.handles):
            try:
                await graph.ainvoke(given, config, context={"workspace": str(self.folder)}, durability="sync")
            finally:
                self.state = await graph.aget_state(config)
        return self

    @property
    def open(self) -> tuple[Interrupt, ...]:
        return tuple(self.state.interrupts)

    @property
    def shown(self) -> dict[str, Any]:
        (question,) = self.open
        return dict(question.value["artel"])

    @property
    def values(self) -> dict[str, Any]:
        return dict(self.state.values)

    @property
    def result(self) -> dict[str, Any]:
        return dict(self.values["publication"])

    @property
    def said(self) -> str:
        return str(self.values["messages"][-1].content)

    @property
    def branches(self) -> list[str]:
        return self.git("for-each-ref", "--format=%(refname)", "refs/heads").splitlines()

    @property
    def sent(self) -> list[str]:
        """The refs of the remote."""
        return self.git("for-each-ref", "--format=%(refname)", at=self.bare).splitlines()

    @property
    def outcomes(self) -> list[tuple[str, str, str]]:
        return [
            (one.kind, str(one.call.args.get("effect", "")), str(one.outcome.get("status", "")))
            for one in self.audit.entries
        ]

    def git(self, *args: str, at: Path | None = None) -> str:
        return git(at or self.folder, *args)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text)

    def with_handles(self, **given: Any) -> "Publisher":
        self.handles = replace(self.handles, **given)
        return self


Open = Callable[..., Publisher]


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """A repository with a remote and five changed files, and one that is staged halfway."""
    folder, bare = tmp_path / "work", tmp_path / "remote.git"
    folder.mkdir()
    for name in ("a.py", "b.py", "c.py", "d.py"):
        (folder / name).write_text("hello = 1\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "First")
    git(folder, "clone", "-q", "--bare", str(folder), str(bare))
    git(folder, "remote", "add", "origin", str(bare))
    for name in ("a.py", "b.py", "c.py"):
        (folder / name).write_text("bye = 1\n")
    (folder / "d.py").write_text("staged = 1\n")
    git(folder, "add", "d.py")
    (folder / "d.py").write_text("bye = 1\n")
    (folder / "new.py").write_text("bye = 1\n")
    (folder / ".env").write_text("PASSWORD=x\n")
    audit = LocalAudit()
    handles = Handles(
        models=OneModel(scripted()),
        roots=(tmp_path,),
        default_workspace=folder,
        snapshot_home=tmp_path / "snapshots",
        audit=audit,
    )
    return Publisher(folder, bare, put_up(monkeypatch), handles, audit, InMemorySaver())
