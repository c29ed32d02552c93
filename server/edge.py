"""The edge of the application: a name for each request, a limit on its size, and one answer for bugs."""

import re
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artel.server.errors import TooLarge, said

MAX_BODY = 64 * 1024 * 1024  # bytes: a message with several photographs fits
_SANE_ID = re.compile(r"[\w.:-]{1,64}")

log = structlog.get_logger(__name__)


class Edge:
    """The outermost layer: nothing gets past it, in or out, without a request id."""

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY) -> None:
        self.app = app
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _SANE_ID.fullmatch(given) else uuid4().hex
        scope["artel.request_id"] = request_id
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            length = headers.get("content-length", "")
            if length.isdecimal() and int(length) > self.max_body:
                raise self._too_large()
            await self.app(scope, self._limited(receive), answer)
        except TooLarge as error:
            await said(error)(scope, receive, answer)
        except Exception:
            log.exception("a request failed", request_id=request_id, path=scope["path"])
            if begun:
                raise  # too late for an answer: the connection is cut, and the client sees that
            await _bug(request_id)(scope, receive, answer)

    def _limited(self, receive: Receive) -> Receive:
        seen = 0

        async def count() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_body:
                raise self._too_large()
            return message

        return count

    def _too_large(self) -> TooLarge:
        return TooLarge(f"a request may have {self.max_body} bytes at most")


def _bug(request_id: str) -> JSONResponse:
    detail = f"this is a bug of the server; its log says more under request {request_id}"
    return JSONResponse({"detail": detail, "code": "internal", "request_id": request_id}, 500)
