"""What clients do to every server alike: streams, waits, background runs, plain requests."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from evals.bench.peers.gauges import Gauges
from evals.bench.peers.servers import Server
from evals.bench.peers.wire import Client, Heard

SPREAD_S = 1.0  # streams open over this time: a burst would measure the length of its own queue
FEWEST = 3


@dataclass(frozen=True)
class Size:
    """How much is asked for; a smoke run asks for little."""

    streams: tuple[int, ...] = (1, 50, 100, 200)
    paced_words: int = 79
    flood_words: int = 1000
    times: int = 30
    warm: int = 3
    seconds: float = 3.0  # the longest a repeated request is repeated
    background: int = 150
    lengths: tuple[int, ...] = (10, 100, 1000)
    whole: bool = True


SMOKE = Size((1, 10), 10, 300, 3, 1, 0.3, 10, (10,), whole=False)


@dataclass
class Bench:
    """One server under measure."""

    server: Server
    client: Client
    gauges: Gauges
    size: Size
    first: bool = True  # the first round, which also counts what does not vary

    async def thread(self) -> str:
        """Return a new thread."""
        return str((await self.client.ask("POST", "/threads", {}))["thread_id"])

    async def stream(self, thread: str, words: int, pause_s: float = 0) -> Heard:
        """Return what was heard of a run of the model that says so many words."""
        said = [{"role": "user", "content": f"{words} {pause_s}"}]
        body = order("talk", {"messages": said}) | {
            "stream_mode": ["messages-tuple"],
            "stream_resumable": True,
        }
        heard = await self.client.listen(f"/threads/{thread}/runs/stream", body)
        if len(heard.came) != words:
            raise RuntimeError(f"{self.server.kind.name} streamed {len(heard.came)} of {words} tokens")
        return heard

    async def streams(self, count: int, words: int, pause_s: float) -> list[Heard]:
        """Return what was heard over so many streams, opened over `SPREAD_S`."""
        threads = [await self.thread() for _ in range(count)]

        async def one(number: int, thread: str) -> Heard:
            await asyncio.sleep(SPREAD_S * number / count)
            return await self.stream(thread, words, pause_s)

        return await asyncio.gather(*(one(n, thread) for n, thread in enumerate(threads)))

    async def wait(self, thread: str, steps: int) -> Any:
        """Return the end state of a run of so many steps, once it is there."""
        return await self.client.ask("POST", f"/threads/{thread}/runs/wait", order("steps", {"n": steps}))

    async def turn(self, thread: str, messages: list[dict[str, str]]) -> None:
        """Say something to the chat and wait for the answer."""
        await self.client.ask("POST", f"/threads/{thread}/runs/wait", order("chat", {"messages": messages}))

    async def repeated(self, work: Callable[[], Awaitable[object]], *, times: int = 0) -> list[float]:
        """Return the ms of each of several tries in a row; a slow server is asked less often."""
        took: list[float] = []
        deadline = time.perf_counter() + self.size.seconds
        while len(took) < (times or self.size.times):
            if len(took) >= FEWEST and time.perf_counter() > deadline:
                break
            begun = time.perf_counter()
            await work()
            took.append((time.perf_counter() - begun) * 1000)
        return took

    async def crowd(self, clients: int, work: Callable[[], Awaitable[object]]) -> tuple[int, float]:
        """Return how much clients get done that each ask again at once, and how many seconds it took."""
        begun = time.perf_counter()
        deadline = begun + self.size.seconds

        async def client() -> int:
            done = 0
            while not done or time.perf_counter() < deadline:
                await work()
                done += 1
            return done

        done = sum(await asyncio.gather(*(client() for _ in range(clients))))
        return done, time.perf_counter() - begun

    async def per_second(self, clients: int, work: Callable[[], Awaitable[object]]) -> float:
        """Return how often a second so many clients get it done."""
        done, took_s = await self.crowd(clients, work)
        return done / took_s


def order(graph: str, told: dict[str, Any]) -> dict[str, Any]:
    """Return the body that orders a run."""
    return {"assistant_id": graph, "input": told}


def p50(figures: list[float]) -> float:
    """Return the median."""
    return statistics.median(figures)


def p95(figures: list[float]) -> float:
    """Return the 95th percentile; of few figures, the largest."""
    return sorted(figures)[min(len(figures) - 1, int(len(figures) * 0.95))]
