"""What is delivered twice counts once; what waits over a restart is there after it."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from tests.fakes.waiting import eventually
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import Crew, workspace
from tests.journeys.faults.test_effects import ask, changes, ended
from tests.journeys.test_scale_out import begin

pytestmark = pytest.mark.journey
T = TypeVar("T")
TIMES = 20
WAITING = """
select count(*) as n from approvals where status = 'pending' and thread_id = any(%(ids)s::uuid[])
"""
NOT_DONE = "select count(*) as n from threads where status <> 'idle' and thread_id = any(%(ids)s::uuid[])"


def begun_of(marks: Path) -> Counter[str]:
    """Return how often each step was begun."""
    return Counter(marks.read_text().split())


async def all_of(work: Sequence[Callable[[], Awaitable[T]]], *, at_once: int = TIMES) -> list[T]:
    """Do all of it, some at once."""
    gate = asyncio.Semaphore(at_once)

    async def one(do: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await do()

    return list(await asyncio.gather(*map(one, work)))


async def test_one_answer_is_sent_20_times_at_once(crew: Crew, tally: Tally) -> None:
    folder = workspace(crew.fleet.folder)
    thread = (await crew.client.threads.create())["thread_id"]
    asked = await ask(crew, thread, folder)
    urls = itertools.cycle(server.url for server in crew.servers.values())
    started = time.monotonic()
    async with httpx.AsyncClient(timeout=30) as http:

        def post(url: str) -> Callable[[], Awaitable[httpx.Response]]:
            path = f"{url}/api/v1/approvals/{asked['approval_id']}"
            return lambda: http.post(path, json={"decision": {"type": "approve"}})

        answers = await all_of([post(next(urls)) for _ in range(TIMES)])
    counted = [answer for answer in answers if answer.status_code == 202]
    assert {answer.status_code for answer in answers} == {202, 409}
    await ended(crew, thread, counted[0].json()["run_id"])
    runs = await crew.client.runs.list(thread)
    made = changes(folder)
    doubled = len(counted[1:]) + max(made - 1, 0) + len(runs[2:])
    took_s = time.monotonic() - started
    tally(f"one answer {TIMES} times at once", lost=max(1 - made, 0), doubled=doubled, recovery_s=took_s)


async def test_one_order_is_sent_20_times_at_once(crew: Crew, marks: Path, tally: Tally) -> None:
    thread = (await crew.client.threads.create())["thread_id"]
    order = {"assistant_id": "steps", "input": {"n": 3, "pause_s": 0.01, "marks": str(marks)}}
    urls = itertools.cycle(server.url for server in crew.servers.values())
    started = time.monotonic()
    async with httpx.AsyncClient(timeout=30, headers={"Idempotency-Key": f"once-{thread}"}) as http:

        def post(url: str) -> Callable[[], Awaitable[httpx.Response]]:
            return lambda: http.post(f"{url}/threads/{thread}/runs", json=order)

        answers = await all_of([post(next(urls)) for _ in range(TIMES)])
    assert {answer.status_code for answer in answers} == {200}, Counter(a.text for a in answers)
    ids = {answer.json()["run_id"] for answer in answers}
    state: Any = await crew.client.runs.join(thread, ids.pop())
    took_s = time.monotonic() - started
    steps = begun_of(marks)
    doubled = len(ids) + sum(times > 1 for times in steps.values())
    lost = 3 - len(state["counted"])
    tally(f"one order {TIMES} times at once", lost=lost, doubled=doubled, recovery_s=took_s)


async def test_wake_ups_come_again_and_again(crew: Crew, marks: Path, tally: Tally) -> None:
    """Also those that say what is not so: that a run that goes on has ended, or was cancelled."""
    thread, run = await begin(crew.client, "steps", marks, 8, 0.1)
    started = time.monotonic()
    for topic in ("run.queued", "run.ended", "run.cancel", "run.events", "run.follow"):
        for _ in range(4):
            crew.rows("select pg_notify('artel', %(said)s)::text", said=f"{topic} {run}")
            crew.rows("select pg_notify('artel', %(said)s)::text", said=f"{topic} {uuid4()}")
    state: Any = await asyncio.wait_for(crew.client.runs.join(thread, run), timeout=20)
    took_s = max(time.monotonic() - started - 8 * 0.1, 0.0)
    steps = begun_of(marks)
    lost = 8 - len(state["counted"])
    doubled = [step for step, times in steps.items() if times > 1]
    tally("wake-ups come twice, and wrong ones", lost=lost, doubled=doubled, recovery_s=took_s)


@pytest.mark.parametrize("many", [200, pytest.param(1000, marks=pytest.mark.soak)])
async def test_parked_questions_outlive_everybody(
    crew: Crew, tmp_path: Path, tally: Tally, many: int
) -> None:
    threads = [str(uuid4()) for _ in range(many)]
    urls = itertools.cycle(worker.url for worker in crew.workers.values())
    limits = httpx.Limits(max_connections=60)
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:

        def post(thread: str, body: dict[str, Any]) -> Callable[[], Awaitable[httpx.Response]]:
            url = f"{next(urls)}/threads/{thread}/runs"
            return lambda: http.post(url, json={"assistant_id": "gate", "if_not_exists": "create", **body})

        asked = await all_of([post(t, {"input": {"marks": str(tmp_path / t)}}) for t in threads])
        assert {answer.status_code for answer in asked} == {200}, asked[0].text
        await eventually(lambda: crew.rows(WAITING, ids=threads)[0]["n"] == many, within_s=60 + many / 5)
    for server in crew.servers.values():
        server.kill()
    await asyncio.gather(*(asyncio.to_thread(server.start) for server in crew.servers.values()))
    up_at = time.monotonic()
    assert crew.rows(WAITING, ids=threads)[0]["n"] == many
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:
        first = await post(threads[0], {"command": {"resume": "yes"}})()
        await crew.client.runs.join(threads[0], first.json()["run_id"])
        recovery_s = time.monotonic() - up_at
        said = await all_of([post(t, {"command": {"resume": "yes"}}) for t in threads[1:]], at_once=50)
        assert {answer.status_code for answer in said} == {200}, said[0].text
    await eventually(lambda: crew.rows(NOT_DONE, ids=threads)[0]["n"] == 0, within_s=90 + many / 5)
    heard = {t: (tmp_path / t).read_text().split() if (tmp_path / t).exists() else [] for t in threads}
    lost = [thread for thread, words in heard.items() if words[:1] != ["yes"]]
    doubled = [thread for thread, words in heard.items() if len(words) > 1]
    fault = f"{many} parked questions, everybody is killed, all are answered"
    tally(fault, lost=lost, doubled=doubled, recovery_s=recovery_s)
