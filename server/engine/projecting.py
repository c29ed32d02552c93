"""The stream transformers of a graph: they see what a run streams before anybody is told.

`compile(transformers=[...])` leaves their factories in `stream_transformers`. Each is given every event of
the run, in the shapes of `astream_events(version="v3")`. What it pushes to a `StreamChannel` with a name is
told under that name; what it changes is told as it left it; what it holds back is not told, but for states
and updates, which say how the run goes.
"""

import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any, TypeAlias

from langgraph.stream import ProtocolEvent, StreamTransformer
from langgraph.stream._mux import StreamMux  # the only one that wires channels

from artel.server.engine.translate import INTERRUPT, PROJECTED, SAID, Chunk
from artel.server.protocol.v2.messages import Messages, Spoken
from artel.storage.encoding import dumps

Streamed: TypeAlias = AsyncGenerator[Chunk | dict[str, Any], None]
OWN = "custom:"  # how the methods of channels begin that are no built-in's
ALWAYS_TOLD = frozenset({"values", "updates"})


def of(graph: Any) -> list[StreamTransformer]:
    """Return the transformers of a graph, made for one run; those built into LangGraph are ours to tell."""
    made = [factory(()) for factory in getattr(graph, "stream_transformers", ())]
    return [one for one in made if not getattr(one, "_native", False)]


async def through(transformers: list[StreamTransformer], chunks: Streamed) -> Streamed:
    """Yield what a graph streams as its transformers leave it, each piece after what they make of it."""
    async with _Mux(transformers) as mux, aclosing(chunks):
        pipe = _Pipe(mux)
        async for chunk in chunks:
            if isinstance(chunk, dict):
                yield chunk
                continue
            for told in await pipe.sent(chunk):
                yield told
    for told in mux.taken():
        yield told


class _Mux(StreamMux):
    """Says of each event whether it is kept, and keeps what is pushed to channels with a name."""

    def __init__(self, transformers: list[StreamTransformer]) -> None:
        self._told: list[Chunk] = []
        super().__init__(transformers, is_async=True)

    async def __aenter__(self) -> "_Mux":
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await (self.aclose() if error is None else self.afail(error))

    async def keeps(self, event: ProtocolEvent) -> bool:
        """Show an event to all transformers, in order."""
        return all([await one.aprocess(event) for one in self._transformers])

    def _forward(self, method: str, item: Any) -> None:
        name = method.removeprefix(OWN)
        self._told.append(((), PROJECTED, {"name": name, "payload": item}))

    def taken(self) -> list[Chunk]:
        told, self._told = self._told, []
        return told


class _Pipe:
    """Turns pieces of `astream` into events and, as far as these are changed, back."""

    def __init__(self, mux: _Mux) -> None:
        self._mux = mux
        self._messages = Messages()
        self._changed: set[str] = set()  # messages of which something was changed: told event by event

    async def sent(self, chunk: Chunk) -> list[Chunk]:
        """Return what is told of a piece."""
        ns, mode, payload = chunk
        if mode == "messages":
            return await self._said(chunk, self._messages.say(ns, dumps(payload)), payload[1])
        told: list[Chunk] = []
        if mode == "updates" and isinstance(payload, dict):
            told += await self._said(None, self._messages.close(ns, payload), {})
        more: dict[str, Any] = {}
        if mode == "values" and isinstance(payload, dict):
            more["interrupts"] = tuple(payload.get(INTERRUPT) or ())
            payload = {name: value for name, value in payload.items() if name != INTERRUPT}
        event = _event(ns, mode, payload, **more)
        kept = await self._mux.keeps(event)
        told += self._mux.taken()
        left: Any = event["params"]["data"]
        if more.get("interrupts") and isinstance(left, dict):
            left = {**left, INTERRUPT: chunk[2][INTERRUPT]}
        return [*told, (ns, mode, left)] if kept or mode in ALWAYS_TOLD else told

    async def _said(
        self, chunk: Chunk | None, spoken: Iterable[Spoken], metadata: dict[str, Any]
    ) -> list[Chunk]:
        """Return what is told of a piece of a message: itself, or its events if one of them was changed."""
        told: list[Chunk] = []
        left: list[Chunk] = []
        same, names = True, set()
        for ns, said, node in spoken:
            names.add(said["id"])
            was = dumps(said)
            about = {"langgraph_node": node, **metadata, "run_id": said["run_id"]}
            event = _event(ns, "messages", (said, about))
            kept = await self._mux.keeps(event)
            told += self._mux.taken()
            now: Any = event["params"]["data"][0]
            same = same and kept and dumps(now) == was
            if kept:
                left.append((ns, SAID, {"node": node, "event": now}))
        if chunk is None:
            return [*told, *(one for one in left if one[2]["event"]["id"] in self._changed)]
        if not names & self._changed and (same or not left):
            return [*told, chunk] if same else told
        self._changed |= names
        return told + left


def _event(ns: tuple[str, ...], method: str, data: Any, **more: Any) -> ProtocolEvent:
    params: Any = {"namespace": list(ns), "timestamp": time.time_ns() // 1_000_000, "data": data, **more}
    return {"type": "event", "method": method, "params": params}
