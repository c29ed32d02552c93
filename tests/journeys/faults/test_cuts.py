"""What stands between processes breaks: the way to Postgres, and Redis."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.schema import StreamPart
from tests.fakes.carriers import Wire
from tests.fakes.waiting import eventually
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import Crew, open_crew
from tests.journeys.faults.test_stops import again
from tests.journeys.fleet import LEASE_S
from tests.journeys.test_scale_out import begin, ticks

pytestmark = pytest.mark.journey
AWAY_S = 2.0


@pytest.fixture(scope="module")
def lone(postgres: str, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A replica over a database of its own, to which a test adds others."""
    with open_crew(postgres, dsn, tmp_path_factory.mktemp("cut"), workers=()) as crew:
        yield crew


@pytest.mark.parametrize("how", ["stall", "cut"])
async def test_a_worker_is_cut_off_from_postgres(lone: Crew, tmp_path: Path, tally: Tally, how: str) -> None:
    """It stops before another begins, and what it still says is not among the other's words."""
    n, marks = 200, tmp_path / "m"
    names = (f"{how}-one", f"{how}-two")
    async with Wire(lone.dsn) as one, Wire(lone.dsn) as two:
        wires = dict(zip(names, (one, two), strict=True))
        added = (
            asyncio.to_thread(lone.add, name, ARTEL_STORAGE__POSTGRES=w.dsn) for name, w in wires.items()
        )
        await asyncio.gather(*added)
        await asyncio.sleep(1.5)  # each has seen the other
        thread, run = await begin(lone.client, "ticks", marks, n, 0.03)
        await eventually(lambda: len(ticks(marks)) > 5)
        name = lone.holder(run)
        far = lone.workers[name].process
        assert far
        wires[name].stall() if how == "stall" else wires[name].cut()
        started = time.time()
        await eventually(lambda: any(who != far.pid for who, _, _ in ticks(marks)), within_s=LEASE_S + 6)
        begun = next(at for who, _, at in ticks(marks) if who != far.pid)
        wires[name].mend()
        await asyncio.wait_for(lone.client.runs.join(thread, run), timeout=30)
        parts = await lone.events(thread, run)
        for name in names:
            assert await asyncio.to_thread(lone.servers.pop(name).stop) < 12
    both_at_once = [at for who, _, at in ticks(marks) if who == far.pid and at > begun]
    last = max(i for i, part in enumerate(parts) if part.event == "metadata")
    told = [part.data["number"] for part in parts[last:] if part.event == "custom"]
    ids = [int(part.id or 0) for part in parts]
    assert ids == sorted(ids)
    twice = (len(ids) - len(set(ids))) + (len(told) - len(set(told))) + len(both_at_once)
    fault = f"the way from a worker to Postgres: {how}"
    tally(fault, lost=sorted(set(range(n)) - set(told)), doubled=twice, recovery_s=begun - started)
    await lone.close_clients()


@pytest.mark.parametrize("how", ["stall", "cut"])
async def test_a_replica_is_cut_off_while_a_stream_is_followed_there(
    lone: Crew, tmp_path: Path, tally: Tally, how: str
) -> None:
    """Its reader comes back with the last id it has, and has seen everything once in the end."""
    n, names = 150, (f"api-{how}", f"worker-{how}")
    async with Wire(lone.dsn) as wire:
        far, _ = await asyncio.gather(
            asyncio.to_thread(lone.add, names[0], ARTEL_STORAGE__POSTGRES=wire.dsn),
            asyncio.to_thread(lone.add, names[1]),
        )
        thread, run = await begin(lone.client, "ticks", tmp_path / "m", n, 0.04)
        seen: list[StreamPart] = []
        times: list[float] = []
        reader = asyncio.create_task(follow(far.client, thread, run, seen, times))
        await eventually(lambda: len(seen) > 10)
        wire.stall() if how == "stall" else wire.cut()
        await asyncio.sleep(AWAY_S)
        wire.mend()
        mended = time.monotonic()
        await eventually(lambda: times[-1] > mended + 0.1, within_s=20)
        recovery_s = next(at for at in times if at > mended) - mended
        await asyncio.wait_for(reader, timeout=30)
        for name in names:
            await asyncio.to_thread(lone.servers[name].stop)
        whole = await lone.events(thread, run)
        for name in names:
            for client in lone.servers.pop(name).clients:
                await client.aclose()
    ids = [part.id for part in seen]
    lost = [part.id for part in whole if part.id not in ids]
    fault = f"the way from a replica to Postgres under a stream: {how}"
    tally(fault, lost=lost, doubled=len(ids) - len(set(ids)), recovery_s=recovery_s)
    assert seen == whole
    await lone.close_clients()


async def follow(
    client: LangGraphClient, thread: str, run: str, seen: list[StreamPart], times: list[float]
) -> None:
    """Read a run to its end, coming back whenever the stream breaks."""
    while True:
        after = next((part.id for part in reversed(seen) if part.id), "-1")
        count = len(seen)
        try:
            async for part in client.runs.join_stream(thread, run, last_event_id=after):
                seen.append(part)
                times.append(time.monotonic())
            ended = (await client.runs.get(thread, run))["status"] not in ("pending", "running")
            if ended and len(seen) == count:
                return
        except httpx.HTTPError:
            await asyncio.sleep(0.1)


@pytest.mark.needs("redis-server")
async def test_redis_is_killed_in_mid_run(
    postgres: str, dsn: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, tally: Tally
) -> None:
    """Runs go on, streams go on, new runs are accepted at once, and all is swift again when it is back."""
    n = 30
    folder = tmp_path_factory.mktemp("redis")
    with open_crew(postgres, dsn, folder, carrier="redis") as crew:
        redis = crew.fleet.redis
        assert redis
        begun = [await begin(crew.client, "steps", tmp_path / f"m{i}", n, 0.12) for i in range(6)]
        seen: list[StreamPart] = []
        reader = asyncio.create_task(follow(crew.client, *begun[0], seen, []))
        await eventually(lambda: len(seen) > 4)
        redis.kill()
        killed_at = time.monotonic()
        took = []
        for i in range(6, 12):
            asked_at = time.monotonic()
            begun.append(await begin(crew.client, "steps", tmp_path / f"m{i}", n, 0.0))
            took.append(time.monotonic() - asked_at)
        await crew.client.runs.join(*begun[-1])
        recovery_s = time.monotonic() - killed_at
        lost: list[Any] = []
        doubled: list[Any] = []
        for i, (thread, run) in enumerate(begun):
            state: Any = await asyncio.wait_for(crew.client.runs.join(thread, run), timeout=30)
            lost += sorted(set(range(n)) - set(state["counted"]))
            doubled += again(tmp_path / f"m{i}")
        await asyncio.wait_for(reader, timeout=20)
        whole = await crew.events(*begun[0])
        lost += [part.id for part in whole if part not in seen]
        doubled += [part.id for part in seen[len(whole) :]]
        redis.start()
        await asyncio.sleep(2)
        thread, run = await begin(crew.client, "steps", tmp_path / "after", 1, 0.0)
        back_at = time.monotonic()
        await crew.client.runs.join(thread, run)
        assert time.monotonic() - back_at < 2, "it hurries again"
        await crew.close_clients()
    assert max(took) < 1, f"a run was accepted in {max(took):.2f} s: Redis stands in the way"
    tally("Redis is killed in mid-run", lost=lost, doubled=doubled, recovery_s=recovery_s)
