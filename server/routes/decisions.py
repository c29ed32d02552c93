"""/api/v1/threads/{id}/decisions: what people have decided in a thread, and how to change one's mind."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from artel.graphs import resolved
from artel.graphs.answering import MAX_ANSWER, answer_to
from artel.graphs.resolved import Edit, Resolved
from artel.server.auth.caller import Caller, GivenCaller
from artel.server.catalog import Catalog, UnknownGraph
from artel.server.engine import Engine
from artel.server.engine.auditing import resolved_entry
from artel.server.engine.dispatch import ThreadBusy
from artel.server.errors import answers
from artel.server.protocol import snapshots
from artel.server.protocol.bodies import Body, Text
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json, JsonRoute, ThreadId
from artel.server.protocol.snapshots import NoGraph
from artel.storage import threads
from artel.storage.errors import Conflict, NotFound
from artel.storage.threads import Thread, UnknownThread

router = APIRouter(prefix="/threads/{thread_id}/decisions", route_class=JsonRoute, tags=["Product"])

MAX_EDITS = 50  # of a decision
DecisionId = Annotated[Text, Path(max_length=200)]
Words = Annotated[Text, Field(max_length=MAX_ANSWER)]


class UnknownDecision(NotFound):
    """In this thread nothing was decided under that id."""


class DecisionStands(Conflict):
    """A decision cannot be changed now; the message says why, and what can be done."""

    code = "decision_stands"


class Changed(Body):
    """Another answer to a question that was decided."""

    answer: Words | Annotated[list[Words], Field(max_length=100)] = Field(
        description="A label that was offered, words, or a list of labels."
    )


@router.get("", responses=answers(UnknownThread, UnknownGraph))
async def search(
    thread_id: ThreadId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Return what was decided, the latest first: by whom, when, for which agent, and all edits since."""
    thread = await _thread(engine, caller, thread_id)
    return Json(resolved.newest(await _known(engine, catalog, thread)))


@router.get("/{decision_id}", responses=answers(UnknownThread, UnknownGraph, UnknownDecision))
async def get(
    thread_id: ThreadId,
    decision_id: DecisionId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
) -> Response:
    """Return a decision."""
    thread = await _thread(engine, caller, thread_id)
    return Json(_of(await _known(engine, catalog, thread), decision_id))


CHANGING = answers(UnknownThread, UnknownGraph, UnknownDecision, DecisionStands, ThreadBusy, NoGraph)


@router.patch("/{decision_id}", responses=CHANGING)
async def edit(
    thread_id: ThreadId,
    decision_id: DecisionId,
    body: Changed,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
) -> Response:
    """Answer anew what was decided; the agent is told of this answer from now on."""
    return await _change(engine, catalog, caller, thread_id, decision_id, body)


@router.delete("/{decision_id}", responses=CHANGING)
async def revoke(
    thread_id: ThreadId,
    decision_id: DecisionId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
) -> Response:
    """Take a decision back: it stays in the list as revoked, no agent is told of it, it may be asked anew."""
    return await _change(engine, catalog, caller, thread_id, decision_id, None)


async def _change(
    engine: Engine, catalog: Catalog, caller: Caller, thread_id: Any, decision_id: str, body: Changed | None
) -> Response:
    """Write an edit into the thread's state, or that the decision is revoked.

    Raises:
        DecisionStands: it is revoked, edited too often, or the thread waits for an answer, whose question
            would be set aside by a write to the state.
        Invalid: the answer does not fit the question.
    """
    allowed = await caller.may("threads", "update", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        thread = await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
    entry = _of(await _known(engine, catalog, thread), decision_id)
    if entry["status"] == "revoked":
        if body is None:
            return Json(entry)
        raise DecisionStands(f"{decision_id} is revoked and stays so; it is asked anew when it matters")
    if body and len(entry["edits"]) >= MAX_EDITS:
        raise DecisionStands(f"{decision_id} was edited {MAX_EDITS} times; revoke it, and it is asked anew")
    if any(thread.interrupts.values()):
        raise DecisionStands(f"thread {thread_id} waits for an answer: answer that first, then change this")
    made = Edit(by=caller.name, at=datetime.now(UTC).isoformat(timespec="microseconds"))
    if body is None:
        made["status"] = "revoked"
    else:
        made["answer"] = answer_to({**entry, "required": True}, body.answer, "answer")
    after = resolved.edited(entry, made)
    await snapshots.update(
        engine,
        catalog,
        thread.thread_id,
        {"resolved_context": {decision_id: after}},
        as_node=None,
        checkpoint={},
        owner=caller.owner,
        allowed=allowed,
        audited=[resolved_entry(after, thread_id=thread.thread_id, owner=caller.owner, user=caller.name)],
    )
    return Json(after)


async def _thread(engine: Engine, caller: Caller, thread_id: Any) -> Thread:
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        return await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)


async def _known(engine: Engine, catalog: Catalog, thread: Thread) -> dict[str, Resolved]:
    """Return what was decided in a thread, also by agents inside it that have not come to their end."""
    state = await snapshots.read(engine, catalog, thread, {}, subgraphs=True)
    known: dict[str, Resolved] = {}
    for values in _values(state):
        known = resolved.joined(known, values.get("resolved_context"))
    return known


def _values(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    inside = [one for task in state["tasks"] if task["state"] for one in _values(task["state"])]
    values = state["values"]
    return [*([values] if isinstance(values, Mapping) else []), *inside]


def _of(known: Mapping[str, Resolved], decision_id: str) -> Resolved:
    if decision_id not in known:
        ids = ", ".join(known) or "nothing was decided yet"
        raise UnknownDecision(f"no decision {decision_id} in this thread; there are: {ids}")
    return known[decision_id]
