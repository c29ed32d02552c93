"""Values of states as JSON and back: messages and plain values, each kind marked, and nothing else.

What JSON has itself stands as it is. Everything else is `{"$": kind, …}`; so is a dict that has a key `$`, or
keys that are no strings.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, TypeAlias
from uuid import UUID

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.types import Interrupt, Send

from artel.storage.errors import Invalid

MARK = "$"
DEEPEST = 200  # a value nested deeper is nobody's state
LEAST, MOST = -(2**63), 2**64 - 1  # integers that a checkpoint can hold inside other values
CLASSES: Mapping[str, type[BaseMessage]] = {
    cls.__name__: cls
    for cls in (
        AIMessage,
        AIMessageChunk,
        ChatMessage,
        FunctionMessage,
        HumanMessage,
        RemoveMessage,
        SystemMessage,
        ToolMessage,
    )
}

Hide: TypeAlias = Callable[[str, str], str]
"""Given a text and the name it stands under: the text as it may leave."""


class NotPortable(Invalid):
    """A state holds a value that only the code that made it could make again."""

    code = "not_portable"


class ArchiveWrong(Invalid):
    """An archive is not what an archive of ours is; nothing of it was taken over."""

    code = "archive_wrong"


def as_it_is(text: str, name: str) -> str:
    """Hide nothing."""
    del name
    return text


def portable(value: Any, hide: Hide = as_it_is, name: str = "", depth: int = 0) -> Any:
    """Return a value as JSON has it.

    >>> portable({"a": (1, {"$": 2})})
    {'a': {'$': 'tuple', 'of': [1, {'$': 'dict', 'of': [['$', 2]]}]}}

    Raises:
        NotPortable: it is of a kind that is none of ours, or nested deeper than DEEPEST.
    """
    if depth > DEEPEST:
        raise NotPortable(f"{name or 'a value'} is nested deeper than {DEEPEST}")

    def inner(one: Any, under: str = name) -> Any:
        return portable(one, hide, under, depth + 1)

    kind = type(value)
    if value is None or kind in (bool, int):
        return value
    if kind is str:
        return hide(value, name)
    if kind is float:
        return value if isfinite(value) else {MARK: "float", "of": repr(value)}
    if kind is list:
        return [inner(one) for one in value]
    if kind is dict:
        if MARK not in value and all(type(key) is str for key in value):
            return {key: inner(one, key) for key, one in value.items()}
        return {MARK: "dict", "of": [[inner(key), inner(one, str(key))] for key, one in value.items()]}
    if CLASSES.get(kind.__name__) is kind:
        held = {**value.__dict__, **(value.__pydantic_extra__ or {})}
        return {
            MARK: "message",
            "class": kind.__name__,
            "of": {key: inner(one, key) for key, one in held.items()},
        }
    if kind is tuple:
        return {MARK: "tuple", "of": [inner(one) for one in value]}
    if kind in (set, frozenset):
        return {MARK: kind.__name__, "of": [inner(one) for one in sorted(value, key=repr)]}
    if kind is bytes:
        return {MARK: "bytes", "of": b64encode(value).decode()}
    if kind in (datetime, date):
        return {MARK: kind.__name__, "of": value.isoformat()}
    if kind is timedelta:
        return {MARK: "timedelta", "of": [value.days, value.seconds, value.microseconds]}
    if kind in (UUID, Decimal):
        return {MARK: kind.__name__, "of": str(value)}
    if kind is Send:
        return {MARK: "send", "node": value.node, "of": inner(value.arg)}
    if kind is Interrupt:
        return {MARK: "interrupt", "id": value.id, "of": inner(value.value)}
    raise NotPortable(
        f"{name or 'a value'} is a {kind.__module__}.{kind.__qualname__}, which no archive can hold"
    )


def restored(value: Any, depth: int = 0) -> Any:
    """Return the value that JSON stands for.

    Raises:
        ArchiveWrong: it is marked as a kind that there is not, or does not hold what that kind holds.
    """
    if depth > DEEPEST:
        raise ArchiveWrong(f"a value is nested deeper than {DEEPEST}")
    match value:
        case None | bool() | float():
            return value
        case str():
            return storable(value)
        case int():
            if not LEAST <= value <= MOST:
                raise ArchiveWrong(f"integers must be from {LEAST} to {MOST}")
            return value
        case list():
            return [restored(one, depth + 1) for one in value]
        case {"$": str(kind)}:
            return _made(kind, dict(value), depth + 1)
        case {"$": _}:
            raise ArchiveWrong('a mark "$" must be the name of a kind')
        case dict():
            return {storable(key): restored(one, depth + 1) for key, one in value.items()}
    raise ArchiveWrong(f"a value of an archive is JSON, got {type(value).__name__}")


def storable(text: str) -> str:
    """Return a text that has an encoding.

    Raises:
        ArchiveWrong: it holds half a character.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArchiveWrong("a text holds half a character (a lone surrogate)") from None
    return text


def _made(kind: str, rest: Mapping[str, Any], depth: int) -> Any:
    of = rest.get("of")
    try:
        match kind, of:
            case "message", dict():
                cls = CLASSES[str(rest.get("class"))]
                return cls.model_validate({storable(key): restored(one, depth) for key, one in of.items()})
            case "tuple", [*items]:
                return tuple(restored(one, depth) for one in items)
            case "set", [*items]:
                return {restored(one, depth) for one in items}
            case "frozenset", [*items]:
                return frozenset(restored(one, depth) for one in items)
            case "dict", [*pairs]:
                return {restored(key, depth): restored(one, depth) for key, one in pairs}
            case "float", "nan" | "inf" | "-inf":
                return float(of)
            case "bytes", str():
                return b64decode(of, validate=True)
            case "datetime", str():
                return datetime.fromisoformat(of)
            case "date", str():
                return date.fromisoformat(of)
            case "timedelta", [int(days), int(seconds), int(microseconds)]:
                return timedelta(days, seconds, microseconds)
            case "UUID", str():
                return UUID(of)
            case "Decimal", str():
                return Decimal(of)
            case "send", _ if isinstance(rest.get("node"), str):
                return Send(storable(rest["node"]), restored(of, depth))
            case "interrupt", _ if isinstance(rest.get("id"), str):
                return Interrupt(restored(of, depth), id=storable(rest["id"]))
    except ArchiveWrong:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, InvalidOperation) as wrong:
        raise ArchiveWrong(
            f"a value marked {kind[:40]!r} is none: {' '.join(str(wrong).split())[:200]}"
        ) from wrong
    raise ArchiveWrong(f"no value is marked {kind[:40]!r} and holds {str(of)[:60]!r}")


def moment() -> str:
    """Return now, as archives name moments."""
    return datetime.now(UTC).isoformat(timespec="seconds")
