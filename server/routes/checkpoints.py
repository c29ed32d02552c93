"""/api/v1/threads/{id}/checkpoints: the past of a thread as a light list, to draw its branches from."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.bodies import Limit, Text
from artel.server.protocol.given import GivenEngine, JsonRoute, ThreadId
from artel.storage import threads
from artel.storage.checkpoints import listing
from artel.storage.threads import UnknownThread

router = APIRouter(prefix="/threads/{thread_id}/checkpoints", route_class=JsonRoute, tags=["Product"])


class LastMessage(BaseModel):
    """What was said last."""

    id: str | None = Field(description="Its id.")
    type: str = Field(description="`human`, `ai`, `tool`, or another one.")
    preview: str = Field(description="How it begins.")
    tools: list[str] = Field(description="The tools it calls.")


class ListedCheckpoint(BaseModel):
    """A checkpoint without its values."""

    checkpoint_id: str = Field(description="Its id; a later one sorts behind.")
    parent_checkpoint_id: str | None = Field(description="What it follows; several may follow one.")
    source: str = Field(description="`input`, `loop` (a step), `update` (a change by a person), or `fork`.")
    step: int = Field(description="The number of the step, from -1.")
    run_id: str | None = Field(description="The run that made it.")
    created_at: datetime | None = Field(description="When.")
    nodes: list[str] = Field(description="The nodes that ran to make it.")
    next: list[str] = Field(description="The nodes that come next, as far as edges lead to them.")
    message: LastMessage | None = Field(
        description="The last of `messages`; null where there is none, or it is too long."
    )


@router.get("", responses=answers(UnknownThread))
async def search(
    thread_id: ThreadId,
    engine: GivenEngine,
    caller: GivenCaller,
    limit: Annotated[Limit, Query()] = 100,
    before: Annotated[Text | None, Query(max_length=200)] = None,
) -> list[ListedCheckpoint]:
    """Return the checkpoints of a thread's own graph, newest first, without values.

    `before` is the id of a checkpoint: only older ones are told. Those of graphs inside are left out.
    """
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        found = await listing.page(conn, thread.thread_id, limit=limit, before=before)
    return [ListedCheckpoint.model_validate(asdict(one)) for one in found]
