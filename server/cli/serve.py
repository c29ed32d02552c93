"""`artel serve`: the API, the page, and a worker, in one process."""

import asyncio
import ctypes
import errno
import gc
import socket
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
import uvloop
from fastapi import FastAPI

from artel.server import served
from artel.server.app import create_app
from artel.server.cli.ground import Ground, configure_logging, database, open_ground, settle
from artel.server.cli.patience import Patient, Talker
from artel.server.cli.stopping import stop_on_signals
from artel.server.edge import MAX_BODY
from artel.server.engine.worker import drain
from artel.server.missing import missing
from artel.server.protocol.assistants import prepare
from artel.server.settings import Settings
from artel.storage.errors import ArtelError

PORTS_TRIED = 20
BACKLOG = 2048
PING_S = 20.0  # between pings on WebSockets
LAST_WORDS_S = 3  # for responses still open when all runs have been handed over


class Unservable(ArtelError):
    """The address cannot be listened on; the message says what to choose instead."""

    code = "unservable"


class Server(uvicorn.Server):
    """A uvicorn that leaves signals to us, for it closes its sockets before runs can be handed over."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and set `up`."""
        await super().startup(sockets)
        self.up.set()


def run(arguments: Namespace) -> int:
    """Serve until told to stop; then let steps end, hand the runs over, and close."""
    settings = settle(arguments)
    configure_logging(settings)
    with (
        listen(settings, asks=_asks(settings)) as listener,
        database(settings) as dsn,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_serve(settings, dsn, listener))
    return 0


@contextmanager
def listen(settings: Settings, *, asks: bool = False) -> Iterator[socket.socket]:
    """Yield a listening socket; when nobody named the port and it is taken, on one of the next.

    Raises:
        Unservable: the port is taken, the address is not ours, or others could reach it unasked.
    """
    if settings.is_exposed and not asks:
        raise Unservable(
            f"{settings.host} could be reached by others and there are no accounts yet: listen on 127.0.0.1 "
            f"and put a proxy with a login in front, or say by auth in {served.NAME} who may come in"
        )
    tried = 1 if settings.port_was_asked_for else PORTS_TRIED
    for port in range(settings.port, min(settings.port + tried, 65536)):
        try:
            listener = _bound(settings.host, port)
        except OSError as refused:
            if refused.errno == errno.EADDRINUSE:
                continue
            raise Unservable(f"{settings.host}:{port} cannot be listened on: {refused.strerror}") from refused
        with listener:
            yield listener
        return
    if settings.port_was_asked_for:
        raise Unservable(
            f"port {settings.port} is taken: end what listens there, or choose another by --port"
        )
    raise Unservable(f"ports {settings.port} to {settings.port + tried - 1} are taken: choose one by --port")


def _asks(settings: Settings) -> bool:
    """Say whether the served configuration asks everybody for a key."""
    file = served.find(settings.config)
    return file is not None and "auth" in served.read(file).sections


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # now: two processes may bind the same port, but only one may listen
    except OSError:
        listener.close()
        raise
    return listener


async def _serve(settings: Settings, dsn: str, listener: socket.socket) -> None:
    with stop_on_signals() as asked:
        async with open_ground(settings, dsn) as ground, answering(ground, listener) as serving:
            _announce(ground, listener)
            waiting = asyncio.create_task(asked.wait())
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()


@asynccontextmanager
async def answering(ground: Ground, listener: socket.socket) -> AsyncIterator["asyncio.Task[None]"]:
    """Answer HTTP on `listener`; at the end hand runs over first, and only then close."""
    await prepare(ground.engine.db, ground.catalog)
    app = create_app(ground.engine, ground.catalog, ground.settings, ground.knowledge)
    async with app.router.lifespan_context(app):
        server = server_of(app, ping_s=ground.settings.sockets.ping_s)
        _tidy()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        up = asyncio.create_task(server.up.wait())
        await asyncio.wait({serving, up}, return_when=asyncio.FIRST_COMPLETED)
        try:
            yield serving
        finally:
            await drain(ground.engine)
            server.should_exit = True
            await serving


def _tidy() -> None:
    """Give back what loading left over, and let no later collection look at what it made: that stays."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)  # glibc keeps freed memory: a megabyte


def server_of(app: FastAPI, *, ping_s: float = PING_S) -> Server:
    """Return a server of an application, not started yet."""
    config = uvicorn.Config(
        app,
        loop="none",
        http=Patient,
        ws=Talker,
        ws_max_size=MAX_BODY,
        ws_ping_interval=ping_s,
        ws_ping_timeout=ping_s,
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        backlog=BACKLOG,
        server_header=False,
        timeout_graceful_shutdown=LAST_WORDS_S,
    )
    return Server(config)


def url_of(listener: socket.socket) -> str:
    """Return the address of a listening socket as people type it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(ground: Ground, listener: socket.socket) -> None:
    wanted, port = ground.settings.port, listener.getsockname()[1]
    moved = f" (port {wanted} is taken)" if wanted not in (0, port) else ""
    model = ground.models.describe()["label"]
    sys.stdout.write(f"Artel is ready: {url_of(listener)}{moved} · model {model}\n")
    sys.stdout.writelines(f"  {sentence}\n" for sentence in missing(ground.models))
    sys.stdout.flush()
