"""The audit log survives what kills workers: what may have happened is on record, and the chain holds."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import Crew, workspace
from tests.journeys.faults.holding import held
from tests.journeys.faults.test_effects import approve, ask, changes, ended

from artel.storage import audit
from artel.storage.postgres import connect

pytestmark = pytest.mark.journey
BOUNDARIES = {
    "at the note of its intent": ("intent", False, 1),
    "its intent noted and unheard": ("intent", True, 2),
    "changed, at the note of its result": ("result", False, 2),
    "changed, its result noted and unheard": ("result", True, 2),
}


@pytest.fixture
def folder(crew: Crew) -> Path:
    return workspace(crew.fleet.folder)


async def record(crew: Crew, thread: str) -> list[dict[str, Any]]:
    """Return what is on record of a thread, oldest first; the whole chain holds."""
    async with await connect(crew.dsn) as conn:
        _, broken = await audit.verify(conn, "local")
        found = [link.body async for link in audit.walk(conn, "local")]
    assert broken is None
    return [one for one in found if one.get("thread_id") == thread]


@pytest.mark.parametrize("boundary", BOUNDARIES)
async def test_a_worker_is_killed_around_an_entry(
    crew: Crew, folder: Path, tally: Tally, boundary: str
) -> None:
    thread = (await crew.client.threads.create())["thread_id"]
    asked = await ask(crew, thread, folder)
    kind, committed, intents = BOUNDARIES[boundary]
    about = f"new.entry ->> 'thread_id' = '{thread}' and new.entry ->> 'kind' = '{kind}'"
    with held(crew.dsn, "audit", "before insert", about) as hold:
        run = await approve(crew, asked)
        killed_at = await crew.kill(await hold.reached())
        hold.let_go(committed=committed)
        recovery_s = await crew.moves_on(run, since=killed_at)
    await ended(crew, thread, run)
    made = changes(folder)
    tally(f"kill -9, {boundary}", lost=max(1 - made, 0), doubled=max(made - 1, 0), recovery_s=recovery_s)
    found = await record(crew, thread)
    kinds = [one["kind"] for one in found if one.get("tool") == "edit_file"]
    assert kinds[:2] == ["verdict", "decision"]
    assert (kinds.count("intent"), kinds[-1]) == (intents, "result")
    assert found[-1]["status"] == "ok"


async def test_an_api_that_stands_still_holds_up_no_other(crew: Crew, folder: Path, tally: Tally) -> None:
    """Calls of all threads share a chain: whoever answers holds it for the commit alone."""
    frozen, free = [(await crew.client.threads.create())["thread_id"] for _ in range(2)]
    held_up = await ask(crew, frozen, folder)
    other = workspace(crew.fleet.folder)
    asked = await ask(crew, free, other)
    with held(crew.dsn, "audit_at_commit", "before insert", f"new.entry like '%{frozen}%'") as hold:
        waiting = asyncio.create_task(approve(crew, held_up))
        await hold.reached()
        began = asyncio.get_running_loop().time()
        await ended(crew, free, await approve(crew, asked))
        took_s = asyncio.get_running_loop().time() - began
        hold.let_go(committed=True)
        await ended(crew, frozen, await waiting)
    made = changes(folder) + changes(other)
    tally("an answer stands still", lost=2 - made, doubled=max(made - 2, 0), recovery_s=took_s)
