"""What is measured, one function a concern; each returns figures by name."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from evals.bench.peers.load import SPREAD_S, Bench, order, p50, p95

Figures: TypeAlias = dict[str, float]
PAUSE_S = 0.05
FLOODS = 8
SAID = "the quick brown fox jumps over the lazy dog and goes home " * 4


async def resting(bench: Bench) -> Figures:
    """Look at a server that nobody has asked yet."""
    await asyncio.sleep(1)
    return {"cold start s": bench.server.start_s, "idle PSS MB": bench.gauges.memory()}


async def warming(bench: Bench) -> Figures:
    """Have every graph loaded and every path taken once; nothing is measured."""
    for _ in range(bench.size.warm):
        await bench.stream(await bench.thread(), 20)
        if bench.server.kind.has_graphs:
            await bench.wait(await bench.thread(), 2)
            await bench.turn(await bench.thread(), [{"role": "user", "content": SAID}])
    return {}


async def first_tokens(bench: Bench) -> Figures:
    """Stream on the beat over ever more streams: first tokens, lag, and the memory they take."""
    figures: Figures = {}
    size = bench.size
    for count in size.streams:
        if count == 1:
            threads = [await bench.thread() for _ in range(size.times)]
            heard = [await bench.stream(thread, 3, PAUSE_S) for thread in threads]
        else:
            words = size.paced_words if count == size.streams[-1] else size.paced_words // 2
            before = bench.gauges.memory()
            streams = asyncio.create_task(bench.streams(count, words, PAUSE_S))
            await asyncio.sleep(SPREAD_S + (words - 1) * PAUSE_S / 2)
            grown = await asyncio.to_thread(bench.gauges.memory) - before
            heard = await streams
            if count == size.streams[-1]:
                figures["memory per 100 streams MB"] = grown * 100 / count
                ideal = (words - 1) * PAUSE_S
                figures["paced: slowest stream / ideal"] = max(one.took_s for one in heard) / ideal
                figures["paced: token lag p95 ms"] = p95([lag for one in heard for lag in one.lags_ms])
        firsts = [one.first_ms for one in heard]
        figures[f"first token of {count} p50 ms"] = p50(firsts)
        figures[f"first token of {count} p95 ms"] = p95(firsts)
    return figures


async def flood(bench: Bench) -> Figures:
    """Stream as fast as it goes over eight streams, and count what a token costs."""
    if bench.first and bench.size.whole:
        await asyncio.to_thread(bench.gauges.settle)
    threads = [await bench.thread() for _ in range(FLOODS)]
    before, begun = bench.gauges.look(), time.perf_counter()
    heard = await asyncio.gather(*(bench.stream(thread, bench.size.flood_words) for thread in threads))
    took_s = time.perf_counter() - begun
    cost = bench.gauges.look().since(before)
    tokens = FLOODS * bench.size.flood_words
    figures = {
        "tokens/s, 8 streams": tokens / took_s,
        "server CPU s / 1k tokens": cost.server_cpu_s * 1000 / tokens,
        "wire bytes / token": sum(one.size for one in heard) / tokens,
    }
    if bench.server.kind.stores:
        figures["Postgres CPU s / 1k tokens"] = cost.postgres_cpu_s * 1000 / tokens
        figures["WAL bytes / token"] = cost.wal / tokens
        if bench.first and bench.size.whole:
            await asyncio.to_thread(bench.gauges.settle)
            figures["transactions / 1k tokens"] = (
                bench.gauges.look().since(before).transactions * 1000 / tokens
            )
    return figures


async def waits(bench: Bench) -> Figures:
    """Wait for runs of a few steps, alone and in a crowd."""
    figures: Figures = {}
    for steps in (1, 10):
        threads = iter([await bench.thread() for _ in range(bench.size.times)])
        took = await bench.repeated(lambda steps=steps, threads=threads: bench.wait(next(threads), steps))  # type: ignore[misc]
        figures[f"wait-run of {steps}, p50 ms"] = p50(took)

    async def five() -> None:
        await bench.wait(await bench.thread(), 5)

    before = bench.gauges.look()
    done, took_s = await bench.crowd(32, five)
    cost = bench.gauges.look().since(before)
    figures["runs/s, 32 clients, 5 steps"] = done / took_s
    figures["server CPU ms / run"] = cost.server_cpu_s * 1000 / done
    if bench.server.kind.stores:
        figures["Postgres CPU ms / run"] = cost.postgres_cpu_s * 1000 / done
    return figures


async def background(bench: Bench) -> Figures:
    """Start runs nobody waits for: how soon one starts, and how many get done."""
    delays: list[float] = []

    async def one() -> None:
        thread = await bench.thread()
        asked = time.monotonic_ns()
        run = await bench.client.ask("POST", f"/threads/{thread}/runs", order("steps", {"n": 1}))
        await _ended(bench, run)
        state = await bench.client.ask("GET", f"/threads/{thread}/state")
        delays.append((state["values"]["began"] - asked) / 1e6)
        await asyncio.sleep(0.05)

    await bench.repeated(one)
    threads = [await bench.thread() for _ in range(bench.size.background)]
    begun = time.perf_counter()
    ordered = await asyncio.gather(
        *(bench.client.ask("POST", f"/threads/{thread}/runs", order("steps", {"n": 1})) for thread in threads)
    )
    for run in ordered:
        await _ended(bench, run)
    return {
        "create to first node p50 ms": p50(delays),
        "create to first node p95 ms": p95(delays),
        "background runs/s": bench.size.background / (time.perf_counter() - begun),
    }


async def _ended(bench: Bench, run: dict[str, str]) -> None:
    """Look until a run has ended: a join costs dev half a second, and Aegra one of two connections."""
    path = f"/threads/{run['thread_id']}/runs/{run['run_id']}"
    while (await bench.client.ask("GET", path))["status"] in ("pending", "running"):  # noqa: ASYNC110 - it is not here
        await asyncio.sleep(0.02)


async def plain(bench: Bench) -> Figures:
    """Make threads and read state, alone and with sixteen clients."""
    took = await bench.repeated(bench.thread, times=3 * bench.size.times)
    figures = {"POST /threads p50 ms": p50(took), "POST /threads p95 ms": p95(took)}
    figures["POST /threads / s, 16 clients"] = await bench.per_second(16, bench.thread)
    if bench.server.kind.has_graphs:
        thread = await bench.thread()
        await bench.turn(thread, [{"role": "user", "content": SAID}])

        async def state() -> None:
            await bench.client.ask("GET", f"/threads/{thread}/state")

        took = await bench.repeated(state, times=3 * bench.size.times)
        figures |= {"GET state p50 ms": p50(took), "GET state p95 ms": p95(took)}
        figures["GET state / s, 16 clients"] = await bench.per_second(16, state)
    return figures


async def turns(bench: Bench) -> Figures:
    """Say one thing more on threads that hold ever more messages, and read them."""
    figures: Figures = {}
    for count in bench.size.lengths:
        thread = await bench.thread()
        said = [{"role": ("user", "assistant")[n % 2], "content": f"{n} {SAID}"} for n in range(count - 1)]
        await bench.turn(thread, said)

        async def one(thread: str = thread) -> None:
            await bench.turn(thread, [{"role": "user", "content": SAID}])

        for _ in range(bench.size.warm):
            await one()
        before = bench.gauges.look()
        took = await bench.repeated(one, times=max(bench.size.times // 2, 4))
        cost = bench.gauges.look().since(before)
        figures[f"turn at {count} messages p50 ms"] = p50(took)
        figures[f"turn at {count} messages, server CPU ms"] = cost.server_cpu_s * 1000 / len(took)
        if bench.server.kind.stores:
            figures[f"turn at {count} messages, WAL KB"] = cost.wal / 1000 / len(took)
            figures[f"turn at {count} messages, DB KB"] = cost.size / 1000 / len(took)
        figures[f"state at {count} messages ms"] = await _read(bench, f"/threads/{thread}/state")
        figures[f"history of 10 at {count} messages ms"] = await _read(
            bench, f"/threads/{thread}/history?limit=10"
        )
    if bench.first and bench.server.kind.stores:
        figures["statements a turn"] = await _statements(bench, one)
    return figures


async def _read(bench: Bench, path: str) -> float:
    return p50(
        await bench.repeated(lambda: bench.client.ask("GET", path), times=max(bench.size.times // 3, 3))
    )


async def _statements(bench: Bench, one: Callable[[], Awaitable[None]]) -> float:
    """Count statements with the log of the database; what an idle server sends meanwhile is taken off."""
    tries = 5
    await asyncio.to_thread(bench.gauges.log_statements, True)
    try:
        first, begun = bench.gauges.statements(), time.perf_counter()
        for _ in range(tries):
            await one()
        took_s, second = time.perf_counter() - begun, bench.gauges.statements()
        await asyncio.sleep(2)
        idle = (bench.gauges.statements() - second) / 2
    finally:
        await asyncio.to_thread(bench.gauges.log_statements, False)
    return (second - first - idle * took_s) / tries


def measures(bench: Bench) -> list[Callable[[Bench], Awaitable[Figures]]]:
    """Return what can be measured of this server, in order."""
    kind = bench.server.kind
    found: list[Callable[[Bench], Awaitable[Figures]]] = [resting, warming, first_tokens, flood]
    if kind.has_graphs:
        found.append(waits)
    if kind.has_runs:
        found.append(background)
    found.append(plain)
    if kind.has_graphs:
        found.append(turns)
    return found
