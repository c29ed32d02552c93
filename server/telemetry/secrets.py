"""Keeping secrets out of what is logged: by the name they stand under, by their shape, by their value."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

HIDDEN = "(hidden)"
SHORTEST = 6  # a shorter value would be found in ordinary words
DEEPEST = 8

_NAMED = re.compile(
    r"authorization|cookie|api[-_]?key|passw|secret|private[-_]?key|credential|(^|[-_])(token|pwd)$", re.I
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(\b\w[\w+.-]*://[^\s:/@]*):[^\s/]+@"), rf"\1:{HIDDEN}@"),
    (
        re.compile(
            r"""(?i)\b((?:ssl)?passw(?:or)?d|pwd|(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|api[-_]?key)"""
            r"""(["']?\s*[:=,]\s*(?:b(?=["']))?["']?)(?:(?:bearer|basic)\s+)?(?!bearer\b|basic\b)[^\s"',;&}]+"""
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(?:sk|pk|rk)[-_][\w-]{12,}|\blsv2_\w{8,}|\bgh[opsu]_\w{16,}|\bglpat-[\w-]{12,}"), HIDDEN),
)


def is_secret(name: str) -> bool:
    """Return whether what stands under a name is likely a secret, by the name alone.

    >>> is_secret("X-Api-Key"), is_secret("token"), is_secret("tokens")
    (True, True, False)
    """
    return bool(_NAMED.search(name))


class Hiding:
    """Hides secrets in lines of the log, the values of our own settings among them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {form for value in values for form in (value, unquote(value)) if len(form) >= SHORTEST}
        self._values = sorted(known, key=len, reverse=True)

    def __call__(self, logger: Any, method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Hide what is secret in an event; what begins with an underline is structlog's own."""
        return {
            name: value if name.startswith("_") else self.shown(value, name) for name, value in event.items()
        }

    def shown(self, value: Any, name: str = "", depth: int = 0) -> Any:
        """Return a value as it may be logged."""
        if isinstance(value, bool | int | float | None):
            return value
        if name and _NAMED.search(name):
            return HIDDEN
        if isinstance(value, str):
            return self.text(value)
        if depth < DEEPEST:
            if isinstance(value, Mapping):
                return {str(key): self.shown(one, str(key), depth + 1) for key, one in value.items()}
            if isinstance(value, list | tuple | set | frozenset):
                return [self.shown(one, "", depth + 1) for one in value]
        return self.text(repr(value))

    def text(self, text: str) -> str:
        """Return a text without secrets.

        >>> Hiding().text("postgresql://me:hunter2@db/artel refused Authorization: Bearer abcdefghi")
        'postgresql://me:(hidden)@db/artel refused Authorization: (hidden)'
        """
        for value in self._values:
            text = text.replace(value, HIDDEN)
        for pattern, instead in _SHAPES:
            text = pattern.sub(instead, text)
        return text
