"""What a request brings that outlives it: its id for the log, its place in the caller's trace."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

TRACE = "traceparent"  # as W3C Trace Context names it, in headers and in what a run keeps
_SHAPE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_parent: ContextVar[str] = ContextVar("artel_traceparent", default="")


@contextmanager
def request(request_id: str, traceparent: str | None) -> Iterator[None]:
    """Remember, while a request is served, which it is and which trace it belongs to."""
    bound = structlog.contextvars.bind_contextvars(request_id=request_id)
    token = _parent.set(traceparent if traceparent and _SHAPE.fullmatch(traceparent) else "")
    try:
        yield
    finally:
        _parent.reset(token)
        structlog.contextvars.reset_contextvars(**bound)


def stamped(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what a run is run with, and with it the trace of the request that made it, if it has one."""
    parent = _parent.get()
    return {**kwargs, TRACE: parent} if parent else kwargs


def bind_run(worker_id: object, ids: Mapping[str, Any]) -> None:
    """Let every line that this task logs say which run it is about; what a request had bound is forgotten."""
    structlog.contextvars.clear_contextvars()
    _parent.set("")
    known = {name: str(value) for name, value in ids.items() if value}
    structlog.contextvars.bind_contextvars(worker_id=str(worker_id), **known)
