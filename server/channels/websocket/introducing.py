"""Keys of clients that cannot set headers, such as browsers: in a subprotocol, or in the first message.

Both become the headers that the server's authentication reads, so that it is asked one way only.
"""

import asyncio
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artel.server.channels.websocket import saying, telling
from artel.server.channels.websocket.limits import Sockets
from artel.server.channels.websocket.saying import Auth
from artel.server.channels.websocket.telling import Accepted, Failed, now
from artel.storage.errors import ArtelError, Invalid

PATH = "/api/v1/ws"
PROTOCOL = "artel.v1"
KEY = "artel.key."  # before a key in base64url, offered beside PROTOCOL; it is never answered with
MOST = 64 * 1024  # bytes of a first message
AS_HTTP = 4000
UNKNOWN, SLOW = AS_HTTP + 401, AS_HTTP + 408
BROUGHT = ("authorization", "x-api-key", "cookie")

Admit = Callable[[Scope], Awaitable[None]]  # lets a scope in, or raises


def is_gateway(scope: Scope) -> bool:
    """Say whether a request is for the gateway."""
    return scope["type"] == "websocket" and get_route_path(scope) == PATH


def with_key(scope: Scope) -> Scope:
    """Return a scope with the key that it brought as a subprotocol where keys are looked for."""
    offered = next((one for one in scope.get("subprotocols", ()) if one.startswith(KEY)), None)
    if offered is None:
        return scope
    text = offered.removeprefix(KEY)
    try:
        key = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (NotBase64, ValueError):
        return scope  # no key: then the first message may bring one
    return _keyed(scope, key)


def may_introduce(scope: Scope) -> bool:
    """Say whether a first message may bring the key, because nothing else did."""
    headers = Headers(scope=scope)
    return is_gateway(scope) and not any(name in headers for name in BROUGHT)


async def introduced(app: ASGIApp, scope: Scope, receive: Receive, send: Send, admit: Admit) -> None:
    """Open a socket, wait for its key, and hand it on as if the key had come with it."""
    sockets: Sockets = scope["app"].state.sockets
    await receive()
    protocol = PROTOCOL if PROTOCOL in scope.get("subprotocols", ()) else None
    await send({"type": "websocket.accept", "subprotocol": protocol})
    said: Auth | None = None
    try:
        async with asyncio.timeout(sockets.settings.auth_s):
            message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        said = _auth(message)
        keyed = _keyed(scope, said.token)
        await admit(keyed)
    except TimeoutError:
        reason = f"the key must come within {sockets.settings.auth_s:g} s"
        await send({"type": "websocket.close", "code": SLOW, "reason": reason})
        return
    except ArtelError as refused:
        fields: dict[str, Any] = {"code": refused.code, "status": 401, "reply_to": said.id if said else None}
        await _text(send, Failed(at=now(), error=str(refused), **fields))
        await send({"type": "websocket.close", "code": UNKNOWN, "reason": refused.code})
        return
    await app(keyed, _Again(receive), _Open(send, said))


class _Again:
    """Receives, and first that somebody wants to connect."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self.connected = False

    async def __call__(self) -> Message:
        if not self.connected:
            self.connected = True
            return {"type": "websocket.connect"}
        return await self.receive()


class _Open:
    """Sends on a socket that is open already: to accept it is to accept the key."""

    def __init__(self, send: Send, said: Auth) -> None:
        self.send = send
        self.said = said

    async def __call__(self, message: Message) -> None:
        match message["type"]:
            case "websocket.accept":
                await _text(self.send, Accepted(at=now(), reply_to=self.said.id))
            case "websocket.http.response.start":  # refused behind the key, where HTTP is over
                code = AS_HTTP + message["status"]
                await self.send({"type": "websocket.close", "code": code, "reason": ""})
            case "websocket.http.response.body":
                return
            case _:
                await self.send(message)


def _auth(message: Message) -> Auth:
    text = message.get("text") or message.get("bytes") or ""
    try:
        said = saying.read(orjson.loads(text)) if len(text) <= MOST else None
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, Auth):
        raise Invalid("the first message must be auth with your token, for the socket brought no key")
    return said


def _keyed(scope: Scope, key: str) -> Scope:
    try:
        value = key.encode("latin-1")
    except UnicodeEncodeError as wrong:
        raise Invalid("a key may have no characters that no header can have") from wrong
    headers = [(b"authorization", b"Bearer " + value), (b"x-api-key", value)]
    return {**scope, "headers": [*scope["headers"], *headers]}


async def _text(send: Send, told: telling.ServerMessage) -> None:
    await send({"type": "websocket.send", "text": telling.encoded(told)})
