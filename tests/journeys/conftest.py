"""Real servers in real processes, which the journeys start, kill, and start again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

HERE = Path(__file__).parent
SERVED = HERE / "served" / "langgraph.json"
START_WITHIN_S = 60
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")


@dataclass
class Server:
    """One `artel` process; `url` stays the same over restarts."""

    data: Path
    config: Path | None = SERVED
    command: str = "serve"
    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    clients: list[LangGraphClient] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = self.port or free_port()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> LangGraphClient:
        """The official client, talking to it."""
        if not self.clients:
            self.clients.append(get_client(url=self.url, api_key=None))
        return self.clients[0]

    @property
    def log(self) -> str:
        """What it has printed over all its lives."""
        path = self.data.with_name(f"{self.data.name}-{self.port}.log")
        return path.read_text() if path.exists() else ""

    def start(self) -> "Server":
        """Start it and wait until it answers."""
        arguments = [sys.executable, "-m", "artel.server", self.command, "--data", str(self.data)]
        if self.config:
            arguments += ["--config", str(self.config)]
        if self.command == "serve":
            arguments += ["--port", str(self.port)]
        arguments += self.options
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with self.data.with_name(f"{self.data.name}-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                arguments, env=environment | self.env, cwd=self.data.parent, stdout=log, stderr=log
            )
        if self.command == "serve":
            self.wait_until_ok()
        return self

    def wait_until_ok(self) -> None:
        """Return once `/ok` answers; fail with its log when it dies or takes too long."""
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, f"the server died:\n{self.log}"
            try:
                if httpx.get(f"{self.url}/ok", timeout=1).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise AssertionError(f"no answer in {START_WITHIN_S} s:\n{self.log}")

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> float:
        """End it with SIGTERM, as a deploy would; seconds it took."""
        started = time.monotonic()
        self._end(signal.SIGTERM)
        return time.monotonic() - started

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
        self.process = None


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def make_server(tmp_path: Path) -> AsyncIterator[type[Server]]:
    """Return the server class; whatever it started is stopped at the end."""
    made: list[Server] = []

    class Kept(Server):
        def __post_init__(self) -> None:
            super().__post_init__()
            made.append(self)

    yield Kept
    for server in made:
        server.stop()
        for client in server.clients:
            await client.aclose()


@pytest.fixture
def server(make_server: type[Server], tmp_path: Path) -> Server:
    """Return a running server of the test graphs."""
    return make_server(data=tmp_path / "data").start()


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Return an empty file in which graphs leave marks."""
    path = tmp_path / "marks"
    path.touch()
    return path
