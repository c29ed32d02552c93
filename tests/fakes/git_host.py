"""GitHub and GitLab over a real socket, as far as requests to merge go; and a git server that says little."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: Any


@dataclass
class GitHost:
    """Opens one request for two branches; `told` are statuses to answer with instead, in order.

    A status of 0 hangs.
    """

    told: list[int] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    opened: list[dict[str, Any]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError), closing(writer):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            method, target, _ = first.split(" ")
            parts = urlsplit(target)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked = Asked(method, unquote(parts.path), headers, query, json.loads(body) if body else None)
            self.asked.append(asked)
            self.begun.set()
            status, said = self.answer(asked)
            if not status:
                await asyncio.sleep(60)
            content = json.dumps(said).encode()
            head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + content)
            await writer.drain()

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if self.told:
            return self.told.pop(0), {"message": "as told"}
        if asked.path.endswith(("/pulls", "/merge_requests")):
            return self.open(asked) if asked.method == "POST" else (200, self.find(asked.query))
        return 200, {"default_branch": "main"}

    def open(self, asked: Asked) -> tuple[int, Any]:
        lab = asked.path.endswith("/merge_requests")
        names = ("source_branch", "target_branch") if lab else ("head", "base")
        head, base = (asked.body[name] for name in names)
        if self.find({"head": head, "base": base}):
            return (409 if lab else 422), {"message": "already exists"}
        address = f"{self.url}/request/{len(self.opened) + 1}"
        self.opened.append({"web_url" if lab else "html_url": address, "head": head, "base": base})
        return 201, self.opened[-1]

    def find(self, query: dict[str, str]) -> list[dict[str, Any]]:
        head = (query.get("source_branch") or query["head"]).rpartition(":")[2]
        base = query.get("target_branch") or query["base"]
        return [each for each in self.opened if (each["head"], each["base"]) == (head, base)]


@asynccontextmanager
async def git_host(*told: int) -> AsyncIterator[GitHost]:
    """Serve one on a free port."""
    host = GitHost(list(told))
    server = await asyncio.start_server(host.handle, "127.0.0.1", 0)
    host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield host
    finally:
        server.close()
