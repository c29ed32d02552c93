"""WebSocket /api/v1/ws: words, answers and stops in; what happens in any number of sessions out."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from artel.server.auth.caller import GivenCaller
from artel.server.channels.websocket import doing, saying, telling
from artel.server.channels.websocket.doing import Begun, Desk
from artel.server.channels.websocket.introducing import PROTOCOL
from artel.server.channels.websocket.limits import Bucket, Sockets, TooMany
from artel.server.channels.websocket.listening import EVERY_PART, standing
from artel.server.channels.websocket.project import Place, View
from artel.server.channels.websocket.saying import ClientMessage
from artel.server.channels.websocket.telling import Accepted, Failed, ServerMessage, now
from artel.server.engine import following
from artel.server.engine.following import IsThere, Look
from artel.server.errors import Answered, TooLarge
from artel.server.protocol.given import GivenCatalog, GivenEngine
from artel.server.protocol.held import CUT
from artel.server.protocol.v2.events import admitted
from artel.storage import tasks
from artel.storage.errors import ArtelError, BadRequest, Forbidden, Invalid
from artel.storage.threads import UnknownThread

router = APIRouter()

AS_HTTP = 4000  # a close code is this and the status that HTTP would have
COME_BACK, BROKEN, QUIET, TOO_MUCH = 1012, 1011, AS_HTTP + 408, AS_HTTP + 429
STRIKES = 100  # messages refused one after the other for coming too fast

log = structlog.get_logger(__name__)


class Gone(Exception):
    """The client has left, or was cut off."""


@router.websocket("/ws")
async def gateway(
    websocket: WebSocket, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> None:
    """Serve one client until it leaves or this process ends; runs go on without it."""
    await websocket.accept(PROTOCOL if PROTOCOL in websocket.scope["subprotocols"] else None)
    sockets: Sockets = websocket.app.state.sockets
    desk = Desk(engine, catalog, caller, str(websocket.scope.get("artel.request_id", "")))
    session = Session(websocket, desk, sockets)
    try:
        with sockets.counted(caller.name):
            await session.serve()
    except TooMany as full:
        await session.refuse(full)
        await session.end(TOO_MUCH, str(full)[:120])
    except (Gone, WebSocketDisconnect):
        return
    finally:
        await session.leave()


@dataclass(slots=True)
class Session:
    """One socket. What is told of a session is told in order; sessions do not wait for each other."""

    websocket: WebSocket
    desk: Desk
    sockets: Sockets
    closed: bool = False
    _told: "dict[UUID, asyncio.Task[None]]" = field(default_factory=dict)
    _begun: dict[UUID, UUID] = field(default_factory=dict)  # the last run of a session that was told of
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def serve(self) -> None:
        """Do one message after the other until the client leaves."""
        settings = self.sockets.settings
        bucket = Bucket(settings.rate, settings.burst)
        while (message := await self._heard()) is not None:
            given: Any = None
            try:
                too_fast = bucket.take()
                given = _decoded(message, settings.max_bytes)
                if too_fast:
                    raise too_fast
                await self._do(saying.read(given))
            except ArtelError as refused:
                await self.refuse(refused, given)
                if bucket.refused >= STRIKES:
                    await self.end(TOO_MUCH, "too many messages")
                    return
            except (Gone, WebSocketDisconnect):
                raise
            except Exception:
                log.exception("a message failed", request_id=self.desk.request_id)
                await self._tell_why("this is a bug of the server; its log says more", "internal", 500, given)

    async def refuse(self, error: ArtelError, given: Any = None) -> None:
        """Tell why a message was not done."""
        status = error.answer_status if isinstance(error, Answered) else error.status
        await self._tell_why(str(error), error.code, status, given)

    async def _tell_why(self, error: str, code: str, status: int, given: Any) -> None:
        reply = given.get("id") if isinstance(given, dict) else None
        reply_to = reply if isinstance(reply, str) else None
        await self.send(Failed(at=now(), error=error, code=code, status=status, reply_to=reply_to))

    async def end(self, code: int, reason: str) -> None:
        """Close the socket, once."""
        if not self.closed:
            self.closed = True
            try:
                async with asyncio.timeout(self.sockets.settings.stall_s):
                    await self.websocket.close(code, reason)
            except (TimeoutError, RuntimeError, WebSocketDisconnect):
                self._cut()

    async def leave(self) -> None:
        """Tell no more."""
        self.closed = True
        await tasks.end(*self._told.values())

    async def send(self, told: ServerMessage) -> None:
        """Send a message, in time.

        Raises:
            Gone: nobody takes it.
        """
        async with self._sending:
            await self._send(told)

    async def _send(self, told: ServerMessage) -> None:
        if self.closed:
            raise Gone
        try:
            async with asyncio.timeout(self.sockets.settings.stall_s):
                await self.websocket.send_text(telling.encoded(told))
        except (WebSocketDisconnect, RuntimeError):
            raise Gone from None
        except TimeoutError:
            log.info("a socket took nothing and was cut", request_id=self.desk.request_id)
            self._cut()
            raise Gone from None

    def _cut(self) -> None:
        self.closed = True
        if cut := self.websocket.scope.get(CUT):
            cut()

    async def _heard(self) -> Any:
        """Return what the client says next, text or bytes; None when it has left, or says nothing at all."""
        try:
            async with asyncio.timeout(None if self._told else self.sockets.settings.idle_s):
                message = await self.websocket.receive()
        except TimeoutError:
            await self.end(QUIET, "nothing was said, and nothing listened to")
            return None
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        return message.get("bytes") or b"" if text is None else text

    async def _do(self, said: ClientMessage) -> None:
        match said:
            case saying.Chat():
                self._has_room_for(said.session_id)
                heard = said.session_id in self._told
                await self._begins(said, await doing.say(self.desk, said, heard=heard))
            case saying.ToolApproval():
                self._has_room_for(said.session_id)
                await self._begins(said, await doing.answer(self.desk, said))
            case saying.Cancel():
                await doing.stop(self.desk, said)
                await self._accept(said, said.session_id)
            case saying.Subscribe():
                await self._subscribe(said)
            case saying.Unsubscribe():
                await self._stop_telling(said.session_id)
                await self._accept(said, said.session_id)
            case saying.Ping():
                await self.send(telling.Pong(at=now(), reply_to=said.id))
            case saying.Auth():
                if self.desk.caller.policy is not None:
                    raise BadRequest(f"this socket is {self.desk.caller.name}'s already: open another")
                await self._accept(said)

    async def _accept(
        self, said: ClientMessage, session_id: UUID | None = None, run_id: UUID | None = None
    ) -> None:
        await self.send(Accepted(at=now(), reply_to=said.id, session_id=session_id, run_id=run_id))

    async def _begins(self, said: ClientMessage, begun: Begun) -> None:
        """Tell that a run was accepted, and what becomes of it."""
        await self._accept(said, begun.session_id, begun.run_id)
        if begun.waits:
            async with self._sending:
                if self._begun.get(begun.session_id) != begun.run_id:
                    told = {"session_id": begun.session_id, "run_id": begun.run_id, "data": "queued"}
                    await self._send(telling.StateChanged(at=now(), **told))
        if begun.session_id not in self._told:
            try:
                is_there = await admitted(self.desk.engine, self.desk.caller, begun.session_id, since=1)
            except (Forbidden, UnknownThread):
                return  # one to whom a question was escalated answers it, and no more
            self._tell(begun.session_id, Place(begun.since, EVERY_PART), is_there)

    async def _subscribe(self, said: saying.Subscribe) -> None:
        self._has_room_for(said.session_id)
        session_id = said.session_id
        is_there = await admitted(self.desk.engine, self.desk.caller, session_id, since=1)
        since, first = await standing(self.desk.engine, session_id, said.after, owner=self.desk.caller.owner)
        await self._stop_telling(session_id)
        await self._accept(said, session_id)
        for told in first:
            await self.send(told)
        self._tell(session_id, since, is_there)

    def _has_room_for(self, session_id: UUID | None) -> None:
        most = self.sockets.settings.threads
        if len(self._told) >= most and session_id not in self._told:
            raise TooMany(f"a socket may listen to {most} sessions: unsubscribe from one, or open another")

    def _tell(self, session_id: UUID, since: Place, is_there: IsThere) -> None:
        telling = self._telling(session_id, since, is_there)
        self._told[session_id] = asyncio.create_task(telling, name=f"gateway to {session_id}")

    async def _stop_telling(self, session_id: UUID) -> None:
        if telling := self._told.pop(session_id, None):
            async with self._sending:  # what is being sent goes out whole
                telling.cancel()
            await tasks.end(telling)

    async def _telling(self, session_id: UUID, since: Place, is_there: IsThere) -> None:
        """Tell what happens in a session after a place, until it or this process ends."""
        engine = self.desk.engine
        try:
            await self._follow(session_id, since, is_there)
            if engine.draining:
                await self.end(COME_BACK, "the server is shutting down; come back")
                return
            self._told.pop(session_id, None)
            gone = UnknownThread(f"session {session_id} was deleted")
            told = {"session_id": session_id, "error": str(gone), "code": gone.code, "status": gone.status}
            await self.send(Failed(at=now(), **told))
        except Gone:
            return
        except Exception:
            log.exception("a session could not be told", thread_id=str(session_id))
            await self.end(BROKEN, "this is a bug of the server; its log says more")

    async def _follow(self, session_id: UUID, since: Place, is_there: IsThere) -> None:
        view: View | None = None
        async for step in following.follow_thread(
            self.desk.engine, session_id, after=since.number, whole=True, is_there=is_there
        ):
            if isinstance(step, Look):
                continue
            run, batch = step
            if view is None or view.run_id != run.run_id:
                view = View(run)
            for place, told in view.feed(batch):
                if place > since:
                    async with self._sending:
                        self._begun[session_id] = run.run_id
                        await self._send(told)


def _decoded(message: str | bytes, most: int) -> Any:
    size = len(message.encode() if isinstance(message, str) else message)
    if size > most:
        raise TooLarge(f"a message may have {most} bytes at most, got {size}")
    try:
        return orjson.loads(message)
    except orjson.JSONDecodeError as wrong:
        raise Invalid(f"a message must be JSON: {wrong}; got {message[:80]!r}") from wrong
