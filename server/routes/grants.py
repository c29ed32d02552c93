"""/api/v1/grants: what you have allowed from now on, and how to take it back."""

from asyncio import to_thread
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, model_validator
from starlette.responses import Response

from artel.graphs.context import workspace
from artel.server.auth.caller import GivenCaller
from artel.server.engine.auditing import grant_entry
from artel.server.errors import answers
from artel.server.protocol.bodies import TEN_YEARS_S, Body, Id, Limit, Offset, Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.server.routes.policy import NoAgents, handles_of_agents
from artel.storage import audit, grants, threads
from artel.storage.errors import Forbidden
from artel.storage.grants import Granted, UnknownGrant
from artel.storage.threads import UnknownThread
from artel.tools.grants import Covers, said
from artel.tools.workspace.paths import BadPath, DeniedPath, OutsideWorkspace, WrongKind

router = APIRouter(prefix="/grants", route_class=JsonRoute, tags=["Product"])

Word = Annotated[Text, Field(max_length=4_000)]


class Calls(Body):
    """Calls that are allowed."""

    action: Annotated[Text, Field(min_length=1, max_length=200)] = Field(
        description="What they do, as the policy names it: exec, fs.write …"
    )
    argv: Annotated[list[Word], Field(max_length=100)] = Field(
        [], description="The command and its arguments, word for word."
    )
    path: Word = Field("", description="Where the path really leads; of a page, `host/path`.")
    rest: bool = Field(
        False, description="Also any further arguments, or anything below the path but secrets."
    )


class Given(Body):
    """What you allow from now on."""

    scope: Literal["thread", "project", "always"]
    tool: Annotated[Text, Field(min_length=1, max_length=200)] = Field(description="Name of the tool.")
    covers: Annotated[list[Calls], Field(min_length=1, max_length=50)]
    agent: Annotated[Text, Field(max_length=200)] = Field("", description="Whose calls; empty: of any agent.")
    thread_id: Id | None = Field(None, description="For the scope `thread`.")
    workspace: Text = Field("", description="For the scope `project`: the folder; empty: the default one.")
    expires_in_s: float | None = Field(None, ge=1, le=TEN_YEARS_S, description="Seconds; none: no end.")

    @model_validator(mode="after")
    def _in_its_scope(self) -> Self:
        if (self.scope == "thread") != (self.thread_id is not None):
            raise ValueError("thread_id is for the scope `thread`, which needs it")
        return self


@router.get("", responses=answers(Forbidden))
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    thread_id: UUID | None = None,
    ended: Annotated[bool, Query(description="Also those that are revoked or expired.")] = False,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return your grants, newest first."""
    await caller.may("threads", "search", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        found = await grants.search(
            conn,
            owner=caller.owner,
            user_id=caller.name,
            thread_id=thread_id,
            ended=ended,
            limit=limit,
            offset=offset,
        )
    return Json([_record(one) for one in found])


@router.post(
    "",
    status_code=201,
    responses=answers(Forbidden, NoAgents, UnknownThread, OutsideWorkspace, DeniedPath, BadPath, WrongKind),
)
async def give(body: Given, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Allow calls from now on, in your own runs; nothing of the floor, and nothing that a rule denies."""
    handles = handles_of_agents(engine)
    allowed = await caller.may("threads", "create_run", {"thread_id": body.thread_id, "metadata": {}})
    project = None
    if body.scope == "project":
        project = str(await to_thread(workspace, body.workspace, handles))
    async with engine.db.transaction() as conn:
        thread_id, owner = body.thread_id, caller.owner
        if thread_id and await threads.lock(conn, thread_id, owner=owner, allowed=allowed) is None:
            raise UnknownThread(f"no thread {thread_id}")
        made = await grants.add(
            conn,
            owner=caller.owner,
            user_id=caller.name,
            scope=body.scope,
            tool=body.tool,
            covers=[one.model_dump(exclude_defaults=True) for one in body.covers],
            agent=body.agent,
            thread_id=body.thread_id,
            workspace=project,
            expires_in_s=body.expires_in_s,
        )
        await audit.add(conn, [grant_entry(made, "granted", user=caller.name)])
    return Json(_record(made), status_code=201)


@router.delete("/{grant_id}", status_code=204, responses=answers(Forbidden, UnknownGrant))
async def revoke(grant_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Take a grant back: what it covers is asked about again, from the next call on."""
    await caller.may("threads", "search", {})
    async with engine.db.transaction() as conn:
        ended = await grants.revoke(conn, grant_id, owner=caller.owner, user_id=caller.name)
        await audit.add(conn, [grant_entry(ended, "revoked", user=caller.name)])
    return Response(status_code=204)


def _record(grant: Granted) -> dict[str, Any]:
    named = (
        "grant_id",
        "scope",
        "thread_id",
        "workspace",
        "agent",
        "tool",
        "approval_id",
        "created_at",
        "expires_at",
        "revoked_at",
        "used",
        "last_used_at",
    )
    covers = [Covers.model_validate(one) for one in grant.covers["calls"]]
    told = {name: getattr(grant, name) for name in named}
    return {**told, "covers": grant.covers["calls"], "label": said(grant.tool, covers)}
