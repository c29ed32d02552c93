"""What a state says in plain text, for protocols that know nothing of states."""

from typing import Any


def last_said(values: Any) -> str:
    """Return the text of the last message of a state when it is the model's, else nothing."""
    messages = values.get("messages") if isinstance(values, dict) else None
    last = messages[-1] if isinstance(messages, list) and messages else None
    return text_of(last) if isinstance(last, dict) and is_of_model(last) else ""


def is_of_model(message: Any) -> bool:
    """Whether a message, or a piece of one, is what a model said."""
    return isinstance(message, dict) and message.get("type") in ("ai", "AIMessageChunk")


def text_of(message: dict[str, Any]) -> str:
    """Return the text of a message: its content, or the text blocks of it.

    >>> text_of({"content": ["a", {"type": "text", "text": "b"}, {"type": "image"}]})
    'ab'
    """
    content = message.get("content")
    if isinstance(content, str):
        return content
    texts = [
        block if isinstance(block, str) else block.get("text")
        for block in (content if isinstance(content, list) else [])
        if isinstance(block, str | dict)
    ]
    return "".join(text for text in texts if isinstance(text, str))
