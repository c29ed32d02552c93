"""/api/v1/mcp/servers: how the MCP servers stand that agents have tools of."""

from typing import Annotated

from fastapi import APIRouter, Path

from artel.server.auth.caller import GivenCaller
from artel.server.engine import Engine
from artel.server.errors import answers
from artel.server.protocol.given import GivenEngine, JsonRoute
from artel.storage.errors import Forbidden
from artel.tools.mcp.servers import Servers, Standing, UnknownServer

router = APIRouter(prefix="/mcp/servers", route_class=JsonRoute, tags=["Product"])

Name = Annotated[str, Path(description="The server's name in the configuration.", max_length=200)]


@router.get("", responses=answers(Forbidden))
async def search(engine: GivenEngine, caller: GivenCaller) -> list[Standing]:
    """Return how each server stands and which tools it has; nothing is connected for it, no secret told."""
    await caller.may("assistants", "search", {})
    return _servers(engine).standings()


@router.post("/{name}/restart", responses=answers(UnknownServer, Forbidden))
async def restart(name: Name, engine: GivenEngine, caller: GivenCaller) -> Standing:
    """End a server's connection, and its program, and open it again; calls under way are lost."""
    await caller.may("assistants", "update", {"mcp_server": name})
    return await _servers(engine).restart(name)


def _servers(engine: Engine) -> Servers:
    """Return those of our agents; a configuration of other graphs has none."""
    return engine.handles.mcp if engine.handles else Servers()
