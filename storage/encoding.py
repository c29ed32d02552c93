"""JSON for the wire and for jsonb columns: fast on what is usual, and without failure on what is odd."""

import re
from base64 import b64encode
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from decimal import Decimal
from math import isfinite
from zoneinfo import ZoneInfo

import orjson
from langgraph.types import Send

from artel.storage import messages

MAX_DEPTH = 200  # orjson itself gives up at 254; deeper values are shown as text

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
_CANNOT = (TypeError, ValueError, AttributeError, RecursionError)
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def dumps(value: object) -> bytes:
    """Return `value` as compact JSON.

    Messages and pydantic models are written field by field, exceptions as `{error, message}`, bytes as
    base64, timedeltas in seconds; what JSON has no form for is written as its `repr`, non-finite numbers as
    null, half characters (lone surrogates) as `?`. Never raises on odd objects: an event must reach
    its reader.
    """
    try:
        return orjson.dumps(value, _plain, _OPTIONS)
    except _CANNOT:
        return orjson.dumps(_tamed(value, 0), _plain, _OPTIONS)


def dumps_states(states: Sequence[Mapping[str, object]]) -> bytes:
    """Return what `dumps` does; an item that lists in `values` of several states share is written once."""
    written: dict[int, bytes] = {}
    try:
        return orjson.dumps([_with_written(state, written) for state in states], _plain, _OPTIONS)
    except _CANNOT:
        return dumps(states)


def _with_written(state: Mapping[str, object], written: dict[int, bytes]) -> Mapping[str, object]:
    values = state.get("values")
    if type(values) is not dict:
        return state
    lists = {key: _list(value, written) for key, value in values.items() if type(value) is list}
    return {**state, "values": {**values, **lists}}


def _list(items: list[object], written: dict[int, bytes]) -> orjson.Fragment:
    for item in items:
        if id(item) not in written:  # it lives as long as the states
            written[id(item)] = orjson.dumps(item, _plain, _OPTIONS)
    return orjson.Fragment(b"[%b]" % b",".join([written[id(item)] for item in items]))


def loads(data: bytes | str) -> object:
    """Return the value of a JSON text.

    Raises:
        ValueError: `data` is not JSON.
    """
    return orjson.loads(data)


def dumps_jsonb(value: object) -> bytes:
    """Return `value` as JSON that a jsonb column takes: without NUL characters, which Postgres refuses."""
    return without_nul(dumps(value))


def without_nul(text: bytes) -> bytes:
    """Return a JSON text without the NUL characters in its strings."""
    return _ESCAPED_NUL.sub(rb"\1", text) if b"\\u0000" in text else text


def _plain(value: object) -> object:
    """Give an object that orjson does not know in terms that it knows."""
    if (held := messages.fields(value)) is not None:
        return held
    match value:
        case Send():
            return {"node": value.node, "args": value.arg}
        case BaseException():
            return {"error": type(value).__name__, "message": str(value)}
        case set() | frozenset() | deque():
            return list(value)
        case timedelta():
            return value.total_seconds()
        case ZoneInfo() | timezone():
            return str(value)
        case Decimal():
            return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode()
        case re.Pattern():
            return value.pattern
        case type():
            return value.__qualname__
    return _fields(value)


def _fields(value: object) -> object:
    for name in ("model_dump", "_asdict"):
        method = getattr(value, name, None)
        if callable(method):
            try:
                return method()
            except _CANNOT:
                break
    return str(value) if hasattr(value, "__fspath__") or _is_address(value) else _shown(value)


def _is_address(value: object) -> bool:
    return type(value).__module__ == "ipaddress"


def _shown(value: object) -> str:
    try:
        return repr(value).encode("utf-8", "replace").decode()
    except _CANNOT:
        return f"<{type(value).__qualname__}>"


def _tamed(value: object, depth: int) -> object:
    """Copy a value that orjson refused, part by part, without what made it refuse."""
    if depth > MAX_DEPTH:
        return f"<{type(value).__qualname__}, nested deeper than {MAX_DEPTH}>"
    match value:
        case None | bool():
            return value
        case str():
            return value.encode("utf-8", "replace").decode()
        case int():
            return value if -(2**63) <= value < 2**64 else str(int(value))
        case float():
            return value if isfinite(value) else None
        case dict():
            return {_key(k): _tamed(v, depth + 1) for k, v in value.items()}
        case list() | tuple() if not hasattr(value, "_asdict"):
            return [_tamed(v, depth + 1) for v in value]
    try:
        return orjson.loads(orjson.dumps(value, None, _OPTIONS))
    except _CANNOT:
        return _tamed(_plain_or_fields(value), depth + 1)


def _plain_or_fields(value: object) -> object:
    fields = getattr(value, "__dataclass_fields__", None)
    if fields and not isinstance(value, type):
        return {name: getattr(value, name, None) for name in fields}
    return _plain(value)


def _key(key: object) -> str:
    match key:
        case str():
            return key.encode("utf-8", "replace").decode()
        case None:
            return "null"
        case bool():
            return "true" if key else "false"
    return str(key) if isinstance(key, (int, float)) else _shown(key)
