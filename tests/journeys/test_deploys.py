"""What operations do to a server under load: a polite stop, and a database that goes away for a moment."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
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


async def test_a_database_that_is_killed_under_load_loses_no_run(server: Server, marks: Path) -> None:
    accepted = await load(server, marks, 8)

    postmaster = next(
        child
        for child in psutil.process_iter(["cmdline"])
        if any(str(server.data) in part for part in child.info["cmdline"] or ())
        and "postgres" in " ".join(child.info["cmdline"] or ())
        and "-D" in (child.info["cmdline"] or ())
    )
    os.kill(postmaster.pid, signal.SIGQUIT)

    for thread, run_id in accepted:
        state = await asyncio.wait_for(server.client.runs.join(thread, run_id), timeout=60)
        assert state["counted"] == list(range(8))
        assert (await server.client.runs.get(thread, run_id))["status"] == "success"
