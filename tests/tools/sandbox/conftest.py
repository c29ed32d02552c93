"""Commands as the model gives them, and a look at what is left of them on the machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from artel.tools.registry import TOOLS
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.tool import Outcome, Work


class Commands:
    """The tools of one thread, in one workspace."""

    def __init__(self, root: Path, sandbox: Sandbox, thread: str = "thread") -> None:
        self.sandbox = sandbox
        self.work = Work(root, thread, "call", sandbox=sandbox)

    async def __call__(self, command: str, **args: Any) -> str:
        return await self.use("execute", command=command, **args)

    async def use(self, name: str, **args: Any) -> str:
        tool = TOOLS[name]
        assert tool.act
        return (await tool.act(self.work, tool.parse(args))).text

    def tool(self, name: str) -> Callable[..., Awaitable[Outcome]]:
        """Return a tool of commands that answers in full."""
        tool = TOOLS[name]
        assert tool.act
        act = tool.act

        async def run(command: str, **args: Any) -> Outcome:
            return await act(self.work, tool.parse({"command": command, **args}))

        return run

    async def background(self, command: str) -> str:
        """Start a job and return its id."""
        return (await self(command, background=True)).split()[1]


Make = Callable[..., Commands]


@pytest.fixture
async def make(root: Path) -> AsyncIterator[Make]:
    """Makes commands with settings of the test's own."""
    made: list[Sandbox] = []

    def one(data: Path | None = None, roots: tuple[Path, ...] = (), **settings: Any) -> Commands:
        made.append(Sandbox(SandboxSettings(**settings), data=data, roots=roots))
        return Commands(root, made[-1])

    yield one
    for sandbox in made:
        await sandbox.aclose()


@pytest.fixture
def run(make: Make) -> Commands:
    """Commands with the settings that users have."""
    return make()


class Marked:
    """Sleepers that can be told from all others of the machine."""

    def __init__(self) -> None:
        self.sleep = f"sleep 9{uuid4().int % 10**15}"

    def alive(self) -> int:
        """How many of them live, boxes that only name them not counted."""
        words = self.sleep.split()
        return sum(1 for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == words)

    async def count(self, wanted: int, within_s: float) -> bool:
        """Wait until so many live."""
        for _ in range(round(within_s / 0.05)):
            if self.alive() == wanted:
                return True
            await asyncio.sleep(0.05)
        return False


@pytest.fixture
def marked() -> Marked:
    return Marked()
