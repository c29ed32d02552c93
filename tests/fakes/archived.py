"""Threads of our agents over the wire, to be taken away as archives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.fakes.driver import BUILDERS, OneModel
from tests.fakes.served import calling, graphs, serving
from tests.server.protocol.conftest import Wire

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.server.catalog import Catalog, Entry


@asynccontextmanager
async def wired(dsn: str) -> AsyncIterator[Wire]:
    """Serve the coder, the orchestrator and the small graphs of the tests."""
    entries = {name: Entry(name, BUILDERS[name]()) for name in ("coder", "orchestrator")}
    entries |= {name: Entry(name, graph) for name, graph in graphs().items()}
    async with serving(dsn, catalog=Catalog(entries)) as app, calling(app) as http:
        yield Wire(app, http)


async def say(
    wire: Wire, folder: Path, thread: str, *replies: Any, words: str = "change a.txt", agent: str = "coder"
) -> None:
    wire.app.state.engine.handles = Handles(
        models=OneModel(scripted(*replies)),
        roots=(folder,),
        default_workspace=folder,
        snapshot_home=folder.parent / "snapshots",
    )
    asked = {"messages": [{"role": "user", "content": words}]}
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": agent, "input": asked})


async def decide(wire: Wire, thread: str, decision: Any) -> None:
    (asked,) = await wire.ok("GET", f"/api/v1/approvals?status=pending&thread_id={thread}")
    run = await wire.ok("POST", f"/api/v1/approvals/{asked['approval_id']}", {"decision": decision})
    await wire.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join")


async def taken(wire: Wire, thread: str) -> bytes:
    told = await wire.http.get(f"/api/v1/threads/{thread}/archive")
    assert (told.status_code, told.headers["content-type"]) == (200, "application/zip"), told.text
    return told.content
