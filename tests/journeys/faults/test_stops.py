"""Polite stops, and a database that goes down under workers that live: nothing is stolen or done twice."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.waiting import eventually
from tests.journeys.conftest import Server
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import GRAPHS, Crew
from tests.journeys.test_deploys import postmaster
from tests.journeys.test_scale_out import begin

pytestmark = pytest.mark.journey
LEFT = """
select count(*) as n
  from runs r join unnest(%(ids)s::uuid[], %(attempts)s::int[]) as held (run_id, attempt) using (run_id)
 where r.attempt <= held.attempt and r.ended_at is null
"""
HELD = """
select run_id::text, attempt from runs join workers using (worker_id)
 where pid = %(pid)s and status = 'running'
"""


def again(marks: Path) -> list[str]:
    """Return the steps that were begun more than once."""
    return [step for step, times in Counter(marks.read_text().split()).items() if times > 1]


async def test_sigterm_with_50_runs_in_flight_over_two_workers(
    crew: Crew, tmp_path: Path, tally: Tally
) -> None:
    """One stops and comes back, then the other, while all 50 are under way."""
    n, many = 24, 50
    begun = [
        (*await begin(crew.client, "steps", tmp_path / f"m{i}", n, 0.4), tmp_path / f"m{i}")
        for i in range(many)
    ]
    slowest = 0.0
    for worker in crew.workers.values():
        assert worker.process
        held = crew.rows(HELD, pid=worker.process.pid)
        started = time.monotonic()
        stopping = asyncio.create_task(asyncio.to_thread(worker.stop))
        slowest = max(slowest, await taken_over(crew, held, started))
        assert await stopping < 10
        await asyncio.to_thread(worker.start)
    lost, doubled = [], []
    for thread, run, marks in begun:
        state: Any = await asyncio.wait_for(crew.client.runs.join(thread, run), timeout=60)
        lost += sorted(set(range(n)) - set(state["counted"]))
        doubled += again(marks)
    tally(
        f"SIGTERM with {many} runs in flight over two workers", lost=lost, doubled=doubled, recovery_s=slowest
    )


async def taken_over(crew: Crew, held: Sequence[dict[str, Any]], since: float) -> float:
    """Return how long it took until all these runs went on elsewhere."""
    ids, attempts = [row["run_id"] for row in held], [row["attempt"] for row in held]
    while crew.rows(LEFT, ids=ids, attempts=attempts)[0]["n"]:
        assert time.monotonic() - since < 30
        await asyncio.sleep(0.05)
    return time.monotonic() - since


async def test_postgres_is_killed_under_two_workers(tmp_path: Path, tally: Tally) -> None:
    data, n = tmp_path / "data", 30
    servers = [Server(data, GRAPHS).start()]
    servers.append(Server(data, GRAPHS).start())
    try:
        begun = [
            (*await begin(servers[i % 2].client, "steps", tmp_path / f"m{i}", n, 0.15), tmp_path / f"m{i}")
            for i in range(8)
        ]
        marks = [path for _, _, path in begun]
        await eventually(lambda: all(path.exists() and len(steps_of(path)) > 2 for path in marks))
        os.kill(postmaster(data), signal.SIGQUIT)
        killed_at = time.monotonic()
        then = {path: len(steps_of(path)) for path in marks}
        await eventually(lambda: all(len(steps_of(p)) > then[p] + 1 for p in marks), within_s=30)
        recovery_s = time.monotonic() - killed_at
        lost: list[int] = []
        doubled: list[Any] = []
        for number, (thread, run, path) in enumerate(begun):
            state = await patient(servers[number % 2], thread, run)
            lost += sorted(set(range(n)) - set(state["counted"]))
            doubled += again(path)
            parts = [p async for p in servers[1].client.runs.join_stream(thread, run, last_event_id="-1")]
            doubled += [p.data for p in parts if p.event == "metadata"][1:]
        tally("Postgres is killed under two workers", lost=lost, doubled=doubled, recovery_s=recovery_s)
    finally:
        for server in servers:
            await asyncio.to_thread(server.stop)
            for client in server.clients:
                await client.aclose()


def steps_of(marks: Path) -> list[str]:
    """Return the steps that were begun."""
    return marks.read_text().split()


async def patient(server: Server, thread: str, run: str) -> Any:
    """Join as a client does that takes a 503 for what it says: try again later."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(httpx.HTTPError):
                return await server.client.runs.join(thread, run)
            await asyncio.sleep(0.2)
