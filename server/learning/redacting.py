"""What leaves for training: without secrets, addresses of people, and the names of their folders.

It hides too much rather than too little: a model that learns of `(hidden)` has lost nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from math import isfinite
from typing import Any

from artel.server.engine import redaction
from artel.server.telemetry.secrets import HIDDEN, Hiding, is_secret

VERSION = 1
"Of the rules below: the manifest of an export names it."
DEEPEST = 32
HOME = "/home/user"
EMAIL = "(email)"

_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.S,
)
# `"password": "x"`, also with its quotes escaped, as JSON within JSON has it
_QUOTED = re.compile(
    r"""(?i)([\w.-]*(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|credential)[\w.-]*"""
    r"""(?P<quote>\\*["'])\s*[:=]\s*)(?:(?P=quote).*?(?P=quote)|[^\s,}\]]+)""",
    re.S,
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}\w{2,63}")
_HOMES = re.compile(r"(?<![\w.-])(?:/home/|/Users/|/root(?![\w-])|/var/home/)(?:[^\s/\\\"'`<>|:;,)\]}]+)?")
_WINDOWS = re.compile(r"(?i)\b[a-z]:(?:\\{1,2}|/)users(?:\\{1,2}|/)[^\s/\\\"'`<>|:;,)\]}]+")
_LONG = re.compile(r"[0-9A-Za-z+/=_-]{20,}")
_DIGESTS = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.I)


class Redaction:
    """Hides what must not leave; `secrets` are values that this server itself was given."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._hiding = Hiding(secrets)
        found = import_module("artel.tools.gate.secrets")  # an idle server needs none of it
        self._shapes = [
            re.compile(shape) for name, (_, shape) in found.SHAPES.items() if name != found.IN_URL
        ]
        self._is_random: Callable[[str], bool] = found.is_random

    def text(self, said: str) -> str:
        """Return a text as it may leave.

        >>> Redaction().text("mail ada@example.org from /home/ada/src, token=abc123")
        'mail (email) from /home/user/src, token=(hidden)'
        """
        said = _PEM.sub(HIDDEN, said.encode("utf-8", "replace").decode())
        for shape in self._shapes:
            said = shape.sub(HIDDEN, said)
        said = self._hiding.text(said)
        said = _QUOTED.sub(rf"\1\2{HIDDEN}\2", said)
        for pattern in (redaction.ASSIGNED, redaction.FLAG):
            said = pattern.sub(rf"\1\2{HIDDEN}", said)
        said = _LONG.sub(self._unless_random, said)
        said = _EMAIL.sub(EMAIL, said)
        return _WINDOWS.sub(HOME, _HOMES.sub(HOME, said))

    def value(self, given: Any, name: str = "", depth: int = 0) -> Any:
        """Return a value of JSON as it may leave: names of secrets hide what stands under them."""
        if given is None or isinstance(given, bool):
            return given
        if name and is_secret(name):
            return HIDDEN
        if isinstance(given, int | float):
            return given if isfinite(given) else None
        if isinstance(given, str):
            return self.text(given)
        if depth < DEEPEST and isinstance(given, Mapping):
            return {self.text(str(key)): self.value(one, str(key), depth + 1) for key, one in given.items()}
        if depth < DEEPEST and isinstance(given, list | tuple):
            return [self.value(one, "", depth + 1) for one in given]
        return self.text(repr(given))

    def _unless_random(self, match: re.Match[str]) -> str:
        """Hide what looks like chance and is no digest or id: those of commits and files are no secrets."""
        word = match[0]
        return HIDDEN if self._is_random(word) and not _DIGESTS.fullmatch(word) else word
