"""A worker that is cut off from the database stops before another begins; a restart steals nothing."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from tests.fakes.carriers import Wire
from tests.fakes.waiting import eventually

from .conftest import Server
from .fleet import LEASE_S, Fleet, open_fleet, wait_until_it_works
from .test_deploys import postmaster
from .test_scale_out import begin, owner, ticks

pytestmark = [pytest.mark.journey, pytest.mark.fault]
TICKS = 250


@pytest.fixture(params=["postgres", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def fleet(
    request: pytest.FixtureRequest, postgres: str, dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    with open_fleet(request.param, postgres, dsn, tmp_path_factory.mktemp("cut")) as opened:
        yield opened


@pytest.fixture
async def client(fleet: Fleet) -> AsyncIterator[LangGraphClient]:
    """The client of a replica that runs nothing."""
    api = await asyncio.to_thread(fleet.api)
    opened = get_client(url=api.url, api_key=None)
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("how", ["stall", "cut"])
async def test_a_worker_that_is_cut_off_stops_before_another_begins(
    fleet: Fleet, client: LangGraphClient, tmp_path: Path, how: str
) -> None:
    marks = tmp_path / "m"
    async with Wire(fleet.dsn) as one, Wire(fleet.dsn) as two:
        wires = {fleet.worker(ARTEL_STORAGE__POSTGRES=wire.dsn).port: wire for wire in (one, two)}
        for worker in fleet.servers[-2:]:
            await asyncio.to_thread(wait_until_it_works, worker)
        await asyncio.sleep(1.5)  # each has seen the other
        thread, run = await begin(client, "ticks", marks, TICKS, 0.03)
        await eventually(lambda: len(ticks(marks)) > 5)
        far = owner(fleet, marks)
        wire = wires[far.port]
        assert far.process
        pid = far.process.pid

        wire.stall() if how == "stall" else wire.cut()
        started = time.time()
        await eventually(lambda: any(who != pid for who, _, _ in ticks(marks)), within_s=LEASE_S + 6)
        begun = next(at for who, _, at in ticks(marks) if who != pid)
        await asyncio.sleep(1)
        wire.mend()
        state: Any = await client.runs.join(thread, run)
        await asyncio.sleep(1)
        for worker in fleet.servers[-2:]:
            assert await asyncio.to_thread(worker.stop) < 10

    stopped = max(at for who, _, at in ticks(marks) if who == pid)
    sys.stdout.write(
        f"\n{how}: it stopped {stopped - started:.2f} s after, another began {begun - started:.2f} s after\n"
    )
    assert stopped < begun, "never do two run it at once"
    assert begun - started < LEASE_S + 2
    assert state["ticked"] == TICKS
    assert [number for who, number, _ in ticks(marks) if who != pid] == list(range(TICKS))
    parts = [part async for part in client.runs.join_stream(thread, run, last_event_id="-1")]
    assert [part.data["attempt"] for part in parts if part.event == "metadata"] == [1, 2]
    ids = [int(part.id or 0) for part in parts]
    assert ids == sorted(set(ids))
    last = [part.data["number"] for part in parts if part.event == "custom"][-TICKS:]
    assert last == list(range(TICKS)), "what the old attempt still said is not among the new one's events"
    assert checkpoints_of(fleet.dsn, thread) == 3, "the input, the step before it, and its end: each once"


def checkpoints_of(dsn: str, thread: str) -> int:
    """Count what was put down on a thread."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select count(*) from checkpoints where thread_id = %s", (thread,)).fetchone()
    assert row
    return int(row[0])


async def test_a_worker_that_was_cut_off_works_again(
    fleet: Fleet, client: LangGraphClient, tmp_path: Path
) -> None:
    async with Wire(fleet.dsn) as wire:
        far = fleet.worker(ARTEL_STORAGE__POSTGRES=wire.dsn)
        await asyncio.to_thread(wait_until_it_works, far)
        wire.cut()
        await asyncio.sleep(2)
        wire.mend()
        thread, run = await begin(client, "steps", tmp_path / "m", 3, 0.01)
        state: Any = await asyncio.wait_for(client.runs.join(thread, run), timeout=15)
        assert state["counted"] == [0, 1, 2]
        await asyncio.to_thread(far.stop)


async def test_a_worker_that_is_told_to_stop_while_it_is_cut_off_does(
    fleet: Fleet, client: LangGraphClient, tmp_path: Path
) -> None:
    marks = tmp_path / "m"
    async with Wire(fleet.dsn) as wire:
        far = fleet.worker(ARTEL_STORAGE__POSTGRES=wire.dsn, ARTEL_ENGINE__GRACE_S="1")
        await asyncio.to_thread(wait_until_it_works, far)
        await begin(client, "ticks", marks, TICKS, 0.03)
        await eventually(lambda: len(ticks(marks)) > 5)
        wire.cut()
        assert await asyncio.to_thread(far.stop) < 25


async def test_a_restart_of_postgres_steals_nothing_from_workers_that_live(
    make_server: type[Server], tmp_path: Path
) -> None:
    one, two = make_server(data=tmp_path / "data").start(), make_server(data=tmp_path / "data").start()
    accepted = [
        (*await begin((one, two)[n % 2].client, "steps", tmp_path / f"m{n}", 40, 0.15), tmp_path / f"m{n}")
        for n in range(6)
    ]
    await eventually(lambda: all(m.exists() and len(m.read_text().split()) > 2 for _, _, m in accepted))

    os.kill(postmaster(tmp_path / "data"), signal.SIGQUIT)
    killed_at = time.monotonic()

    for thread, run, marks in accepted:
        state = await patient(one, thread, run)
        assert state["counted"] == list(range(40))
        done = marks.read_text().split()
        assert sorted(map(int, done)) == list(range(40)), (
            "a step was repeated: the run was taken from its worker"
        )
        parts = [p async for p in two.client.runs.join_stream(thread, run, last_event_id="-1")]
        assert [p.data["attempt"] for p in parts if p.event == "metadata"] == [1]
    assert time.monotonic() - killed_at < 60


async def patient(server: Server, thread: str, run: str) -> Any:
    """Join as a client does that takes a 503 for what it says: try again later."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(httpx.HTTPError):
                return await server.client.runs.join(thread, run)
            await asyncio.sleep(0.2)
