"""Answers of OpenAI's Responses API, event by event."""

import asyncio
import json
from typing import Any


async def respond(writer: asyncio.StreamWriter, turn: Any, number: int) -> bool:
    """Play words, `[words, "break"]`, `[words, "hang"]` or `{"items": [...]}`; False: it is none of them.

    An item is words, `{"thought": words}`, or an item of the API as it is, of a tool that the server ran.
    """
    match turn:
        case str() if turn != "hang":
            items, then = [turn], ""
        case [str(words), "break" | "hang" as then]:
            items = [words]
        case {"items": [*items]}:
            then = str(turn.get("fails", ""))
        case _:
            return False
    told = _Telling(writer, f"resp_{number}")
    await told.begin()
    for place, item in enumerate(items):
        await told.item(place, item, whole=not then)
    if then == "hang":
        await asyncio.sleep(60)
    elif then == "break":
        pass
    elif then:
        error = {"code": "server_error", "message": then}
        await told.tell("response.failed", response=told.response("failed", error=error))
    else:
        await told.tell("response.completed", response=told.response("completed"))
    return True


class _Telling:
    def __init__(self, writer: asyncio.StreamWriter, response_id: str) -> None:
        self._writer = writer
        self._id = response_id
        self._count = 0
        self._output: list[dict[str, Any]] = []

    async def begin(self) -> None:
        self._writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        await self.tell("response.created", response=self.response("in_progress"))

    async def item(self, place: int, item: Any, *, whole: bool) -> None:
        match item:
            case str(words):
                await self._message(place, words, whole=whole)
            case {"thought": str(thought)}:
                await self._thought(place, thought)
            case _:
                await self.tell("response.output_item.added", output_index=place, item=item)
                await self._done(place, item)

    async def tell(self, kind: str, **more: Any) -> None:
        self._count += 1
        event = {"type": kind, "sequence_number": self._count, **more}
        self._writer.write(f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode())
        await self._writer.drain()

    def response(self, status: str, **more: Any) -> dict[str, Any]:
        used = {
            "input_tokens": 11,
            "output_tokens": 7,
            "total_tokens": 18,
            "input_tokens_details": {"cached_tokens": 3},
            "output_tokens_details": {"reasoning_tokens": 2},
        }
        return {
            "id": self._id,
            "object": "response",
            "created_at": 1,
            "model": "tiny",
            "status": status,
            "output": self._output,
            "usage": used if status == "completed" else None,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            **more,
        }

    async def _message(self, place: int, words: str, *, whole: bool) -> None:
        made = {"id": f"msg_{self._id}_{place}", "type": "message", "role": "assistant", "content": []}
        await self.tell("response.output_item.added", output_index=place, item=made)
        at = {"output_index": place, "content_index": 0, "item_id": made["id"]}
        for word in words.split(" "):
            await self.tell("response.output_text.delta", delta=f"{word} ", logprobs=[], **at)
        if whole:
            text = f"{words} "
            part = {"type": "output_text", "text": text, "annotations": []}
            await self.tell("response.output_text.done", text=text, logprobs=[], **at)
            await self._done(place, {**made, "status": "completed", "content": [part]})

    async def _thought(self, place: int, thought: str) -> None:
        made: dict[str, Any] = {"id": f"rs_{self._id}_{place}", "type": "reasoning", "summary": []}
        await self.tell("response.output_item.added", output_index=place, item=made)
        at = {"output_index": place, "summary_index": 0, "item_id": made["id"]}
        part = {"type": "summary_text", "text": ""}
        await self.tell("response.reasoning_summary_part.added", part=part, **at)
        for word in thought.split(" "):
            await self.tell("response.reasoning_summary_text.delta", delta=f"{word} ", **at)
        await self._done(place, {**made, "summary": [{**part, "text": f"{thought} "}]})

    async def _done(self, place: int, item: dict[str, Any]) -> None:
        self._output.append(item)
        await self.tell("response.output_item.done", output_index=place, item=item)
