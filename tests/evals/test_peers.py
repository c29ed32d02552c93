"""The benchmark beside the peers: its judgement, its client, and one smoke run against a real server."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from evals.bench.peers import report
from evals.bench.peers.goals import Goal
from evals.bench.peers.servers import kinds
from evals.bench.peers.wire import Client, Refused

ROOT = Path(__file__).parents[2]
CREATED = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@asynccontextmanager
async def serving(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Client]:
    """Listen, and yield a client; each connection is answered once and closed."""
    tasks: list[asyncio.Task[object] | None] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        await answer(reader, writer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(once, "127.0.0.1", 0) as server:
        client = Client(server.sockets[0].getsockname()[1])
        yield client
        client.close()
        await asyncio.gather(*filter(None, tasks))


def test_a_figure_is_judged_as_it_is_and_beside_the_floor_of_its_run() -> None:
    slow_machine = Goal("wait", must=10, aim=8, floor=5)
    assert slow_machine.reached(19) == "no"
    assert slow_machine.reached_by_ratio(19, floor=10) == "must"
    assert slow_machine.reached_by_ratio(19, floor=None) == "-"


def test_of_a_speed_more_is_better() -> None:
    speed = Goal("runs/s", must=80, aim=120, floor=110, more=True)
    assert [speed.reached(value) for value in (79, 80, 120)] == ["no", "must", "aim"]


def test_the_table_says_where_a_peer_is_better() -> None:
    found = {"artel": {"x ms": 2.0, "runs/s, 32 clients, 5 steps": 9.0}}
    found |= {"dev": {"x ms": 1.0, "runs/s, 32 clients, 5 steps": 3.0}, "floor": {"x ms": 1.0}}
    first, second = report.figures_table(found).splitlines()[2:]
    assert first.endswith("| 2 | 1 | 1 | 2.00 | **no** |")
    assert second.endswith("| yes |")


def test_a_peer_that_is_not_installed_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    here, missing = kinds(["artel", "aegra"], tmp_path / "python")
    assert [kind.name for kind in here] == ["artel"]
    assert "not installed" in missing[0]


async def test_a_kept_connection_that_the_server_dropped_is_opened_anew() -> None:
    opened = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(CREATED)
        if opened == 1:
            await reader.readuntil(b"\r\n\r\n")  # the next request gets no answer

    async with serving(answer_once) as client:
        assert [await client.ask("GET", "/ok") for _ in range(2)] == [{}, {}]
    assert opened == 2


async def test_a_token_that_comes_in_two_pieces_is_heard_once() -> None:
    pieces = (b'{"content":"t1234567890 "}{"con', b'tent":"t1234', b'567891 "}')

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        size = sum(map(len, pieces))
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n".encode())
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(stream) as client:
        heard = await client.listen("/", {})
    assert heard.due == [1234567890, 1234567891]


async def test_an_answer_that_refuses_is_no_figure() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 409 Conflict\r\ncontent-length: 4\r\n\r\nbusy")
        await writer.drain()

    async with serving(refuse) as client:
        with pytest.raises(Refused, match="409 busy"):
            await client.ask("POST", "/threads", {})


@pytest.mark.soak
def test_a_smoke_run_measures_our_server_and_leaves_nothing_behind(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "evals.bench", "peers", "--quick", "--only", "artel"]
    ran = subprocess.run(
        [*command, "--json", str(figures)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    ours = json.loads(figures.read_text())["artel"]
    expected = {"tokens/s, 8 streams", "background runs/s", "turn at 10 messages p50 ms", "idle PSS MB"}
    assert expected <= set(ours), ran.stderr
    assert all(ours[name] > 0 for name in expected)
    assert "| goal | must | aim |" in ran.stdout
    assert not list(filter(_is_ours, psutil.Process().children(recursive=True)))


def _is_ours(process: psutil.Process) -> bool:
    return "artel-bench-" in " ".join(process.cmdline())
