"""/api/v1/workspaces: folders and repositories that threads choose by name."""

import re
from asyncio import to_thread
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import Response

from artel.graphs.context import Handles
from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Limit, Offset, Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage import workspaces
from artel.storage.errors import Forbidden, Invalid, NotFound
from artel.storage.workspaces import (
    Folder,
    Kind,
    Mode,
    NameTaken,
    UnknownWorkspace,
    Whose,
    Workspace,
    WorkspaceInUse,
)
from artel.tools.git.errors import NoRepository, RemoteRefused, UnsafeRepository
from artel.tools.git.remotes import remote_at
from artel.tools.git.repository import find
from artel.tools.workspace.paths import BadPath, DeniedPath, OutsideWorkspace, WrongKind, resolve_workspace

router = APIRouter(prefix="/workspaces", route_class=JsonRoute, tags=["Product"])

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
MAX_SOURCE = 2_000  # characters


class NoAgents(NotFound):
    """This server has no agents of ours, and so nobody to work in a workspace."""

    code = "no_agents"


def _no_id(name: str) -> str:
    try:
        UUID(name)
    except ValueError:
        return name
    raise ValueError("a name may not look like an id")


Name = Annotated[Text, Field(pattern=f"^{NAME}$", max_length=100), AfterValidator(_no_id)]
Megabytes = Annotated[int, Field(ge=1, le=2**31 - 1)]
Ref = Annotated[Text, Field(max_length=200)]
Named = Annotated[UUID, Field(description="The workspace's id.")]


class Registered(Body):
    """A workspace to register."""

    name: Name = Field(description="How threads choose it.")
    source: Text = Field(
        min_length=1,
        max_length=MAX_SOURCE,
        description="Absolute path of a folder below a root, or address of a repository that git may reach.",
    )
    mode: Mode | None = Field(
        None,
        description="What a thread gets: the folder itself, a copy, or a checkout on a branch of its own; "
        "by default `shared`, of an address `worktree`.",
    )
    ref: Ref = Field("", description="Branch, tag or commit to check out; empty: what the source is on.")
    uncommitted: bool = Field(default=False, description="Whether a checkout has what is not committed, too.")
    max_mb: Megabytes | None = Field(
        None, description="Size of what a thread gets; by default as the server is set."
    )


class Changes(Body):
    """What to change; threads that have their folder keep it."""

    name: Name | None = None
    mode: Mode | None = None
    ref: Ref | None = None
    uncommitted: bool | None = None
    max_mb: Megabytes | None = None


@router.post(
    "",
    status_code=201,
    responses=answers(
        NameTaken,
        NoAgents,
        NoRepository,
        UnsafeRepository,
        RemoteRefused,
        OutsideWorkspace,
        DeniedPath,
        BadPath,
        WrongKind,
        Forbidden,
    ),
)
async def register(body: Registered, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Register a folder or a repository; nothing is copied before a thread names it."""
    await caller.may("threads", "create", {"metadata": {}})
    mode = body.mode or ("worktree" if _is_address(body.source) else "shared")
    kind, source = await to_thread(_checked, _handles(engine), body.source, mode)
    async with engine.db.connection() as conn:
        made = await workspaces.register(
            conn,
            _whose(caller),
            name=body.name,
            kind=kind,
            source=source,
            mode=mode,
            ref=body.ref,
            uncommitted=body.uncommitted,
            max_mb=body.max_mb,
        )
    return Json(_record(made), status_code=201)


@router.get("", responses=answers(Forbidden))
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return the workspaces that you have registered, by name."""
    await caller.may("threads", "search", {})
    async with engine.db.connection() as conn:
        found = await workspaces.search(conn, _whose(caller), limit=limit, offset=offset)
    return Json([_record(one) for one in found])


class Allowed(BaseModel):
    """A folder that agents may work in."""

    path: str = Field(description="Where it really lies.")


@router.get(
    "/folder", responses=answers(NoAgents, OutsideWorkspace, DeniedPath, BadPath, WrongKind, Forbidden)
)
async def folder(
    path: Annotated[Text, Query(max_length=MAX_SOURCE, description="Absolute path.")],
    engine: GivenEngine,
    caller: GivenCaller,
) -> Allowed:
    """Say whether agents may work in a folder, and where it really lies."""
    await caller.may("threads", "create", {"metadata": {}})
    return Allowed(path=str(await to_thread(resolve_workspace, path, _handles(engine).roots)))


@router.get("/{workspace_id}", responses=answers(UnknownWorkspace, Forbidden))
async def get(workspace_id: Named, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return a workspace."""
    await caller.may("threads", "search", {})
    async with engine.db.connection() as conn:
        return Json(_record(await workspaces.get(conn, _whose(caller), workspace_id)))


@router.get("/{workspace_id}/threads", responses=answers(UnknownWorkspace, Forbidden))
async def used_by(
    workspace_id: Named,
    engine: GivenEngine,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return what threads got of a workspace, last used first: where it lies, or why it was not made."""
    await caller.may("threads", "search", {})
    async with engine.db.connection() as conn:
        known = await workspaces.get(conn, _whose(caller), workspace_id)
        found = await workspaces.folders(conn, known.workspace_id, limit=limit, offset=offset)
    return Json([_folder(one) for one in found])


@router.patch(
    "/{workspace_id}",
    responses=answers(
        UnknownWorkspace, NameTaken, NoAgents, NoRepository, UnsafeRepository, OutsideWorkspace, Forbidden
    ),
)
async def change(workspace_id: Named, body: Changes, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Change a workspace; threads that have their folder of it keep that as it is."""
    await caller.may("threads", "update", {"metadata": {}})
    async with engine.db.connection() as conn:
        known = await workspaces.get(conn, _whose(caller), workspace_id)
    if body.mode and body.mode != known.mode:
        await to_thread(_checked, _handles(engine), known.source, body.mode)
    async with engine.db.connection() as conn:
        changed = await workspaces.change(
            conn,
            _whose(caller),
            workspace_id,
            name=body.name,
            mode=body.mode,
            ref=body.ref,
            uncommitted=body.uncommitted,
            max_mb=body.max_mb,
        )
    return Json(_record(changed))


@router.delete(
    "/{workspace_id}", status_code=204, responses=answers(UnknownWorkspace, WorkspaceInUse, Forbidden)
)
async def delete(
    workspace_id: Named,
    engine: GivenEngine,
    caller: GivenCaller,
    force: Annotated[
        bool, Query(description="Also when threads work in it: folders made for them go.")
    ] = False,
) -> None:
    """Forget a workspace; what was registered stays where it is, whatever becomes of copies of it."""
    await caller.may("threads", "delete", {"metadata": {}})
    async with engine.db.connection() as conn:
        await workspaces.delete(conn, _whose(caller), workspace_id, force=force)
    engine.folders_left.set()


def _handles(engine: Engine) -> Handles:
    handles: Handles | None = engine.handles
    if handles is None:
        raise NoAgents("this server serves none of our agents, so nobody would work there")
    return handles


def _whose(caller: Caller) -> Whose:
    return Whose(caller.owner, str((caller.user or {}).get("identity") or caller.owner))


def _checked(given: Handles, source: str, mode: Mode) -> tuple[Kind, str]:
    """Return what a source is, and where it really lies; one that threads could not get is refused."""
    if _is_address(source):
        if mode != "worktree":
            raise Invalid(
                f"mode must be worktree, for that is what a thread gets of a repository, got {mode}"
            )
        remote_at(source, given.git, given.roots)
        return "git", source
    real: Path = resolve_workspace(source, given.roots)
    if mode == "worktree":
        find(real)
    return "folder", str(real)


def _is_address(source: str) -> bool:
    """Say whether a source is the address of a repository: a URL, or `host:path` as ssh has it."""
    return "://" in source or bool(re.match(r"[\w.@-]+:", source))


def _folder(one: Folder) -> dict[str, Any]:
    named = (
        "thread_id",
        "path",
        "own",
        "state",
        "problem",
        "base_commit",
        "bytes",
        "created_at",
        "last_used_at",
    )
    return {name: getattr(one, name) for name in named}


def _record(one: Workspace) -> dict[str, Any]:
    named = (
        "workspace_id",
        "name",
        "kind",
        "source",
        "ref",
        "mode",
        "uncommitted",
        "max_mb",
        "threads",
        "created_at",
    )
    return {name: getattr(one, name) for name in named}
