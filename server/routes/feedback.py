"""/api/v1/feedback: thumbs on what agents say, and /api/v1/statistics: how their work went."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field, model_validator
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.learning.speaking import UnknownMessage, run_of
from artel.server.protocol.bodies import Body, Id, Limit, Offset, Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage import feedback, runs, threads, turns
from artel.storage.errors import Forbidden
from artel.storage.feedback import Score, TooMuchFeedback, UnknownFeedback
from artel.storage.runs import UnknownRun
from artel.storage.threads import UnknownThread
from artel.storage.turns import By, Figures

MAX_COMMENT = 4_000  # characters

router = APIRouter(route_class=JsonRoute, tags=["Product"])


class Opinion(Body):
    """What you think of a message, or of a run as a whole."""

    thread_id: Id
    message_id: Annotated[Text, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Of a message of the thread; which run said it is looked up."
    )
    run_id: Id | None = Field(
        None, description="Without message_id: the run as a whole. With it: for what agents inside said."
    )
    score: Score = Field(description="1: thumbs up, -1: thumbs down.")
    comment: Annotated[Text, Field(max_length=MAX_COMMENT)] | None = Field(None, description="Why, in words.")

    @model_validator(mode="after")
    def _about_something(self) -> Self:
        if self.message_id is None and self.run_id is None:
            raise ValueError("give message_id, or run_id for a run as a whole")
        return self


class Statistics(BaseModel):
    """How turns went: requests with all runs that worked on them."""

    by: By
    groups: list[Figures]


@router.put(
    "/feedback", responses=answers(Forbidden, UnknownThread, UnknownRun, UnknownMessage, TooMuchFeedback)
)
async def put(body: Opinion, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Say what you think; a second word on the same thing takes the place of the first."""
    allowed = await caller.may("threads", "read", {"thread_id": body.thread_id})
    async with engine.db.connection() as conn:
        await threads.get(conn, body.thread_id, owner=caller.owner, allowed=allowed)
    run_id = body.run_id
    if body.message_id is not None:
        try:
            run_id = await run_of(engine.db, body.thread_id, body.message_id, owner=caller.owner)
        except UnknownMessage:
            if run_id is None:
                raise
    assert run_id is not None  # the body was checked
    async with engine.db.transaction() as conn:
        run = await runs.get(conn, run_id, owner=caller.owner, allowed=allowed)
        if run.thread_id != body.thread_id:
            raise UnknownRun(f"no run {run_id} on thread {body.thread_id}")
        written = await feedback.put(
            conn,
            owner=caller.owner,
            user_id=caller.name,
            thread_id=body.thread_id,
            run_id=run_id,
            message_id=body.message_id,
            score=body.score,
            comment=body.comment or None,
        )
    return Json(written)


@router.get("/feedback", responses=answers(Forbidden))
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    thread_id: UUID | None = None,
    run_id: UUID | None = None,
    score: Annotated[Literal["1", "-1"] | None, Query(description="1: thumbs up, -1: thumbs down.")] = None,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return what you have said, newest first."""
    allowed = await caller.may("threads", "search", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        found = await feedback.search(
            conn,
            owner=caller.owner,
            user_id=caller.name,
            thread_id=thread_id,
            run_id=run_id,
            score=None if score is None else (1 if score == "1" else -1),
            allowed=allowed,
            limit=limit,
            offset=offset,
        )
    return Json(found)


@router.delete("/feedback/{feedback_id}", status_code=204, responses=answers(Forbidden, UnknownFeedback))
async def delete(feedback_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Take back what you have said."""
    await caller.may("threads", "search", {})
    async with engine.db.connection() as conn:
        await feedback.delete(conn, feedback_id, owner=caller.owner, user_id=caller.name)
    return Response(status_code=204)


@router.get("/statistics", responses=answers(Forbidden))
async def statistics(
    engine: GivenEngine, caller: GivenCaller, by: By = "agent", since: AwareDatetime | None = None
) -> Statistics:
    """Count how turns went that began since a moment: completed, failed, approved, thumbs, reward."""
    allowed = await caller.may("threads", "search", {})
    async with engine.db.connection() as conn:
        groups = await turns.statistics(conn, owner=caller.owner, by=by, since=since, allowed=allowed)
    return Statistics(by=by, groups=groups)
