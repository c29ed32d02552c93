"""The head and the tail of what is too long, and a note between them that says how to see the rest."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from artel.graphs.compaction.counting import message_tokens, plain, text_tokens
from artel.tools.recalling import NAME as RECALL

LEAST = 48  # tokens: below it there is the note alone
HEAD = 2 / 3


def cut(message: AnyMessage, most: int, *, recall: bool) -> AnyMessage:
    """Return a message in about `most` tokens, at least LEAST; as it is if it has no more.

    `recall`: whether the model has the tool that shows the rest.
    """
    if message_tokens(message) <= most:
        return message
    where = message.tool_call_id if isinstance(message, ToolMessage) else message.id
    how = f'; {RECALL}(id="{where}") shows all' if recall else ""
    if not isinstance(message, AIMessage):
        return message.model_copy(update={"content": shortened(plain(message), most, how)})
    if not message.tool_calls:
        return message.model_copy(update={"content": shortened(plain(message), most, how)})
    each = max(most // (len(message.tool_calls) + 1), LEAST)
    calls = [
        {**call, "args": {k: _value(v, each, how) for k, v in call["args"].items()}}
        for call in message.tool_calls
    ]
    return message.model_copy(update={"content": _said(message, each, how, calls), "tool_calls": calls})


def shortened(text: str, most: int, how: str = "") -> str:
    """Return the beginning and the end of a text in about `most` tokens, cut at ends of lines.

    `how` goes into the note and says where the rest is.
    """
    total = text_tokens(text)
    if total <= most:
        return text
    note = "[… {} of {} characters are not shown" + how + " …]"
    room = most - text_tokens(note)
    if most < LEAST or room < LEAST // 3:
        return note.format(len(text), len(text))
    share = room / total
    while True:
        head, tail = _ends(text, int(len(text) * share))
        hidden = len(text) - len(head) - len(tail)
        shown = f"{head}\n{note.format(hidden, len(text))}\n{tail}"
        if text_tokens(shown) <= most or share < 0.001:
            return shown
        share *= 0.8


def _ends(text: str, chars: int) -> tuple[str, str]:
    head, tail = text[: int(chars * HEAD)], text[len(text) - int(chars * (1 - HEAD)) :]
    if (end := head.rfind("\n")) > len(head) // 2:
        head = head[:end]
    if 0 <= (begin := tail.find("\n")) < len(tail) // 2:
        tail = tail[begin + 1 :]
    return head, tail


def _value(value: Any, most: int, how: str) -> Any:
    """Return an argument of a call, cut as text wherever it holds much."""
    if isinstance(value, str):
        return shortened(value, most, how)
    text = repr(value)
    return value if text_tokens(text) <= most else shortened(text, most, how)


def _said(message: AIMessage, most: int, how: str, calls: Sequence[Any]) -> Any:
    """Return the words beside calls; some providers keep calls among these blocks."""
    if isinstance(message.content, str):
        return shortened(message.content, most, how)
    args = {call["id"]: call["args"] for call in calls}
    said: list[Any] = []
    for block in message.content:
        if isinstance(block, str):
            said.append(shortened(block, most, how))
        elif block.get("type") == "text":
            said.append({**block, "text": shortened(str(block.get("text", "")), most, how)})
        elif block.get("type") == "tool_use" and block.get("id") in args:
            said.append({**block, "input": args[block["id"]]})
        else:
            said.append(block)
    return said
