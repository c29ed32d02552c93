"""Messages as training data has them: OpenAI's chat form, redacted."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from artel.server.learning.redacting import Redaction

Said: TypeAlias = dict[str, Any]
"""A message in OpenAI's chat form."""

_ROLES = {HumanMessage: "user", AIMessage: "assistant", SystemMessage: "system", ToolMessage: "tool"}


def said(message: BaseMessage, redaction: Redaction) -> Said | None:
    """Return a message in OpenAI's form; None for a kind that it does not know.

    What a model thought before it spoke, pictures and files are left out.
    """
    role = next((role for kind, role in _ROLES.items() if isinstance(message, kind)), None)
    if role is None:
        return None
    told: Said = {"role": role, "content": redaction.text(_text(message.content))}
    if isinstance(message, AIMessage) and message.tool_calls:
        told["tool_calls"] = [
            call_of(str(call.get("id") or ""), call["name"], call["args"], redaction)
            for call in message.tool_calls
        ]
    if isinstance(message, ToolMessage):
        told["tool_call_id"] = redaction.text(str(message.tool_call_id))
    return told


def call_of(call_id: str, name: str, args: Mapping[str, Any], redaction: Redaction) -> dict[str, Any]:
    """Return a tool call in OpenAI's form: its arguments are JSON in a text."""
    function = {"name": redaction.text(name), "arguments": _json(redaction.value(args))}
    return {"id": redaction.text(call_id), "type": "function", "function": function}


def is_whole(messages: Sequence[Said]) -> bool:
    """Whether a conversation begins with a request, ends with an answer, and each call has its one result."""
    if not messages or messages[0]["role"] != "user" or messages[-1]["role"] != "assistant":
        return False
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return False
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            return False
        calls = [call["id"] for call in message.get("tool_calls", ())]
        open_calls = set(calls)
        if len(open_calls) != len(calls):
            return False
    return not open_calls


def name_of(messages: Sequence[Said]) -> bytes:
    """Return a digest that is the same for conversations which differ in ids, case or blanks alone."""
    return sha256(_json(list(_plain(messages))).encode()).digest()[:16]


def line(example: Mapping[str, Any]) -> bytes:
    """Return an example as a line of JSONL: whatever it says, it is one line."""
    return _json(example).encode() + b"\n"


def _plain(messages: Sequence[Said]) -> Iterator[list[Any]]:
    for message in messages:
        calls = [call["function"] for call in message.get("tool_calls", ())]
        told = [[call["name"], call["arguments"]] for call in calls]
        yield [message["role"], " ".join(str(message["content"]).casefold().split()), told]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = (one if isinstance(one, str) else one.get("text") for one in blocks if _speaks(one))
    return "\n".join(text for text in texts if isinstance(text, str))


def _speaks(block: Any) -> bool:
    return isinstance(block, str) or (isinstance(block, Mapping) and block.get("type") == "text")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
