"""Watching requests: which route, how long until the answer began, how many streams are open."""

import time
from typing import Any

from starlette.types import Message, Scope

from artel.server.telemetry.metrics import Metrics

SEEN = "artel.seen"


class Seen:
    """One request, from its first byte to the end of its answer."""

    def __init__(self, metrics: Metrics, scope: Scope) -> None:
        self.scope = scope
        self._metrics = metrics
        self._since = time.monotonic()
        self._streams = False

    def answered(self, message: Message) -> None:
        """Note that the answer begins."""
        took = time.monotonic() - self._since
        self._metrics.answered(self.scope["method"], route_of(self.scope), message["status"], took)
        kind = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
        if kind.startswith(b"text/event-stream"):
            self._streams = True
            self._metrics.open_streams += 1

    def over(self) -> None:
        """Note that nothing more comes."""
        if self._streams:
            self._streams = False
            self._metrics.open_streams -= 1


def route_of(scope: Scope) -> str:
    """Return the template of a request's route, empty when it has none."""
    found: Any = (scope.get("fastapi") or {}).get("effective_route_context") or scope.get("route")
    return str(getattr(found, "path", ""))
