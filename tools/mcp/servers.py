"""The MCP servers of a process: nothing of them is loaded or started before somebody needs one."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from artel.storage.errors import NotFound
from artel.tools.errors import ToolFailed
from artel.tools.mcp.configuration import Server
from artel.tools.sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from artel.tools.mcp.connection import Connection
    from artel.tools.tool import Tool

PREFIX = "mcp__"


class UnknownServer(NotFound):
    """The configuration names no MCP server of that name."""

    code = "unknown_server"


class Offered(BaseModel):
    """A tool that agents are offered."""

    name: str = Field(description="By which models call it.")
    action: str = Field(description="What the policy calls it.")
    description: str
    fingerprint: str = Field(description="Changes with its description, its arguments and its claims.")


class Standing(BaseModel):
    """How a server stands."""

    name: str
    transport: Literal["stdio", "http"]
    state: Literal["idle", "connecting", "ready", "failed"] = Field(
        description="idle: nobody needed it yet; failed: the last attempt or the connection did."
    )
    agents: list[str]
    trusted: bool
    tools: list[Offered] = Field(description="As it last listed them.")
    left_out: list[str] = Field(description="Tools that agents are not offered, and why.")
    error: str = Field(description="The last one; empty: none.")
    error_at: datetime | None


class Servers:
    """All of them; one connection each, whoever uses it."""

    def __init__(self, configured: Iterable[Server] = (), sandbox: Sandbox | None = None) -> None:
        self._configured = {server.name: server for server in configured}
        self._sandbox = sandbox or Sandbox()
        self._connections: dict[str, Connection] = {}

    def get(self, name: str) -> "Tool | None":
        """Return a tool as it is known, asking nobody; None if no server can have it."""
        server = self._of(name)
        return self._connection(server).tool(name) if server else None

    async def find(self, name: str, agent: str) -> "Tool | None":
        """Return a tool that an agent may have; one whose server is away says so when it is called.

        None if no server of the agent can have it.
        """
        server = self._of(name)
        if server is None or agent not in server.agents:
            return None
        with suppress(ToolFailed):
            await self._connection(server).listed()
        return self.get(name)

    async def of(self, agent: str) -> "list[Tool]":
        """Return the tools that the servers of an agent have now, always in the same order.

        A server that cannot be reached has none.
        """
        servers = [server for server in self._configured.values() if agent in server.agents]
        listed = await asyncio.gather(
            *(self._connection(server).listed() for server in servers), return_exceptions=True
        )
        wrong = next((one for one in listed if isinstance(one, BaseException) and not _is_away(one)), None)
        if wrong:
            raise wrong
        return [tool for tools in listed if not isinstance(tools, BaseException) for tool in tools.values()]

    def standings(self) -> list[Standing]:
        """Return how each server stands, in the order of the configuration."""
        return [self._standing(server) for server in self._configured.values()]

    async def restart(self, name: str) -> Standing:
        """End a server's connection and open it again; return how it stands then.

        Raises:
            UnknownServer: none has that name.
        """
        server = self._configured.get(name)
        if server is None:
            known = ", ".join(self._configured) or "none"
            raise UnknownServer(f"there is no MCP server {name[:80]!r}; there are: {known}")
        with suppress(ToolFailed):
            await self._connection(server).restart()
        return self._standing(server)

    async def aclose(self) -> None:
        """End all connections, and the programs behind them."""
        await asyncio.gather(*(one.aclose() for one in self._connections.values()))

    def _of(self, name: str) -> Server | None:
        server, _, tool = name.removeprefix(PREFIX).partition("__")
        return self._configured.get(server) if name.startswith(PREFIX) and tool else None

    def _connection(self, server: Server) -> "Connection":
        if server.name not in self._connections:
            module: Any = import_module("artel.tools.mcp.connection")  # an idle server has no client of MCP
            self._connections[server.name] = module.Connection(server, self._sandbox)
        return self._connections[server.name]

    def _standing(self, server: Server) -> Standing:
        one = self._connections.get(server.name)
        return Standing(
            name=server.name,
            transport=server.transport,
            state=one.state if one else "idle",
            agents=list(server.agents),
            trusted=server.trusted,
            tools=[
                Offered(
                    name=tool.name, action=tool.action, description=tool.description, fingerprint=tool.version
                )
                for tool in (one.tools.values() if one else ())
            ],
            left_out=list(one.left_out) if one else [],
            error=one.error if one else "",
            error_at=one.error_at if one else None,
        )


def _is_away(error: BaseException) -> bool:
    return isinstance(error, ToolFailed)
