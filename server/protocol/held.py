"""Responses that stay open while something happens: streams, and answers that are waited for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from artel.storage import tasks

BEAT_S = 5.0

CUT = "artel.cut"  # in a request's scope, where a socket lies below: closes it at once

Hangup = Callable[[], Awaitable[None]]


class BrokenOff(Exception):
    """What is told goes on elsewhere: the client is to see a broken connection; a clean end is the end."""


class Held(Response):
    """Sends pieces as they come, a sign of life every five seconds, and notices when nobody listens."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        *,
        alive: bytes,
        media_type: str,
        headers: Mapping[str, str],
        on_hangup: Hangup | None = None,
        beat_s: float = BEAT_S,
    ) -> None:
        self.pieces = pieces
        self.alive = alive
        self.on_hangup = on_hangup
        self.beat_s = beat_s
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the pieces end or the client hangs up; `on_hangup` is told of the latter only.

        Pieces that are broken off are no whole response: the connection is cut.
        """
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        speaking = asyncio.create_task(self._speak(send))
        listening = asyncio.create_task(_hung_up(receive))
        try:
            while not speaking.done() and not listening.done():
                either = {speaking, listening}
                done, _ = await asyncio.wait(either, timeout=self.beat_s, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    await _body(send, self.alive)
        finally:
            await tasks.end(speaking, listening)
        if not speaking.cancelled():
            try:
                speaking.result()
            except BrokenOff:
                await _cut(scope, receive)
                return
            await _body(send, b"", more=False)
        elif self.on_hangup is not None:
            await self.on_hangup()

    async def _speak(self, send: Send) -> None:
        async for piece in self.pieces:
            if piece:
                await _body(send, piece)


async def _body(send: Send, piece: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": more})


async def _cut(scope: Scope, receive: Receive) -> None:
    if CUT in scope:
        scope[CUT]()
        await _hung_up(receive)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
