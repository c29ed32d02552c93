"""POST /threads/{id}/stream/events: typed events of a thread, over its runs, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine, following
from artel.server.engine.following import IsThere, Look
from artel.server.errors import answers
from artel.server.protocol.given import GivenEngine, JsonRoute, ThreadId
from artel.server.protocol.held import BrokenOff, Held
from artel.server.protocol.project import HEARTBEAT
from artel.server.protocol.running import NO_BUFFERS, SSE, EventStream
from artel.server.protocol.v2.filters import Chorus, Filter, Wish, WrongFilter
from artel.server.protocol.v2.project import RunView, Said
from artel.storage import threads
from artel.storage.postgres import Connection
from artel.storage.threads import UnknownThread

router = APIRouter(prefix="/threads/{thread_id}", route_class=JsonRoute, tags=["Protocol v2"])

CLOSING_S = 0.5  # from the last run handed over to the sockets closed: uvicorn looks every 0.1 s
SHAPE = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Wish.model_json_schema()}},
    }
}


@router.post(
    "/stream/events",
    response_class=EventStream,
    responses=answers(WrongFilter, UnknownThread),
    openapi_extra=SHAPE,
)
async def stream(thread_id: ThreadId, request: Request, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Stream what happens on a thread after event `since`, then live; one that nobody has may come to be."""
    try:
        given = orjson.loads(await request.body())
    except orjson.JSONDecodeError as wrong:
        raise WrongFilter("Invalid JSON in request body") from wrong
    wanted = Filter.of(given)
    is_there = await admitted(engine, caller, thread_id, since=wanted.since)

    async def pieces() -> AsyncIterator[bytes]:
        async for batch in heard(engine, thread_id, wanted, is_there):
            yield b"".join(
                b"event: %b\r\ndata: %b\r\nid: %d\r\n\r\n" % (said.method.encode(), said.encoded(), said.seq)
                for said in batch
            )
        if engine.draining:
            raise BrokenOff

    return Held(pieces(), alive=HEARTBEAT, media_type=SSE, headers=NO_BUFFERS)


async def admitted(engine: Engine, caller: Caller, thread_id: UUID, *, since: int = 0) -> IsThere:
    """Return what tells whether a thread is there for a caller.

    One that nobody has may still come to be: clients name a thread themselves, listen, and make it by their
    first `run.start`. It is none to come for who has heard something of it: `since` says so.

    Raises:
        Forbidden: they may not read it.
        UnknownThread: somebody else has it, or it is gone.
    """
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})

    async def is_there(conn: Connection) -> bool:
        try:
            await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        except UnknownThread:
            return False
        return True

    async with engine.db.connection() as conn:
        taken = await threads.is_taken(conn, thread_id)  # first: the caller may be making it in this moment
        if not await is_there(conn) and (since or taken):
            raise UnknownThread(f"no thread {thread_id}")
    return is_there


async def heard(
    engine: Engine, thread_id: UUID, wanted: Filter | Chorus, is_there: IsThere
) -> AsyncIterator[list[Said]]:
    """Yield what a filter lets through of what happens on a thread, until that or this process ends."""
    if engine.draining:
        await _parting(engine)
    view: RunView | None = None
    async for step in following.follow_thread(
        engine, thread_id, after=wanted.number, whole=True, is_there=is_there
    ):
        if isinstance(step, Look):
            continue
        run, batch = step
        if view is None or view.run_id != run.run_id:
            view = RunView(run, wanted.kinds)
        if told := [said for said in view.feed(batch) if wanted.lets_through(said)]:
            yield told


async def _parting(engine: Engine) -> None:
    """Keep one who came too late until this process listens no more: sent away at once, it would be back.

    The Python client comes back five times in all, a twentieth of a second each after the one before.
    """
    while engine.live:  # noqa: ASYNC110 - what runs here ends in its own time
        await asyncio.sleep(CLOSING_S)
    await asyncio.sleep(CLOSING_S)
