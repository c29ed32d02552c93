"""From our event log to protocol v2: each event of a run is none, one or several of the protocol's. Pure.

The number of an event here is that of the log in its thread, times a thousand, plus the place of this part in
it: it grows, is the same at every replay, and does not depend on who listens.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import orjson

from artel.server.protocol.v2 import short
from artel.server.protocol.v2.lifecycle import Lifecycle, Ns, placed
from artel.server.protocol.v2.messages import RUN, Messages
from artel.storage.encoding import dumps
from artel.storage.events import Event
from artel.storage.runs import Run

PARTS = 1000  # numbers for each event of the log
# Where the parts of an event begin: those of a kind that nobody listens to need not be made to be counted.
HELD, BEGUN, MESSAGES, TOOLS, MAIN, ASKED, ENDED = 0, 10, 100, 300, 400, 500, 600

CHANNELS = (
    "values",
    "updates",
    "messages",
    "tools",
    "lifecycle",
    "input",
    "checkpoints",
    "tasks",
    "custom",
)
VOIDED = "voided"  # the code of what was half said when a worker died
ABORTED = "aborted"  # and when the run ended
OVER = frozenset({"message-finish", "error"})
NO_NODES = frozenset({"__interrupt__", "__metadata__"})

Part: TypeAlias = tuple[int, str, Ns, Any]  # place, method, namespace, data


class Said(NamedTuple):
    """One event of the protocol."""

    seq: int
    event_id: str
    method: str
    ns: Ns
    data: Any
    node: str | None = None

    @property
    def channel(self) -> str:
        """The channel it is on; custom events with a name have one of their own."""
        if self.method == "input.requested":
            return "input"
        name = self.data.get("name") if self.method == "custom" else None
        return f"custom:{name}" if name else self.method

    def encoded(self) -> bytes:
        """Return it as it is on the wire."""
        params: dict[str, Any] = {
            "namespace": self.ns,
            "timestamp": time.time_ns() // 1_000_000,
            "data": self.data,
        }
        if self.node is not None:
            params["node"] = self.node
        envelope = {"type": "event", "event_id": self.event_id, "seq": self.seq, "method": self.method}
        return orjson.dumps({**envelope, "params": params})


@dataclass(slots=True)
class _Asked:
    ns: Ns
    value: Any


class RunView:
    """One reader's view of one run."""

    def __init__(self, run: Run, channels: Collection[str] = CHANNELS) -> None:
        """Show what is on `channels` (custom ones by `custom` alone)."""
        self.run_id = run.run_id
        self.lifecycle = Lifecycle(run.graph_id, closely=bool(run.kwargs.get("closely")))
        self._base = run.event_base or 0
        self._wanted = frozenset(channels)
        self._messages = Messages()
        self._short = short.Short()
        self._said: dict[str, Ns] = {}  # messages that come event by event and are not over, and where
        self._tools: dict[str, Ns] = {}  # calls that run, and where
        self._asked: dict[str, _Asked] = {}  # questions that no row of the log has told yet
        self._held: Event | None = None
        self._error: str | None = None

    def feed(self, events: Sequence[Event]) -> Iterator[Said]:
        """Return what these events of the log are in the protocol."""
        for event in events:
            number = self._base + event.seq
            seen: dict[int, int] = {}
            for kind, method, ns, data, node in self._parts(event):
                place = kind + seen.get(kind, 0)
                seen[kind] = seen.get(kind, 0) + 1
                if self._wants(method):
                    seq = number * PARTS + min(place, PARTS - 1)
                    yield Said(seq, self._name(method, number, place), method, ns, data, node)

    def _wants(self, method: str) -> bool:
        return ("input" if method == "input.requested" else method) in self._wanted

    def _name(self, method: str, number: int, place: int) -> str:
        """Name an event; of what tells how the run goes, clients take the run's id from it."""
        if method in ("lifecycle", "input.requested"):
            return f"synth:{self.run_id}:{number}-{place}"
        return f"{number}-{place}"

    def _parts(self, event: Event) -> Iterator[tuple[int, str, Ns, Any, str | None]]:
        ns = placed(event.ns)
        for part in self._released(event, ns):
            yield *part, None
        for where, told in self.lifecycle.heard(ns):
            yield BEGUN, "lifecycle", where, told, None
        if event.type == "messages" and "messages" in self._wanted:
            for where, said, node in self._messages.say(ns, event.data):
                yield MESSAGES, "messages", where, said, node
        if event.type == "said" and "messages" in self._wanted:
            yield self._left(event, ns)
        if event.type == "updates":
            yield from self._returned(event, ns)
        for part in self._main(event, ns):
            yield *part, None

    def _released(self, event: Event, ns: Ns) -> Iterator[Part]:
        """Show a state that was kept back for the checkpoint that holds it: that comes first."""
        held, self._held = self._held, None
        if event.type == "checkpoint" and (held is None or held.ns == event.ns):
            yield HELD, "checkpoints", ns, orjson.Fragment(event.data)
        if held is not None:
            yield HELD, "values", placed(held.ns), self._values(held)
        if event.type == "checkpoint" and held is not None and held.ns != event.ns:
            yield HELD, "checkpoints", ns, orjson.Fragment(event.data)

    def _values(self, event: Event) -> Any:
        return self._short.values(event.data) if "values" in self._wanted else None

    def _left(self, event: Event, ns: Ns) -> tuple[int, str, Ns, Any, str | None]:
        """Show an event of a message as a transformer left it."""
        told = orjson.loads(event.data)
        said = told["event"]
        self._messages.leave(ns, said["id"])
        if said["event"] in OVER:
            self._said.pop(said["id"], None)
        else:
            self._said[said["id"]] = ns
        return MESSAGES, "messages", ns, said, told["node"]

    def _returned(self, event: Event, ns: Ns) -> Iterator[tuple[int, str, Ns, Any, str | None]]:
        """Show what nodes returned; what they still said is whole with it."""
        update = orjson.loads(event.data)
        if not isinstance(update, dict):
            return
        for where, said, node in self._messages.close(ns, update):
            yield MESSAGES, "messages", where, said, node
        for name, values in update.items():
            if name not in NO_NODES:
                yield MAIN, "updates", ns, {"node": name, "values": values}, None
        for asked in update.get("__interrupt__") or ():
            if isinstance(asked, dict) and "id" in asked:
                self._asked.setdefault(asked["id"], _Asked(ns, asked.get("value")))

    def _main(self, event: Event, ns: Ns) -> Iterator[Part]:
        match event.type:
            case "metadata":
                yield from self._begun(event)
            case "values" if self.lifecycle.closely:
                self._held = event
            case "values":
                yield MAIN, "values", ns, self._values(event)
            case "custom":
                yield MAIN, "custom", ns, _custom(event.data)
            case "projected":
                yield MAIN, "custom", ns, orjson.loads(event.data)
            case "tasks":
                for where, told in self.lifecycle.task(ns, event.data):
                    yield BEGUN, "lifecycle", where, told
                yield MAIN, "tasks", ns, orjson.Fragment(event.data)
            case "tools":
                yield TOOLS, "tools", ns, self._tool(event.data, ns)
            case "approval.asked":
                asked = orjson.loads(event.data)
                self._asked.pop(asked["interrupt_id"], None)
                yield ASKED, "input.requested", ns, _question(asked["interrupt_id"], asked["value"])
            case "error":
                failure = orjson.loads(event.data)
                self._error = failure.get("message") or failure.get("error")
            case "run.ended":
                yield from self._ended(orjson.loads(event.data))

    def _begun(self, event: Event) -> Iterator[Part]:
        """Begin an attempt: what an earlier one had begun to say and did not keep is void."""
        for where, told in self.lifecycle.run():
            yield BEGUN, "lifecycle", where, told
        attempt = orjson.loads(event.data).get("attempt", 1)
        yield from self._taken_back(f"the worker stopped; attempt {attempt} says it again", VOIDED)

    def _taken_back(self, reason: str, code: str) -> Iterator[Part]:
        for where, said, _ in self._messages.void(reason, code):
            yield MESSAGES, "messages", where, said
        for name, where in self._said.items():
            error = {"event": "error", "message": reason, "code": code, "id": name}
            yield MESSAGES, "messages", where, {**error, "run_id": name.removeprefix(RUN)}
        self._said.clear()
        for call, where in self._tools.items():
            failed = {"event": "tool-error", "tool_call_id": call, "message": reason, "code": code}
            yield TOOLS, "tools", where, failed
        self._tools.clear()

    def _tool(self, data: bytes, ns: Ns) -> Any:
        told = orjson.loads(data)
        call = told["tool_call_id"]
        match told["event"]:
            case "tool-started":
                self._tools[call] = ns
            case "tool-output-delta":
                if not isinstance(told["delta"], str):
                    told["delta"] = dumps(told["delta"]).decode()
            case _:
                self._tools.pop(call, None)
                if short.is_message(told.get("output")):
                    told["output"] = short.message(told["output"])
        return told

    def _ended(self, end: dict[str, Any]) -> Iterator[Part]:
        status = _status(end)
        waits = end["status"] == "success" and status == "interrupted"
        if waits:
            self._tools.clear()  # they wait for the answer, and begin again with it
        yield from self._taken_back(f"the run has ended: {end['status']}", ABORTED)
        if waits:
            for interrupt_id, asked in self._asked.items():
                yield ASKED, "input.requested", asked.ns, _question(interrupt_id, asked.value)
        error = self._error or end["status"] if status == "failed" else None
        for where, told in self.lifecycle.end(status, error):
            yield ENDED, "lifecycle", where, told


def _status(end: dict[str, Any]) -> str:
    match end["status"]:
        case "error" | "timeout":
            return "failed"
        case "interrupted" | "rolled_back":
            return "interrupted"
    return "interrupted" if end.get("thread_status") == "interrupted" else "completed"


def _question(interrupt_id: str, value: Any) -> dict[str, Any]:
    """Say a question; clients read it under either name."""
    return {"interrupt_id": interrupt_id, "payload": value, "value": value}


def _custom(data: bytes) -> dict[str, Any]:
    """Return what a node wrote; an object with a name is on the channel of that name."""
    match orjson.loads(data):
        case {"name": str(name), "payload": payload} if name:
            return {"name": name, "payload": payload}
        case {"name": str(name), **rest} if name:
            return {"name": name, "payload": {"name": name, **rest}}
        case payload:
            return {"payload": payload}
