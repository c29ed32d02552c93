"""How a server is opened: its program started, or its address called."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.session import MessageHandlerFnT
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation

from artel.tools.mcp.configuration import Server
from artel.tools.mcp.limits import Limited
from artel.tools.mcp.stdio import program
from artel.tools.sandbox.sandbox import Sandbox

STILL_THERE_S = 5.0  # for an answer of a server that a call had no luck with


@asynccontextmanager
async def client_of(
    server: Server, sandbox: Sandbox, *, died: Callable[[str], None], heard: MessageHandlerFnT
) -> AsyncIterator[Client]:
    """Yield a client of a server, shaken hands with; at the end it and its program are gone.

    `died` is told why a program ended by itself, `heard` of what the server says unasked.

    Raises:
        ToolFailed: its program cannot be started.
        MCPError, OSError, HTTPError: it does not answer as a server of MCP does.
    """
    async with AsyncExitStack() as opened:
        if server.transport == "stdio":
            transport: Any = program(server, sandbox, died=lambda why: died(server.hidden(why)))
        else:
            times = httpx2.Timeout(server.startup_timeout_s, read=server.timeout_s + STILL_THERE_S)
            http = httpx2.AsyncClient(headers=dict(server.headers), timeout=times, transport=Limited())
            await opened.enter_async_context(http)
            transport = streamable_http_client(server.url, http_client=http)
        info = Implementation(name="artel", version=version("artel"))
        client = Client(transport, cache=None, client_info=info, message_handler=heard)
        yield await opened.enter_async_context(client)
