"""What is said, as protocol v2 says it: a message begins, its blocks grow, it ends. Pure.

Blocks are those of `content_blocks`, LangChain's one view on what providers send: text, reasoning, tool
calls, media.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import orjson
from langchain_core.messages import AIMessage, AIMessageChunk

Json: TypeAlias = dict[str, Any]
Ns: TypeAlias = tuple[str, ...]
Spoken: TypeAlias = tuple[Ns, Json, str | None]  # namespace, event, node

RUN = "lc_run--"  # how an id begins that LangChain gave
ROLES = {"ai": "ai", "AIMessageChunk": "ai", "human": "human", "system": "system"}
GROWING = {
    "text": "text",
    "reasoning": "reasoning",
    "tool_call_chunk": "args",
    "server_tool_call_chunk": "args",
}
HEAVY = frozenset({"args", "data", "base64", "output", "transcript", "value"})  # said once, at the end
OF_WHOLE = frozenset({"chunk_position", "tool_calls", "invalid_tool_calls"})  # would read a piece as a whole
CALLS = frozenset({"tool_call", "tool_call_chunk", "server_tool_call", "server_tool_call_chunk"})


class Messages:
    """The messages of one run, those that are being said among them."""

    def __init__(self) -> None:
        self._open: dict[tuple[Ns, str], Saying] = {}

    def say(self, ns: Ns, data: bytes) -> Iterator[Spoken]:
        """Return what a `messages` event of the log says; what tools answered is not said here."""
        message, metadata = orjson.loads(data)
        if message["type"] == "AIMessageChunk":
            yield from self._grow(ns, message, metadata)
        elif message["type"] in ROLES:
            saying = Saying(ns, message, metadata)
            yield from saying.begin()
            yield from saying.add(message, whole_blocks(message))
            yield from saying.end()

    def close(self, ns: Ns, nodes: Json) -> Iterator[Spoken]:
        """End what these nodes were still saying: they have returned."""
        for key, saying in list(self._open.items()):
            if saying.ns == ns and saying.node in nodes:
                del self._open[key]
                yield from saying.end()

    def leave(self, ns: Ns, name: str) -> None:
        """Forget a message: its rest is told otherwise."""
        self._open.pop((ns, name), None)

    def void(self, reason: str, code: str) -> Iterator[Spoken]:
        """Take back all that was half said."""
        for saying in self._open.values():
            yield saying.said({"event": "error", "message": reason, "code": code})
        self._open.clear()

    def _grow(self, ns: Ns, chunk: Json, metadata: Json) -> Iterator[Spoken]:
        key = self._key(ns, chunk, metadata)
        saying = self._open.get(key)
        blocks = chunk_blocks(chunk)
        last = chunk.get("chunk_position") == "last"
        if saying is None:
            if last and not blocks:
                return
            saying = self._open[key] = Saying(ns, chunk, metadata)
            yield from saying.begin()
        yield from saying.add(chunk, blocks)
        if last:
            del self._open[key]
            yield from saying.end()

    def _key(self, ns: Ns, chunk: Json, metadata: Json) -> tuple[Ns, str]:
        """Say which message a piece belongs to: after a provider's own id often comes LangChain's."""
        name = chunk.get("id") or ""
        if (ns, name) not in self._open and name.startswith(RUN):
            for (where, other), saying in reversed(self._open.items()):
                if (
                    where == ns
                    and saying.node == metadata.get("langgraph_node")
                    and not other.startswith(RUN)
                ):
                    return where, other
        return ns, name


class Saying:
    """One message while it is said."""

    def __init__(self, ns: Ns, message: Json, metadata: Json) -> None:
        self.ns = ns
        self.node = metadata.get("langgraph_node")
        self._id = message.get("id") or ""
        self._role = ROLES[message["type"]]
        self._metadata = _about(message, metadata)
        self._blocks: dict[object, tuple[int, Json]] = {}
        self._usage: Json = {}
        self._response: Json = {}
        self._last_call: object = None

    def said(self, event: Json) -> Spoken:
        """Name the message in an event: several may be said at the same time."""
        named = {**event, "id": self._id, "run_id": self._id.removeprefix(RUN)}
        return self.ns, named, self.node

    def begin(self) -> Iterator[Spoken]:
        """Say that it begins."""
        yield self.said({"event": "message-start", "role": self._role, "metadata": self._metadata})

    def add(self, message: Json, blocks: list[Json]) -> Iterator[Spoken]:
        """Say what is new of it."""
        self._response |= message.get("response_metadata") or {}
        _count(self._usage, message.get("usage_metadata") or {})
        for place, block in enumerate(blocks):
            key = self._key(place, block)
            if key not in self._blocks:
                self._blocks[key] = (len(self._blocks), {})
                yield self._event("content-block-start", key, content=_skeleton(block))
            _merge(self._blocks[key][1], block)
            if delta := _delta(block):
                yield self._event("content-block-delta", key, delta=delta)

    def end(self) -> Iterator[Spoken]:
        """Say all of its blocks whole, and that this was it."""
        for key, (_, block) in self._blocks.items():
            yield self._event("content-block-finish", key, content=_finished(block))
        end: Json = {"event": "message-finish"}
        if self._usage:
            end["usage"] = self._usage
        if self._response:
            end["metadata"] = self._response
        yield self.said(end)

    def _event(self, event: str, key: object, **fields: Json) -> Spoken:
        return self.said({"event": event, "index": self._blocks[key][0], **fields})

    def _key(self, place: int, block: Json) -> object:
        """Which block of the message this is a piece of."""
        if (index := block.get("index")) is not None:
            return index
        if block["type"] not in CALLS:
            return (block["type"], place)
        if block.get("id") or self._last_call is None:
            self._last_call = (block["type"], block.get("id") or place)
        return self._last_call


def chunk_blocks(chunk: Json) -> list[Json]:
    """Return the blocks of a piece of a message."""
    content = chunk.get("content")
    plain = not chunk.get("tool_call_chunks") and not chunk.get("additional_kwargs")
    if isinstance(content, str) and plain:
        return [{"type": "text", "text": content}] if content else []
    return _blocks(AIMessageChunk(**{name: value for name, value in chunk.items() if name not in OF_WHOLE}))


def whole_blocks(message: Json) -> list[Json]:
    """Return the blocks of a message; calls that could not be read among them."""
    content = message.get("content")
    if isinstance(content, str):
        calls = [{**call, "type": "tool_call"} for call in message.get("tool_calls") or ()]
        found = [{"type": "text", "text": content}, *calls] if content else calls
    elif message["type"] in ("human", "system"):
        found = [
            one if isinstance(one, dict) else {"type": "text", "text": str(one)} for one in content or ()
        ]
    else:
        found = _blocks(AIMessage(**{**message, "type": "ai"}))
    wrong = [{**call, "type": "invalid_tool_call"} for call in message.get("invalid_tool_calls") or ()]
    return [block for block in found if block.get("type") != "invalid_tool_call"] + wrong


def _blocks(message: AIMessage) -> list[Json]:
    return [dict(block) for block in message.content_blocks]


def _about(message: Json, metadata: Json) -> Json:
    response = message.get("response_metadata") or {}
    about = {
        "provider": response.get("model_provider") or metadata.get("ls_provider"),
        "model": response.get("model_name") or metadata.get("ls_model_name"),
        "langgraph_node": metadata.get("langgraph_node"),
    }
    return {name: value for name, value in about.items() if value is not None}


def _count(usage: Json, more: Json) -> None:
    for name, value in more.items():
        if isinstance(value, dict):
            _count(usage.setdefault(name, {}), value)
        elif isinstance(value, int):
            usage[name] = usage.get(name, 0) + value


def _skeleton(block: Json) -> Json:
    """Return a block as it begins: what grows is empty, what is heavy comes at the end."""
    if grows := GROWING.get(block["type"]):
        keep_index = block["type"] in CALLS
        shell = {k: v for k, v in block.items() if k != "annotations" and (keep_index or k != "index")}
        return {**shell, grows: ""}
    shell = {name: value for name, value in block.items() if name not in HEAVY}
    if block["type"] in CALLS:
        shell["args"] = {}
    if block["type"] == "non_standard":
        shell["value"] = {}
    return shell


def _delta(block: Json) -> Json | None:
    match block:
        case {"type": "text", "text": str(text)} if text:
            return {"type": "text-delta", "text": text}
        case {"type": "reasoning", "reasoning": str(text)} if text:
            return {"type": "reasoning-delta", "reasoning": text}
        case {"type": "tool_call_chunk" | "server_tool_call_chunk", "args": str(args)} if args:
            return {"type": "tool-call-delta", "args": args}
        case {"data": str(data)} | {"base64": str(data)} if data:
            return {"type": "data-delta", "data": data}
    return None


def _merge(block: Json, piece: Json) -> None:
    """Add a piece to what there is of its block."""
    grows = GROWING.get(piece["type"]) or ("data" if isinstance(piece.get("data"), str) else None)
    for name, value in piece.items():
        if name == grows:
            block[name] = (block.get(name) or "") + (value or "")
        elif isinstance(value, dict) and isinstance(block.get(name), dict):
            block[name] = {**block[name], **value}
        elif value is not None:
            block[name] = value


def _finished(block: Json) -> Json:
    """Return a whole block; a call whose arguments are no JSON is said as what it is."""
    if block["type"] not in ("tool_call_chunk", "server_tool_call_chunk"):
        return block
    name = block["type"].removesuffix("_chunk")
    known = {k: v for k, v in block.items() if k != "index" or name != "tool_call"}
    known = {"id": "", "name": "", **known}
    try:
        return {**known, "type": name, "args": orjson.loads(block.get("args") or "{}")}
    except orjson.JSONDecodeError:
        return {**known, "type": "invalid_tool_call", "error": "the arguments are no JSON"}
