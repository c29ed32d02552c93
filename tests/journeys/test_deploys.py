"""What operations do to a server under load: a polite stop, and a database that goes away for a moment."""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Server

pytestmark = pytest.mark.journey
RUNS = 20


async def load(server: Server, marks: Path, steps: int) -> list[tuple[str, str]]:
    """Start runs of a few steps each; their threads and ids."""
    accepted = []
    for number in range(RUNS):
        thread = (await server.client.threads.create())["thread_id"]
        own = marks.with_name(f"marks-{number}")
        task: dict[str, Any] = {"n": steps, "pause_s": 0.15, "marks": str(own)}
        run = await server.client.runs.create(thread, "steps", input=task, durability="sync")
        accepted.append((thread, run["run_id"]))
    return accepted


async def test_a_polite_stop_under_load_loses_nothing_and_repeats_nothing(
    server: Server, marks: Path
) -> None:
    accepted = await load(server, marks, 6)

    took_s = server.stop()
    server.start()

    assert took_s < 10
    for number, (thread, run_id) in enumerate(accepted):
        state = await server.client.runs.join(thread, run_id)
        assert state["counted"] == list(range(6))
        done = marks.with_name(f"marks-{number}").read_text().split()
        assert Counter(done) == Counter(str(i) for i in range(6)), "a step was repeated or left out"


@pytest.mark.fault
async def test_a_database_that_is_killed_under_load_loses_no_run(server: Server, marks: Path) -> None:
    accepted = await load(server, marks, 8)

    os.kill(postmaster(server.data), signal.SIGQUIT)

    for thread, run_id in accepted:
        state = await patient_join(server, thread, run_id)
        assert state["counted"] == list(range(8))
        assert (await server.client.runs.get(thread, run_id))["status"] == "success"


def postmaster(data: Path) -> int:
    """Return the process id of the embedded database, wherever its cluster lies."""
    clusters = (data / "postgres", data / "postgres.home" / "postgres")
    note = next(folder / "postmaster.pid" for folder in clusters if folder.exists())
    return int(note.read_text().split()[0])


async def patient_join(server: Server, thread: str, run_id: str) -> Any:
    """Join a run as a client does that takes a 503 for what it says: try again later."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(httpx.HTTPStatusError):
                return await server.client.runs.join(thread, run_id)
            await asyncio.sleep(0.2)
