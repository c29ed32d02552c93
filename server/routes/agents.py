"""/api/v1/agents: the roles that somebody may have work for them here, and whether a text is one."""

from asyncio import to_thread
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from artel.graphs.context import Handles, workspace
from artel.graphs.errors import RoleWrong
from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Text
from artel.server.protocol.given import GivenEngine, JsonRoute
from artel.storage import workspaces
from artel.storage.errors import Forbidden, Invalid, NotFound
from artel.storage.workspaces import UnknownWorkspace, Whose
from artel.tools.workspace.paths import BadPath, DeniedPath, OutsideWorkspace, WrongKind

router = APIRouter(prefix="/agents", route_class=JsonRoute, tags=["Product"])

MAX_TEXT = 64_000  # characters, as of a file
MAX_NAME = 2_000  # of a folder, in characters


class NoAgents(NotFound):
    """This server has no agents of ours, and so nobody who could take a role."""

    code = "no_agents"


class Listed(BaseModel):
    """A role, or a file that should be one."""

    name: str = Field(description="By which `context.role` of the graph `agent` has it.")
    source: Literal["built-in", "workspace", "given"]
    error: str = Field(description="Why it is no role; empty: it is one.")
    title: str = ""
    description: str = ""
    tools: list[str] = []
    writes: list[str] = Field([], description="Globs of the files that it may change; `**`: any.")
    output: list[str] = Field([], description="Headings that the answer to a piece of work must have.")
    model: str = Field("", description="Empty: as the server is set.")
    budget: dict[str, float] = {}


class RoleText(Body):
    """A text that may be a role."""

    text: Text = Field(max_length=MAX_TEXT, description="Markdown with front matter.")
    name: Annotated[Text, Field(max_length=100)] = Field(
        "", description="That of its file, without `.md`; empty: what the front matter says."
    )


@router.get(
    "",
    responses=answers(
        NoAgents, UnknownWorkspace, OutsideWorkspace, DeniedPath, BadPath, WrongKind, Forbidden
    ),
)
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    workspace: Annotated[
        Text,
        Query(max_length=MAX_NAME, description="Folder, or name of a registered one; empty: the default."),
    ] = "",
) -> list[Listed]:
    """Return the roles there are: those that are built in, then those of a workspace, wrong ones too."""
    await caller.may("assistants", "search", {})
    place = await _place(engine, caller, workspace)
    return await to_thread(_listed, _handles(engine), place)


@router.post("/check", responses=answers(NoAgents, RoleWrong, Forbidden))
async def check(body: RoleText, engine: GivenEngine, caller: GivenCaller) -> Listed:
    """Say what a text is as a role; nothing is kept."""
    await caller.may("assistants", "search", {})
    _handles(engine)
    return await to_thread(_checked, body)


async def _place(engine: Engine, caller: Caller, asked: str) -> str:
    """Return the path of a folder that is asked for by its path, or by the name that it is registered by."""
    if not asked or "/" in asked:
        return asked
    whose = Whose(caller.owner, str((caller.user or {}).get("identity") or caller.owner))
    async with engine.db.connection() as conn:
        known = await workspaces.get(conn, whose, asked)
    if known.kind != "folder":
        raise Invalid(
            f"workspace: {known.name} is a repository; its roles are seen where a thread works in it"
        )
    return known.source


def _handles(engine: Engine) -> Handles:
    handles: Handles | None = engine.handles
    if handles is None:
        raise NoAgents("this server serves none of our agents, so nobody could take a role")
    return handles


def _listed(given: Handles, place: str) -> list[Listed]:
    roles = import_module("artel.graphs.roles")  # an idle server needs none of what tools need
    root: Path = workspace(place, given)
    own: Iterator[tuple[str, Any]] = roles.of_workspace(root).items()
    return [
        *(_told(name, "built-in", role) for name, role in roles.built_in().items()),
        *(_told(name, "workspace", role) for name, role in own),
    ]


def _checked(body: RoleText) -> Listed:
    role = import_module("artel.graphs.roles").own(body.text, name=body.name, where=body.name or "text")
    return _told(role.name, "given", role)


def _told(name: str, source: Literal["built-in", "workspace", "given"], role: Any) -> Listed:
    if isinstance(role, Exception):
        return Listed(name=name, source=source, error=str(role))
    said = role.model_dump(mode="json", exclude={"name", "prompt", "budget"})
    budget = role.budget.model_dump(exclude_none=True)
    return Listed(name=name, source=source, error="", budget=budget, **said)
