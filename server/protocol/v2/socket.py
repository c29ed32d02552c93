"""WebSocket /threads/{id}/stream/events: commands in, and the events of any number of subscriptions out."""

import asyncio
import re
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import structlog
from fastapi import APIRouter, WebSocket
from pydantic import Field
from starlette.websockets import WebSocketDisconnect

from artel.server.auth.caller import GivenCaller
from artel.server.engine.following import IsThere
from artel.server.protocol.bodies import Body
from artel.server.protocol.given import GivenCatalog, GivenEngine
from artel.server.protocol.orders import Call
from artel.server.protocol.v2 import commands
from artel.server.protocol.v2.desk import Desk, Refused, Result, checked
from artel.server.protocol.v2.events import admitted, heard
from artel.server.protocol.v2.filters import Chorus, Filter, Hearer
from artel.server.protocol.v2.lifecycle import ENDS
from artel.server.protocol.v2.project import PARTS, Said
from artel.storage import tasks
from artel.storage.encoding import dumps
from artel.storage.errors import ArtelError, Forbidden
from artel.storage.threads import UnknownThread

router = APIRouter(prefix="/threads/{thread_id}", tags=["Protocol v2"])

AS_HTTP = 4000  # a close code is this and the status that HTTP would have
GONE, COME_BACK, BROKEN = AS_HTTP + 404, 1012, 1011
MOST = 64  # subscriptions of one socket
# From the last subscription to the first end of a run that is told: an end lets a client leave all of its
# loops, and who comes back subscribes to one thing after the other.
SETTLED_S = 0.05
PLACE = re.compile(r"(?:^|:)(\d{1,16})-(\d{1,3})$")  # at the end of an event's id

log = structlog.get_logger(__name__)


class Unsubscription(Body):
    """What to end."""

    subscription_id: str


class Reconnection(Body):
    """What to go on with, and from which event."""

    run_id: str | None = None
    last_event_id: str | None = None
    subscriptions: list[str] = Field(default_factory=list)


@router.websocket("/stream/events")
async def socket(
    websocket: WebSocket, thread_id: str, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> None:
    """Serve one client until it leaves, the thread is deleted, or this process ends."""
    await websocket.accept()
    known = commands.thread_of(thread_id)
    if known is None:
        await websocket.close(AS_HTTP + 422, "the thread's id must be a UUID")
        return
    try:
        is_there = await admitted(engine, caller, known)
    except (Forbidden, UnknownThread) as refused:
        await websocket.close(AS_HTTP + refused.status, str(refused)[:120])
        return
    desk = Desk(engine, catalog, known, Call(caller, uuid4().hex))
    session = Session(websocket, desk, is_there)
    try:
        await session.serve()
    except WebSocketDisconnect:
        return
    except Exception:
        log.exception("a socket failed", thread_id=str(known))
        await session.end(BROKEN, "this is a bug of the server")
    finally:
        await session.leave()


@dataclass(slots=True)
class Session:
    """One socket. All subscriptions are told in one row: nothing overtakes what was before it."""

    websocket: WebSocket
    desk: Desk
    is_there: IsThere
    subscriptions: dict[str, Hearer] = field(default_factory=dict)
    closed: bool = False
    _telling: "asyncio.Task[None] | None" = None
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    _asked_at: float = 0.0

    async def serve(self) -> None:
        """Do one command after the other until the client leaves."""
        own = {
            "subscription.subscribe": self._subscribe,
            "subscription.unsubscribe": self._unsubscribe,
            "subscription.reconnect": self._reconnect,
        }
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            envelope, wrong = commands.read(message.get("bytes") or b"" if text is None else text)
            if wrong:
                await self._send(wrong)
                continue
            try:
                answer = await commands.answer(self.desk, envelope, own)
            except ArtelError as later:
                answer = commands.error(envelope["id"], "unknown_error", str(later))
            await self._send(answer)

    async def end(self, code: int, reason: str) -> None:
        """Close the socket, once."""
        if not self.closed:
            self.closed = True
            await self.websocket.close(code, reason)

    async def _send(self, message: dict[str, Any]) -> None:
        await self.websocket.send_text(dumps(message).decode())

    async def _subscribe(self, _: Desk, params: dict[str, Any]) -> Result:
        return Result({"subscription_id": await self._open(Filter.of(params))})

    async def _unsubscribe(self, _: Desk, params: dict[str, Any]) -> Result:
        name = checked(Unsubscription, params).subscription_id
        if self.subscriptions.pop(name, None) is None:
            raise Refused("no_such_subscription", f"there is no subscription {name!r}")
        return Result({})

    async def _reconnect(self, _: Desk, params: dict[str, Any]) -> Result:
        """Say again what came after an event: for what is listened to, or for a new subscription."""
        given = checked(Reconnection, params)
        since = _since(given.last_event_id)
        if "channels" in params:
            name = await self._open(replace(Filter.of(params), since=since))
            return Result({"restored": True, "subscription_id": name})
        known = [name for name in given.subscriptions if name in self.subscriptions]
        for name in known:
            self.subscriptions[name] = Hearer(replace(self.subscriptions[name].wanted, since=since))
        if known:
            await self._begin_again()
        return Result({"restored": bool(known) and len(known) == len(given.subscriptions)})

    async def _open(self, wanted: Filter) -> str:
        if len(self.subscriptions) >= MOST:
            raise Refused("not_supported", f"a socket may have {MOST} subscriptions at most")
        name = str(uuid4())
        self.subscriptions[name] = Hearer(wanted)
        await self._begin_again()
        return name

    async def _begin_again(self) -> None:
        """Tell from where the one begins who has heard least."""
        await self.leave()
        self._asked_at = asyncio.get_running_loop().time()
        self._telling = asyncio.create_task(self._tell(), name=f"socket of {self.desk.thread_id}")

    async def leave(self) -> None:
        """Tell no more, but for what is being sent."""
        async with self._sending:
            telling, self._telling = self._telling, None
            if telling:
                telling.cancel()
        await tasks.end(*([telling] if telling else []))

    async def _tell(self) -> None:
        """Send what any subscription lets through, until the thread is gone or this process ends."""
        engine, thread_id = self.desk.engine, self.desk.thread_id
        hearers = self.subscriptions.values()
        try:
            since = max((one.wanted.since for one in hearers), default=0)
            await admitted(engine, self.desk.caller, thread_id, since=since)
            async for batch in heard(engine, thread_id, Chorus(hearers), self.is_there):
                for said in batch:
                    await self._say(said)
        except (WebSocketDisconnect, RuntimeError):
            return  # the client has left
        except (Forbidden, UnknownThread) as refused:
            await self.end(AS_HTTP + refused.status, str(refused)[:120])
            return
        except Exception:
            log.exception("a subscription failed", thread_id=str(thread_id))
            await self._send(commands.error(None, "unknown_error", "a bug of the server; its log says more"))
            await self.end(BROKEN, "the stream failed")
            return
        if engine.draining:
            await self.end(COME_BACK, "the server is shutting down; come back")
        else:
            await self.end(GONE, "the thread was deleted")

    async def _say(self, said: Said) -> None:
        if said.method == "lifecycle" and not said.ns and said.data["event"] in ENDS:
            settled = self._asked_at + SETTLED_S - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, settled))
        async with self._sending:
            for one in self.subscriptions.values():
                one.upto = max(one.upto, said.seq)
            await self.websocket.send_text(said.encoded().decode())


def _since(event_id: str | None) -> int:
    """Return the number of the event that has this id.

    Raises:
        Refused: none has.
    """
    if not event_id:
        return 0
    found = PLACE.search(event_id)
    if found is None:
        raise Refused("invalid_argument", f"last_event_id must be the id of an event, got {event_id!r:.80}")
    return int(found[1]) * PARTS + int(found[2])
