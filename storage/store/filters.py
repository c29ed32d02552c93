"""Which items a search wants by what is in them: LangGraph's filter as SQL.

As in LangGraph's store in memory: a field that is missing is null, a plain object compares field by field.
Unlike it, `$gt` and its kin compare numbers as numbers and texts as texts, and what is of another type does
not match, where it raises; LangGraph's own store on Postgres compares all as text, where 9 is more than 10.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from artel.storage.errors import BadRequest
from artel.storage.store.texts import json_of, shown, storable

MAX_CONDITIONS = 100
MAX_DEPTH = 20
MAX_NAME = 10_000
EQUAL = {"$eq": "=", "$ne": "<>"}
ORDERED = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


class FilterWrong(BadRequest):
    """A filter cannot be understood; the message names the operator."""

    code = "filter_wrong"


def conditions(given: Mapping[str, Any] | None) -> tuple[str, dict[str, str]]:
    """Return a condition on the item `s`, with its parameters; "true" for none.

    Raises:
        FilterWrong: an operator is unknown, or the filter is too large.
        Invalid: a name in it is no text for Postgres.
    """
    parts: list[str] = []
    values: dict[str, str] = {}
    for path, operator, value in _flat(given or {}, ()):
        if len(parts) == MAX_CONDITIONS:
            raise FilterWrong(f"a filter may have {MAX_CONDITIONS} conditions")
        n = len(parts)
        names = {f"f{n}_{at}": name for at, name in enumerate(path)}
        field = "s.value" + "".join(f" -> %({name})s::text" for name in names)
        values |= names | {f"f{n}": json_of(value, f"filter.{'.'.join(path)}")}
        if operator in EQUAL:
            parts.append(f"coalesce({field}, 'null') {EQUAL[operator]} %(f{n})s::jsonb")
        else:
            parts.append(
                f"(jsonb_typeof({field}) = jsonb_typeof(%(f{n})s::jsonb)"
                f" and {field} {ORDERED[operator]} %(f{n})s::jsonb)"
            )
    return " and ".join(parts) or "true", values


def _flat(given: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    if len(path) == MAX_DEPTH:
        raise FilterWrong(f"a filter may be {MAX_DEPTH} objects deep")
    for name, value in given.items():
        if path and name.startswith("$"):
            if name not in EQUAL | ORDERED:
                raise FilterWrong(
                    f"filter.{'.'.join(path)}: there is no operator {shown(name)}; "
                    f"there are {', '.join(EQUAL | ORDERED)}"
                )
            yield path, name, value
        elif isinstance(value, Mapping) and value:
            yield from _flat(value, (*path, storable(name, "a name in filter", MAX_NAME)))
        else:
            yield (*path, storable(name, "a name in filter", MAX_NAME)), "$eq", value
