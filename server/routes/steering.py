"""/api/v1/threads/{id}/steer: what you say to an agent while it works; it hears it before its next step."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.engine import steering as engine_steering
from artel.server.engine.admission import IdempotencyMismatch
from artel.server.engine.steering import NothingRuns
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, RunBody, Text
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, ThreadId
from artel.server.protocol.orders import GivenCall, TwoContexts, accept
from artel.storage import steering, threads
from artel.storage.assistants import UnknownAssistant
from artel.storage.errors import Forbidden
from artel.storage.runs import RateLimited
from artel.storage.steering import Status, Steering, SteeringTaken, TooManyWait, UnknownSteering
from artel.storage.threads import UnknownThread

MAX_CHARS = 100_000

router = APIRouter(prefix="/threads/{thread_id}/steer", route_class=JsonRoute, tags=["Product"])

Words = Annotated[Text, Field(min_length=1, max_length=MAX_CHARS, pattern=r"\S")]


class Said(Body):
    """What you say to the agent."""

    text: Words = Field(description="It reads this before its next step; a tool that runs is not stopped.")


class SaidOrAsked(Said):
    """What you say to the agent, and whether it shall begin to work for it."""

    or_start: bool = Field(False, description="Begin a run with it when none is under way, instead of a 409.")
    context: dict[str, Any] = Field({}, description="Of the run that begins.")


class Waiting(BaseModel):
    """What was said, and whether the agent has it."""

    steering_id: UUID
    thread_id: UUID
    text: str
    status: Status = Field(description="`waiting` can be changed and removed; `taken`: a step has it.")
    user_id: str = Field(description="Who said it.")


class Accepted(BaseModel):
    """What became of it: one of the two."""

    steering: Waiting | None = Field(None, description="It waits for the next step of the run.")
    run_id: UUID | None = Field(None, description="The run that began with it.")


@router.post(
    "",
    status_code=202,
    responses=answers(
        Forbidden,
        UnknownThread,
        UnknownAssistant,
        NothingRuns,
        TooManyWait,
        TwoContexts,
        IdempotencyMismatch,
        RateLimited,
    ),
)
async def say(
    thread_id: ThreadId,
    body: SaidOrAsked,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    call: GivenCall,
) -> Accepted:
    """Say something to the agent that works in a thread; what no step takes begins the next run."""
    allowed = await caller.may("threads", "create_run", {"thread_id": thread_id, "metadata": {}})
    try:
        made = await engine_steering.say(
            engine, thread_id, body.text, owner=caller.owner, user_id=caller.name, allowed=allowed
        )
    except NothingRuns:
        if not body.or_start:
            raise
    else:
        return Accepted(steering=_record(made))
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
    if not (assistant := thread.metadata.get("assistant_id")):
        raise NothingRuns(f"no agent has worked in thread {thread_id} yet: start a run that names one")
    message = {"role": "user", "content": body.text}
    order = RunBody(assistant_id=str(assistant), input={"messages": [message]}, context=body.context)
    run = await accept(engine, catalog, order, call, thread_id=thread_id, fast=True)
    return Accepted(run_id=run.run_id)


@router.get("", responses=answers(Forbidden, UnknownThread))
async def search(thread_id: ThreadId, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return what the agent has not heard yet for certain, oldest first."""
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        found = await steering.of_thread(conn, thread_id, owner=caller.owner)
    return Json([_record(one).model_dump() for one in found])


@router.patch("/{steering_id}", responses=answers(Forbidden, UnknownThread, UnknownSteering, SteeringTaken))
async def change(
    thread_id: ThreadId, steering_id: UUID, body: Said, engine: GivenEngine, caller: GivenCaller
) -> Waiting:
    """Say it otherwise, while no step has it."""
    allowed = await caller.may("threads", "create_run", {"thread_id": thread_id, "metadata": {}})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        said = await steering.change(
            conn, thread_id, steering_id, body.text, owner=caller.owner, user_id=caller.name
        )
    return _record(said)


@router.delete(
    "/{steering_id}",
    status_code=204,
    responses=answers(Forbidden, UnknownThread, UnknownSteering, SteeringTaken),
)
async def remove(
    thread_id: ThreadId, steering_id: UUID, engine: GivenEngine, caller: GivenCaller
) -> Response:
    """Take it back, while no step has it."""
    allowed = await caller.may("threads", "create_run", {"thread_id": thread_id, "metadata": {}})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        await steering.remove(conn, thread_id, steering_id, owner=caller.owner, user_id=caller.name)
    return Response(status_code=204)


def _record(said: Steering) -> Waiting:
    return Waiting(
        steering_id=said.steering_id,
        thread_id=said.thread_id,
        text=said.text,
        status=said.status,
        user_id=said.user_id,
    )
