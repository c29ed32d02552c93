"""/api/v1/info: what this server is and can do, for the page."""

from importlib.metadata import version

from fastapi import APIRouter
from pydantic import BaseModel

from artel.server.missing import missing
from artel.server.protocol.given import GivenEngine, JsonRoute

router = APIRouter(prefix="/info", route_class=JsonRoute, tags=["Product"])


class Model(BaseModel):
    """The chat model that answers unless a run asks for another."""

    name: str
    offline: bool
    label: str


class Info(BaseModel):
    """What a page needs to know first."""

    version: str
    model: Model | None
    roots: list[str]
    default_workspace: str
    off: list[str]
    attachment_mb: int


@router.get("")
async def info(engine: GivenEngine) -> Info:
    """Return version, model, the folders agents may work in, and what is off and why."""
    handles = engine.handles
    return Info(
        version=version("artel"),
        model=Model(**handles.models.describe()) if handles else None,
        roots=[str(root) for root in handles.roots] if handles else [],
        default_workspace=str(handles.default_workspace) if handles else "",
        off=missing(handles.models) if handles else [],
        attachment_mb=handles.workspaces.attachment_mb if handles else 0,
    )
