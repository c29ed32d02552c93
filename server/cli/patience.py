"""HTTP on a socket, with an end to patience: for requests that dribble in, and for headers without end."""

import asyncio
import json
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from artel.server.protocol.held import CUT

HEAD_S = 15.0  # from the connection, or the first byte of a further request, to the end of its headers
MAX_HEAD = 128 * 1024  # bytes that may come before the headers end; the parser itself has no limit
LAST_WORDS_S = 1.0  # a client that still sends can read its answer: a socket closed at once would lose it


class Patient(HttpToolsProtocol):
    """Refuses headers longer than HEAD_S or MAX_HEAD; uvicorn itself takes all, and waits for ever."""

    head_s = HEAD_S
    _timer: asyncio.TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it is more than headers may be."""
        super().data_received(data)
        self._head = self._head + len(data) if self._timer else 0
        if self._head > MAX_HEAD:
            self._leave()
            detail = f"the headers of a request may have {MAX_HEAD} bytes at most"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail, "headers_too_large")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._leave()
        self._refuse(HTTPStatus.BAD_REQUEST, msg, "bad_request")

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of the headers, unless that has begun."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[CUT] = self.transport.close
        self._wait()

    def on_headers_complete(self) -> None:
        """Wait no more: what follows is timed by the edge of the application."""
        self._leave()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._leave()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_s, self._give_up)

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the headers did not come in time", "headers_too_slow")

    def _refuse(self, status: HTTPStatus, detail: str, code: str) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"detail": detail, "code": code}).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\n"
        kind = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + kind.encode() + body)
        self.transport.pause_reading()
        self.loop.call_later(LAST_WORDS_S, self.transport.close)


class Talker(WebSocketsSansIOProtocol):
    """A WebSocket that can be cut: one whose client takes nothing can be told nothing, nor ended in order."""

    def handle_connect(self, event: Any) -> None:
        """Begin, with the means to cut it."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast("dict[str, Any]", self.scope)[CUT] = self.transport.abort
