"""What a client asks first: is it up, what is it."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter

from artel.server.protocol.given import GivenEngine, JsonRoute

router = APIRouter(route_class=JsonRoute, tags=["System"])

FLAGS = {
    "assistants": True,
    "crons": True,
    "langsmith": False,
    "langsmith_tracing_replicas": False,
    "langsmith_tracing_session_on_runs": False,
}
HOST = dict.fromkeys(("project_id", "host_revision_id", "revision_id", "tenant_id"))


@router.get("/ok")
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
