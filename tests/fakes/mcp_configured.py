"""Servers of the tests, as a configuration names them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from artel.tools.mcp.configuration import Server, read

HERE = Path(__file__).parent
PATIENT = {"startup_timeout_s": 120, "timeout_s": 60}  # of a machine that is busy


def fake(notes: Path) -> dict[str, Any]:
    """Return the entry of the server that is written with the SDK."""
    return {"command": sys.executable, "args": [str(HERE / "mcp_server.py"), str(notes)], **PATIENT}


def liar(*words: str) -> dict[str, Any]:
    """Return the entry of the server that keeps to no rule; trusted, so that its words are seen bare."""
    return {
        "command": sys.executable,
        "args": [str(HERE / "mcp_liar.py"), *words],
        **PATIENT,
        "trusted": True,
    }


def configured(
    folder: Path, entry: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Server:
    """Return the server of one entry, named `fake`."""
    file = folder / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {"fake": entry}}))
    (server,) = read(file, environment or {"PATH": "/usr/bin:/bin"}).servers
    return server


@asynccontextmanager
async def over_http(app: Any, port: int = 0) -> AsyncIterator[int]:
    """Serve an application on a port of the loopback interface, and yield the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving
