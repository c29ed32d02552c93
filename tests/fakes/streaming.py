"""Streams of an application in the test's own process that stay open: read along, then hang up."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message

Event = tuple[str, Any, str]  # name, data, id


class Streamed:
    """What has come so far."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.closed = False
        self.opened = asyncio.Event()
        self._came = asyncio.Event()

    @property
    def events(self) -> list[Event]:
        """The events so far; comments are left out."""
        found = []
        for frame in self.text.split("\r\n\r\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in frame.split("\r\n") if not line.startswith(":"))
            if lines:
                found.append((lines.get("event", ""), json.loads(lines["data"]), lines.get("id", "")))
        return found

    @property
    def data(self) -> list[Any]:
        """The data of the events so far."""
        return [data for _, data, _ in self.events]

    async def until(self, text: str, *, times: int = 1, timeout: float = 5) -> None:  # noqa: ASYNC109
        """Wait until a text has come so often."""
        try:
            async with asyncio.timeout(timeout):
                while self.text.count(text) < times:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} did not come {times} times in:\n{self.text}") from None

    async def quiet(self, seconds: float = 0.2) -> None:
        """Let what is on its way come."""
        await asyncio.sleep(seconds)

    async def settled(self) -> None:
        """Wait until something has come and then nothing more; a busy machine is given more time."""
        async with asyncio.timeout(10):
            while not self.text:
                self._came.clear()
                await self._came.wait()
        seen = -1
        while seen != len(self.text):
            seen = len(self.text)
            for _ in range(20):  # naps in a row grow with the load, one long one does not
                await asyncio.sleep(0.01)

    async def take(self, message: Message) -> None:
        """Take what the application sends."""
        if message["type"] == "http.response.start":
            self.opened.set()
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message.get("body", b"").decode()
            self.closed = not message.get("more_body")
        self._came.set()


@asynccontextmanager
async def streaming(
    app: ASGIApp,
    method: str,
    path: str,
    body: Any = None,
    *,
    params: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[Streamed]:
    """Open a stream; it is open when its headers have come."""
    sent = False
    gone = asyncio.Event()
    streamed = Streamed()

    async def receive() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}
        await gone.wait()
        return {"type": "http.disconnect"}

    given = {"host": "localhost", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": urlencode(params or {}, doseq=True).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "state": {},
    }
    serving = asyncio.ensure_future(app(scope, receive, streamed.take))
    try:
        async with asyncio.timeout(5):
            await streamed.opened.wait()
        yield streamed
    finally:
        gone.set()
        await asyncio.wait_for(serving, 5)
