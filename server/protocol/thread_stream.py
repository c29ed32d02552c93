"""GET /threads/{id}/stream: everything that happens on a thread, run after run, on one connection."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.catalog import Catalog
from artel.server.engine import Engine, following
from artel.server.engine.following import IsThere, Look
from artel.server.errors import answers
from artel.server.protocol import snapshots
from artel.server.protocol.given import GivenCatalog, GivenEngine, JsonRoute, ThreadId, chosen
from artel.server.protocol.held import BrokenOff, Held
from artel.server.protocol.project import HEARTBEAT, Projection
from artel.server.protocol.running import MAX_SEQ, NO_BUFFERS, SSE, EventStream
from artel.storage import threads
from artel.storage.encoding import dumps
from artel.storage.errors import Invalid
from artel.storage.events import Event
from artel.storage.postgres import Connection
from artel.storage.runs import Run
from artel.storage.threads import Thread, UnknownThread

router = APIRouter(prefix="/threads/{thread_id}", route_class=JsonRoute, tags=["Threads"])

ThreadMode = Literal["run_modes", "lifecycle", "state_update"]
Modes = Annotated[
    list[str],
    Query(description="`run_modes` (what each run streams), `lifecycle` (begin and end), `state_update`."),
]
STATES_AT_ONCE = 100

FindThread: TypeAlias = Callable[[Connection], Awaitable[Thread]]


@router.get("/stream", response_class=EventStream, responses=answers(UnknownThread))
async def stream(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    stream_modes: Modes = [],  # noqa: B006 - read only, and FastAPI copies it
    stream_mode: Modes = [],  # noqa: B006 - the Python client says it so
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream what happens on a thread, over its runs, from now on or from the event after `Last-Event-ID`."""
    modes = chosen("stream_modes", [*stream_modes, *stream_mode], ThreadMode) or ["run_modes"]
    after = last_seen(last_event_id)
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})

    async def find(conn: Connection) -> Thread:
        return await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)

    async def is_there(conn: Connection) -> bool:
        try:
            return bool(await find(conn))
        except UnknownThread:
            return False

    async with engine.db.connection() as conn:
        thread = await find(conn)
    if after is None:
        after = await following.now(engine, thread_id)
        since = await _head(engine, catalog, thread) if "state_update" in modes else ""
    else:
        since = ""
    changes = StateUpdates(engine, catalog, thread_id, since, find) if "state_update" in modes else None
    headers = {**NO_BUFFERS, "Location": f"/threads/{thread_id}/stream"}
    pieces = _pieces(engine, thread_id, modes, after, is_there, changes)
    return Held(pieces, alive=HEARTBEAT, media_type=SSE, headers=headers)


def last_seen(last_event_id: str | None) -> int | None:
    """Return the number of the last event that a reader has; None when it wants only what is new.

    Raises:
        Invalid: it is no id of a thread's stream; `0` or `0-0` is before the first.
    """
    if not last_event_id:
        return None
    number, _, rest = last_event_id.partition("-")
    if all(part.isascii() and part.isdecimal() for part in (number, rest or "0")) and int(number) <= MAX_SEQ:
        return int(number)
    raise Invalid(f"Last-Event-ID must be the id of an event, or 0 for all, got {last_event_id!r}")


async def _pieces(
    engine: Engine,
    thread_id: UUID,
    modes: Sequence[str],
    after: int,
    is_there: IsThere,
    changes: "StateUpdates | None",
) -> AsyncIterator[bytes]:
    shown: RunFrames | None = None
    with_runs = "run_modes" in modes or "lifecycle" in modes
    async for step in following.follow_thread(
        engine, thread_id, after=after, whole="run_modes" in modes, is_there=is_there
    ):
        if isinstance(step, Look):
            if changes:
                yield await changes.frames(step.number)
            continue
        run, batch = step
        if shown is None or shown.run_id != run.run_id:
            if changes:
                yield await changes.frames(run.event_base or 0)
            shown = RunFrames(run, after=after, events="run_modes" in modes)
        if with_runs:
            yield shown.feed(batch)
    if engine.draining:
        raise BrokenOff


class RunFrames:
    """One run on the stream of its thread: what it streams itself, between its begin and its end."""

    def __init__(self, run: Run, *, after: int, events: bool) -> None:
        self.run_id = run.run_id
        self._base = run.event_base or 0
        self._after = after - self._base
        modes = (run.kwargs.get("stream_mode") or ["values"]) if events else []
        self._shown = Projection(
            modes,
            subgraphs=bool(run.kwargs.get("stream_subgraphs")),
            after=self._after,
            base=self._base,
        )
        self._errors = events

    def feed(self, batch: Sequence[Event]) -> bytes:
        """Return what these events are on the wire."""
        sent = self._shown.feed([event for event in batch if self._errors or event.type != "error"])
        last = batch[-1]
        if last.type == "run.ended" and last.seq > self._after:
            data = dumps({"status": "run_done", "run_id": self.run_id})
            sent += b"event: metadata\r\ndata: %b\r\nid: %d-0\r\n\r\n" % (data, self._base + last.seq)
        return sent


class StateUpdates:
    """Changes of a thread's state that came from outside its runs."""

    def __init__(
        self, engine: Engine, catalog: Catalog, thread_id: UUID, since: str, find: FindThread
    ) -> None:
        self._engine = engine
        self._catalog = catalog
        self._thread_id = thread_id
        self._since = since  # ids of checkpoints grow with time
        self._find = find

    async def frames(self, number: int) -> bytes:
        """Return those that were not told yet; they bear the number of the event before them."""
        try:
            async with self._engine.db.connection() as conn:
                thread = await self._find(conn)
        except UnknownThread:
            return b""
        states = await snapshots.history(
            self._engine,
            self._catalog,
            thread,
            limit=STATES_AT_ONCE,
            before=None,
            metadata={"source": "update"},
            checkpoint={},
        )
        new = [state for state in reversed(states) if state["checkpoint_id"] > self._since]
        sent = b""
        for count, state in enumerate(new, 1):
            self._since = state["checkpoint_id"]
            data = dumps({"state": state, "thread_id": self._thread_id})
            sent += b"event: state_update\r\ndata: %b\r\nid: %d-%d\r\n\r\n" % (data, number, count)
        return sent


async def _head(engine: Engine, catalog: Catalog, thread: Thread) -> str:
    state = await snapshots.read(engine, catalog, thread, {}, subgraphs=False)
    return state["checkpoint_id"] or ""
