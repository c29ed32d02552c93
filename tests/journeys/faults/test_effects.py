"""What an agent does to the world happens once a call: killed in it, with ids that repeat, and in forks."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import Crew, workspace
from tests.journeys.faults.holding import held

pytestmark = pytest.mark.journey
BOUNDARIES = {
    "before a change, at the note of its intent": ("before insert", False),
    "before a change, its intent noted and unheard": ("before insert", True),
    "after a change, at the note of its result": ("before update", False),
    "after a change, its result noted and unheard": ("before update", True),
}


@pytest.fixture
def folder(crew: Crew) -> Path:
    """A folder with one file, `notes.txt`, in which stands one a."""
    return workspace(crew.fleet.folder)


async def ask(crew: Crew, thread: str, folder: Path) -> dict[str, Any]:
    """Let the coder ask for its change; the question."""
    said: dict[str, Any] = {"messages": [{"role": "user", "content": "Change a to ab"}]}
    waiting = crew.client.runs.wait(thread, "coder", input=said, context={"workspace": str(folder)})
    await asyncio.wait_for(waiting, timeout=30)
    return await question(crew, thread)


async def question(crew: Crew, thread: str) -> dict[str, Any]:
    """Return the one open question of a thread."""
    async with httpx.AsyncClient(base_url=crew.api.url, timeout=10) as http:
        found = await http.get("/api/v1/approvals", params={"status": "pending", "thread_id": thread})
    asked: list[dict[str, Any]] = found.json()
    assert len(asked) == 1, asked
    return asked[0]


async def approve(crew: Crew, asked: dict[str, Any]) -> str:
    """Say yes; the run that goes on."""
    async with httpx.AsyncClient(base_url=crew.api.url, timeout=10) as http:
        path = f"/api/v1/approvals/{asked['approval_id']}"
        answered = await http.post(path, json={"decision": {"type": "approve"}})
    assert answered.status_code == 202, answered.text
    return str(answered.json()["run_id"])


async def ended(crew: Crew, thread: str, run: str) -> None:
    """Wait for the end of a run, which is a good one."""
    await asyncio.wait_for(crew.client.runs.join(thread, run), timeout=30)
    assert crew.run(run)["status"] == "success", crew.run(run)


def changes(folder: Path) -> int:
    """Return how often a became ab."""
    text = (folder / "notes.txt").read_text()
    assert text.strip("ab\n") == ""
    return text.count("b")


@pytest.mark.parametrize("boundary", BOUNDARIES)
async def test_a_worker_is_killed_around_a_change(
    crew: Crew, folder: Path, tally: Tally, boundary: str
) -> None:
    thread = (await crew.client.threads.create())["thread_id"]
    asked = await ask(crew, thread, folder)
    moment, committed = BOUNDARIES[boundary]
    with held(crew.dsn, "effects", moment, f"new.thread_id = '{thread}'") as hold:
        run = await approve(crew, asked)
        killed_at = await crew.kill(await hold.reached())
        hold.let_go(committed=committed)
        recovery_s = await crew.moves_on(run, since=killed_at)
    await ended(crew, thread, run)
    made = changes(folder)
    noted = crew.rows("select done_at from effects where thread_id = %(id)s", id=thread)
    assert [bool(row["done_at"]) for row in noted] == [True]
    told = max(made - 1, 0)
    tally(f"kill -9 {boundary}", lost=max(1 - made, 0), doubled=told, recovery_s=recovery_s)


async def test_a_call_id_comes_again_in_every_turn(crew: Crew, folder: Path, tally: Tally) -> None:
    """`call_0` reads, `call_0` changes, and the next turn does the very same: each call is one of its own."""
    turns = 4
    thread = (await crew.client.threads.create())["thread_id"]
    slowest = 0.0
    for turn in range(turns):
        asked = await ask(crew, thread, folder)
        assert changes(folder) == turn, "nothing is changed without a yes of its own"
        started = time.monotonic()
        await ended(crew, thread, await approve(crew, asked))
        slowest = max(slowest, time.monotonic() - started)
    made = changes(folder)
    fault = f"call_0 in each of {turns} turns"
    tally(fault, lost=max(turns - made, 0), doubled=max(made - turns, 0), recovery_s=slowest)


async def test_a_fork_comes_to_a_call_that_was_made(crew: Crew, folder: Path, tally: Tally) -> None:
    """A fork from the question asks again: one yes, one change; without a yes it makes none."""
    thread = (await crew.client.threads.create())["thread_id"]
    await ended(crew, thread, await approve(crew, await ask(crew, thread, folder)))
    assert changes(folder) == 1
    (folder / "notes.txt").write_text("a\n")  # the world of then: the call finds what it saw

    past = await crew.client.threads.get_history(thread, limit=50)
    before = next(
        state for state in past if state["next"] and any(task["interrupts"] for task in state["tasks"])
    )
    forked = crew.client.runs.wait(
        thread, "coder", checkpoint=before["checkpoint"], context={"workspace": str(folder)}
    )
    started = time.monotonic()
    await asyncio.wait_for(forked, timeout=30)
    unasked = changes(folder)
    asked = await question(crew, thread)
    await ended(crew, thread, await approve(crew, asked))
    made = changes(folder)

    took_s = time.monotonic() - started
    tally(
        "a fork comes to a call that was made",
        lost=max(1 - made, 0),
        doubled=unasked + max(made - 1, 0),
        recovery_s=took_s,
    )
