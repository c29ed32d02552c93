"""From what an auth handler returns to what Postgres can ask of metadata."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from artel.storage.errors import ArtelError


class FilterWrong(ArtelError):
    """A handler of the configured auth returned a filter that says nothing; nobody is let through on it."""

    code = "filter_wrong"


def predicate(asked: Mapping[str, Any]) -> str | None:
    """Return a jsonpath that is true of metadata that fulfils a filter; None for an empty one.

    `{"owner": "a"}` and `{"owner": {"$eq": "a"}}` ask for that very value, `{"owner": {"$contains": "a"}}`
    for a list that has it, or has all of a list; fields are joined by and, `$and` and `$or` hold filters.
    Strict, for a lax path looks into lists: it would take `["a", "b"]` for "a".

    >>> predicate({"owner": "a"})
    'strict ($."owner" == "a")'

    Raises:
        FilterWrong: an operator is unknown, or a value has no form in jsonpath.
    """
    return f"strict {_all(asked)}" if asked else None


def _all(asked: Any) -> str:
    if not isinstance(asked, Mapping) or not asked:
        raise FilterWrong(f"a filter must be an object with at least one field, got {asked!r}")
    return " && ".join(f"({_field(name, wanted)})" for name, wanted in asked.items())


def _field(name: Any, wanted: Any) -> str:
    if name in ("$and", "$or"):
        if not isinstance(wanted, list | tuple) or not wanted:
            raise FilterWrong(f"{name} must hold filters, got {wanted!r}")
        return (" && " if name == "$and" else " || ").join(f"({_all(one)})" for one in wanted)
    if not isinstance(name, str) or name.startswith("$"):
        raise FilterWrong(f"{name!r} is no field; the operators around fields are $and and $or")
    path = f"$.{_literal(name)}"
    if not isinstance(wanted, Mapping):
        return f"{path} == {_literal(wanted)}"
    if not wanted:
        raise FilterWrong(f"{name} must have $eq or $contains")
    return " && ".join(_asked(path, operator, value) for operator, value in wanted.items())


def _asked(path: str, operator: Any, value: Any) -> str:
    match operator:
        case "$eq":
            return f"{path} == {_literal(value)}"
        case "$contains":
            values = value if isinstance(value, list | tuple) else [value]
            has = [f"exists({path}[*] ? (@ == {_literal(one)}))" for one in values]
            return " && ".join([f'{path}.type() == "array"', *has])
    raise FilterWrong(f"the operators of a field are $eq and $contains, got {operator!r}")


def _literal(value: Any) -> str:
    """Write a value as jsonpath does, which escapes as JSON does."""
    if isinstance(value, str):
        if "\0" in value or not _is_text(value):
            raise FilterWrong(f"metadata cannot hold {value!r}")
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return json.dumps(value)
    raise FilterWrong(f"a filter compares strings, numbers, true, false and null, got {value!r}")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half a character
        return False
    return True
