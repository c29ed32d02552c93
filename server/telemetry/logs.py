"""Logs: one pipe for ours and those of libraries; for people on a terminal, else a JSON object a line."""

import json
import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.typing import Processor

from artel.server.telemetry.secrets import Hiding
from artel.server.telemetry.settings import LogSettings

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_LAID_OUT = ("exception", "stack")  # has lines of its own


def configure(
    settings: LogSettings, *, secrets: Iterable[str] = (), quiet: bool = False, to: TextIO | None = None
) -> None:
    """Log to standard error from now on; `quiet`: only what is wrong, for somebody reads along.

    Libraries log from `warning` on, with the level `debug` from `info` on: their debug lines hold requests.
    """
    stream = to or cast("TextIO", _StandardError())
    as_json = settings.format == "json" or (not settings.format and not stream.isatty())
    level = max(LEVELS[settings.level], LEVELS["warning"] if quiet else 0)
    first = _first(Hiding(secrets), as_json=as_json)
    last = _json() if as_json else _console(colors=stream.isatty())
    structlog.configure(
        processors=[*first, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *first],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(level, LEVELS["info"] if level == LEVELS["debug"] else LEVELS["warning"]))
    logging.captureWarnings(True)


class _StandardError:
    """Standard error as it is when a line is written: loggers outlive one put in its place for a while."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def _first(hiding: Hiding, *, as_json: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hiding,
    ]
    return shared if as_json else [*shared, _one_line]


def _one_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show control characters as text: a value from outside may not draw lines of its own."""
    for name, value in event.items():
        if isinstance(value, str) and name not in _LAID_OUT and _CONTROL.search(value):
            event[name] = _CONTROL.sub(lambda hit: ascii(hit.group())[1:-1], value)
    return event


def _json() -> Processor:
    return structlog.processors.JSONRenderer(serializer=_line)


def _line(event: Any, **_: Any) -> str:
    try:
        return orjson.dumps(event, default=repr).decode()
    except (TypeError, ValueError):  # half a surrogate, or a number of more than 64 bits
        return json.dumps(event, default=repr, skipkeys=True)


def _console(*, colors: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=colors,
        exception_formatter=structlog.dev.plain_traceback,  # the rich one takes a second of CPU
    )
