"""From our event log to the v1 stream: server-sent events for the modes that were asked for. Pure.

One log event makes no, one or two of them; its number is the id of the last, so that a client that comes back
with an id has everything up to it.
"""

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from langchain_core.messages import AIMessageChunk, message_chunk_to_message

from artel.storage.encoding import dumps, loads
from artel.storage.events import Event

PLAIN = frozenset({"values", "updates", "custom", "tasks", "checkpoints", "debug", "events"})
MODES = PLAIN | {"messages", "messages-tuple"}
HEARTBEAT = b": heartbeat\r\n\r\n"


class Projection:
    """One reader's view of one run."""

    def __init__(
        self,
        modes: Collection[str],
        *,
        subgraphs: bool = False,
        framed: bool = True,
        after: int = 0,
        base: int | None = None,
    ) -> None:
        """Show `modes`, of the graphs inside too with `subgraphs`, and nothing up to event `after`.

        `framed`: begin with `metadata`, as a stream does that was not asked to show certain modes only.
        `base`: ids are those of a thread on which the run begins there, not those of the run.
        """
        self._id = b"%d" if base is None else b"%d-0"
        self._base = base or 0
        self._plain = PLAIN.intersection(modes)
        self._tuples = "messages-tuple" in modes
        self._messages = "messages" in modes and not self._tuples
        self._subgraphs = subgraphs
        self._framed = framed
        self._after = after
        self._said: dict[str, AIMessageChunk] = {}  # messages that are being streamed, by id
        self._known: set[str] = set()  # messages whose metadata was sent

    @property
    def looks_back(self) -> bool:
        """Whether events up to `after` must be fed too, for what comes later builds on them."""
        return self._messages

    def feed(self, events: Sequence[Event]) -> bytes:
        """Return what these events are on the wire."""
        sent = bytearray()
        for event in events:
            parts = self._parts(event)
            if event.seq <= self._after:
                continue
            for name, data in parts[:-1]:
                sent += b"event: %b\r\ndata: %b\r\n\r\n" % (name, data)
            for name, data in parts[-1:]:
                place = self._id % (self._base + event.seq)
                sent += b"event: %b\r\ndata: %b\r\nid: %b\r\n\r\n" % (name, data, place)
        return bytes(sent)

    def _parts(self, event: Event) -> Sequence[tuple[bytes, bytes]]:
        if event.ns and not self._subgraphs:
            return ()
        match event.type:
            case "metadata":
                return self._begin(event)
            case "error":
                return [(b"error", event.data)]
            case "messages" if self._tuples:
                return [(_name(event), event.data)]
            case "messages" if self._messages:
                return self._message(event)
            case "debug" if "debug" in self._plain:
                return [(_name(event), _debug(event.data))]
            case mode if mode in self._plain:
                return [(_name(event), event.data)]
        return ()

    def _begin(self, event: Event) -> Sequence[tuple[bytes, bytes]]:
        """Begin an attempt: what an earlier one had begun to say and did not keep is said anew."""
        self._said.clear()
        again = loads(event.data)["attempt"] > 1  # type: ignore[index]
        return [(b"metadata", event.data)] if self._framed or again else ()

    def _message(self, event: Event) -> Sequence[tuple[bytes, bytes]]:
        """Say a message as it is so far."""
        message, metadata = orjson.loads(event.data)
        message_id = message.get("id") or ""
        name, whole = b"messages/complete", message
        if message["type"] == "AIMessageChunk":
            chunk = AIMessageChunk(**message)
            before = self._said.get(message_id)
            self._said[message_id] = chunk = before + chunk if before else chunk
            name, whole = b"messages/partial", message_chunk_to_message(chunk)
        parts = [(name, dumps([whole]))]
        if message_id not in self._known:
            self._known.add(message_id)
            parts.insert(0, (b"messages/metadata", dumps({message_id: {"metadata": metadata}})))
        return parts


def _name(event: Event) -> bytes:
    return f"{event.type}|{event.ns}".encode() if event.ns else event.type.encode()


def _debug(data: bytes) -> bytes:
    """Name the checkpoints of a debug event as the wire names them, beside LangGraph's own configs."""
    step = orjson.loads(data)
    if step["type"] != "checkpoint":
        return data
    payload = step["payload"]
    payload["checkpoint"] = _checkpoint(payload["config"])
    payload["parent_checkpoint"] = _checkpoint(payload["parent_config"])
    for task in payload["tasks"]:
        if inner := (task.get("state") or {}).get("configurable"):
            del task["state"]
            task["checkpoint"] = inner
    return dumps(step)


def _checkpoint(config: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the part of a config that says where a checkpoint is."""
    if config is None:
        return None
    named = ("checkpoint_id", "thread_id", "checkpoint_ns", "checkpoint_map")
    return {name: config["configurable"][name] for name in named if name in config["configurable"]}
