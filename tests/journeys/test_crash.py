"""What survives `kill -9`: every accepted run reaches its end, and nothing acknowledged is lost."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk.schema import StreamPart
from tests.fakes.waiting import eventually

from .conftest import Server

pytestmark = pytest.mark.journey


def lines(marks: Path) -> list[str]:
    """Return what was marked so far."""
    return marks.read_text().split()


async def test_a_run_killed_in_mid_step_goes_on_from_its_last_checkpoint(server: Server, marks: Path) -> None:
    thread = await server.client.threads.create()
    task: dict[str, Any] = {"n": 8, "pause_s": 0.15, "marks": str(marks)}
    run = await server.client.runs.create(thread["thread_id"], "steps", input=task, durability="sync")
    await eventually(lambda: len(lines(marks)) >= 4)

    server.kill()
    server.start()
    state = await server.client.runs.join(thread["thread_id"], run["run_id"])

    assert state["counted"] == list(range(8))
    assert set(lines(marks)) == {str(i) for i in range(8)}
    repeated = [mark for mark, times in Counter(lines(marks)).items() if times > 1]
    assert len(repeated) <= 1, f"only the step in flight may run twice, but {repeated} did"
    ended = await server.client.runs.get(thread["thread_id"], run["run_id"])
    assert ended["status"] == "success"


async def test_another_worker_takes_a_dead_ones_run_over_on_the_same_stream(
    make_server: type[Server], tmp_path: Path, marks: Path
) -> None:
    first = make_server(data=tmp_path / "data").start()
    second = make_server(data=tmp_path / "data").start()
    thread = (await first.client.threads.create())["thread_id"]
    task: dict[str, Any] = {"n": 10, "pause_s": 0.2, "marks": str(marks)}
    accepted = first.client.runs.stream(thread, "steps", input=task, durability="sync")
    run = (await anext(aiter(accepted))).data["run_id"]
    followed = asyncio.create_task(follow(second, thread, run))
    await eventually(lambda: len(lines(marks)) >= 3)

    seen = len(lines(marks))
    killed_at = time.monotonic()
    first.kill()
    await eventually(lambda: len(lines(marks)) > seen, within_s=8)
    took_s = time.monotonic() - killed_at
    events = await asyncio.wait_for(followed, timeout=30)

    state = await second.client.runs.join(thread, run)
    assert state["counted"] == list(range(10))
    assert took_s < 6, f"the take-over took {took_s:.1f} s"
    numbers = [int(event.id or 0) for event in events]
    assert numbers == sorted(set(numbers)), "event ids rise, and none is used twice"
    assert [event.data["attempt"] for event in events if event.event == "metadata"] == [1, 2]
    assert [event.data for event in events if event.event == "values"][-1] == state


async def follow(server: Server, thread: str, run: str) -> list[StreamPart]:
    """Return all events of a run, from its first to its last."""
    return [part async for part in server.client.runs.join_stream(thread, run, last_event_id="-1")]


async def test_a_question_outlives_a_crash_and_its_answer_goes_on(server: Server, marks: Path) -> None:
    thread = (await server.client.threads.create())["thread_id"]
    await server.client.runs.wait(thread, "gate", input={"marks": str(marks)})
    assert (await server.client.threads.get(thread))["status"] == "interrupted"

    server.kill()
    server.start()
    waiting = await server.client.threads.get(thread)
    assert waiting["status"] == "interrupted"
    await server.client.runs.wait(thread, "gate", command={"resume": "yes"})

    assert lines(marks) == ["yes"]
    assert (await server.client.threads.get(thread))["status"] == "idle"


async def test_thirty_accepted_runs_all_end_after_a_crash(server: Server, marks: Path) -> None:
    task: dict[str, Any] = {"n": 3, "pause_s": 0.05, "marks": str(marks)}
    accepted: list[tuple[str, str]] = []
    for _ in range(30):
        thread = (await server.client.threads.create())["thread_id"]
        run = await server.client.runs.create(thread, "steps", input=task, durability="sync")
        accepted.append((thread, run["run_id"]))

    server.kill()
    server.start()

    for thread, run_id in accepted:
        state = await server.client.runs.join(thread, run_id)
        assert state["counted"] == [0, 1, 2]
        assert (await server.client.runs.get(thread, run_id))["status"] == "success"


async def test_a_run_that_kills_its_worker_every_time_ends_in_an_error(
    make_server: type[Server], tmp_path: Path
) -> None:
    server = make_server(data=tmp_path / "data").start()
    thread = (await server.client.threads.create())["thread_id"]
    run = await server.client.runs.create(thread, "poison", input={"thread": thread})
    for _ in range(3):
        assert server.process is not None
        await asyncio.to_thread(server.process.wait, 20)
        server.process = None
        with suppress(AssertionError):  # the run may kill it again before it answers
            server.start()
    assert server.process is not None
    assert server.process.poll() is None, server.log

    ended = await server.client.runs.join(thread, run["run_id"])

    assert (await server.client.runs.get(thread, run["run_id"]))["status"] == "error"
    assert "attempts" in ended["__error__"]["message"]
