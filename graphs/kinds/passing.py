"""What comes from a server elsewhere, before it is ours: questions that decide nothing here, messages."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, ToolMessage

MARK = "artel_remote"
"""In the metadata of a message: the connection that it came over."""
MAX_CHARS = 2_000_000  # of all messages that one run brings
MAX_TEXT = 40_000  # characters of a state that has no messages

# What a card shows. Nothing that decides here: grants, who else may answer, what silence means.
SHOWN = (
    "kind",
    "risk",
    "reason",
    "diff",
    "files",
    "path",
    "command",
    "cwd",
    "hosts",
    "problem",
    "problems",
    "tainted",
    "name",
    "before_sha",
    "expires_in_s",
)
FIELDS = {
    "ai": ("content", "id", "name", "tool_calls", "usage_metadata", "additional_kwargs"),
    "tool": ("content", "id", "name", "tool_call_id", "status"),
}


class TooMuch(ValueError):
    """A server sends more than is taken."""


def clean(value: Any) -> Any:
    """Return JSON without the NULs that no database takes."""
    match value:
        case str():
            return value.replace("\0", "")
        case list() | tuple():
            return [clean(one) for one in value]
        case dict():
            return {clean(key): clean(one) for key, one in value.items()}
    return value


def question(value: Any, connection: str) -> Any:
    """Return a question of a server elsewhere as we ask it: its words, and none of its power over us.

    >>> question({"type": "question", "artel": {"kind": "question", "grants": [1], "agent": "ask"}}, "far")
    {'type': 'question', 'artel': {'kind': 'question', 'agent': 'far: ask'}}
    """
    match value:
        case [dict() as one]:
            return [question(one, connection)]
        case {**said}:
            ours = said.pop("artel", None)
            if isinstance(call_id := said.get("tool_call_id"), str):
                said["tool_call_id"] = _apart(call_id, connection)
            if isinstance(ours, Mapping):
                said["artel"] = _shown(ours, connection)
            return said
    return value


def messages(given: Any, known: Sequence[BaseMessage], connection: str) -> list[AnyMessage]:
    """Return the messages of assistants and tools in a state elsewhere that are not known here.

    One with the id of a message that came from somewhere else is left out: it would take that one's place.

    Raises:
        TooMuch: they are longer than MAX_CHARS.
        ValueError: one of them is no message.
    """
    ours = {message.id: message for message in known}
    found: list[AnyMessage] = []
    length = 0
    for said in given if isinstance(given, list) else ():
        if not isinstance(said, dict) or said.get("type") not in FIELDS:
            continue
        message = _message(said, connection)
        before = ours.get(message.id)
        if before is not None and (
            before.response_metadata.get(MARK) != connection or _same(before, message)
        ):
            continue
        length += len(str(message.content))
        if length > MAX_CHARS:
            raise TooMuch(f"its run brought more than {MAX_CHARS} characters of messages")
        found.append(message)
    return found


def state_as_text(values: Any) -> str:
    """Return a state without messages as text, cut at MAX_TEXT characters."""
    text = json.dumps(clean(values), ensure_ascii=False, default=str)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def sent(messages: Sequence[BaseMessage]) -> Iterator[dict[str, Any]]:
    """Yield messages as another server takes them; calls of tools here mean nothing there."""
    for message in messages:
        if message.type in ("human", "ai", "system") and message.content:
            yield {"type": message.type, "content": message.content, "id": message.id}


def _message(said: Mapping[str, Any], connection: str) -> AnyMessage:
    kept = {key: clean(said[key]) for key in FIELDS[said["type"]] if said.get(key) is not None}
    kept["response_metadata"] = {MARK: connection}
    return AIMessage.model_validate(kept) if said["type"] == "ai" else ToolMessage.model_validate(kept)


def _same(one: BaseMessage, other: BaseMessage) -> bool:
    calls = getattr(one, "tool_calls", None) == getattr(other, "tool_calls", None)
    return one.type == other.type and one.content == other.content and calls


def _shown(ours: Mapping[str, Any], connection: str) -> dict[str, Any]:
    shown = {key: ours[key] for key in SHOWN if key in ours}
    shown["agent"] = f"{connection}: {ours.get('agent') or 'agent'}"
    if isinstance(call_id := ours.get("tool_call_id"), str):
        shown["tool_call_id"] = _apart(call_id, connection)
    if isinstance(calls := ours.get("calls"), list):
        shown["calls"] = [_call(call, connection) for call in calls if isinstance(call, Mapping)]
    return shown


def _call(call: Mapping[str, Any], connection: str) -> dict[str, Any]:
    shown = {key: call[key] for key in (*SHOWN, "args") if key in call}
    return {**shown, "tool_call_id": _apart(str(call.get("tool_call_id") or ""), connection)}


def _apart(call_id: str, connection: str) -> str:
    """A yes to a call elsewhere is none to a call of an agent of ours on the same thread."""
    return f"{connection}/{call_id}"
