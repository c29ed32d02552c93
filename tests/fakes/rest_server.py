"""Servers that keep the rules of an API over a real socket: and, when told to, fail as real ones do."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from artel.storage import tasks
from artel.tools.knowledge.connectors.http import Client
from artel.tools.web.addresses import Guard


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    path: str
    "Decoded."
    raw_path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    """What is answered."""

    body: bytes | str | dict[str, Any] | list[Any] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    "The connection ends in the middle of the body."
    hang: bool = False


@dataclass
class RestServer:
    """The ground of all of them. `busy` is how often it answers 429, or a 5xx, out of a hundred times."""

    seed: int = 0
    busy: int = 0
    retry_after: str = "1"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    told: dict[str, list[Reply]] = field(default_factory=dict)
    "Replies to paths that come before what the API says; the last of a list stays when `stay` has the path."
    stay: set[str] = field(default_factory=set)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        """The paths that were asked for, robots.txt left out."""
        return [one.path for one in self.asked if one.path != "/robots.txt"]

    def forget(self) -> None:
        self.asked.clear()

    def respond(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def _reply(self, asked: Asked) -> Reply:
        if told := self.told.get(asked.path):
            return told[0] if asked.path in self.stay else told.pop(0)
        if self.dice.randrange(100) < self.busy:
            status = self.dice.choice([429, 429, 500, 502, 503])
            return Reply("busy", status, {"Retry-After": self.retry_after} if status == 429 else {})
        return self.respond(asked)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError), closing(writer):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
            }
            method, target, _ = first.split(" ")
            parts = urlsplit(target)
            query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
            asked = Asked(method, target, unquote(parts.path), parts.path, query, headers)
            self.asked.append(asked)
            self.begun.set()
            reply = self._reply(asked)
            if reply.hang:
                await asyncio.sleep(60)
            writer.write(_bytes(reply, head_only=method == "HEAD"))
            await writer.drain()


def _bytes(reply: Reply, *, head_only: bool) -> bytes:
    body, kind = reply.body, "text/html; charset=utf-8"
    if isinstance(body, dict | list):
        body, kind = json.dumps(body), "application/json"
    raw = body.encode() if isinstance(body, str) else body
    headers = {"Content-Type": kind, "Content-Length": str(len(raw)), "Connection": "close", **reply.headers}
    if reply.status == 304:
        headers.pop("Content-Length")
        raw = b""
    head = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items() if value)]
    sent = b"" if head_only else raw[: len(raw) // 2] if reply.cut else raw
    return "\r\n".join(head).encode() + b"\r\n\r\n" + sent


Server = TypeVar("Server", bound=RestServer)


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    """Serve on a free port of this machine."""
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server
        await tasks.end(*server.serving)


@dataclass
class Patience:
    """Waits no time, and knows how long it was to wait."""

    waited: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)

    def client(self, server: RestServer, home: str = "", **more: Any) -> Client:
        """A client of a server on this machine."""
        about = {
            "guard": Guard(loopback=True),
            "sleep": self.sleep,
            "dice": random.Random(1),
            "timeout_s": 20,
        }
        return Client(home or server.url, **{**about, **more})
