"""Tasks and messages as A2A writes them: built as version 0.3 has them, rewritten for 1.0. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from artel.server.protocol.rpc import INVALID_PARAMS, Refused
from artel.server.protocol.spoken import is_of_model, last_said, text_of

Json = dict[str, Any]
ROLES = {"human": "user", "user": "user", "ai": "agent", "AIMessageChunk": "agent"}
STATES = {
    "pending": "submitted",
    "running": "working",
    "success": "completed",
    "error": "failed",
    "timeout": "failed",
    "interrupted": "canceled",
    "rolled_back": "canceled",
}


@dataclass(frozen=True, slots=True)
class Where:
    """A task and its context: what a run, with those that went on with it, and its thread are called."""

    thread_id: UUID
    task_id: str

    @property
    def ids(self) -> Json:
        """How messages and events name them."""
        return {"taskId": self.task_id, "contextId": str(self.thread_id)}


def read_parts(message: Any) -> tuple[list[Json], Json]:
    """Return what a message says, as content blocks, and what it gives for other fields of the input.

    Raises:
        Refused: it is no message, or a part of it is of no kind that there is.
    """
    parts = message.get("parts") if isinstance(message, dict) else None
    if not isinstance(parts, list) or not parts:
        raise Refused(INVALID_PARAMS, "message must be an object with at least one part")
    blocks: list[Json] = []
    fields: Json = {}
    for number, part in enumerate(parts):
        match part:
            case {"text": str(text)}:
                blocks.append({"type": "text", "text": text})
            case {"data": dict(data)}:
                fields |= data
            case {"file": dict(file)}:
                blocks.append(_file(file.get("uri"), file.get("bytes"), file.get("mimeType"), number))
            case {"url": _} | {"raw": _}:
                blocks.append(_file(part.get("url"), part.get("raw"), part.get("mediaType"), number))
            case _:
                raise Refused(INVALID_PARAMS, f"message.parts[{number}] has neither text, data nor a file")
    return blocks, fields


def _file(url: Any, base64: Any, media_type: Any, number: int) -> Json:
    kind = media_type.partition("/")[0] if isinstance(media_type, str) else ""
    block: Json = {"type": kind if kind in ("image", "audio", "video") else "file"}
    if isinstance(media_type, str):
        block["mime_type"] = media_type
    if isinstance(url, str) and url:
        return block | {"url": url}
    if isinstance(base64, str) and base64:
        return block | {"base64": base64}
    raise Refused(INVALID_PARAMS, f"message.parts[{number}] is a file without content or address")


def content_of(blocks: Sequence[Json]) -> str | list[Json]:
    """Return content blocks as a message has them: one text when they are nothing else."""
    if all(block["type"] == "text" for block in blocks):
        return "\n".join(block["text"] for block in blocks)
    return list(blocks)


def spoken(where: Where, role: str, parts: list[Json], message_id: str) -> Json:
    """Return a message."""
    return {"kind": "message", "role": role, "parts": parts, "messageId": message_id, **where.ids}


def text_part(text: str) -> Json:
    """Return a part that is text."""
    return {"kind": "text", "text": text}


def data_part(data: Any) -> Json:
    """Return a part that is an object; what is none is wrapped in one."""
    return {"kind": "data", "data": data if isinstance(data, dict) else {"value": data}}


def status(state: str, message: Json | None = None, at: datetime | None = None) -> Json:
    """Return a status, by default of now."""
    said = {"message": message} if message else {}
    stamp = (at or datetime.now(UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"state": state, **said, "timestamp": stamp}


def final_status(
    where: Where, state: str, values: Json, error: Mapping[str, Any] | None, at: datetime | None = None
) -> Json:
    """Return how a task stands whose run has ended: with the question, or the reason."""
    message_id = f"{where.task_id}-status"
    if error:
        reason = f"{error.get('error')}: {error.get('message')}"
        return status("failed", spoken(where, "agent", [text_part(reason)], message_id), at)
    if state == "completed" and (questions := values.get("__interrupt__")):
        parts = [_question(one.get("value")) for one in questions]
        return status("input-required", spoken(where, "agent", parts, message_id), at)
    return status(state, at=at)


def _question(value: Any) -> Json:
    return text_part(value) if isinstance(value, str) else data_part(value)


def artifacts(where: Where, state: str, values: Json) -> list[Json]:
    """Return what came of a task: what was said last, else the state; for a question, the question."""
    if state == "input-required":
        asked = [
            data_part({"id": one.get("id"), "value": one.get("value")}) for one in values["__interrupt__"]
        ]
        return [_artifact(where, "Interrupt", "The agent waits for an answer.", asked)]
    if state != "completed":
        return []
    said = last_said(values)
    parts = [text_part(said)] if said else [data_part(values)]
    return [_artifact(where, "Assistant Response", "What the agent answered.", parts)]


def _artifact(where: Where, name: str, description: str, parts: list[Json]) -> Json:
    artifact_id = f"{where.task_id}-{name.split()[-1].lower()}"
    return {"artifactId": artifact_id, "name": name, "description": description, "parts": parts}


def history(where: Where, values: Json, length: int | None) -> list[Json]:
    """Return what was said in the context, of it the last `length`."""
    messages = values.get("messages")
    told = [
        spoken(where, ROLES[one["type"]], [text_part(text_of(one))], str(one.get("id") or ""))
        for one in (messages if isinstance(messages, list) else [])
        if isinstance(one, dict) and one.get("type") in ROLES and text_of(one)
    ]
    return told if length is None else told[len(told) - min(length, len(told)) :]


def task(where: Where, status: Json, *, said: list[Json], made: list[Json]) -> Json:
    """Return a task."""
    ids = {"id": where.task_id, "contextId": str(where.thread_id)}
    return {"kind": "task", **ids, "status": status, "history": said, "artifacts": made}


def modern(thing: Json) -> Json:
    """Rewrite a task, a message or an event for version 1.0."""
    plain = {name: value for name, value in thing.items() if name not in ("kind", "final")}
    if "role" in plain:
        plain["role"] = f"ROLE_{plain['role'].upper()}"
    if "parts" in plain:
        plain["parts"] = [{k: v for k, v in part.items() if k != "kind"} for part in plain["parts"]]
    if "status" in plain:
        known = plain["status"]
        state = f"TASK_STATE_{known['state'].upper().replace('-', '_')}"
        said = {"message": modern(known["message"])} if "message" in known else {}
        plain["status"] = {**known, "state": state, **said}
    for name in ("history", "artifacts"):
        if name in plain:
            plain[name] = [modern(one) for one in plain[name]]
    if "artifact" in plain:
        plain["artifact"] = modern(plain["artifact"])
    return plain


def wrapped(thing: Json) -> Json:
    """Say which of the things that version 1.0 answers with it is."""
    names = {"task": "task", "status-update": "statusUpdate", "artifact-update": "artifactUpdate"}
    return {names[thing["kind"]]: modern(thing)}


class Telling:
    """A reader's view of one run: from our event log to the updates of a task."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._values: Json = {}
        self._error: Json | None = None
        self._said: dict[str, str] = {}  # what messages say so far, by id

    def feed(self, events: Sequence[Any]) -> list[Json]:
        """Return the updates that these events are; of one message only the newest."""
        updates: list[Json] = []
        fresh: dict[str, None] = {}
        for event in events:
            match event.type:
                case "metadata":
                    self._said.clear()
                    updates.append(self._update(status("working")))
                case "messages" if not event.ns:
                    fresh |= dict.fromkeys(self._heard(orjson.loads(event.data)[0]))
                case "values" if not event.ns:
                    self._values = orjson.loads(event.data)
                case "error":
                    self._error = orjson.loads(event.data)
                case "run.ended":
                    updates += [self._saying(one) for one in fresh]
                    fresh = {}
                    updates += self._ending(orjson.loads(event.data)["status"])
        return updates + [self._saying(one) for one in fresh]

    def _heard(self, message: Json) -> list[str]:
        text = text_of(message)
        if not is_of_model(message) or not text:
            return []
        known = str(message.get("id") or "")
        chunk = message["type"] == "AIMessageChunk"
        self._said[known] = self._said.get(known, "") + text if chunk else text
        return [known]

    def _saying(self, message_id: str) -> Json:
        parts = [text_part(self._said[message_id])]
        return self._update(status("working", spoken(self._where, "agent", parts, message_id)))

    def _ending(self, ended: str) -> list[Json]:
        last = final_status(self._where, STATES.get(ended, "failed"), self._values, self._error)
        updates: list[Json] = [
            {
                "kind": "artifact-update",
                **self._where.ids,
                "artifact": made,
                "append": False,
                "lastChunk": True,
            }
            for made in artifacts(self._where, last["state"], self._values)
        ]
        return [*updates, {**self._update(last), "final": True}]

    def _update(self, known: Json) -> Json:
        return {"kind": "status-update", **self._where.ids, "status": known, "final": False}
