"""The client of every measure: HTTP/1.1 over kept connections, on the parser alone.

A client that costs more than the server would measure itself: httpx spends about ten times as much on a line.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import httptools
import orjson

TOKEN = re.compile(rb'"t(\d{9,}) "')
LONGEST_TOKEN = 32
ANSWER_S = 120.0


class Refused(Exception):
    """A server answered with an error."""


@dataclass
class Heard:
    """What came over one stream: for each token when it was due and when it came, in ns."""

    asked: int = 0
    ended: int = 0
    size: int = 0
    due: list[int] = field(default_factory=list)
    came: list[int] = field(default_factory=list)

    @property
    def first_ms(self) -> float:
        """Time to the first token."""
        return (self.came[0] - self.asked) / 1e6

    @property
    def took_s(self) -> float:
        """Time to the end of the stream."""
        return (self.ended - self.asked) / 1e9

    @property
    def lags_ms(self) -> list[float]:
        """How late each token came."""
        return [(came - due) / 1e6 for due, came in zip(self.due, self.came, strict=True)]


class _Connection(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.told: Callable[[bytes], None] = lambda _: None
        self.done: asyncio.Future[int] | None = None
        self.parser: Any = None
        self.was_kept = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.done and not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server hung up"))

    def on_body(self, body: bytes) -> None:
        self.told(body)

    def on_message_complete(self) -> None:
        assert self.done
        if self.transport and not self.parser.should_keep_alive():
            self.transport.close()
        if not self.done.done():
            self.done.set_result(self.parser.get_status_code())

    async def exchange(self, request: bytes, told: Callable[[bytes], None]) -> int:
        if not self.transport:
            raise ConnectionResetError("the server has hung up")
        self.told, self.parser = told, httptools.HttpResponseParser(self)
        self.done = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await asyncio.wait_for(self.done, ANSWER_S)


class Client:
    """Speaks to one server on loopback."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.free: list[_Connection] = []

    def close(self) -> None:
        """Hang up."""
        for connection in self.free:
            if connection.transport:
                connection.transport.close()

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer's JSON.

        Raises:
            Refused: the answer was an error.
        """
        pieces: list[bytes] = []
        await self._exchange(method, path, body, pieces.append)
        return orjson.loads(b"".join(pieces) or b"null")

    async def listen(self, path: str, body: Any) -> Heard:
        """Return what was heard over a stream that a POST opens."""
        heard, rest = Heard(), b""

        def hear(body: bytes) -> None:
            nonlocal rest
            now, end = time.monotonic_ns(), 0
            heard.size += len(body)
            text = rest + body
            for token in TOKEN.finditer(text):
                heard.due.append(int(token[1]))
                heard.came.append(now)
                end = token.end()
            rest = text[max(end, len(text) - LONGEST_TOKEN) :]

        heard.asked = time.monotonic_ns()
        await self._exchange("POST", path, body, hear)
        heard.ended = time.monotonic_ns()
        return heard

    async def _exchange(self, method: str, path: str, body: Any, told: Callable[[bytes], None]) -> None:
        content = b"" if body is None else orjson.dumps(body)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        pieces: list[bytes] = []
        connection = await self._connection()

        def keep(piece: bytes) -> None:
            if connection.parser.get_status_code() >= 400:
                pieces.append(piece)
            told(piece)

        try:
            status = await connection.exchange(head.encode() + content, keep)
        except ConnectionError:
            if not connection.was_kept:
                raise
            self.free.clear()  # the server has hung up on what was idle
            connection = await self._connection()
            status = await connection.exchange(head.encode() + content, keep)
        if connection.transport and not connection.transport.is_closing():
            connection.was_kept = True
            self.free.append(connection)
        if status >= 400:
            raise Refused(f"{method} {path}: {status} {b''.join(pieces)[:300].decode(errors='replace')}")

    async def _connection(self) -> _Connection:
        while self.free:
            connection = self.free.pop()
            if connection.transport and not connection.transport.is_closing():
                return connection
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(_Connection, "127.0.0.1", self.port)
        return made
