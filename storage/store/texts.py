"""What may be stored under which name: checked before Postgres is asked, with the value in the sentence."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from artel.storage.encoding import without_nul
from artel.storage.errors import Invalid

SEPARATOR = "."
MAX_NAMESPACE = 1000  # bytes; namespace, key and field are one entry of a B-tree, which takes 2,704
MAX_KEY = 1000
MAX_FIELD = 500
MAX_TTL_MINUTES = 100 * 365 * 24 * 60.0  # a hundred years; Postgres' own dates end

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def prefix_of(namespace: Sequence[str]) -> str:
    """Return a namespace as its column has it: its labels, joined by dots.

    Raises:
        Invalid: it is too long, or no text for Postgres.
    """
    return storable(SEPARATOR.join(namespace), "namespace", MAX_NAMESPACE)


def labels_of(prefix: str) -> tuple[str, ...]:
    """Return the labels of a namespace's column."""
    return tuple(prefix.split(SEPARATOR)) if prefix else ()


def key_of(key: object) -> str:
    """Return an item's key.

    Raises:
        Invalid: it is too long, or no text for Postgres.
    """
    return storable(str(key), "key", MAX_KEY)


def storable(text: str, name: str, most: int) -> str:
    """Return a text that Postgres can index.

    Raises:
        Invalid: it has a NUL or half a character, or takes more than `most` bytes.
    """
    if "\0" in text:
        raise Invalid(f"{name} may not have a NUL character, got {shown(text)}")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Invalid(f"{name} may not have half a character, got {shown(text)}") from None
    if size > most:
        raise Invalid(f"{name} may take {most} bytes, got {size}: {shown(text)}")
    return text


def minutes_of(ttl: object) -> float | None:
    """Return the minutes that an item lives; None: it stays.

    Raises:
        Invalid: the time is not above zero, or longer than a hundred years.
    """
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 < ttl <= MAX_TTL_MINUTES:
        raise Invalid(f"ttl must be minutes, more than 0 and at most {MAX_TTL_MINUTES:.0f}, got {ttl!r}")
    return float(ttl)


def json_of(value: object, name: str) -> str:
    """Return a value as JSON that Postgres takes, without NUL characters.

    Unlike an event, a memory must come back as what it was: what is no JSON is refused, not described.

    Raises:
        Invalid: part of it is no JSON.
    """
    try:
        text = orjson.dumps(value, None, _OPTIONS)
    except TypeError as wrong:
        if "Recursion limit" in str(wrong):  # what is deeper could be kept, but not be shown again
            raise Invalid(f"{name} is nested too deep for JSON: 254 levels are the most") from wrong
        text = _slowly(value, name)  # orjson also gives up at 64 bits and at half characters
    return without_nul(text).decode()


def mapping_of(value: object) -> Mapping[str, Any]:
    """Return an item's value.

    Raises:
        Invalid: it is no mapping.
    """
    if not isinstance(value, Mapping):
        raise Invalid(f"value must be a mapping, got {shown(value)}")
    return dict(value)


def shown(value: object) -> str:
    """Return a value as a sentence can hold it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _slowly(value: object, name: str) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as wrong:
        raise Invalid(f"{name} is not JSON: {str(wrong)[:200]}") from wrong
    return text.encode("utf-8", "replace")
