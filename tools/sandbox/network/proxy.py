"""The proxy of one command: what it asks for is held against the list, looked up here, and counted."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import TypeAlias

import structlog

from artel.tools.sandbox.bubblewrap import PROXY_PORT
from artel.tools.sandbox.network import request
from artel.tools.sandbox.network.hosts import are_allowed, parse
from artel.tools.sandbox.network.ports import Ports
from artel.tools.sandbox.network.request import Refused, Request
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.web.addresses import Guard, Unreachable

HEAD_S = 10.0  # for a request to arrive
CONNECT_S = 10.0  # to one address
IDLE_S = 120.0  # without a byte either way
MAX_TRIES = 3  # addresses of one host
MAX_REQUESTS = 10_000  # of a command
CROWD = 4  # times as many connections as may be are heard out and refused in words; others are dropped
PART_S = 1.0  # for a client to read the last words and to close
MAX_NAMED = 20  # hosts that are told of; asking for endless ones fills neither log nor answer
CHUNK = 65_536  # bytes

_End: TypeAlias = tuple[StreamReader, StreamWriter]

log = structlog.get_logger(__name__)


class Proxy:
    """The way of one command to the hosts on the list. `open` it once, and `close` it with the command."""

    def __init__(self, settings: SandboxSettings, guard: Guard, ports: Ports, **about: str) -> None:
        self.reached: list[str] = []
        "Hosts that were connected to, with their port, in the order they were first asked for."
        self.refused: dict[str, str] = {}
        "Hosts that were not, and why."
        self._listed = settings.hosts
        self._hosts = tuple(map(parse, settings.hosts))
        self._guard = guard
        self._ports = ports
        self._at_once = settings.connections
        self._limit = (
            f"its limit of {settings.traffic_mb} MB of traffic (ARTEL_SANDBOX__TRAFFIC_MB) is used up"
        )
        self._left = settings.traffic_mb << 20
        self._requests = 0
        self._about = about
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def notes(self) -> str:
        """What the model has to know: what was refused, a line each."""
        return "\n".join(f"[network: {why}]" for why in dict.fromkeys(self.refused.values()))

    @property
    def summary(self) -> str:
        """What was asked for, in a line for the audit log."""
        return ", ".join([*self.reached, *(f"refused {host}" for host in self.refused)])

    async def open(self, pid: int, pidfd: int) -> None:
        """Listen in the box whose first process this is; in one that has ended nobody would hear.

        Raises:
            SandboxUnavailable: this machine does not let us.
        """
        listening = await self._ports.open(pid, pidfd, PROXY_PORT)
        if listening is not None:
            await self.serve(listening)

    async def serve(self, listening: socket.socket) -> None:
        """Take requests from now on, at a socket that is ours from now on."""
        listening.setblocking(False)
        self._server = await asyncio.start_server(self._accept, sock=listening, limit=request.MAX_HEAD)

    def close(self) -> None:
        """Take no more, and break off what is under way."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._meet(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _meet(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            if len(self._open) <= CROWD * self._at_once:
                await self._answer(reader, writer)
                await _part(reader, writer)
        except (OSError, TimeoutError):  # one of both ends went away, or says nothing
            pass
        finally:
            writer.transport.abort()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_S):
                asked = await request.read(reader)
            self._check_room()
            upstream = await self._connect(asked)
        except Refused as refused:
            writer.write(_answer_of(refused))
            return
        try:
            await self._carry(asked, (reader, writer), upstream)
        except* (OSError, TimeoutError):
            pass
        finally:
            upstream[1].transport.abort()

    def _check_room(self) -> None:
        self._requests += 1
        why = ""
        if len(self._open) > self._at_once:
            why = f"a command has at most {self._at_once} connections at once (ARTEL_SANDBOX__CONNECTIONS)"
        elif self._requests > MAX_REQUESTS:
            why = f"a command has at most {MAX_REQUESTS} connections"
        elif self._left <= 0:
            why = self._limit
        if why:
            self._note("", why)
            raise Refused(503, why)

    async def _connect(self, asked: Request) -> _End:
        place = f"{asked.host}:{asked.port}"
        if not are_allowed(self._hosts, asked.host, asked.port):
            name = asked.host if asked.port in (80, 443) else place
            raise self._no(
                place, f"host {name} is not among ARTEL_SANDBOX__HOSTS ({', '.join(self._listed)})"
            )
        try:
            addresses = await self._guard.addresses(asked.host, asked.port)
        except Unreachable as unreachable:
            raise self._no(place, f"host {asked.host} {unreachable.why}") from None
        for address in addresses[:MAX_TRIES]:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_S):
                    upstream = await asyncio.open_connection(str(address), asked.port, limit=CHUNK)
                self._reach(place)
                return upstream
        raise self._no(place, f"host {place} cannot be connected to", 502)

    async def _carry(self, asked: Request, client: _End, host: _End) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(IDLE_S) as idle, asyncio.TaskGroup() as both:

            def moved(size: int) -> None:
                self._left -= size
                if self._left < 0:
                    self._note("", self._limit)
                    raise ConnectionAbortedError(self._limit)
                idle.reschedule(loop.time() + IDLE_S)

            if asked.head is None:
                client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                both.create_task(_copy(client[0], host[1], moved))
                both.create_task(_copy(host[0], client[1], moved))
            else:
                moved(len(asked.head))
                host[1].write(asked.head)
                sending = both.create_task(_send(client[0], host[1], moved, asked.body))
                await _copy(host[0], client[1], moved)
                sending.cancel()

    def _reach(self, place: str) -> None:
        if place not in self.reached and len(self.reached) < MAX_NAMED:
            self.reached.append(place)
            log.info("a command reached a host", host=place, **self._about)

    def _no(self, place: str, why: str, status: int = 403) -> Refused:
        self._note(place, why)
        return Refused(status, why)

    def _note(self, place: str, why: str) -> None:
        named = place or "more"
        if named not in self.refused and len(self.refused) < MAX_NAMED:
            self.refused[named] = why
            log.warning("a command was refused a host", host=place, why=why, **self._about)


def _answer_of(refused: Refused) -> bytes:
    said = f"{refused.why}\n".encode()
    return (
        f"HTTP/1.1 {refused.status} {HTTPStatus(refused.status).phrase}\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(said)}\r\nConnection: close\r\n\r\n"
    ).encode() + said


async def _copy(reader: StreamReader, writer: StreamWriter, moved: Callable[[int], None]) -> None:
    """Carry bytes as fast as the slower end takes them, and then the end."""
    while chunk := await reader.read(CHUNK):
        moved(len(chunk))
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


async def _send(reader: StreamReader, writer: StreamWriter, moved: Callable[[int], None], size: int) -> None:
    """Carry a body and not a byte more: what follows it may be meant for another host."""
    while size and (chunk := await reader.read(min(CHUNK, size))):
        moved(len(chunk))
        size -= len(chunk)
        writer.write(chunk)
        await writer.drain()


async def _part(reader: StreamReader, writer: StreamWriter) -> None:
    """Close as a client wants it, who would lose what was said last if something of its own were unread."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PART_S):
            writer.write_eof()
            while await reader.read(CHUNK):
                pass
