"""What a client asks first: is it up, what is it; and what those ask who watch over it."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from artel.server.errors import answers
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute
from artel.server.telemetry import figures, health

router = APIRouter(route_class=JsonRoute, tags=["System"])

FLAGS = {
    "assistants": True,
    "crons": True,
    "langsmith": False,
    "langsmith_tracing_replicas": False,
    "langsmith_tracing_session_on_runs": False,
}
HOST = dict.fromkeys(("project_id", "host_revision_id", "revision_id", "tenant_id"))


@router.get("/ok", responses=answers())
async def ok(engine: GivenEngine, check_db: bool = False) -> dict[str, Any]:
    """Say that the server is up; with `check_db` also that its database answers."""
    if check_db:
        async with engine.db.connection() as conn:
            await conn.execute("select 1")
    return {"ok": True, "services": {}}


@router.get("/info")
async def info(engine: GivenEngine) -> dict[str, Any]:
    """Say which server this is and, beyond the standard, which model answers."""
    return {
        "version": version("artel"),
        "langgraph_py_version": version("langgraph"),
        "flags": FLAGS,
        "host": {"kind": "self-hosted", **HOST},
        "model": engine.handles.models.describe() if engine.handles else None,
    }


@router.get("/metrics", responses={**answers(), 200: {"content": {"text/plain": {}, "application/json": {}}}})
async def metrics(
    engine: GivenEngine,
    format: Annotated[  # noqa: A002 - named so on the wire
        Literal["prometheus", "json"], Query(description="Text for Prometheus, or a summary as JSON.")
    ] = "prometheus",
) -> Response:
    """Return what this process has counted, and how the queue stands."""
    standing = await figures.standing(engine)
    if format == "json":
        return Json(figures.summary(engine, standing))
    # The client library takes a moment to load, which no start should wait for.
    exposition = import_module("artel.server.telemetry.exposition")
    return Response(exposition.text(engine, standing), media_type=exposition.CONTENT_TYPE)


@router.get("/health", responses={503: {"description": "This process cannot serve; the body says why."}})
async def look(engine: GivenEngine, catalog: GivenCatalog) -> Response:
    """Say how each thing is that this process depends on; 503 only when it cannot serve."""
    found = await health.look(engine, own_agents=catalog.config is None)
    return Json(found, 503 if found["status"] == health.DOWN else 200)
