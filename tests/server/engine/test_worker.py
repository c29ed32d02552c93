"""Runs from start to end in one process."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.engines import Driver, Open, Stage

from artel.server.engine import worker
from artel.storage import runs


async def test_a_run_streams_from_its_metadata_to_its_end(driver: Driver, stage: Stage) -> None:
    run = await driver.start("three")
    events = await driver.events(run)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert events[0].type == "metadata"
    assert json.loads(events[0].data) == {"run_id": str(run.run_id), "attempt": 1}
    assert events[-1].type == "run.ended"
    assert json.loads(events[-1].data) == {"status": "success", "thread_status": "idle"}
    assert [json.loads(e.data) for e in events if e.type == "updates"] == [
        {n: {"trail": [n]}} for n in ("a", "b", "c")
    ]
    assert stage.did == ["a", "b", "c"]
    assert (await driver.end(run)).status == "success"
    assert (await driver.of_thread(run.thread_id)).status == "idle"


async def test_a_replay_after_the_end_equals_the_live_stream(driver: Driver) -> None:
    run = await driver.start("talk")
    live = await driver.events(run)
    assert await driver.events(run) == live
    middle = len(live) // 2
    assert await driver.events(run, after=live[middle].seq) == live[middle + 1 :]
    assert await driver.events(run, after=None) == []


async def test_a_run_whose_steps_the_database_cannot_take_fails_and_says_why(driver: Driver) -> None:
    run = await driver.start("unwritable")
    ended = await driver.end(run)
    assert ended.status == "error"
    assert "0x00" in str(ended.error)
    assert (await driver.of_thread(run.thread_id)).status == "error"
    again = await driver.start("three", thread_id=run.thread_id)
    assert (await driver.end(again)).status == "success"


@pytest.mark.parametrize("between", [0, 1, 2, 3, 4])
async def test_two_who_stop_a_run_at_once_leave_no_step_behind(
    driver: Driver, stage: Stage, between: int
) -> None:
    """LangGraph cancels steps in a task of its own: cancelled before it begins, it cancels none."""
    run = await driver.start("slow", stream_mode=["custom", "values"])
    await stage.reached.wait()
    driver.engine.live[run.run_id].stop("interrupt")
    for _ in range(between):
        await asyncio.sleep(0)
    driver.engine.live[run.run_id].stop("interrupt")
    assert (await driver.end(run)).status == "interrupted"
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "wait"]


def held(taking: Callable[..., Any], taken: asyncio.Event, go: asyncio.Event) -> Callable[..., Any]:
    """Let whoever takes a run from the queue learn of it late."""

    async def late(*args: Any, **kwargs: Any) -> Any:
        got = await taking(*args, **kwargs)
        if got:
            taken.set()
            await go.wait()
        return got

    return late


@pytest.mark.parametrize("fast", [False, True], ids=["from the queue", "as it is accepted"])
async def test_a_run_taken_in_the_moment_in_which_the_worker_goes_home_is_left_whole_to_others(
    opened: Open, stage: Stage, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    driver, taken, go = await opened(), asyncio.Event(), asyncio.Event()
    name = "start_on_free_thread" if fast else "claim"
    with monkeypatch.context() as patch:
        patch.setattr(runs, name, held(getattr(runs, name), taken, go))
        starting = asyncio.create_task(driver.start("slow", fast=fast))
        await asyncio.wait_for(taken.wait(), timeout=5)
        draining = asyncio.create_task(worker.drain(driver.engine))
        await asyncio.sleep(0.05)
        go.set()
        run = await starting
        await asyncio.wait_for(draining, timeout=1)
    assert stage.did == [], "a step was begun, only to be broken off"
    left = await driver.row(run)
    assert (left.status, left.worker_id) == ("pending", None)
    assert not driver.engine.live

    stage.gate.set()
    other = await opened()
    assert (await other.end(run)).status == "success"
    assert stage.did == ["a", "wait", "c"]
