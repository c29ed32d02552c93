"""Requests that only dribble in: they are given up, and do not keep others from being served."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from tests.server.cli.test_serve import process, url_in

from artel.server.cli.patience import Patient
from artel.server.edge import Edge


class Hasty(Patient):
    head_s = 1.0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@asynccontextmanager
async def hasty() -> AsyncIterator[int]:
    """Serve on a port, with no patience."""
    config = uvicorn.Config(
        Edge(app, patience_s=0.3), port=0, http=Hasty, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def sent(port: int, *pieces: bytes, pause_s: float = 0.0) -> tuple[bytes, float]:
    """Send pieces and read until the server closes; what it said, and after how long."""
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(pause_s)
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    return said, time.monotonic() - begun


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"GET / HT",),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"a", b"a", b"a"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost"),
    ],
)
async def test_headers_that_do_not_come_are_not_waited_for(pieces: tuple[bytes, ...]) -> None:
    async with hasty() as port:
        said, took_s = await sent(port, *pieces, pause_s=0.05)
    assert b"HTTP/1.1 408 Request Timeout" in said
    assert 0.9 < took_s < 5


async def test_a_body_that_does_not_come_is_refused_with_a_reason() -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
    async with hasty() as port:
        said, took_s = await sent(port, head, b"a", b"a", b"a", pause_s=0.05)
    assert b"HTTP/1.1 408" in said
    assert b'"code":"body_too_slow"' in said
    assert took_s < 4


async def test_what_comes_in_time_is_served_on_one_connection() -> None:
    async with hasty() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(3):
            assert (await client.post("/", content=b"12345")).text == "5"
            await asyncio.sleep(0.7)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with process(tmp_path / "data", "--port", "0") as (_, line):
        yield url_in(line)


async def test_200_half_open_requests_do_not_stop_new_runs(server: str) -> None:
    address = httpx.URL(server)
    assert address.port
    with ExitStack() as held:
        for number in range(200):
            _, writer = await asyncio.open_connection(address.host, address.port)
            held.callback(writer.close)
            writer.write(
                b"GET /ok HTTP/1.1\r\nHost: loc"
                if number % 2
                else b"POST /threads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
            )
        async with httpx.AsyncClient(base_url=server, timeout=10) as client:
            begun = time.monotonic()
            count = {"n": 2, "marks": "", "pause_s": 0, "counted": []}
            done = await client.post("/runs/wait", json={"assistant_id": "steps", "input": count})
            assert done.status_code == 200
            assert time.monotonic() - begun < 5
