"""Deaths: of workers, of connections, of servers told to stop."""

import asyncio
import json
from typing import Any

from tests.fakes.engines import Driver, Open, Stage, types

from artel.server.engine import dispatch, worker
from artel.storage import runs
from artel.storage.runs import Order


async def kill(driver: Driver) -> None:
    """Make an engine do nothing any more, as SIGKILL would: no write, no renewal, no lock."""
    engine = driver.engine
    engine.settings.worker = False
    engine.lease_until = 0
    for job in asyncio.all_tasks():
        if job.get_name().startswith(f"{engine.worker_id} "):
            job.cancel()
    for execution in list(engine.live.values()):
        for task in (execution.work, execution.graph):
            if task:
                task.cancel()
    await engine.broker.close()  # type: ignore[attr-defined]
    async with driver.db.connection() as conn:
        await conn.execute(
            "update workers set pid = 4194304, lease_until = now() where worker_id = %s", (engine.worker_id,)
        )


async def test_a_run_goes_on_elsewhere_from_its_last_checkpoint(opened: Open, stage: Stage) -> None:
    one = await opened()
    run = await one.start("slow", durability="sync")
    await stage.reached.wait()
    await asyncio.sleep(0.1)
    two = await opened()
    reader = asyncio.create_task(two.events(run))
    await asyncio.sleep(0.05)
    await kill(one)
    stage.gate.set()
    ended = await two.end(run)
    assert (ended.status, ended.attempt) == ("success", 2)
    assert stage.did == ["a", "wait", "wait", "c"]
    events = await reader
    assert [e.seq for e in events] == sorted({e.seq for e in events})
    marks = [(e.seq, json.loads(e.data)["attempt"]) for e in events if e.type == "metadata"]
    assert [attempt for _, attempt in marks] == [1, 2]
    assert marks[1][0] == runs.SEQ_BLOCK + 1
    assert types(events)[-1] == "run.ended"
    assert await two.events(run) == events


async def test_a_stale_worker_lets_go_and_writes_nothing(opened: Open, stage: Stage) -> None:
    one = await opened()
    run = await one.start("slow", durability="sync")
    await stage.reached.wait()
    await asyncio.sleep(0.1)
    async with one.db.connection() as conn:
        await conn.execute("update runs set attempt = 2, worker_id = null where run_id = %s", (run.run_id,))
    stage.gate.set()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if not one.engine.live:
            break
    row = await one.row(run)
    assert (row.status, row.attempt) == ("running", 2)
    last = await one.rows(
        "select metadata->>'step' as step from checkpoints order by checkpoint_id desc limit 1"
    )
    assert last == [{"step": "1"}]


async def test_a_question_whose_ending_was_not_written_is_written_on_pick_up(
    opened: Open, stage: Stage
) -> None:
    one = await opened()
    run = await one.start("wait_ask", durability="sync")
    await stage.reached.wait()
    execution = one.engine.live[run.run_id]
    await execution.log.storing.acquire()
    stage.gate.set()
    assert execution.graph
    await asyncio.wait({execution.graph})
    assert not await one.rows("select 1 from approvals")
    two = await opened()
    await kill(one)
    ended = await two.end(run)
    assert (ended.status, ended.attempt) == ("success", 2)
    assert stage.did == ["wait"]
    (row,) = await two.rows("select * from approvals")
    assert (await two.of_thread(run.thread_id)).status == "interrupted"
    events = await two.events(run)
    assert types(events)[-3:] == ["values", "approval.asked", "run.ended"]
    assert json.loads(events[-3].data)["__interrupt__"], "readers are told what the crash kept from them"
    answer = await dispatch.answer(two.engine, row["approval_id"], "so", by="me", owner="local")
    await two.end(answer)
    assert stage.did == ["wait", "answered so", "after"]


async def test_a_poison_run_ends_with_the_reason(opened: Open, stage: Stage) -> None:
    one, two = await opened(), await opened()
    run = await one.start("slow", max_attempts=1)
    await stage.reached.wait()
    await kill(one)
    ended = await two.end(run)
    assert (ended.status, ended.attempt) == ("error", 1)
    assert ended.error is not None
    assert ended.error["error"] == "AttemptsExhausted"
    assert types(await two.events(run))[-2:] == ["error", "run.ended"]
    assert (await two.of_thread(run.thread_id)).status == "error"


async def test_an_order_may_ask_for_at_most_once(driver: Driver, stage: Stage) -> None:
    thread = await driver.thread()
    order = driver.order("three", thread)
    order = Order(thread, order.assistant_id, "three", order.kwargs, metadata={"max_attempts": 1})
    run = await dispatch.start(driver.engine, order, fast=True)
    assert run.max_attempts == 1
    await driver.end(run)


async def test_what_was_cancelled_while_its_worker_died_ends_cancelled(opened: Open, stage: Stage) -> None:
    one, two = await opened(), await opened()
    run = await one.start("slow")
    await stage.reached.wait()
    await kill(one)
    await dispatch.cancel(two.engine, run.thread_id, run.run_id, wait=True)
    ended = await two.row(run)
    assert ended.status == "interrupted"


async def test_cancel_reaches_the_worker_that_has_the_run(opened: Open, stage: Stage) -> None:
    one, two = await opened(), await opened()
    run = await one.start("slow")
    await stage.reached.wait()
    execution = one.engine.live[run.run_id]
    await dispatch.cancel(two.engine, run.thread_id, run.run_id, wait=True)
    assert execution.graph is not None
    assert execution.graph.done()
    row = await two.row(run)
    assert row.status == "interrupted"


async def test_a_drained_worker_hands_over_between_two_steps(opened: Open, stage: Stage) -> None:
    one = await opened()
    run = await one.start("slow", durability="sync")
    await stage.reached.wait()
    draining = asyncio.create_task(worker.drain(one.engine))
    follower = asyncio.create_task(one.events(run))
    await asyncio.sleep(0.05)
    stage.gate.set()
    await draining
    assert "run.ended" not in types(await follower)
    row = await one.row(run)
    assert (row.status, row.worker_id, row.max_attempts) == ("pending", None, 4)
    two = await opened()
    assert (await two.end(run)).status == "success"
    assert stage.did == ["a", "wait", "c"]


async def test_a_drained_worker_breaks_off_what_takes_too_long(opened: Open, stage: Stage) -> None:
    one = await opened()
    run = await one.start("slow", durability="sync")
    await stage.reached.wait()
    two = await opened()
    await worker.drain(one.engine, 0.1)
    stage.gate.set()
    ended = await two.end(run)
    assert (ended.status, ended.attempt) == ("success", 2)
    assert stage.did == ["a", "wait", "wait", "c"]


async def test_a_queued_run_is_not_taken_by_a_drained_worker(opened: Open, stage: Stage) -> None:
    one = await opened()
    await worker.drain(one.engine)
    run = await one.start("three")
    assert run.status == "pending"
    two = await opened()
    assert (await two.end(run)).status == "success"


async def test_a_lost_broker_connection_loses_no_run(opened: Open, stage: Stage) -> None:
    one, two = await opened(), await opened()
    run = await one.start("slow")
    await stage.reached.wait()
    await one.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and query like 'listen%%' or query like 'LISTEN%%'"
    )
    await asyncio.sleep(0.3)
    stage.gate.set()
    ended = await two.end(run)
    assert (ended.status, ended.attempt) == ("success", 1)


async def test_dead_connections_lose_no_event(opened: Open, stage: Stage) -> None:
    one = await opened(lease_s=5)
    run = await one.start("slow", durability="sync")
    await stage.reached.wait()
    await cut(one)
    stage.gate.set()
    ended = await one.end(run)
    assert ended.status == "success"
    events = await one.events(run)
    assert types(events)[-1] == "run.ended"
    assert stage.did.count("c") == 1


async def cut(driver: Driver) -> None:
    """End every connection to the database of the test but the one that says so."""
    query = (
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    await driver.rows(query)


async def test_a_claim_whose_answer_was_lost_is_released(opened: Open, stage: Stage) -> None:
    one = await opened()
    thread = await one.thread()
    async with one.db.connection() as conn:
        run = await runs.start_on_free_thread(
            conn, one.order("three", thread, max_attempts=3), one.engine.worker_id
        )
    assert run is not None
    ended: Any = await one.end(run)
    assert (ended.status, ended.attempt) == ("success", 2)
