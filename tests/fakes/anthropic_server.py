"""A server that streams Anthropic's messages over a real socket and says what the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.fakes.openai_server import OpenAIServer, answer, serving


class AnthropicServer(OpenAIServer):
    """Plays `turns`, one a request: text, tool calls (a list of dicts), or a status."""

    async def play(self, writer: asyncio.StreamWriter, turn: Any) -> None:
        match turn:
            case int(status):
                error = {"type": "error", "error": {"type": "test", "message": f"told to answer {status}"}}
                await answer(writer, status, json.dumps(error).encode(), "application/json")
            case str(words):
                deltas = [{"type": "text_delta", "text": word + " "} for word in words.split(" ")]
                block = ({"type": "text", "text": ""}, deltas)
                await answer(writer, 200, _stream([block], "end_turn"), "text/event-stream")
            case {"thinks": str(thought), "says": str(words)}:
                thinking = {"type": "thinking", "thinking": "", "signature": ""}
                deltas = [
                    {"type": "thinking_delta", "thinking": thought},
                    {"type": "signature_delta", "signature": "c2ln"},
                ]
                text = ({"type": "text", "text": ""}, [{"type": "text_delta", "text": words}])
                await answer(
                    writer, 200, _stream([(thinking, deltas), text], "end_turn"), "text/event-stream"
                )
            case list(calls):
                blocks = [(_use(call), _json(call["args"])) for call in calls]
                await answer(writer, 200, _stream(blocks, "tool_use"), "text/event-stream")


def _use(call: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call["id"], "name": call["name"], "input": {}}


def _json(args: dict[str, Any]) -> list[dict[str, Any]]:
    whole = json.dumps(args)
    return [{"type": "input_json_delta", "partial_json": part} for part in (whole[:3], whole[3:])]


def _stream(blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]], why: str) -> bytes:
    used = {"input_tokens": 11, "output_tokens": 0}
    message: dict[str, Any] = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "some",
        "content": [],
    }
    message |= {"stop_reason": None, "stop_sequence": None, "usage": used}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": why, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": end, "usage": {**used, "output_tokens": 7}})
    events.append({"type": "message_stop"})
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()


@asynccontextmanager
async def anthropic_server(*turns: Any) -> AsyncIterator[AnthropicServer]:
    async with serving(AnthropicServer(list(turns))) as fake:
        yield fake
