"""From the event log of a run to messages of the gateway: each event is none, one or several. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import orjson

from artel.server.channels.websocket import telling
from artel.server.channels.websocket.telling import Outcome, ServerMessage, State
from artel.server.protocol.v2.lifecycle import placed
from artel.server.protocol.v2.messages import Messages
from artel.storage.encoding import dumps
from artel.storage.events import Event
from artel.storage.runs import Run

Json: TypeAlias = dict[str, Any]
ID = re.compile(r"(\d{1,16})-(\d{1,6})")
FIRST_SEQ = 1


class Place(NamedTuple):
    """Where a message stands: the number of its event in the thread, and which of its messages it is."""

    number: int = 0
    part: int = 0

    @classmethod
    def of(cls, event_id: str) -> "Place":
        """Read the id of an event."""
        found = ID.fullmatch(event_id)
        return cls(int(found[1]), int(found[2])) if found else cls()

    @property
    def name(self) -> str:
        """The id of the event."""
        return f"{self.number}-{self.part}"


class View:
    """One reader's view of one run. What it says of an event depends on the run alone, not on the reader."""

    def __init__(self, run: Run) -> None:
        self.run_id = run.run_id
        self._run = run
        self._thread: UUID = run.thread_id
        self._base = run.event_base or 0
        self._messages = Messages()
        self._speakers: dict[str, str] = {}  # who says a message that is being said
        self._said: dict[str, None] = {}  # messages that no step holds yet
        self._calls: set[str] = set()  # tool calls that have no answer yet
        self._state: State | None = None
        self._begun = False

    def feed(self, events: Sequence[Event]) -> Iterator[tuple[Place, ServerMessage]]:
        """Return what these events are, each with its place."""
        for event in events:
            number = self._base + event.seq
            at = event.at or telling.now()
            for part, (kind, agent, fields) in enumerate(self._parts(event)):
                place = Place(number, part)
                common = {"session_id": self._thread, "run_id": self.run_id, "event_id": place.name}
                yield place, kind(at=at, agent=agent, **common, **fields)

    def _parts(self, event: Event) -> Iterator[tuple[Any, str | None, Json]]:
        if not self._begun:
            self._begun = True
            if event.seq != FIRST_SEQ:
                before = Place(self._base + event.seq).name
                yield telling.Missed, None, {"data": {"before": before}}
        match event.type:
            case "metadata":
                yield from self._attempt(orjson.loads(event.data).get("attempt", 1))
            case "messages":
                yield from self._spoken(event)
            case "said":
                told = orjson.loads(event.data)
                self._messages.leave(placed(event.ns), told["event"]["id"])
                yield from self._word(event.ns, told["event"], told["node"])
            case "updates":
                yield from self._returned(event)
            case "approval.asked":
                yield telling.ApprovalRequired, self._agent(event.ns, None), {"data": asked(event.data)}
            case "approval.decided":
                yield telling.ApprovalDecided, None, {"data": _decided(event.data)}
            case "error":
                yield telling.Failed, None, _failure(orjson.loads(event.data))
            case "run.ended":
                yield from self._ended(orjson.loads(event.data))

    def _attempt(self, attempt: int) -> Iterator[tuple[Any, str | None, Json]]:
        """Begin an attempt: what the one before said and did not keep is said again."""
        if attempt > 1:
            gone = {"message_ids": list(self._said), "attempt": attempt}
            yield telling.Withdrawn, None, {"data": gone}
        else:
            for one in _given(self._run.kwargs.get("input")):
                yield telling.UserMessage, None, {"data": one}
        for _ in self._messages.void("", ""):
            pass
        self._said.clear()
        self._calls.clear()
        yield from self._becomes("processing")

    def _spoken(self, event: Event) -> Iterator[tuple[Any, str | None, Json]]:
        message, metadata = orjson.loads(event.data)
        if message["type"] == "tool":
            yield from self._answered(event.ns, message, metadata)
            return
        name = message.get("id") or ""
        speaker = message.get("name") or metadata.get("lc_agent_name")
        if speaker and name not in self._speakers:
            self._speakers[name] = speaker
        for _, said, node in self._messages.say(placed(event.ns), event.data):
            yield from self._word(event.ns, said, node)

    def _returned(self, event: Event) -> Iterator[tuple[Any, str | None, Json]]:
        update = orjson.loads(event.data)
        if not isinstance(update, dict):
            return
        for _, said, node in self._messages.close(placed(event.ns), update):
            yield from self._word(event.ns, said, node)
        for name in _kept(update):
            self._said.pop(name, None)

    def _word(self, ns: str, said: Json, node: str | None) -> Iterator[tuple[Any, str | None, Json]]:
        """Tell a piece of a message of an agent; what others say is told when they say it."""
        name = said["id"]
        match said:
            case {"event": "message-start", "role": "ai"}:
                self._said[name] = None
            case {"event": "content-block-delta", "delta": {"type": "text-delta", "text": text}}:
                if name in self._said:
                    yield telling.Token, self._agent(ns, node, name), {"data": text, "message_id": name}
            case {"event": "content-block-finish", "content": {"type": "tool_call"} as call}:
                self._calls.add(call["id"] or "")
                told = {"id": call["id"] or "", "name": call["name"], "args": call["args"]}
                yield telling.ToolCalled, self._agent(ns, node, name), {"data": told, "message_id": name}
            case {"event": "message-finish" | "error"}:
                self._speakers.pop(name, None)
                if self._calls:
                    yield from self._becomes("executing")

    def _answered(self, ns: str, message: Json, metadata: Json) -> Iterator[tuple[Any, str | None, Json]]:
        name, call = message.get("id") or "", message.get("tool_call_id") or ""
        self._said[name] = None
        self._calls.discard(call)
        content = message.get("content")
        result = {
            "tool_call_id": call,
            "name": message.get("name") or "",
            "status": "error" if message.get("status") == "error" else "success",
            "content": content if isinstance(content, str) else _text(content),
        }
        agent = metadata.get("lc_agent_name") or self._agent(ns, None)
        yield telling.ToolAnswered, agent, {"data": result, "message_id": name}
        if not self._calls:
            yield from self._becomes("processing")

    def _ended(self, end: Json) -> Iterator[tuple[Any, str | None, Json]]:
        status = _outcome(end)
        yield telling.Finished, None, {"data": {"status": status}}
        yield from self._becomes(_AFTER[status])

    def _becomes(self, state: State) -> Iterator[tuple[Any, str | None, Json]]:
        if state != self._state:
            self._state = state
            yield telling.StateChanged, None, {"data": state}

    def _agent(self, ns: str, node: str | None, message: str = "") -> str:
        """Say who speaks: as the message says, else the graph inside, else the root graph."""
        inner = ns.rpartition("|")[2].partition(":")[0]
        return self._speakers.get(message) or inner or self._run.graph_id or node or ""


_AFTER: dict[Outcome, State] = {
    "completed": "idle",
    "cancelled": "idle",
    "waiting": "waiting",
    "failed": "error",
}


def asked(data: bytes) -> Json:
    """Return a question of the log as it is told."""
    told = orjson.loads(data)
    return {name: told.get(name) for name in telling.Question.model_fields}


def _decided(data: bytes) -> Json:
    told = orjson.loads(data)
    return {name: told.get(name) for name in telling.Decided.model_fields}


def _failure(error: Json) -> Json:
    said = error.get("message") or error.get("error") or "the run failed"
    return {"error": said, "code": error.get("error") or "run_failed"}


def _outcome(end: Json) -> Outcome:
    match end["status"]:
        case "error" | "timeout":
            return "failed"
        case "interrupted" | "rolled_back":
            return "cancelled"
    return "waiting" if end.get("thread_status") == "interrupted" else "completed"


def _given(given: Any) -> Iterator[Json]:
    """Yield what a person said, of what a run was given."""
    said = given.get("messages") if isinstance(given, dict) else None
    for one in said if isinstance(said, list) else ():
        if isinstance(one, dict) and (one.get("role") or one.get("type")) in ("user", "human"):
            content = one.get("content")
            text = content if isinstance(content, str) else _text(content)
            yield {"text": text, "message_id": one["id"] if isinstance(one.get("id"), str) else None}


def _text(content: Any) -> str:
    """Return the words of a content of blocks; of one without any, its JSON."""
    blocks = content if isinstance(content, list) else []
    words = [one if isinstance(one, str) else one.get("text", "") for one in blocks if _is_words(one)]
    return "".join(words) if words or not content else dumps(content).decode()


def _is_words(block: Any) -> bool:
    return isinstance(block, str) or (isinstance(block, dict) and block.get("type") == "text")


def _kept(update: Json) -> Iterator[str]:
    """Yield the ids of the messages that a step has put into a state."""
    for written in update.values():
        for one in written if isinstance(written, list) else [written]:
            said = one.get("messages") if isinstance(one, dict) else None
            for message in said if isinstance(said, list) else [said]:
                if isinstance(message, dict) and isinstance(message.get("id"), str):
                    yield message["id"]
