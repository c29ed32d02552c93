"""A receiver of webhooks: a real HTTP server that keeps what it is told and answers as it is set."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from artel.storage import tasks


@dataclass(frozen=True)
class Told:
    """One request."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)


@dataclass
class Receiver:
    """What came, and how the next ones are answered; the last answer stays."""

    port: int = 0
    scheme: str = "http"
    answers: list[int] = field(default_factory=lambda: [200])
    told: list[Told] = field(default_factory=list)
    pause_s: float = 0
    moved_to: str = ""  # where an answer of 307 says to go; by default elsewhere on it
    news: asyncio.Event = field(default_factory=asyncio.Event)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def wait(self, many: int = 1) -> list[Told]:
        """Return what was told, once that is so many."""
        async with asyncio.timeout(20):
            while len(self.told) < many:
                self.news.clear()
                await self.news.wait()
        return self.told

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        self.told.append(Told(head[0].split(" ")[1], headers, raw))
        self.news.set()
        await asyncio.sleep(self.pause_s)
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        where = f"Location: {self.moved_to or self.url('/elsewhere')}\r\n" if status == 307 else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{where}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def receiving(secured: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Open a receiver on a port of this machine; with a context, one that speaks TLS."""
    receiver = Receiver(scheme="https" if secured else "http")
    server = await asyncio.start_server(receiver.accept, "127.0.0.1", 0, ssl=secured)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        await tasks.end(*receiver.serving)
