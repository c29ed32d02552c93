"""What a request brings that outlives it: its id for the log, its place in a trace, where it came from."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import structlog

TRACE = "traceparent"  # as W3C Trace Context names it, in headers and in what a run keeps
ORIGIN = "origin"  # in what a run keeps: by which door, and from which address, it was asked for
SURFACES = {"api": "api", "mcp": "mcp", "a2a": "a2a", "threads": "wire", "runs": "wire"}
_SHAPE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_parent: ContextVar[str] = ContextVar("artel_traceparent", default="")
_origin: ContextVar[Mapping[str, str]] = ContextVar("artel_origin", default=MappingProxyType({}))


@contextmanager
def request(
    request_id: str, traceparent: str | None, origin: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Remember, while a request is served, which it is, which trace it belongs to, and whence it came."""
    bound = structlog.contextvars.bind_contextvars(request_id=request_id)
    token = _parent.set(traceparent if traceparent and _SHAPE.fullmatch(traceparent) else "")
    came = _origin.set(origin or {})
    try:
        yield
    finally:
        _origin.reset(came)
        _parent.reset(token)
        structlog.contextvars.reset_contextvars(**bound)


def origin_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return by which door a request comes (`surface`), and from which address (`ip`) where that is known.

    >>> origin_of({"type": "http", "path": "/api/v1/approvals", "client": ("10.0.0.7", 4711)})
    {'surface': 'api', 'ip': '10.0.0.7'}
    """
    known = (SURFACES[part] for part in scope["path"].split("/") if part in SURFACES)
    surface = "socket" if scope["type"] == "websocket" else next(known, "wire")
    client = scope.get("client")
    return {"surface": surface, "ip": str(client[0])} if client else {"surface": surface}


def origin() -> Mapping[str, str]:
    """Return whence the request came that is being served; nothing outside of one."""
    return _origin.get()


def stamped(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what a run is run with, and with it the trace and the origin of the request that made it."""
    parent, origin = _parent.get(), _origin.get()
    if origin:
        kwargs = {**kwargs, ORIGIN: dict(origin)}
    return {**kwargs, TRACE: parent} if parent else kwargs


def bind_run(worker_id: object, ids: Mapping[str, Any]) -> None:
    """Let every line that this task logs say which run it is about; what a request had bound is forgotten."""
    structlog.contextvars.clear_contextvars()
    _parent.set("")
    _origin.set({})
    known = {name: str(value) for name, value in ids.items() if value}
    structlog.contextvars.bind_contextvars(worker_id=str(worker_id), **known)
