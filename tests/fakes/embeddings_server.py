"""A server that speaks `/v1/embeddings` over a real socket, as the test says."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class EmbeddingsServer:
    """Plays `turns` first, one a request: a status, `(status, headers)`, raw bytes of a body, or "break".

    Then it answers with vectors of `dimension` numbers, in turned order, that are the hash of each text.
    """

    turns: list[Any] = field(default_factory=list)
    dimension: int = 8
    asked: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError), closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(x.split(":")[1]) for x in head.lower().split("\r\n") if "content-length" in x)
            body = json.loads(await reader.readexactly(length))
            self.heads.append(head)
            self.asked.append(body)
            match self.turns.pop(0) if self.turns else None:
                case None:
                    rows = [
                        {"object": "embedding", "index": at, "embedding": vector(text, self.dimension)}
                        for at, text in enumerate(body["input"])
                    ]
                    said = json.dumps({"object": "list", "data": rows[::-1], "model": body["model"]})
                    await _answer(writer, 200, said.encode())
                case "break":
                    return
                case int(status):
                    await _answer(writer, status, json.dumps({"error": {"message": "told to"}}).encode())
                case (int(status), dict(headers)):
                    await _answer(writer, status, b"busy", **headers)
                case bytes(said):
                    await _answer(writer, 200, said)


def vector(text: str, dimension: int) -> list[float]:
    """Numbers that belong to a text, not of length 1."""
    return [float(byte) - 100.5 for byte in hashlib.sha256(text.encode()).digest()[:dimension]]


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes, **headers: str) -> None:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


@asynccontextmanager
async def embeddings_server(*turns: Any, dimension: int = 8) -> AsyncIterator[EmbeddingsServer]:
    """Open one on a port of this machine."""
    served = EmbeddingsServer(list(turns), dimension)
    server = await asyncio.start_server(served.handle, "127.0.0.1", 0, limit=2**24)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield served
