"""The edge of the application: a name for each request, limits on its size and time, one answer for bugs."""

import asyncio
import re
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artel.server.errors import TooLarge, TooSlow, internal, said
from artel.server.http.section import HeadersSection
from artel.server.telemetry import carried
from artel.server.telemetry.metrics import Metrics
from artel.server.telemetry.requests import SEEN, Seen

MAX_BODY = 64 * 1024 * 1024  # bytes: a message with several photographs fits
PATIENCE_S = 30.0  # for a small body; for a large one as long as a slow line takes
SLOW_LINE = 20_000  # bytes a second
_SANE_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)

log = structlog.get_logger(__name__)


class Edge:
    """The outermost layer: nothing gets past it, in or out, without a request id."""

    def __init__(
        self,
        app: ASGIApp,
        max_body: int = MAX_BODY,
        patience_s: float = PATIENCE_S,
        logged: HeadersSection | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.app = app
        self.max_body = max_body
        self.patience_s = patience_s
        self.logged = logged
        self.metrics = metrics or Metrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _SANE_ID.fullmatch(given) else uuid4().hex
        scope["artel.request_id"] = request_id
        with carried.request(request_id, headers.get(carried.TRACE), carried.origin_of(scope)):
            if scope["type"] == "http":
                await self._answer(scope, receive, send, headers)
            else:
                await self._talk(scope, receive, send)

    async def _talk(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.metrics.open_sockets += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.metrics.open_sockets -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        request_id = scope["artel.request_id"]
        seen = scope[SEEN] = Seen(self.metrics, scope)
        answer = _Answer(send, request_id, seen)
        length = headers.get("content-length", "")
        if length not in ("", "0") or "transfer-encoding" in headers:  # else no body will come
            receive = _Body(receive, answer, self.max_body, self.patience_s)
        try:
            if length.isdecimal() and int(length) > self.max_body:
                raise too_large(self.max_body)
            await self.app(scope, receive, answer)
        except (TooLarge, TooSlow) as error:
            if not answer.begun:
                answer.refusal = None
                await said(error)(scope, receive, answer)
        except Exception:
            told = {"headers": self.logged.chosen(headers)} if self.logged else {}
            log.exception("a request failed", request_id=request_id, path=scope["path"], **told)
            if answer.begun and not answer.ended:
                raise  # too late for an answer: the connection is cut, and the client sees that
            if not answer.begun:
                await internal(request_id)(scope, receive, answer)
        finally:
            seen.over()


class _Answer:
    """Sends, with the request's id; a body that was refused is the answer, whatever a route makes of it."""

    def __init__(self, send: Send, request_id: str, seen: Seen) -> None:
        self.send = send
        self.seen = seen
        self.request_id = request_id
        self.begun = self.ended = False
        self.refusal: TooLarge | TooSlow | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self.refusal:
                raise self.refusal
            self.begun = True
            self.seen.answered(message)
            MutableHeaders(scope=message)["X-Request-Id"] = self.request_id
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
        await self.send(message)


class _Body:
    """Receives a body that is neither too large nor too slow."""

    def __init__(self, receive: Receive, answer: _Answer, limit: int, patience_s: float) -> None:
        self.receive = receive
        self.answer = answer
        self.limit = limit
        self.patience_s = patience_s
        self.seen = 0
        self.whole = False
        self.since = asyncio.get_running_loop().time()

    async def __call__(self) -> Message:
        if self.whole:
            return await self.receive()
        message = await self._in_time()
        self.seen += len(message.get("body", b""))
        self.whole = not message.get("more_body", False)
        if self.seen > self.limit:
            raise self._refused(too_large(self.limit))
        return message

    async def _in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self.since + self.patience_s + self.seen / SLOW_LINE):
                return await self.receive()
        except TimeoutError:
            raise self._refused(
                TooSlow(f"after {self.seen} bytes the rest of the body did not come")
            ) from None

    def _refused(self, error: TooLarge | TooSlow) -> TooLarge | TooSlow:
        self.answer.refusal = error
        return error


def too_large(limit: int) -> TooLarge:
    """Return the refusal of a body above a limit."""
    return TooLarge(f"a request may have {limit} bytes at most")
