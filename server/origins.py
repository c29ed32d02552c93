"""Who may call: names this server answers to, and pages that may use it.

Without accounts everybody who can connect is the owner. So a name that only pretends to be ours (DNS
rebinding) and a web page of somebody else are both refused, before anything of a request is read.
"""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artel.server.errors import said
from artel.storage.errors import Forbidden

STUDIO = "https://smith.langchain.com"
EXPOSED = "Content-Location, Location, X-Pagination-Total, X-Pagination-Next, X-Request-Id"
METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
MAX_AGE_S = 600
POLICY = 1008  # the close code for what may not be


class ForeignHost(Forbidden):
    """The request names a host that this server does not answer to."""

    code = "foreign_host"


class ForeignOrigin(Forbidden):
    """The request comes from a web page that may not use this server."""

    code = "foreign_origin"


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules; `hosts` and `origins` are what the settings add to loopback and our own page."""

    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, hosts: Collection[str], origins: Collection[str], *, studio: bool = False) -> "Admission":
        """Make the rules of settings."""
        pages = {origin.rstrip("/").lower() for origin in origins} | ({STUDIO} if studio else set())
        return cls(frozenset(host.lower() for host in hosts), frozenset(pages))

    def check(self, headers: Headers) -> None:
        """Let a request pass, or say why not.

        Raises:
            ForeignHost: `Host` is neither loopback nor configured.
            ForeignOrigin: a page calls that is neither ours, nor on localhost, nor configured.
        """
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise ForeignHost(f"this server does not answer to {host!r}; allow the name by ARTEL_WEB__HOSTS")
        origin = headers.get("origin")
        if origin is not None and not self._may_call(origin, host):
            raise ForeignOrigin(f"pages of {origin!r} may not call; allow them by ARTEL_WEB__ORIGINS")
        if origin is None and _is_embedded(headers):
            raise ForeignOrigin("another site's page may link here, but not load from here")

    def _is_ours(self, host: str) -> bool:
        name = _name(host)
        return _is_loopback(name) or name in self.hosts or host.lower() in self.hosts

    def _may_call(self, origin: str, host: str) -> bool:
        parts = urlsplit(origin.lower())
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return origin.lower() in self.origins  # never "null": it is not a name one would configure
        return (
            parts.netloc == host.lower()
            or _is_loopback(_name(parts.netloc))
            or origin.lower() in self.origins
            or "*" in self.origins
        )


def _name(host: str) -> str:
    """Return the name in `name:port` or `[address]:port`."""
    host = host.lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_embedded(headers: Headers) -> bool:
    """Whether a browser says that another site loads this as an image, a script, a frame."""
    return (
        headers.get("sec-fetch-site") == "cross-site"
        and headers.get("sec-fetch-dest", "document") != "document"
    )


async def _refuse(refused: Forbidden, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the reason; a WebSocket is closed before it is open where a server can say no more."""
    if scope["type"] == "websocket" and "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": POLICY, "reason": refused.code})
    else:
        await said(refused)(scope, receive, send)


class Gate:
    """Checks every request, and tells browsers what they may do."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one WebSocket: browsers let pages open those to anybody."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self.admission.check(headers)
        except Forbidden as refused:
            await _refuse(refused, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        origin = headers.get("origin")
        if origin and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers)(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                given.add_vary_header("Origin")
                if origin:
                    given["Access-Control-Allow-Origin"] = origin
                    given["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        await self.app(scope, receive, answer)


def _preflight(headers: Headers) -> PlainTextResponse:
    told = {
        "Access-Control-Allow-Origin": headers["origin"],
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Max-Age": str(MAX_AGE_S),
        "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Private-Network",
    }
    if asked := headers.get("access-control-request-headers"):
        told["Access-Control-Allow-Headers"] = asked
    if headers.get("access-control-request-private-network") == "true":
        told["Access-Control-Allow-Private-Network"] = "true"
    return PlainTextResponse("OK", headers=told)
