"""/api/v1/policy: the policy that holds for you, and your own in its place, version by version."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine
from artel.server.engine.auditing import policy_entry
from artel.server.engine.policies import Ruled
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Limit, Offset
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.server.routes.policy import NoAgents, handles_of_agents
from artel.storage import audit, policies
from artel.storage.errors import Forbidden
from artel.storage.policies import NotThatVersion
from artel.tools.policies import PolicyWrong, parsed
from artel.tools.policy import Policy

MAX_INT = 2**31 - 1

router = APIRouter(prefix="/policy", route_class=JsonRoute, tags=["Product"])

IfVersion = Annotated[int, Field(ge=0, le=MAX_INT, description="Only if this version holds; 0: none.")]


class Own(Body):
    """A policy of one's own."""

    policy: dict[str, Any] = Field(
        description="`rules` and `default` take the place of the server's; `floor` comes on top of its floor."
    )
    if_version: IfVersion | None = None


class Holding(BaseModel):
    """What holds for somebody."""

    policy: Policy = Field(description="What calls are judged by.")
    own: Policy | None = Field(description="Your own part of it; null: the server's holds.")
    version: int = Field(description="Of your own; 0: you never had one.")
    author: str | None = None
    created_at: AwareDatetime | None = None


@router.get("", responses=answers(Forbidden, NoAgents))
async def get(engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return the policy that holds for you, and how much of it is your own."""
    await caller.may("threads", "search", {})
    return await _holding(engine, caller)


@router.put("", responses=answers(Forbidden, NoAgents, PolicyWrong, NotThatVersion))
async def put(body: Own, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Hold your runs to a policy of your own from now on; it softens nothing of the server's floor."""
    policy = parsed(body.policy)
    document = policy.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return await _add(engine, caller, document, body.if_version)


@router.delete("", responses=answers(Forbidden, NoAgents, NotThatVersion))
async def delete(
    engine: GivenEngine, caller: GivenCaller, if_version: Annotated[IfVersion | None, Query()] = None
) -> Response:
    """Go back to the server's policy; the versions of your own stay on record."""
    return await _add(engine, caller, None, if_version)


@router.get("/versions", responses=answers(Forbidden))
async def versions(
    engine: GivenEngine,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return the versions of your own policy, newest first; without one: back to the server's."""
    await caller.may("threads", "search", {})
    async with engine.db.connection() as conn:
        found = await policies.versions(
            conn, owner=caller.owner, user_id=caller.name, limit=limit, offset=offset
        )
    return Json(
        [
            {
                "version": one.version,
                "policy": one.document,
                "author": one.author,
                "created_at": one.created_at,
            }
            for one in found
        ]
    )


async def _add(
    engine: Engine, caller: Caller, document: dict[str, Any] | None, if_version: int | None
) -> Response:
    """Add a version. Who may start runs may say what those may do."""
    await caller.may("threads", "create_run", {"thread_id": None, "metadata": {}})
    handles_of_agents(engine)
    async with engine.db.transaction() as conn:
        made = await policies.add(
            conn,
            document,
            owner=caller.owner,
            user_id=caller.name,
            author=caller.name,
            if_version=if_version,
        )
        await audit.add(conn, [policy_entry(made)])
    return await _holding(engine, caller)


async def _holding(engine: Engine, caller: Caller) -> Response:
    ruled: Ruled = await engine.policies.of(
        handles_of_agents(engine).policy, owner=caller.owner, user_id=caller.name
    )
    async with engine.db.connection() as conn:
        newest = await policies.versions(conn, owner=caller.owner, user_id=caller.name, limit=1)
    known = {"author": newest[0].author, "created_at": newest[0].created_at} if newest else {}
    told = Holding(policy=ruled.policy, own=ruled.own, version=ruled.version, **known)
    return Json(told.model_dump(mode="json", by_alias=True))
