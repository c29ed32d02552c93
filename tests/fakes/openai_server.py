"""A server that speaks OpenAI's chat completions and responses over a real socket, as the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.fakes.responding import respond

HANG = "hang"
Fake = TypeVar("Fake", bound="OpenAIServer")


@dataclass
class OpenAIServer:
    """Plays `turns`, one a request: text, tool calls (a list of dicts), a status, bytes, or `HANG`.

    To `/responses` too, where a dict with `items` is an answer of several parts (see `responding`).

    Or what exactly it sends: `{"deltas": [...], "reason": "stop", "usage": {...}, "breaks_after": n}`, or
    `{"status": 429, "headers": {...}, "says": "..."}`.
    """

    turns: list[Any]
    models: list[str] = field(default_factory=lambda: ["tiny"])
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError), closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(x.split(":")[1]) for x in head.lower().split("\r\n") if "content-length" in x), 0
            )
            body = await reader.readexactly(length)
            if head.startswith("GET"):
                listing = {"object": "list", "data": [{"id": name} for name in self.models]}
                await answer(writer, 200, json.dumps(listing).encode(), "application/json")
            else:
                self.asked.append(json.loads(body))
                turn = self.turns.pop(0)
                if head.startswith("POST /v1/responses") and await respond(writer, turn, len(self.asked)):
                    return
                await self.play(writer, turn)

    async def play(self, writer: asyncio.StreamWriter, turn: Any) -> None:
        match turn:
            case int(status):
                error = {"error": {"message": f"told to answer {status}", "type": "test", "code": None}}
                await answer(writer, status, json.dumps(error).encode(), "application/json")
            case {"status": int(status)}:
                said = {"message": turn.get("says", "no"), "type": "test", "code": None}
                body = json.dumps({"error": said}).encode()
                await answer(writer, status, body, "application/json", turn.get("headers"))
            case {"deltas": [*deltas]}:
                await begin(writer)
                for delta in deltas[: turn.get("breaks_after")]:
                    await send(writer, delta)
                if "breaks_after" not in turn:
                    await end(writer, turn.get("reason", "stop"), turn.get("usage"))
            case bytes():
                await answer(writer, 200, turn, "text/event-stream")
            case "hang":
                await asyncio.sleep(60)
            case [str(words), "hang"]:
                await begin(writer)
                await send(writer, {"content": words})
                await asyncio.sleep(60)
            case [str(words), "break"]:
                await begin(writer)
                await send(writer, {"content": words})
            case str(words):
                await begin(writer)
                for word in words.split(" "):
                    await send(writer, {"content": word + " "})
                await end(writer, "stop")
            case list(calls):
                await begin(writer)
                for index, call in enumerate(calls):
                    args = json.dumps(call["args"])
                    named = {"name": call["name"], "arguments": args[:3]}
                    first = {"index": index, "id": call["id"], "type": "function", "function": named}
                    await send(writer, {"tool_calls": [first]})
                    await send(
                        writer, {"tool_calls": [{"index": index, "function": {"arguments": args[3:]}}]}
                    )
                await end(writer, "tool_calls")


async def answer(
    writer: asyncio.StreamWriter, status: int, body: bytes, kind: str, more: dict[str, str] | None = None
) -> None:
    about = [f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    about += [f"{name}: {value}" for name, value in (more or {}).items()]
    writer.write("\r\n".join([f"HTTP/1.1 {status} X", *about, "", ""]).encode() + body)
    await writer.drain()


async def begin(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    await send(writer, {"role": "assistant", "content": ""})


async def send(writer: asyncio.StreamWriter, delta: dict[str, Any], **more: Any) -> None:
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": [choice]}
    writer.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await writer.drain()


async def end(writer: asyncio.StreamWriter, reason: str, used: dict[str, Any] | None = None) -> None:
    await send(writer, {}, finish_reason=reason)
    usage = used or {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    chunk = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "tiny",
        "choices": [],
        "usage": usage,
    }
    writer.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())
    await writer.drain()


@asynccontextmanager
async def openai_server(*turns: Any) -> AsyncIterator[OpenAIServer]:
    async with serving(OpenAIServer(list(turns))) as fake:
        fake.url += "/v1"
        yield fake


@asynccontextmanager
async def serving(fake: Fake) -> AsyncIterator[Fake]:
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(fake.handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
