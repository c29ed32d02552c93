"""Who may call: names this server answers to, and pages that may use it.

Without accounts everybody who can connect is the owner. So a name that only pretends to be ours (DNS
rebinding) and a web page of somebody else are both refused, before anything of a request is read.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artel.server.errors import refuse
from artel.server.http.section import CorsSection
from artel.storage.errors import Forbidden

STUDIO = "https://smith.langchain.com"
EXPOSED = "Content-Location, Location, X-Pagination-Total, X-Pagination-Next, X-Request-Id"
METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
MAX_AGE_S = 600


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
    cors: CorsSection = field(default_factory=CorsSection)

    @classmethod
    def of(
        cls,
        hosts: Collection[str],
        origins: Collection[str],
        *,
        studio: bool = False,
        cors: CorsSection | None = None,
    ) -> "Admission":
        """Make the rules of settings, and of `http.cors` of a configuration."""
        cors = cors or CorsSection()
        named = {*origins, *cors.allow_origins, *({STUDIO} if studio else ())}
        pages = frozenset(origin.rstrip("/").lower() for origin in named)
        return cls(frozenset(host.lower() for host in hosts), pages, cors)

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
            return self._is_named(origin)  # never "null": it is not a name one would configure
        return (
            parts.netloc == host.lower()
            or _is_loopback(_name(parts.netloc))
            or self._is_named(origin)
            or "*" in self.origins
        )

    def _is_named(self, origin: str) -> bool:
        pattern = self.cors.allow_origin_regex
        return origin.lower() in self.origins or bool(pattern and re.fullmatch(pattern, origin))

    def told(self, origin: str) -> dict[str, str]:
        """Return what a browser is told about a page that may call."""
        headers = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": ", ".join((EXPOSED, *self.cors.expose_headers)),
        }
        if self.cors.allow_credentials and self._is_named(origin):  # never for being among "*"
            headers["Access-Control-Allow-Credentials"] = "true"
        return headers

    def preflight(self, headers: Headers) -> dict[str, str]:
        """Return what a browser is told that asks before it calls."""
        methods, allowed = self.cors.allow_methods, self.cors.allow_headers
        asked = headers.get("access-control-request-headers")
        told = {
            **self.told(headers["origin"]),
            "Access-Control-Allow-Methods": ", ".join(methods) if methods and "*" not in methods else METHODS,
            "Access-Control-Max-Age": str(MAX_AGE_S if self.cors.max_age is None else self.cors.max_age),
            "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Private-Network",
        }
        if allowed is not None and "*" not in allowed:
            told["Access-Control-Allow-Headers"] = ", ".join(allowed)
        elif asked:
            told["Access-Control-Allow-Headers"] = asked
        if headers.get("access-control-request-private-network") == "true":
            told["Access-Control-Allow-Private-Network"] = "true"
        return told


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
            await refuse(refused, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        origin = headers.get("origin")
        if origin and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await PlainTextResponse("OK", headers=self.admission.preflight(headers))(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                given.add_vary_header("Origin")
                if origin:
                    given.update(self.admission.told(origin))
            await send(message)

        await self.app(scope, receive, answer)
