"""A web site on this machine: real HTTP, answered byte by byte as a test says."""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from artel.storage import tasks
from artel.tools.web.addresses import Guard
from artel.tools.web.internet import Internet, InternetSettings

Act: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """What it answers, by path, and what it was asked."""

    port: int = 0
    scheme: str = "http"
    answers: dict[str, bytes | Act] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/", host: str = "site.example") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Know every name as this machine, but those that `names` has; each look-up takes one of several."""
        self.looked_up.append(host)
        known = self.names.get(host, ["127.0.0.1"])
        if host == "nowhere.example":
            raise OSError("no such host")
        return [known.pop(0) if len(known) > 1 else known[0]]

    @property
    def internet(self) -> Internet:
        """An internet in which this machine is a public one, and only this port is open."""
        settings = InternetSettings(fetch=True, ports=(self.port,))
        return Internet(settings, Guard(loopback=True, resolve=self.resolve))

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side had enough
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = head[0].split(" ")
        self.asked.append(Asked(method, path, headers, body))
        answer = self.answers.get(path.partition("?")[0], answered(b"no such page", status=404))
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer(writer)


def answered(
    body: bytes | str = b"", type_: str = "text/html", *, status: int = 200, **headers: str
) -> bytes:
    """Return an answer, as bytes; headers with `_` for `-`."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw)}", "Connection: close"]
    lines += [f"Content-Type: {type_}"] if type_ else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + raw


def packed(body: bytes, type_: str = "text/plain") -> bytes:
    return answered(gzip.compress(body), type_, Content_Encoding="gzip")


def moved(to: str, status: int = 302) -> bytes:
    return answered(b"", status=status, Location=to)


@asynccontextmanager
async def site(secured: ssl.SSLContext | None = None, **answers: bytes | Act) -> AsyncIterator[Site]:
    """Open a site on a port of this machine; `a=…` answers at `/a`. With a context, it speaks TLS."""
    opened = Site(scheme="https" if secured else "http")
    opened.answers = {f"/{name}": answer for name, answer in answers.items()}
    server = await asyncio.start_server(opened.accept, "127.0.0.1", 0, ssl=secured)
    opened.port = server.sockets[0].getsockname()[1]
    async with server:
        yield opened
        await tasks.end(*opened.serving)
