"""Real MCP servers, as programs and over HTTP."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.mcp_configured import configured, fake

from artel.tools.mcp.configuration import Server
from artel.tools.mcp.connection import Connection
from artel.tools.sandbox.sandbox import Sandbox

Open = Callable[..., Connection]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def server(tmp_path: Path, notes: Path) -> Callable[..., Server]:
    def make(**more: Any) -> Server:
        return configured(tmp_path, fake(notes) | more)

    return make


@pytest.fixture
async def opened(server: Callable[..., Server]) -> AsyncIterator[Open]:
    made: list[Connection] = []

    def make(**more: Any) -> Connection:
        made.append(Connection(server(**more), Sandbox()))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()
