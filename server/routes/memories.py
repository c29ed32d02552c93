"""/api/v1/memories: what agents remember of you and of your work on a project; seen, changed, forgotten."""

from asyncio import to_thread
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from pydantic import Field
from starlette.responses import Response

from artel.graphs import memories
from artel.graphs.context import workspace
from artel.graphs.memories import Memory, Scope
from artel.server.auth.caller import GivenCaller
from artel.server.engine import Engine
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.server.routes.policy import NoAgents, handles_of_agents
from artel.storage.errors import Forbidden, NotFound
from artel.tools.errors import ToolRefused
from artel.tools.workspace.paths import BadPath, DeniedPath, OutsideWorkspace, WrongKind

router = APIRouter(prefix="/memories", route_class=JsonRoute, tags=["Product"])

Key = Annotated[str, InPath(pattern="^[0-9a-f]{32}$", description="As the list says it.")]
Folder = Annotated[
    Text, Query(description="The project: a registered name or a folder; empty: the default one.")
]
WRONG_FOLDER = (NoAgents, OutsideWorkspace, DeniedPath, BadPath, WrongKind)


class UnknownMemory(NotFound):
    """Nothing with that key is remembered of you there."""


class Changed(Body):
    """What is different of a fact from now on."""

    fact: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    approved: bool | None = Field(None, description="Whether models are told of it.")


@router.get("", responses=answers(Forbidden, *WRONG_FOLDER))
async def search(
    engine: GivenEngine, caller: GivenCaller, scope: Scope | None = None, workspace: Folder = ""
) -> Response:
    """Return what is remembered of you, and of your work on a project."""
    root = await _root(engine, workspace)
    await caller.may("store", "search", {"namespace": memories.ROOT})
    found = await memories.all_of(engine.store, caller.name, root)
    return Json([asdict(one) for one in found if scope in (None, one.scope)])


@router.patch("/{scope}/{key}", responses=answers(Forbidden, UnknownMemory, ToolRefused, *WRONG_FOLDER))
async def change(
    scope: Scope, key: Key, body: Changed, engine: GivenEngine, caller: GivenCaller, workspace: Folder = ""
) -> Response:
    """Say it better, or whether models are told of it: what was learned from outside waits for that."""
    root = await _root(engine, workspace)
    await caller.may("store", "put", {"namespace": memories.ROOT})
    one = await _known(engine, scope, key, caller.name, root)
    if body.fact is not None:
        remembering: Any = await to_thread(import_module, "artel.tools.remembering")
        one = replace(one, fact=remembering.kept(body.fact))
    if body.approved is not None:
        one = replace(one, approved=body.approved)
    await memories.put(engine.store, scope, key, memories.value_of(one), caller.name, root)
    return Json(asdict(one))


@router.delete("/{scope}/{key}", status_code=204, responses=answers(Forbidden, UnknownMemory, *WRONG_FOLDER))
async def forget(
    scope: Scope, key: Key, engine: GivenEngine, caller: GivenCaller, workspace: Folder = ""
) -> Response:
    """Forget a fact."""
    root = await _root(engine, workspace)
    await caller.may("store", "delete", {"namespace": memories.ROOT})
    await _known(engine, scope, key, caller.name, root)
    await memories.put(engine.store, scope, key, None, caller.name, root)
    return Response(status_code=204)


async def _root(engine: Engine, asked: str) -> Path:
    return await to_thread(workspace, asked, handles_of_agents(engine))


async def _known(engine: Engine, scope: Scope, key: str, user: str, root: Path) -> Memory:
    found = await memories.get(engine.store, scope, key, user, root)
    if found is None:
        raise UnknownMemory(f"no fact {key} of this {scope}")
    return found
