"""Where one who begins to listen begins, and what they are told first."""

from uuid import UUID

from artel.server.channels.websocket import telling
from artel.server.channels.websocket.project import Place
from artel.server.channels.websocket.telling import ServerMessage, State, now
from artel.server.engine import Engine, following
from artel.storage import approvals, events, runs, threads
from artel.storage.approvals import Approval
from artel.storage.postgres import Connection
from artel.storage.runs import numbering

EVERY_PART = 10**6


async def standing(
    engine: Engine, session_id: UUID, after: str | None, *, owner: str
) -> tuple[Place, list[ServerMessage]]:
    """Return the place after which to tell, and what to say before it.

    One who names no event is told how the session stands; one who names an event of which nothing is kept
    any more is told that there is a gap.

    Raises:
        UnknownThread: the owner has no such session.
    """
    number = await following.now(engine, session_id)
    async with engine.db.connection() as conn:
        if after is not None:
            since = Place.of(after)
            return since, await _gap(conn, session_id, since, number)
        asked = await approvals.open_of_thread(conn, session_id)
        state, run_id = await _state(conn, session_id, owner, asks=bool(asked))
    told = telling.StateChanged(at=now(), session_id=session_id, run_id=run_id, data=state)
    return Place(number, EVERY_PART), [told, *map(_question, asked)]


async def _gap(conn: Connection, session_id: UUID, since: Place, number: int) -> list[ServerMessage]:
    run = await numbering.first_with(conn, session_id, number=since.number)
    if run is None or not run.ended or await events.last_seq(conn, run.run_id):
        return []
    gap = telling.Gap(before=Place(number + 1).name)
    return [telling.Missed(at=now(), session_id=session_id, run_id=run.run_id, data=gap)]


async def _state(conn: Connection, session_id: UUID, owner: str, *, asks: bool) -> tuple[State, UUID | None]:
    active = await runs.active(conn, session_id)
    if active:
        running = next((run for run in active if run.status == "running"), None)
        return ("processing", running.run_id) if running else ("queued", active[0].run_id)
    if asks:
        return "waiting", None
    thread = await threads.get(conn, session_id, owner=owner)
    return ("error" if thread.status == "error" else "idle"), None


def _question(asked: Approval) -> ServerMessage:
    fields = {name: getattr(asked, name) for name in telling.Question.model_fields}
    told = telling.Question(**fields)
    known = {"session_id": asked.thread_id, "run_id": asked.run_id, "agent": asked.agent}
    return telling.ApprovalRequired(at=now(), data=told, **known)
