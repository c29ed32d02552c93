"""What of a thread leaves: all of it, but for what is surely a key.

A state must come back equal, and its code unharmed: hidden is the server's own, what has the shape of a known
kind of key, and what stands under a name such as `api_key`; not what merely looks random.
"""

import re
from collections.abc import Iterable
from importlib import import_module

from artel.server.telemetry.secrets import HIDDEN, SHORTEST, is_secret

_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.S,
)


class Keys:
    """Hides keys, and counts how many it hid; `secrets` are values that this server itself was given."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.hidden = 0
        self._values = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        found = import_module("artel.tools.gate.secrets")  # an idle server needs none of it
        self._shapes = [_BLOCK, *(re.compile(shape) for _, shape in found.SHAPES.values())]

    def __call__(self, text: str, name: str) -> str:
        """Return a text that stands under a name as it may leave."""
        if name and text and is_secret(name):
            self.hidden += 1
            return HIDDEN
        for value in self._values:
            if value in text:
                self.hidden += text.count(value)
                text = text.replace(value, HIDDEN)
        for shape in self._shapes:
            text, count = shape.subn(HIDDEN, text)
            self.hidden += count
        return text
