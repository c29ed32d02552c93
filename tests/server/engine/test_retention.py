"""Threads whose time is over go, or their past does; what runs is left alone."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.engines import Driver, Open, Stage

from artel.server.engine import EngineSettings, retention
from artel.server.engine.retention import Retention, retention_of
from artel.server.served import ConfigWrong, Served
from artel.storage import checkpoints, threads
from artel.storage.ids import new_id
from artel.storage.threads import Life, UnknownThread


async def aged(driver: Driver, thread_id: UUID, life: Life) -> UUID:
    """Have a thread untouched for ten minutes."""
    async with driver.db.connection() as conn:
        await threads.patch(conn, thread_id, {}, owner="local", life=life)
        await conn.execute(
            "update threads set updated_at = now() - interval '10 minutes',"
            "                   pruned_at = pruned_at - interval '20 minutes' where thread_id = %s",
            [thread_id],
        )
    return thread_id


async def ran(driver: Driver, graph: str = "three") -> UUID:
    return (await driver.run(graph)).thread_id


async def test_a_thread_goes_when_its_time_is_over_with_all_that_is_on_it(driver: Driver) -> None:
    over = await aged(driver, await ran(driver), Life(5))
    young, kept = await aged(driver, await ran(driver), Life(50)), await ran(driver)

    assert await retention.sweep(driver.engine) == 1
    with pytest.raises(UnknownThread):
        await driver.of_thread(over)
    for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
        rows = await driver.rows(f"select distinct thread_id from {table}")
        assert {row["thread_id"] for row in rows} == {str(young), str(kept)}
    left = await driver.rows(
        "select count(*)::int as n from run_events where run_id not in (select run_id from runs)"
    )
    assert left == [{"n": 0}]
    assert await retention.sweep(driver.engine) == 0


async def test_a_thread_that_keeps_its_state_is_pruned_once_until_something_happens(driver: Driver) -> None:
    thread = await aged(driver, await ran(driver), Life(5, "keep_latest"))

    async def count() -> int:
        rows = await driver.rows(
            "select count(*)::int as n from checkpoints where thread_id = %s", str(thread)
        )
        return int(rows[0]["n"])

    before = await count()
    assert await retention.sweep(driver.engine) == 1
    assert await count() == 1 < before
    assert await retention.sweep(driver.engine) == 0
    assert (await driver.of_thread(thread)).expires_at is None
    await driver.run("three", thread)
    assert (await driver.of_thread(thread)).expires_at is not None
    await aged(driver, thread, Life(5, "keep_latest"))
    assert await retention.sweep(driver.engine) == 1


async def test_a_busy_thread_stays_and_a_waiting_one_goes(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    busy = await aged(driver, run.thread_id, Life(5))
    waiting = await aged(driver, await ran(driver, "ask"), Life(5))

    assert await retention.sweep(driver.engine) == 1
    with pytest.raises(UnknownThread):
        await driver.of_thread(waiting)
    assert not await retention.prune(driver.engine, busy, "delete", owner="local")
    assert not await retention.prune(driver.engine, busy, "keep_latest", owner="local")
    stage.gate.set()
    assert (await driver.end(run)).status == "success"
    assert (await driver.of_thread(busy)).expires_at is not None


async def test_two_processes_share_a_sweep(opened: Open) -> None:
    one, two = await opened(), await opened()
    for _ in range(12):
        await aged(one, await one.thread(), Life(5))

    assert sum(await asyncio.gather(retention.sweep(one.engine), retention.sweep(two.engine))) == 12
    assert await one.rows("select 1 from threads") == []


async def test_new_threads_live_as_long_as_the_settings_say_however_they_are_made(opened: Open) -> None:
    driver = await opened(thread_ttl_min=7, thread_ttl_strategy="keep_latest")
    at_once = await driver.start("three", new_id(), if_not_exists="create")
    queued = await driver.start("three", new_id(), fast=False, if_not_exists="create")

    for run in (at_once, queued):
        thread = await driver.of_thread((await driver.end(run)).thread_id)
        assert (thread.ttl_minutes, thread.ttl_strategy) == (7, "keep_latest")
    await driver.run("three", at_once.thread_id)
    assert (await driver.of_thread(at_once.thread_id)).ttl_minutes == 7


async def test_the_job_sweeps_by_itself(opened: Open) -> None:
    driver = await opened(thread_sweep_s=0.05)
    thread = await aged(driver, await driver.thread(), Life(5))

    async with asyncio.timeout(10):
        while await driver.rows("select 1 from threads where thread_id = %s", thread):  # noqa: ASYNC110 - elsewhere
            await asyncio.sleep(0.02)


async def test_a_server_that_has_just_begun_does_not_sweep_yet(opened: Open) -> None:
    one = await opened()
    thread = await aged(one, await one.thread(), Life(5))
    two = await opened()

    await two.run("three")
    assert await two.rows("select 1 from threads where thread_id = %s", thread)


async def test_a_sweep_takes_no_more_than_it_may(driver: Driver) -> None:
    for _ in range(3):
        await aged(driver, await driver.thread(), Life(5))
    driver.engine.retention = Retention(most=2)

    assert [await retention.sweep(driver.engine) for _ in range(2)] == [2, 1]


def config(checkpointer: Any) -> Served:
    return Served(Path("langgraph.json"), (), (), {}, {"checkpointer": checkpointer})


def test_a_configuration_says_how_long_threads_live_and_a_setting_wins() -> None:
    ttl = {"strategy": "keep_latest", "default_ttl": 90, "sweep_interval_minutes": 2, "sweep_limit": 10}

    assert retention_of(EngineSettings(), None) == Retention(Life(None), 300, 1000)
    assert retention_of(EngineSettings(), config({"path": "x.py:y"})) == Retention()
    assert retention_of(EngineSettings(), config({"ttl": None})) == Retention()
    given = retention_of(EngineSettings(), config({"ttl": ttl}))
    assert given == Retention(Life(90, "keep_latest"), 120, 10)
    own = EngineSettings(thread_ttl_min=5, thread_sweep_s=1)
    assert retention_of(own, config({"ttl": ttl})) == Retention(Life(5, "delete"), 1, 10)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("x", "checkpointer"),
        ({"ttl": 5}, "checkpointer.ttl"),
        ({"ttl": {"default_ttl": "5"}}, "checkpointer.ttl.default_ttl"),
        ({"ttl": {"default_ttl": 0}}, "checkpointer.ttl.default_ttl"),
        ({"ttl": {"default_ttl": True}}, "checkpointer.ttl.default_ttl"),
        ({"ttl": {"default_ttl": 1e12}}, "checkpointer.ttl.default_ttl"),
        ({"ttl": {"strategy": "forget"}}, "checkpointer.ttl.strategy"),
        ({"ttl": {"strategy": ["delete"]}}, "checkpointer.ttl.strategy"),
        ({"ttl": {"sweep_interval_minutes": -1}}, "checkpointer.ttl.sweep_interval_minutes"),
        ({"ttl": {"sweep_limit": 0}}, "checkpointer.ttl.sweep_limit"),
    ],
)
def test_a_configuration_that_makes_no_sense_names_its_file_and_key(wrong: Any, named: str) -> None:
    with pytest.raises(ConfigWrong, match=rf"langgraph\.json: {named} must"):
        retention_of(EngineSettings(), config(wrong))


async def test_a_thread_made_of_deltas_is_left_as_it_is(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await aged(driver, await ran(driver), Life(5, "keep_latest"))
    async with driver.db.connection() as conn:
        await conn.execute(
            "update checkpoints set metadata = metadata || '{\"counters_since_delta_snapshot\": {}}'"
        )
        before = await checkpoints.usage(conn, thread)

    assert not await retention.prune(driver.engine, thread, "keep_latest", owner="local")
    assert await retention.sweep(driver.engine) == 1
    assert await retention.sweep(driver.engine) == 0
    async with driver.db.connection() as conn:
        assert await checkpoints.usage(conn, thread) == before
