"""Parts of a record, named by paths such as `values.messages[-1].content`. Pure: none reaches a database."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

ROOTS = ("values", "metadata", "config", "interrupts")
MOST = 10  # paths a request

Steps: TypeAlias = tuple[str | int, ...]

_PATH = re.compile(r"(?:\.[^.\[\]]+|\[-?\d{1,9}\])*")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(-?\d+)\]")
_ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def steps_of(path: str) -> Steps:
    """Return the steps of a path: keys, and places in lists, from the end when negative.

    >>> steps_of("values.messages[-1].content")
    ('values', 'messages', -1, 'content')

    Raises:
        ValueError: it is no path, or begins with none of ROOTS.
    """
    root = next((root for root in ROOTS if re.match(rf"{root}(?![^.\[])", path)), None)
    if root is None:
        raise ValueError(f"a path must begin with one of {', '.join(ROOTS)}, got {path!r}")
    rest = path[len(root) :]
    if not _PATH.fullmatch(rest):
        raise ValueError(
            f"a path is keys after dots and places in brackets, as in {root}.a[0].b, got {path!r}"
        )
    return (root, *(key or int(place) for key, place in _STEP.findall(rest)))


def checked(paths: dict[str, str]) -> dict[str, str]:
    """Return paths by the names they are to be shown under.

    Raises:
        ValueError: there are more than MOST, a name is no identifier, or a path is none.
    """
    if len(paths) > MOST:
        raise ValueError(f"at most {MOST} paths may be given, got {len(paths)}")
    for alias, path in paths.items():
        if not _ALIAS.fullmatch(alias):
            raise ValueError(f"a name must be letters, digits and underscores, got {alias!r}")
        steps_of(path)
    return paths


def extracted(record: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Any]:
    """Return what the paths lead to in the JSON of a record; null where there is nothing."""
    return {alias: _at(record, steps_of(path)) for alias, path in paths.items()}


def contains(value: Any, wanted: Any) -> bool:
    """Whether JSON has all that is wanted: objects key by key, each item of a list somewhere in the list.

    >>> contains({"a": [1, {"b": "x", "c": 2}]}, {"a": [{"b": "x"}]})
    True
    """
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            key in value and contains(value[key], part) for key, part in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(contains(one, part) for one in value) for part in wanted)
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _at(value: Any, steps: Steps) -> Any:
    for step in steps:
        match value, step:
            case dict(), str():
                value = value.get(step)
            case list(), int() if -len(value) <= step < len(value):
                value = value[step]
            case _:
                return None
    return value
