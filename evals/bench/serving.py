"""A whole server as clients see it: start, memory, and the first token over HTTP beside the bare graph.

python evals/bench/serving.py
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from artel.server.catalog import Catalog

CONFIG = Path(__file__).parents[2] / "tests" / "journeys" / "served" / "langgraph.json"
PORT = 18123
URL = f"http://127.0.0.1:{PORT}"
ROUNDS = 40
STREAMS = 100
MB = 1024 * 1024


def words(count: int, pause_s: float) -> dict[str, Any]:
    """Return the input that makes the model say `count` words, `pause_s` apart."""
    return {"messages": [{"role": "user", "content": f"{count} {pause_s}"}]}


@contextmanager
def served(data: Path) -> Iterator[tuple[psutil.Process, float]]:
    """Start a server; its process and the seconds until `/ok` answered."""
    command = [sys.executable, "-m", "artel.server", "serve", "--data", str(data), "--port", str(PORT)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--config", str(CONFIG)], stdout=subprocess.DEVNULL, env=environment
    )
    while True:
        try:
            if httpx.get(f"{URL}/ok").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.01)
    try:
        yield psutil.Process(process.pid), time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait()


async def over_http(client: httpx.AsyncClient, thread: str) -> float:
    """Return the ms from the request to the first token."""
    body = {"assistant_id": "talk", "input": words(1, 0), "stream_mode": ["messages-tuple"]}
    took = 0.0
    begun = time.perf_counter()
    async with client.stream("POST", f"/threads/{thread}/runs/stream", json=body) as response:
        async for line in response.aiter_lines():
            if not took and line.startswith("event: messages"):
                took = (time.perf_counter() - begun) * 1000
    return took


async def bare(graph: Any) -> float:
    """Return the ms to the first token of the graph by itself, with no server and nothing stored."""
    begun = time.perf_counter()
    first = 0.0
    async for _ in graph.astream(words(1, 0), stream_mode="messages"):
        first = first or (time.perf_counter() - begun) * 1000
    return first


async def first_tokens() -> tuple[float, float]:
    """Return the median ms to the first token: the bare graph's, and the server's; rounds alternate."""
    alone, added = [], []
    async with Catalog.load(CONFIG).graph("talk", {}) as graph, httpx.AsyncClient(base_url=URL) as client:
        for _ in range(ROUNDS):
            thread = (await client.post("/threads", json={})).json()["thread_id"]
            alone.append(await bare(graph))
            added.append(await over_http(client, thread))
    return statistics.median(alone), statistics.median(added)


async def memory_of_streams(process: psutil.Process) -> float:
    """Return the MB that a hundred open streams take."""
    before = process.memory_info().rss
    limits = httpx.Limits(max_connections=STREAMS + 1)
    async with httpx.AsyncClient(base_url=URL, limits=limits, timeout=60) as client:

        async def one() -> None:
            body = {"assistant_id": "talk", "input": words(40, 0.1), "stream_mode": ["messages-tuple"]}
            async with client.stream("POST", "/runs/stream", json=body) as response:
                await response.aread()

        streams = [asyncio.create_task(one()) for _ in range(STREAMS)]
        await asyncio.sleep(3)
        during = process.memory_info().rss
        await asyncio.gather(*streams)
    return (during - before) / MB


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with served(Path(folder) / "data") as (_, cold_s):
            pass
        with served(Path(folder) / "data") as (process, second_s):
            time.sleep(1)
            idle = process.memory_info().rss / MB
            alone, added = asyncio.run(first_tokens())
            streams = asyncio.run(memory_of_streams(process))
    print("| measure | figure |\n| --- | --- |")
    print(f"| first start to `/ok`, with a new database | {cold_s:.1f} s |")
    print(f"| second start to `/ok` | {second_s:.1f} s |")
    print(f"| idle memory, without the database | {idle:.0f} MB |")
    print(f"| memory of {STREAMS} open streams | {streams:.1f} MB |")
    print(f"| first token, bare graph in process | {alone:.1f} ms |")
    print(f"| first token over HTTP, stored and resumable | {added:.1f} ms |")
    print(f"| added | {added - alone:.1f} ms |")


if __name__ == "__main__":
    main()
