"""Readers that are slow, and readers that come and go: they harm nobody, and miss nothing."""

import asyncio
import contextlib
import json
import re
import socket
import time
from typing import Any

import httpx
import psutil
import pytest
from tests.fakes.waiting import eventually
from tests.journeys.conftest import Server
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import Crew

pytestmark = pytest.mark.journey
PER_S = 1024  # bytes that the slow one reads in a second
READERS, WAVES, AT_ONCE = 200, 3, 50
ASKED = "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: -1\r\nConnection: close\r\n\r\n"
Part = tuple[int, str, Any]  # id, event, data


async def loud(crew: Crew, server: Server, n: int, size: int, pause_s: float) -> tuple[str, str]:
    """Start a run that says a lot."""
    thread = (await server.client.threads.create())["thread_id"]
    task: dict[str, Any] = {"n": n, "size": size, "pause_s": pause_s}
    run = await server.client.runs.create(thread, "loud", input=task, stream_mode=["custom", "values"])
    return thread, run["run_id"]


def parts_of(text: str) -> list[Part]:
    """Return the events of a stream; an unfinished last one is not among them."""
    found = []
    for block in re.split(r"\r\n\r\n|\n\n", text)[:-1]:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if "id" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def numbers(parts: list[Part]) -> list[int]:
    """Return the numbers that were said."""
    return [data["number"] for _, event, data in parts if event == "custom"]


def unchunked(body: bytes) -> str:
    """Return what was sent in chunks of HTTP."""
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole.decode()


class Slow:
    """A client that takes in a kilobyte a second, through a small window, until it is told to hurry."""

    def __init__(self, server: Server, path: str) -> None:
        self.read = bytearray()
        self.hurry = asyncio.Event()
        self._port, self._path = server.port, path

    async def __call__(self) -> list[Part]:
        """Read to the end."""
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", self._port))
            await loop.sock_sendall(sock, ASKED.format(self._path).encode())
            while piece := await loop.sock_recv(sock, 262_144 if self.hurry.is_set() else PER_S):
                self.read += piece
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1 if not self.hurry.is_set() else 0):
                        await self.hurry.wait()
        head, _, body = bytes(self.read).partition(b"\r\n\r\n")
        assert b" 200 " in head
        return parts_of(unchunked(body))


async def read(server: Server, path: str) -> tuple[list[Part], float]:
    """Read a stream as fast as it comes; its events, and when they had come."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        answer = await http.get(path, headers={"Last-Event-ID": "-1"})
    return parts_of(answer.text), time.monotonic()


@pytest.mark.parametrize("where", ["where the run is", "on another replica"])
async def test_a_reader_takes_a_kilobyte_a_second(crew: Crew, tally: Tally, where: str) -> None:
    n, size = 1500, 6000

    async def measured(slow: bool) -> tuple[float, list[Part], list[Part]]:
        started = time.monotonic()
        thread, run = await loud(crew, crew.api, n, size, 0.001)
        server = crew.api
        if where != "on another replica":
            await eventually(lambda: crew.run(run)["status"] == "running")
            server = crew.workers[crew.holder(run)]
        path = f"/threads/{thread}/runs/{run}/stream"
        lazy = Slow(server, path)
        dawdling = asyncio.create_task(lazy()) if slow else None
        parts, at = await read(server, path)
        if dawdling is None:
            return at - started, parts, parts
        assert len(lazy.read) < n * size / 10, "it was not slow"
        lazy.hurry.set()
        return at - started, parts, await asyncio.wait_for(dawdling, timeout=60)

    alone_s, _, _ = await measured(slow=False)
    beside_s, fast, slow = await measured(slow=True)
    lost = [i for i in range(n) if i not in set(numbers(fast)) or i not in set(numbers(slow))]
    doubled = len(numbers(fast)) - n + len(numbers(slow)) - n if not lost else 0
    assert beside_s < alone_s * 2 + 2, f"{beside_s:.1f} s beside a slow reader, {alone_s:.1f} s alone"
    late_s = max(beside_s - alone_s, 0.0)
    tally(f"a reader takes 1 KB/s {where}", lost=lost, doubled=doubled, recovery_s=late_s)


async def test_readers_come_and_go_in_waves(crew: Crew, tally: Tally) -> None:
    """200 of them are torn off again and again, and come back with the id of what they had last."""
    n = 180
    thread, run = await loud(crew, crew.api, n, 40, 0.08)
    path = f"/threads/{thread}/runs/{run}/stream"
    before = await crowd(crew.api)
    kept: list[list[Part]] = [[] for _ in range(READERS)]
    gate = asyncio.Semaphore(AT_ONCE)
    limits = httpx.Limits(max_connections=READERS)
    back: list[float] = []

    async def reader(mine: list[Part], most: int | None) -> None:
        after = str(mine[-1][0]) if mine else "-1"
        asked_at = time.monotonic()
        text, got = "", 0
        async with (
            gate if most else contextlib.nullcontext(),
            http.stream("GET", path, headers={"Last-Event-ID": after}) as stream,
        ):
            async for piece in stream.aiter_text():
                back.append(time.monotonic() - asked_at) if not got and most else None
                got += 1
                text += piece
                if most and len(parts_of(text)) >= most:
                    break
        mine += parts_of(text)

    async with httpx.AsyncClient(base_url=crew.api.url, timeout=60, limits=limits) as http:
        for wave in range(WAVES):
            await asyncio.gather(*(reader(mine, 3 + wave) for mine in kept))
        await asyncio.gather(*(reader(mine, None) for mine in kept))
    whole, _ = await read(crew.api, path)
    lost = [part[0] for mine in kept for part in whole if part not in mine]
    doubled = sum(len(mine) - len({part[0] for part in mine}) for mine in kept)
    assert numbers(whole) == list(range(n))
    assert all(mine == whole for mine in kept) or lost or doubled
    await eventually(lambda: open_sockets(crew.api) <= before["sockets"] + 2)
    after = await crowd(crew.api)
    assert after["streams"] == 0, after
    assert after["in_use"] <= before["in_use"] + 1, (before, after)
    assert after["connections"] <= before["connections"] + 8, (before, after)
    assert after["bytes"] - before["bytes"] < 64 * 1024 * 1024, (before, after)
    tally(
        f"{READERS} readers come and go {WAVES} times",
        lost=lost,
        doubled=doubled,
        recovery_s=sorted(back)[-1],
    )


async def crowd(server: Server) -> dict[str, float]:
    """Return how much of everything a server holds."""
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        said = (await http.get("/metrics")).text
    assert server.process

    def total(name: str) -> float:
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", said, re.MULTILINE))

    return {
        "streams": total("artel_streams_open"),
        "connections": total("artel_database_pool_connections"),
        "in_use": total("artel_database_pool_in_use"),
        "bytes": psutil.Process(server.process.pid).memory_info().rss,
        "sockets": open_sockets(server),
    }


def open_sockets(server: Server) -> int:
    """Return how many clients are connected."""
    assert server.process
    there = psutil.Process(server.process.pid).net_connections(kind="tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == server.port for one in there)
