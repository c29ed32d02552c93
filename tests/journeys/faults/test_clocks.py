"""Hosts whose clocks are an hour off: only the database's time counts."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import Crew, open_crew, workspace
from tests.journeys.fleet import LEASE_S
from tests.journeys.test_scale_out import begin, ticks

pytestmark = pytest.mark.journey
HOUR_S = 3600
TIMEOUT_S = 3
CLOCKS = Path(__file__).parent / "clocks"


@pytest.fixture(scope="module", params=[HOUR_S, -HOUR_S], ids=["fast", "slow"])
def skewed(
    request: pytest.FixtureRequest, postgres: str, dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crew]:
    """A crew of which the replica and one worker are an hour off, and the other worker is not."""
    wrong = {"PYTHONPATH": str(CLOCKS), "SHIFT_S": str(request.param)}
    timeout = {"ARTEL_ENGINE__APPROVAL_TIMEOUT_S": str(TIMEOUT_S)}
    folder = tmp_path_factory.mktemp("skewed")
    with open_crew(postgres, dsn, folder, env=timeout, of={"api": wrong, "one": wrong}) as crew:
        yield crew


async def test_clocks_are_an_hour_off(
    skewed: Crew, request: pytest.FixtureRequest, tmp_path: Path, tally: Tally
) -> None:
    which = f"clocks an hour {request.node.callspec.id}"
    told = await asyncio.gather(
        delayed(skewed, tmp_path), leased(skewed, tmp_path), scheduled(skewed, tmp_path), asked(skewed)
    )
    for name, (lost, doubled, recovery_s) in zip(
        ("delayed runs", "leases", "a cron", "time limits"), told, strict=True
    ):
        tally(f"{which}: {name}", lost=lost, doubled=doubled, recovery_s=recovery_s)
    await skewed.close_clients()


async def delayed(crew: Crew, folder: Path) -> tuple[int, int, float]:
    """Runs that shall begin in two seconds do, and not before: whoever takes the order."""
    early, latest = 0, 0.0
    for number, server in enumerate((crew.api, *crew.workers.values())):
        thread = (await server.client.threads.create())["thread_id"]
        task: dict[str, Any] = {"n": 1, "pause_s": 0, "marks": str(folder / f"delayed-{number}")}
        ordered = time.monotonic()
        run = await server.client.runs.create(thread, "steps", input=task, after_seconds=2)
        await asyncio.wait_for(server.client.runs.join(thread, run["run_id"]), timeout=20)
        row = crew.run(run["run_id"])
        early += (row["started_at"] - row["created_at"]).total_seconds() < 1.9
        latest = max(latest, time.monotonic() - ordered - 2)
    return 0, early, latest


async def leased(crew: Crew, folder: Path) -> tuple[int, int, float]:
    """Nobody takes a run from a worker that lives."""
    n = round((LEASE_S + 2) / 0.1)
    begun = [await begin(crew.client, "ticks", folder / f"leased-{i}", n, 0.1) for i in range(4)]
    stolen = 0
    for number, (thread, run) in enumerate(begun):
        await asyncio.wait_for(crew.client.runs.join(thread, run), timeout=40)
        stolen += len(ticks(folder / f"leased-{number}")) - n
    return 0, stolen, 0.0


async def scheduled(crew: Crew, folder: Path) -> tuple[int, int, float]:
    """A cron fires at each of its ticks, once."""
    assistant = "steps"
    task: dict[str, Any] = {"n": 1, "pause_s": 0, "marks": str(folder / "cron")}
    thread = (await crew.client.threads.create())["thread_id"]
    cron: Any = await crew.client.crons.create_for_thread(
        thread, assistant, schedule="* * * * * */2", input=task
    )
    await asyncio.sleep(7)
    await crew.client.crons.delete(str(cron["cron_id"]))
    rows = crew.rows("select created_at from runs where cron_id = %(id)s order by 1", id=cron["cron_id"])
    seconds = [int(row["created_at"].timestamp()) // 2 for row in rows]
    first_s = (rows[0]["created_at"] - made_at(crew, thread)).total_seconds() if rows else 99.0
    missed = [tick for tick in range(seconds[0], seconds[-1] + 1) if tick not in seconds] if rows else ["all"]
    return len(missed) + (len(rows) < 3), len(seconds) - len(set(seconds)), first_s


def made_at(crew: Crew, thread: str) -> Any:
    """Return when a thread was made, as the database has it."""
    return crew.rows("select created_at from threads where thread_id = %(id)s", id=thread)[0]["created_at"]


async def asked(crew: Crew) -> tuple[int, int, float]:
    """A question can be answered for as long as it says, and no longer, whoever asked it."""
    early, latest, waiting = 0, 0.0, []
    for _ in range(4):
        thread = (await crew.client.threads.create())["thread_id"]
        said: dict[str, Any] = {"messages": [{"role": "user", "content": "Change a to ab"}]}
        folder = workspace(crew.fleet.folder)
        await crew.client.runs.wait(thread, "coder", input=said, context={"workspace": str(folder)})
        waiting.append(thread)
    until = time.monotonic() + 20
    query = "select asked_at, decided_at from approvals where thread_id = any(%(ids)s::uuid[])"
    rows = crew.rows(query, ids=waiting)
    while time.monotonic() < until and not all(row["decided_at"] for row in rows):
        await asyncio.sleep(0.1)
        rows = crew.rows(query, ids=waiting)
    for row in (row for row in rows if row["decided_at"]):
        open_s = (row["decided_at"] - row["asked_at"]).total_seconds()
        early += open_s < TIMEOUT_S
        latest = max(latest, open_s - TIMEOUT_S)
    return 4 - sum(bool(row["decided_at"]) for row in rows), early, latest
