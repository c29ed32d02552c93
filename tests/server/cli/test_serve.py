import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from artel.server.cli import serve
from artel.server.cli.serve import Unservable, listen, url_of
from artel.server.settings import load_settings

SERVED = Path(__file__).parents[2] / "journeys/served/langgraph.json"


@contextmanager
def taken(port: int = 0) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port)) as other:
        yield int(other.getsockname()[1])


@contextmanager
def process(data: Path, *flags: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A real server on the database folder `data`; yields it with its first line."""
    with subprocess.Popen(
        [sys.executable, "-m", "artel.server", "serve", "--data", str(data), "--config", str(SERVED), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=data.parent,
    ) as started:
        assert started.stdout
        try:
            yield started, started.stdout.readline()
        finally:
            started.kill()


def url_in(line: str) -> str:
    return next(word for word in line.split() if word.startswith("http"))


def test_a_taken_default_port_moves_on() -> None:
    settings = load_settings()
    with ExitStack() as stack:
        with suppress(OSError):  # somebody else's server will do as well
            stack.enter_context(taken(settings.port))
        listener = stack.enter_context(listen(settings))
        assert settings.port < listener.getsockname()[1] < settings.port + serve.PORTS_TRIED


def test_a_taken_port_that_was_asked_for_is_refused() -> None:
    with (
        taken() as port,
        pytest.raises(Unservable, match=f"port {port} is taken: .*--port"),
        listen(load_settings(port=port)),
    ):
        pass


def test_two_processes_never_listen_on_one_port() -> None:
    with listen(load_settings(port=0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Unservable, match="is taken"), listen(load_settings(port=port)):
            pass


def test_an_address_that_others_reach_is_refused() -> None:
    with pytest.raises(Unservable, match="no accounts yet"), listen(load_settings(host="0.0.0.0")):
        pass


def test_an_address_that_others_reach_may_be_listened_on_where_everybody_is_asked_for_a_key() -> None:
    with listen(load_settings(host="0.0.0.0", port=0), asks=True) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


def test_an_address_that_is_not_ours_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(host="127.0.0.1", port=1)
    if os.geteuid() == 0:
        monkeypatch.setattr(serve, "_bound", lambda *_: (_ for _ in ()).throw(PermissionError(13, "denied")))
    with pytest.raises(Unservable, match="cannot be listened on"), listen(settings):
        pass


def test_an_ipv6_address_is_bracketed() -> None:
    try:
        with listen(load_settings(host="::1", port=0)) as listener:
            assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"
    except Unservable:
        pytest.skip("this machine has no IPv6 loopback")


def test_it_starts_answers_and_stops_with_its_database(tmp_path: Path) -> None:
    with process(tmp_path / "data", "--port", "0") as (server, line):
        assert "Artel is ready: http://127.0.0.1:" in line
        assert httpx.get(f"{url_in(line)}/ok").json()["ok"] is True
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=15) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url_in(line)}/ok")


def test_two_servers_share_one_folder_and_the_last_one_stops_the_database(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with process(data, "--port", "0") as (one, first), process(data, "--port", "0") as (two, second):
        thread = httpx.post(f"{url_in(first)}/threads", json={}).json()["thread_id"]
        one.send_signal(signal.SIGTERM)
        assert one.wait(timeout=15) == 0
        assert httpx.get(f"{url_in(second)}/threads/{thread}").json()["thread_id"] == thread
        two.send_signal(signal.SIGTERM)
        assert two.wait(timeout=15) == 0
    assert not (data / "postgres/postmaster.pid").exists()


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with process(tmp_path / "data", "--port", "0") as (server, line):
        with httpx.Client(base_url=url_in(line)) as client:
            thread = client.post("/threads", json={}).json()["thread_id"]
            count = {"n": 1000, "marks": str(tmp_path / "marks"), "pause_s": 30, "counted": []}
            client.post(f"/threads/{thread}/runs", json={"assistant_id": "steps", "input": count})
        while not (tmp_path / "marks").exists():
            time.sleep(0.01)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert server.poll() is None
        started = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=15) == 128 + signal.SIGTERM
        assert time.monotonic() - started < 2
