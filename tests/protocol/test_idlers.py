"""Clients that hold connections and do nothing with them: new runs begin as before, and all is given back."""

import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import psutil
import pytest
from tests.journeys.conftest import Server

HERE = Path(__file__).parent
RUNS = 20
SLOW_FACTOR, SLOW_MARGIN_S = 3, 0.5  # what other tests on the same machine may cost as well
BYTES_EACH = 400_000  # of memory of the server, for a stream held open
OPEN_AT_ONCE = 50
Held = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(data=tmp_path / "data", config=HERE / "served/langgraph.json").start()
    yield server
    for client in server.clients:
        await client.aclose()
    server.stop()


async def latencies(server: Server) -> list[float]:
    """Return how long fresh runs take, one after another."""
    took = []
    for _ in range(RUNS):
        begun = time.monotonic()
        await server.client.runs.wait(None, "steps", input={"n": 1})
        took.append(time.monotonic() - begun)
    return took


async def opened(server: Server, request: str) -> Held:
    """Open a connection and send what may be part of a request only."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=4096)
    writer.write(request.encode())
    await writer.drain()
    return reader, writer


async def all_of(asked: list[Callable[[], Awaitable[Held]]]) -> list[Held]:
    """Open connections, some at once."""
    gate = asyncio.Semaphore(OPEN_AT_ONCE)

    async def one(ask: Callable[[], Awaitable[Held]]) -> Held:
        async with gate:
            return await ask()

    return list(await asyncio.gather(*(one(ask) for ask in asked)))


async def close(held: list[Held]) -> None:
    """Close connections."""
    for _, writer in held:
        writer.close()
    for _, writer in held:
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def harmless(server: Server, count: int, during: Callable[[], Awaitable[list[Held]]]) -> None:
    """Hold `count` connections; runs must go on meanwhile, and afterwards nothing may be left of them."""
    assert server.process
    process = psutil.Process(server.process.pid)
    await latencies(server)  # the first are slower: graphs are drawn, connections made
    before, descriptors, memory = await latencies(server), process.num_fds(), process.memory_info().rss
    held = await during()
    try:
        meanwhile, grown = await latencies(server), process.memory_info().rss - memory
        assert process.num_fds() >= descriptors + count / 2
    finally:
        await close(held)
    deadline = time.monotonic() + 20
    while process.num_fds() > descriptors + 10 and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    was, now = statistics.median(before), statistics.median(meanwhile)
    sys.stdout.write(
        f"\n{count} held: a run takes {was * 1000:.0f} ms before, {now * 1000:.0f} ms meanwhile (worst"
        f" {max(meanwhile) * 1000:.0f} ms); {grown / 2**20:.1f} MiB more;"
        f" {descriptors} descriptors before, {process.num_fds()} after\n"
    )
    assert process.num_fds() <= descriptors + 10
    assert now < was * SLOW_FACTOR + SLOW_MARGIN_S
    assert grown < count * BYTES_EACH + 32 * 2**20


async def idle(server: Server, count: int) -> list[Held]:
    """Open streams of threads, by both protocols, and read none."""
    thread = (await server.client.threads.create())["thread_id"]
    head = "HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    body = '{"channels": ["values"]}'
    old = f"GET /threads/{thread}/stream {head}\r\n"
    new = f"POST /threads/{thread}/stream/events {head}Content-Length: {len(body)}\r\n\r\n{body}"

    async def ask(request: str) -> Held:
        reader, writer = await opened(server, request)
        assert b" 200 " in await asyncio.wait_for(reader.readline(), 30)
        return reader, writer

    return await all_of([partial(ask, text) for text in (old, new) * (count // 2)])


async def dribble(server: Server, count: int, tasks: set[asyncio.Task[None]]) -> list[Held]:
    """Open connections that send a byte a second: half of them of a head, half of a body."""
    head = "POST /threads HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    begun = (head + "X-Slow: ", head + "Content-Length: 1000\r\n\r\n{")
    held = await all_of([partial(opened, server, text) for text in begun * (count // 2)])

    async def on(writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(1)

    tasks |= {asyncio.create_task(on(writer)) for _, writer in held}
    return held


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.soak)])
async def test_idle_streams_stop_no_new_run(server: Server, count: int) -> None:
    await harmless(server, count, lambda: idle(server, count))


@pytest.mark.parametrize("count", [60, pytest.param(300, marks=pytest.mark.soak)])
async def test_those_who_send_a_byte_a_second_stop_no_new_run(server: Server, count: int) -> None:
    tasks: set[asyncio.Task[None]] = set()
    try:
        await harmless(server, count, lambda: dribble(server, count, tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
