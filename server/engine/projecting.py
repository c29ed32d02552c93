"""The stream transformers of a graph: what they make of a run is told on channels of their own.

`compile(transformers=[...])` leaves their factories in `stream_transformers`. Each is given every event of
the run, in the shapes of `astream_events(version="v3")`, and pushes to its `StreamChannel`s: what goes to one
with a name is told under that name. They watch: an event that one changes or holds back is told as it was.
"""

import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, TypeAlias

import structlog
from langgraph.stream import ProtocolEvent, StreamTransformer
from langgraph.stream._mux import StreamMux  # the only one that wires channels

from artel.server.engine.translate import INTERRUPT, PROJECTED, Chunk
from artel.server.protocol.v2.messages import Messages
from artel.storage.encoding import dumps

Streamed: TypeAlias = AsyncGenerator[Chunk | dict[str, Any], None]
OWN = "custom:"  # how the methods of channels begin that are no built-in's

log = structlog.get_logger(__name__)


def of(graph: Any) -> list[StreamTransformer]:
    """Return the transformers of a graph, made for one run; those built into LangGraph are ours to tell."""
    made = [factory(()) for factory in getattr(graph, "stream_transformers", ())]
    own = [one for one in made if not getattr(one, "_native", False)]
    for one in own:
        if one.before_builtins:
            log.warning("a transformer may watch events, not change them", transformer=type(one).__name__)
    return own


async def through(transformers: list[StreamTransformer], chunks: Streamed) -> Streamed:
    """Yield what a graph streams, and what its transformers make of it, before each piece as they do."""
    shapes = _Shapes()
    async with _Mux(transformers) as mux, aclosing(chunks):
        async for chunk in chunks:
            if not isinstance(chunk, dict):
                for event in shapes.events(chunk):
                    await mux.apush(event)
                for told in mux.taken():
                    yield told
            yield chunk
    for told in mux.taken():
        yield told


class _Mux(StreamMux):
    """Keeps what is pushed to channels with a name until it is taken."""

    def __init__(self, transformers: list[StreamTransformer]) -> None:
        self._told: list[Chunk] = []
        super().__init__(transformers, is_async=True)

    async def __aenter__(self) -> "_Mux":
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await (self.aclose() if error is None else self.afail(error))

    def _forward(self, method: str, item: Any) -> None:
        name = method.removeprefix(OWN)
        self._told.append(((), PROJECTED, {"name": name, "payload": item}))

    def taken(self) -> list[Chunk]:
        told, self._told = self._told, []
        return told


class _Shapes:
    """Shows pieces of `astream` as transformers know them."""

    def __init__(self) -> None:
        self._messages = Messages()

    def events(self, chunk: Chunk) -> Iterator[ProtocolEvent]:
        ns, mode, payload = chunk
        if mode == "messages":
            for _, said, _ in self._messages.say(ns, dumps(payload)):
                yield _event(ns, mode, (said, payload[1]))
            return
        if mode == "updates" and isinstance(payload, dict):
            for _, said, node in self._messages.close(ns, payload):
                yield _event(ns, "messages", (said, {"langgraph_node": node}))
        if mode == "values" and isinstance(payload, dict):
            interrupts = tuple(payload.get(INTERRUPT) or ())
            state = {name: value for name, value in payload.items() if name != INTERRUPT}
            yield _event(ns, mode, state, interrupts=interrupts)
            return
        yield _event(ns, mode, payload)


def _event(ns: tuple[str, ...], method: str, data: Any, **more: Any) -> ProtocolEvent:
    params: Any = {"namespace": list(ns), "timestamp": time.time_ns() // 1_000_000, "data": data, **more}
    return {"type": "event", "method": method, "params": params}
