"""`kill -9` at every boundary of a run, each twice: what was under way is undone, or done but unheard."""

import asyncio
import contextlib
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.waiting import eventually
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import Crew
from tests.journeys.faults.holding import held
from tests.journeys.test_scale_out import begin, ticks

pytestmark = [
    pytest.mark.journey,
    pytest.mark.parametrize("committed", [False, True], ids=["undone", "unheard"]),
]
STEPS = 6


def how(boundary: str, committed: bool) -> str:
    """Name a fault."""
    return f"kill -9 {boundary}, {'done but unheard' if committed else 'undone'}"


def marked(marks: Path) -> Counter[int]:
    """Return how often each step was begun."""
    return Counter(map(int, words(marks))) if marks.exists() else Counter()


def words(marks: Path) -> list[str]:
    """Return what was marked."""
    return marks.read_text().split()


async def steps(crew: Crew, marks: Path, n: int = STEPS, pause_s: float = 0.15) -> tuple[str, str]:
    """Begin a run of some steps and wait until it is in the middle of them."""
    thread, run = await begin(crew.client, "steps", marks, n, pause_s)
    await eventually(lambda: len(marked(marks)) >= 2)
    return thread, run


async def counted(crew: Crew, thread: str, run: str, n: int = STEPS) -> list[int]:
    """Wait for the end of a run; the steps that are missing in what came of it."""
    state: Any = await asyncio.wait_for(crew.client.runs.join(thread, run), timeout=30)
    assert crew.run(run)["status"] == "success", crew.run(run)
    assert state["counted"] == sorted(set(state["counted"])), state
    return [number for number in range(n) if number not in state["counted"]]


async def unsound(crew: Crew, thread: str, run: str) -> list[str]:
    """Return which event ids of a run were given twice, and what its log says too often of its end."""
    parts = await crew.events(thread, run)
    ids = Counter(part.id for part in parts if part.id)
    twice = [str(id_) for id_, times in ids.items() if times > 1]
    attempts = [part.data["attempt"] for part in parts if part.event == "metadata"]
    assert [int(i) for i in ids] == sorted(int(i) for i in ids)
    return twice + [f"attempt {n}" for n, times in Counter(attempts).items() if times > 1]


async def test_at_the_claim(crew: Crew, marks: Path, tally: Tally, committed: bool) -> None:
    thread = (await crew.client.threads.create())["thread_id"]
    task: dict[str, Any] = {"n": STEPS, "pause_s": 0.02, "marks": str(marks)}
    run = (await crew.client.runs.create(thread, "steps", input=task, durability="sync", after_seconds=1))[
        "run_id"
    ]
    taken = f"new.run_id = '{run}' and old.status = 'pending' and new.status = 'running'"
    with held(crew.dsn, "runs", "after update", taken) as hold:
        killed_at = await crew.kill(await hold.reached())
        hold.let_go(committed=committed)
        recovery_s = await crew.moves_on(run, int(committed), since=killed_at)
    lost = await counted(crew, thread, run)
    doubled = [n for n, times in marked(marks).items() if times > 1] + await unsound(crew, thread, run)
    tally(how("at the claim", committed), lost=lost, doubled=doubled, recovery_s=recovery_s)


async def test_while_a_run_is_accepted(crew: Crew, marks: Path, tally: Tally, committed: bool) -> None:
    """Its client hears nothing, and asks again elsewhere with the same Idempotency-Key."""
    thread = (await crew.client.threads.create())["thread_id"]
    order = {
        "assistant_id": "steps",
        "input": {"n": STEPS, "pause_s": 0.02, "marks": str(marks)},
        "durability": "sync",
    }

    async def ask(url: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=url, timeout=20) as http:
            headers = {"Idempotency-Key": f"key-{thread}"}
            return await http.post(f"/threads/{thread}/runs", json=order, headers=headers)

    with held(crew.dsn, "runs", "after insert", f"new.thread_id = '{thread}'") as hold:
        asked = asyncio.create_task(ask(crew.workers["one"].url))
        assert await hold.reached() == "one"
        killed_at = await crew.kill("one")
        with contextlib.suppress(httpx.HTTPError):
            await asked
        hold.let_go(committed=committed)
    run = (await ask(crew.workers["two"].url)).json()["run_id"]
    await eventually(lambda: bool(marked(marks)))
    recovery_s = time.monotonic() - killed_at

    lost = await counted(crew, thread, run)
    runs = await crew.client.runs.list(thread)
    doubled = [n for n, times in marked(marks).items() if times > 1] + runs[1:]
    tally(how("while a run is accepted", committed), lost=lost, doubled=doubled, recovery_s=recovery_s)


async def test_at_a_checkpoint(crew: Crew, marks: Path, tally: Tally, committed: bool) -> None:
    thread, run = await steps(crew, marks)
    with held(crew.dsn, "checkpoints", "before insert", f"new.thread_id = '{thread}'") as hold:
        killed_at = await crew.kill(await hold.reached())
        under_way = max(marked(marks))
        hold.let_go(committed=committed)
        recovery_s = await crew.moves_on(run, since=killed_at)
    lost = await counted(crew, thread, run)
    again = {under_way} if not committed else set()
    doubled = [n for n, times in marked(marks).items() if times > 1 + (n in again)]
    doubled_ids = await unsound(crew, thread, run)
    tally(how("at a checkpoint", committed), lost=lost, doubled=doubled + doubled_ids, recovery_s=recovery_s)


async def test_between_a_checkpoint_and_its_events(
    crew: Crew, marks: Path, tally: Tally, committed: bool
) -> None:
    thread, run = await steps(crew, marks, 12)
    saved = "select count(*) as n from checkpoints where thread_id = %(id)s"
    with held(crew.dsn, "run_events", "before insert", f"new.run_id = '{run}'") as hold:
        name = await hold.reached()
        before = crew.rows(saved, id=thread)[0]["n"]
        await eventually(lambda: crew.rows(saved, id=thread)[0]["n"] > before)
        killed_at = await crew.kill(name)
        done = crew.rows(saved, id=thread)[0]["n"] - 2  # the input, and the step before it, count nothing
        hold.let_go(committed=committed)
        recovery_s = await crew.moves_on(run, since=killed_at)
    lost = await counted(crew, thread, run, 12)
    values = [p.data["counted"] for p in await crew.events(thread, run) if p.event == "values"]
    assert values[-1] == list(range(12))
    doubled = [n for n, times in marked(marks).items() if n < done and times > 1]
    doubled_ids = await unsound(crew, thread, run)
    fault = how("between a checkpoint and its events", committed)
    tally(fault, lost=lost, doubled=doubled + doubled_ids, recovery_s=recovery_s)


async def test_in_a_flush_of_the_events_of_many_runs(
    crew: Crew, tmp_path: Path, tally: Tally, committed: bool
) -> None:
    n = 60
    begun = [await begin(crew.client, "ticks", tmp_path / f"m{i}", n, 0.03) for i in range(6)]
    await eventually(lambda: all(len(ticks(tmp_path / f"m{i}")) > 5 for i in range(6)))
    with held(crew.dsn, "run_events", "before insert", f"new.run_id = '{begun[-1][1]}'") as hold:
        name = await hold.reached()
        taken = [run for _, run in begun if crew.holder(run) == name]
        killed_at = await crew.kill(name)
        hold.let_go(committed=committed)
        recovery_s = max([await crew.moves_on(run, since=killed_at) for run in taken])
    lost: list[Any] = []
    doubled: list[Any] = []
    for thread, run in begun:
        await asyncio.wait_for(crew.client.runs.join(thread, run), timeout=30)
        parts = await crew.events(thread, run)
        again = max(i for i, part in enumerate(parts) if part.event == "metadata")
        told = [part.data["number"] for part in parts[again:] if part.event == "custom"]
        lost += sorted(set(range(n)) - set(told))
        doubled += [i for i, times in Counter(told).items() if times > 1] + await unsound(crew, thread, run)
    fault = how("in a flush of the events of its runs", committed)
    tally(fault, lost=lost, doubled=doubled, recovery_s=recovery_s)


async def test_between_a_checkpoint_and_the_row_of_its_question(
    crew: Crew, marks: Path, tally: Tally, committed: bool
) -> None:
    thread = (await crew.client.threads.create())["thread_id"]
    with held(crew.dsn, "approvals", "before insert", f"new.thread_id = '{thread}'") as hold:
        run = (await crew.client.runs.create(thread, "gate", input={"marks": str(marks)}))["run_id"]
        killed_at = await crew.kill(await hold.reached())
        hold.let_go(committed=committed)
        recovery_s = await crew.moves_on(run, since=killed_at)
    await asyncio.wait_for(crew.client.runs.join(thread, run), timeout=20)
    asked = crew.rows("select * from approvals where thread_id = %(id)s", id=thread)
    waits = await crew.client.threads.get(thread)
    assert waits["status"] == "interrupted"
    shown = sum(len(questions) for questions in waits["interrupts"].values())

    await asyncio.wait_for(crew.client.runs.wait(thread, "gate", command={"resume": "yes"}), timeout=20)

    heard = words(marks)
    lost = (not asked) + (not shown) + ("yes" not in heard)
    doubled = len(asked[1:]) + max(shown - 1, 0) + len(heard[1:])
    fault = how("between a checkpoint and the row of its question", committed)
    tally(fault, lost=lost, doubled=doubled, recovery_s=recovery_s)


async def test_at_the_commit_of_an_ending(crew: Crew, marks: Path, tally: Tally, committed: bool) -> None:
    """The next run of the thread is taken in that very commit."""
    thread, run = await steps(crew, marks, 4)
    second = marks.with_name("second")
    task: dict[str, Any] = {"n": 4, "pause_s": 0.02, "marks": str(second), "counted": []}
    after = (await crew.client.runs.create(thread, "steps", input=task, durability="sync"))["run_id"]
    ended = f"new.run_id = '{run}' and new.status = 'success'"
    with held(crew.dsn, "runs", "update", ended, at_commit=True) as hold:
        killed_at = await crew.kill(await hold.reached())
        hold.let_go(committed=committed)
        recovery_s = await crew.moves_on(run, since=killed_at)
        recovery_s = max(recovery_s, await crew.moves_on(after, int(committed), since=killed_at))
    state: Any = await asyncio.wait_for(crew.client.runs.join(thread, after), timeout=30)
    first: Any = await crew.client.runs.join(thread, run)
    lost: list[Any] = [n for n in range(4) if n not in first["counted"]]
    lost += [] if marked(second) else ["the next run"]
    assert state["counted"][:4] == [0, 1, 2, 3]
    doubled = [n for n, times in marked(marks).items() if times > 1]
    doubled += [n for n, times in marked(second).items() if times > 1]
    ids = await unsound(crew, thread, run) + await unsound(crew, thread, after)
    tally(
        how("at the commit of an ending", committed), lost=lost, doubled=doubled + ids, recovery_s=recovery_s
    )


async def test_in_a_step_that_takes_its_process_down(
    crew: Crew, marks: Path, tally: Tally, committed: bool
) -> None:
    """Twice in a row: the second worker falls at the same step as the first."""
    at = 1 + committed
    thread = (await crew.client.threads.create())["thread_id"]
    task: dict[str, Any] = {"n": STEPS, "at": at, "marks": str(marks)}
    run = (await crew.client.runs.create(thread, "falls", input=task, durability="sync"))["run_id"]
    await eventually(lambda: at in marked(marks))
    fallen_at = time.monotonic()
    recovery_s = await crew.moves_on(run, since=fallen_at)
    lost = await counted(crew, thread, run)
    for worker in crew.workers.values():
        if worker.process and worker.process.poll() is not None:
            worker.process = None
    doubled = [n for n, times in marked(marks).items() if times > 1 + (n == at)]
    doubled_ids = await unsound(crew, thread, run)
    tally(
        f"a step takes its process down, step {at}",
        lost=lost,
        doubled=doubled + doubled_ids,
        recovery_s=recovery_s,
    )
