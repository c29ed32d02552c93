"""API replicas and workers as processes of their own, over one database, by every carrier of wake-ups."""

import asyncio
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from tests.fakes.waiting import eventually

from .conftest import Server
from .fleet import CARRIERS, LEASE_S, Fleet, open_fleet, wait_until_it_works

pytestmark = [pytest.mark.journey, pytest.mark.fault, pytest.mark.needs("redis-server", "pgbouncer")]
RUNS = 20


@pytest.fixture(scope="module", params=CARRIERS)
def fleet(
    request: pytest.FixtureRequest, postgres: str, dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """Two replicas and two workers."""
    with open_fleet(request.param, postgres, dsn, tmp_path_factory.mktemp("fleet")) as opened:
        workers = [opened.worker(), opened.worker()]
        opened.api(), opened.api()
        for worker in workers:
            wait_until_it_works(worker)
        yield opened


@pytest.fixture
async def here(fleet: Fleet) -> AsyncIterator[LangGraphClient]:
    """The client of one replica."""
    client = get_client(url=fleet.servers[2].url, api_key=None)
    yield client
    await client.aclose()


@pytest.fixture
async def there(fleet: Fleet) -> AsyncIterator[LangGraphClient]:
    """The client of the other."""
    client = get_client(url=fleet.servers[3].url, api_key=None)
    yield client
    await client.aclose()


async def begin(client: LangGraphClient, graph: str, marks: Path, n: int, pause_s: float) -> tuple[str, str]:
    """Start a run; its thread and id."""
    thread = (await client.threads.create())["thread_id"]
    task: dict[str, Any] = {"n": n, "pause_s": pause_s, "marks": str(marks)}
    run = await client.runs.create(
        thread, graph, input=task, durability="sync", stream_mode=["custom", "values"], stream_resumable=True
    )
    return thread, run["run_id"]


def ticks(marks: Path) -> list[tuple[int, int, float]]:
    """Who ticked, which number, when."""
    lines = [line.split() for line in marks.read_text().splitlines()] if marks.exists() else []
    return [(int(who), int(number), float(at)) for who, number, at in lines]


def say(request: pytest.FixtureRequest, figure: str) -> None:
    """Print a measured figure; `pytest -s` shows it."""
    sys.stdout.write(f"\n{request.node.callspec.id}: {figure}\n")


def owner(fleet: Fleet, marks: Path) -> Server:
    """The worker that ticked last."""
    who = ticks(marks)[-1][0]
    return next(s for s in fleet.servers if s.process and s.process.pid == who)


async def test_tokens_arrive_live_on_replicas_that_do_not_run_the_run(
    fleet: Fleet,
    here: LangGraphClient,
    there: LangGraphClient,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    thread, run = await begin(here, "ticks", tmp_path / "m", 100, 0.03)

    async def follow(client: LangGraphClient) -> tuple[list[Any], list[float]]:
        parts, late = [], []
        async for part in client.runs.join_stream(thread, run, last_event_id="-1", stream_mode="custom"):
            parts.append(part)
            if part.event == "custom":
                late.append(time.time() - part.data["at"])
        return parts, late

    (one, late), (two, _) = await asyncio.gather(follow(here), follow(there))

    assert one == two
    assert [part.data["number"] for part in one if part.event == "custom"] == list(range(100))
    live = sorted(late[5:])  # those before the owner knew that somebody reads came with the first look
    p50, p95 = statistics.median(live), live[int(len(live) * 0.95)]
    say(request, f"follow latency p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms")
    assert p50 < 0.25


async def test_any_replica_resumes_any_stream_where_another_left_it(
    fleet: Fleet, here: LangGraphClient, there: LangGraphClient, tmp_path: Path
) -> None:
    thread, run = await begin(here, "ticks", tmp_path / "m", 60, 0.02)
    pieces: list[Any] = []
    after = "-1"
    for turn in range(200):
        client = (here, there)[turn % 2]
        got = 0
        async for part in client.runs.join_stream(thread, run, last_event_id=after):
            pieces.append(part)
            after = part.id or after
            got += 1
            if got == 7:
                break
        if not got:
            break

    whole = [part async for part in there.runs.join_stream(thread, run, last_event_id="-1")]

    assert pieces == whole
    assert [p.data["number"] for p in pieces if p.event == "custom"] == list(range(60))


async def test_a_cancel_at_one_replica_stops_the_run_on_the_worker(
    fleet: Fleet, here: LangGraphClient, there: LangGraphClient, tmp_path: Path
) -> None:
    marks = tmp_path / "m"
    thread, run = await begin(here, "ticks", marks, 1000, 0.02)
    await eventually(lambda: len(ticks(marks)) > 3)

    started = time.monotonic()
    await there.runs.cancel(thread, run, wait=True)
    took_s = time.monotonic() - started

    done = len(ticks(marks))
    await asyncio.sleep(0.2)
    assert len(ticks(marks)) == done
    assert (await here.runs.get(thread, run))["status"] == "interrupted"
    assert took_s < 1.0


async def test_a_rolling_restart_under_load_loses_and_doubles_nothing(
    fleet: Fleet, here: LangGraphClient, there: LangGraphClient, tmp_path: Path
) -> None:
    accepted = [
        (*await begin((here, there)[n % 2], "steps", tmp_path / f"m{n}", 12, 0.15), tmp_path / f"m{n}")
        for n in range(RUNS)
    ]

    for worker in fleet.servers[:2]:
        times = worker.log.count("Artel works")
        assert await asyncio.to_thread(worker.stop) < 10
        worker.start()
        await asyncio.to_thread(wait_until_it_works, worker, times + 1)

    for thread, run, marks in accepted:
        state: Any = await there.runs.join(thread, run)
        assert state["counted"] == list(range(12))
        done = Counter(marks.read_text().split())
        assert done == Counter(str(i) for i in range(12)), "a step was repeated or left out"
        assert (await here.runs.get(thread, run))["status"] == "success"


async def test_a_killed_workers_run_goes_on_elsewhere_on_the_same_stream(
    fleet: Fleet,
    here: LangGraphClient,
    there: LangGraphClient,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    marks = tmp_path / "m"
    thread, run = await begin(here, "ticks", marks, 40, 0.05)
    await eventually(lambda: len(ticks(marks)) > 5)
    killed = owner(fleet, marks)
    assert killed.process
    pid = killed.process.pid
    times = killed.log.count("Artel works")

    started = time.time()
    await asyncio.to_thread(killed.kill)
    parts = [part async for part in there.runs.join_stream(thread, run, last_event_id="-1")]

    after = [at for who, _, at in ticks(marks) if who != pid]
    took_s = after[0] - started
    say(request, f"taken over {took_s:.2f} s after kill -9")
    assert took_s < LEASE_S + 2
    assert [part.data["attempt"] for part in parts if part.event == "metadata"] == [1, 2]
    ids = [int(part.id or 0) for part in parts]
    assert ids == sorted(set(ids))
    assert (await here.runs.get(thread, run))["status"] == "success"
    killed.start()
    await asyncio.to_thread(wait_until_it_works, killed, times + 1)


async def test_a_worker_that_stands_still_is_taken_over_and_writes_nothing_when_it_wakes(
    fleet: Fleet,
    here: LangGraphClient,
    there: LangGraphClient,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """As a host that vanishes does: its process is there, and only its lease tells."""
    marks = tmp_path / "m"
    thread, run = await begin(here, "ticks", marks, 60, 0.05)
    await eventually(lambda: len(ticks(marks)) > 5)
    still = owner(fleet, marks)
    assert still.process
    pid = still.process.pid

    still.process.send_signal(signal.SIGSTOP)
    started = time.time()
    await eventually(lambda: any(who != pid for who, _, _ in ticks(marks)), within_s=LEASE_S + 4)
    took_s = next(at for who, _, at in ticks(marks) if who != pid) - started
    still.process.send_signal(signal.SIGCONT)
    state: Any = await there.runs.join(thread, run)

    say(request, f"taken over {took_s:.2f} s after SIGSTOP")
    assert took_s < LEASE_S + 2
    assert state["ticked"] == 60
    woken = [at for who, _, at in ticks(marks) if who == pid and at > started + took_s]
    assert len(woken) <= 15, still.log[-3000:]  # it notices at once, or with its next renewal
    parts = [part async for part in here.runs.join_stream(thread, run, last_event_id="-1")]
    last = [part.data["number"] for part in parts if part.event == "custom"][-60:]
    assert last == list(range(60)), "nothing of the old attempt is among the new one's events"
    ids = [int(part.id or 0) for part in parts]
    assert ids == sorted(set(ids))


async def test_runs_are_accepted_and_run_while_redis_is_away(
    fleet: Fleet,
    here: LangGraphClient,
    there: LangGraphClient,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    if fleet.redis is None:
        pytest.skip("no Redis in this fleet")
    running = await begin(here, "steps", tmp_path / "before", 20, 0.1)
    fleet.redis.kill()
    took: list[float] = []
    accepted = [(*running, 20)]
    for n in range(5):
        started = time.monotonic()
        accepted.append((*await begin(here, "steps", tmp_path / f"m{n}", 3, 0.05), 3))
        took.append(time.monotonic() - started)
    for thread, run, count in accepted:
        state: Any = await asyncio.wait_for(there.runs.join(thread, run), timeout=20)
        assert state["counted"] == list(range(count))
    fleet.redis.start()
    say(request, f"accepted in {max(took) * 1000:.0f} ms at most without Redis")
    assert max(took) < 1.0

    await asyncio.sleep(1.5)
    thread, run = await begin(here, "steps", tmp_path / "after", 1, 0.0)
    started = time.monotonic()
    await there.runs.join(thread, run)
    assert time.monotonic() - started < 2, "it hurries again"


async def test_a_question_asked_on_one_replica_is_answered_on_another(
    fleet: Fleet, here: LangGraphClient, there: LangGraphClient, tmp_path: Path
) -> None:
    marks = tmp_path / "m"
    thread = (await here.threads.create())["thread_id"]
    await here.runs.wait(thread, "gate", input={"marks": str(marks)})
    with suppress(asyncio.TimeoutError):
        await there.runs.wait(thread, "gate", command={"resume": "yes"})
    assert marks.read_text().split() == ["yes"]
    assert (await here.threads.get(thread))["status"] == "idle"
