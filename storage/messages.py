"""LangChain's messages without pydantic: made of their fields, and shown as them, when those are plain.

A conversation is read and shown whole, step after step. For an ordinary message pydantic takes several times
as long as it takes to see that it is one. What is odd in any way is left to pydantic, and so is every message
of a class whose sample, made and shown both ways, is not the same.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import ormsgpack
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata

PYDANTIC = 5  # what LangGraph's msgpack calls an object of pydantic's second version

_COMMON = ("content", "additional_kwargs", "response_metadata", "type", "name", "id")
_OF_AI = (*_COMMON, "tool_calls", "invalid_tool_calls", "usage_metadata")
_FIELDS: dict[type[Any], tuple[str, ...]] = {
    HumanMessage: _COMMON,
    SystemMessage: _COMMON,
    AIMessage: _OF_AI,
    AIMessageChunk: (*_OF_AI, "tool_call_chunks", "chunk_position"),
    ToolMessage: (*_COMMON, "tool_call_id", "artifact", "status"),
}
_MADE: dict[tuple[str, str], type[BaseMessage]] = {
    (cls.__module__, cls.__name__): cls for cls in (HumanMessage, SystemMessage, AIMessage, ToolMessage)
}
_TYPES = {cls: cls.model_fields["type"].default for cls in _FIELDS}
_BEGINNINGS = tuple(b"\x94" + ormsgpack.packb(module) + ormsgpack.packb(name) for module, name in _MADE)

_CALL, _USAGE = tuple(ToolCall.__annotations__), tuple(UsageMetadata.__annotations__)
_DETAILS = {
    "input_token_details": tuple(InputTokenDetails.__annotations__),
    "output_token_details": tuple(OutputTokenDetails.__annotations__),
}
_USED = _USAGE[:3]  # these a usage must have
_TEXT = (str, type(None))
_set = object.__setattr__


def fields(value: object) -> dict[str, Any] | None:
    """Return the fields of a message, to be read only; None for all that `model_dump` could give otherwise.

    That is whatever is no message of LangChain's own, or holds more than texts and empty lists and dicts.
    """
    cls: Any = type(value)
    if cls not in _FIELDS:
        return None
    message = cast(BaseMessage, value)
    held = message.__dict__
    if message.__pydantic_extra__ or tuple(held) != _FIELDS[cls] or not _is_known(cls):
        return None
    for one in held.values():
        kind = type(one)
        if not (kind is str or one is None or ((kind is dict or kind is list) and not one)):
            return None
    return held


def unpacking(otherwise: Callable[[int, bytes], Any]) -> Callable[[int, bytes], Any]:
    """Return a hook for msgpack that makes messages, and leaves everything else to LangGraph's."""

    def hook(code: int, data: bytes) -> Any:
        if code == PYDANTIC and data.startswith(_BEGINNINGS):
            module, name, held, *_ = ormsgpack.unpackb(data, ext_hook=hook, option=ormsgpack.OPT_NON_STR_KEYS)
            message = made(_MADE[module, name], held)
            if message is not None:
                return message
        return otherwise(code, data)

    return hook


def made(cls: Any, held: Any) -> BaseMessage | None:
    """Return the message that `cls(**held)` would be, `held` being its own; None: pydantic must say."""
    if type(held) is not dict or tuple(held) != _FIELDS[cls] or not _is_taken(cls, held):
        return None
    return _of(cls, held) if _is_known(cls) else None


def _of(cls: type[Any], held: dict[str, Any]) -> BaseMessage:
    message = cast(BaseMessage, object.__new__(cls))
    _set(message, "__dict__", held)
    _set(message, "__pydantic_fields_set__", set(held))
    _set(message, "__pydantic_extra__", {})
    _set(message, "__pydantic_private__", None)
    return message


def _is_taken(cls: type[Any], held: dict[str, Any]) -> bool:
    """Whether validation takes these fields as they are."""
    content, extra = held["content"], held["additional_kwargs"]
    if type(content) is not str and not (
        type(content) is list and all(type(part) in (str, dict) for part in content)
    ):
        return False
    if type(extra) is not dict or type(held["response_metadata"]) is not dict:
        return False
    if type(held["name"]) not in _TEXT or type(held["id"]) not in _TEXT:
        return False
    if held["type"] != _TYPES[cls]:
        return False
    if cls is AIMessage:
        return (
            "tool_calls" not in extra  # old ones, from which it would make new ones
            and held["invalid_tool_calls"] == []
            and type(held["tool_calls"]) is list
            and all(map(_is_call, held["tool_calls"]))
            and (held["usage_metadata"] is None or _is_usage(held["usage_metadata"]))
        )
    if cls is ToolMessage:
        return type(held["tool_call_id"]) is str and held["status"] in ("success", "error")
    return True


def _is_call(call: Any) -> bool:
    return (
        type(call) is dict
        and tuple(call) == _CALL
        and type(call["name"]) is str
        and type(call["args"]) is dict
        and all(type(key) is str for key in call["args"])
        and type(call["id"]) in _TEXT
        and call["type"] == "tool_call"
    )


def _is_usage(usage: Any) -> bool:
    if type(usage) is not dict or not _in_order(usage, _USAGE):
        return False
    for name, value in usage.items():
        if name not in _DETAILS:
            if type(value) is not int:
                return False
        elif not _are_details(value, _DETAILS[name]):
            return False
    return all(name in usage for name in _USED)


def _are_details(value: Any, known: tuple[str, ...]) -> bool:
    return (
        type(value) is dict
        and _in_order(value, known)
        and all(type(count) is int for count in value.values())
    )


def _in_order(given: dict[str, Any], known: tuple[str, ...]) -> bool:
    return list(given) == [name for name in known if name in given]


@cache
def _is_known(cls: Any) -> bool:
    """Whether this version of a class makes and shows a sample as we do."""
    if set(cls.model_fields) != set(_FIELDS[cls]):
        return False
    sample = {**_SAMPLE, "type": _TYPES[cls], "tool_calls": [_CALLED] if cls is AIMessage else []}
    held = {name: sample[name] for name in _FIELDS[cls]}
    try:
        theirs, ours = cls(**held), _of(cls, held)
    except ValueError:
        return False
    return (
        tuple(theirs.__dict__) == tuple(held)
        and list(theirs.model_dump().items()) == list(held.items())
        and theirs.__dict__ == ours.__dict__
        and theirs.__pydantic_fields_set__ == ours.__pydantic_fields_set__
        and theirs.__pydantic_extra__ == ours.__pydantic_extra__
        and theirs.__pydantic_private__ == ours.__pydantic_private__
    )


_CALLED = {"name": "f", "args": {"d": 4}, "id": "c", "type": "tool_call"}
_SAMPLE: Mapping[str, Any] = {
    "content": ["said", {"type": "text", "text": "said"}],
    "additional_kwargs": {"a": 1},
    "response_metadata": {"b": [2]},
    "name": "n",
    "id": "i",
    "invalid_tool_calls": [],
    "usage_metadata": {
        "input_tokens": 1,
        "output_tokens": 2,
        "total_tokens": 3,
        "input_token_details": {"audio": 1, "cache_read": 2},
        "output_token_details": {"reasoning": 1},
    },
    "tool_call_chunks": [],
    "chunk_position": None,
    "tool_call_id": "t",
    "artifact": {"c": (3,)},
    "status": "success",
}
