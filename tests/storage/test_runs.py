"""The queue in SQL: order, fences, one running run a thread."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint

from artel.storage import runs, threads
from artel.storage.checkpoints import RunSaver
from artel.storage.errors import StaleAttempt
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database
from artel.storage.runs import SEQ_BLOCK, Order, Run, ThreadTaken, UnknownRun

WORKER, OTHER = new_id(), new_id()


async def thread(conn: Connection) -> UUID:
    return (await threads.create(conn, new_id(), owner="me")).thread_id


def order(thread_id: UUID, **fields: Any) -> Order:
    return Order(thread_id, new_id(), "graph", owner="me", max_attempts=3, **fields)


async def status(conn: Connection, thread_id: UUID) -> str:
    return (await threads.get(conn, thread_id, owner="me")).status


async def end(conn: Connection, run: Run, **fields: Any) -> Run | None:
    return await (await runs.end(conn, run, "success", thread_status="idle", **fields)).following()


async def test_one_statement_starts_a_run_on_a_free_thread(conn: Connection) -> None:
    id_ = await thread(conn)
    run = await runs.start_on_free_thread(conn, order(id_, kwargs={"input": "a\x00b"}), WORKER)
    assert run
    assert (run.status, run.attempt, run.worker_id, run.reserved_seq) == ("running", 1, WORKER, SEQ_BLOCK)
    assert run.kwargs == {"input": "ab"}
    found = await threads.get(conn, id_, owner="me")
    assert (found.status, found.metadata["graph_id"]) == ("busy", "graph")


async def test_the_fast_start_declines_what_is_not_free(conn: Connection) -> None:
    id_ = await thread(conn)
    assert await runs.start_on_free_thread(conn, order(new_id()), WORKER) is None
    await runs.start_on_free_thread(conn, order(id_), WORKER)
    assert await runs.start_on_free_thread(conn, order(id_), WORKER) is None
    assert await runs.start_on_new_thread(conn, order(id_), WORKER) is None
    made = await runs.start_on_new_thread(conn, order(new_id()), WORKER)
    assert made
    assert await status(conn, made.thread_id) == "busy"


async def test_whoever_takes_the_first_run_of_a_thread_is_told_that_nothing_is_there(db: Database) -> None:
    async with db.connection() as conn:
        id_ = await thread(conn)
        await runs.add(conn, order(id_))
        (first,) = await runs.claim(conn, WORKER, most=5)
        assert first.new_thread
        saver = RunSaver(db, first.run_id, first.attempt, new_thread=first.new_thread)
        config: RunnableConfig = {"configurable": {"thread_id": str(id_), "checkpoint_ns": ""}}
        await saver.aput(config, empty_checkpoint(), {}, {})
        await runs.release(conn, first, WORKER)
        (again,) = await runs.claim(conn, WORKER, most=5)
        assert (again.attempt, again.new_thread) == (2, False)
        await end(conn, again)
        await runs.add(conn, order(id_))
        (second,) = await runs.claim(conn, WORKER, most=5)
        assert (second.attempt, second.new_thread) == (1, False)


async def test_two_fast_starts_at_once_start_one(db: Database) -> None:
    async with db.connection() as conn:
        id_ = await thread(conn)

    async def start() -> Run | None:
        async with db.connection() as conn:
            return await runs.start_on_free_thread(conn, order(id_), WORKER)

    started = await asyncio.gather(*(start() for _ in range(6)))
    assert sum(run is not None for run in started) == 1


async def test_a_thread_gives_its_runs_out_one_by_one_in_order(conn: Connection) -> None:
    id_ = await thread(conn)
    added = [await runs.add(conn, order(id_, priority=n)) for n in range(3)]
    for expected in added:
        (claimed,) = await runs.claim(conn, WORKER, most=5)
        assert claimed.run_id == expected.run_id
        assert await runs.claim(conn, WORKER, most=5) == []
        await end(conn, claimed)
    assert await status(conn, id_) == "idle"


async def test_among_threads_priority_goes_first_then_age(conn: Connection) -> None:
    low = await runs.add(conn, order(await thread(conn)))
    high = await runs.add(conn, order(await thread(conn), priority=3))
    younger = await runs.add(conn, order(await thread(conn)))
    taken = [run.run_id for _ in range(3) for run in await runs.claim(conn, WORKER, most=1)]
    assert taken == [high.run_id, low.run_id, younger.run_id]


async def test_claims_of_many_workers_never_overlap(db: Database) -> None:
    async with db.connection() as conn:
        for _ in range(20):
            await runs.add(conn, order(await thread(conn)))

    async def take() -> list[UUID]:
        async with db.connection() as conn:
            return [run.run_id for run in await runs.claim(conn, new_id(), most=5)]

    taken = [id_ for some in await asyncio.gather(*(take() for _ in range(8))) for id_ in some]
    assert len(taken) == len(set(taken)) == 20


async def test_a_delayed_run_waits_and_keeps_nobody_waiting(conn: Connection) -> None:
    id_ = await thread(conn)
    due = datetime.now(UTC) + timedelta(seconds=60)
    later = await runs.add(conn, order(id_, due_at=due))
    now = await runs.add(conn, order(id_))
    assert [run.run_id for run in await runs.claim(conn, WORKER, most=5)] == [now.run_id]
    seconds = await runs.next_due_in(conn)
    assert seconds
    assert 50 < seconds <= 60
    assert (await runs.get(conn, later.run_id, owner="me")).status == "pending"


async def test_the_end_hands_the_threads_next_run_to_the_same_worker(conn: Connection) -> None:
    id_ = await thread(conn)
    first = await runs.start_on_free_thread(conn, order(id_), WORKER)
    second = await runs.add(conn, order(id_))
    third = await runs.add(conn, order(id_))
    assert first
    following = await end(conn, first, next_worker=WORKER)
    assert following
    assert (following.run_id, following.status, following.attempt) == (second.run_id, "running", 1)
    assert await status(conn, id_) == "busy"
    assert await end(conn, following) is None
    assert (await runs.get(conn, third.run_id, owner="me")).status == "pending"


async def test_an_end_says_what_the_thread_waits_for(conn: Connection) -> None:
    run = await runs.start_on_free_thread(conn, order(await thread(conn)), WORKER)
    assert run
    waits = {"task": [{"id": "x", "value": 1}]}
    ended = await runs.end(conn, run, "success", thread_status="interrupted", interrupts=waits)
    assert await ended.following() is None
    found = await threads.get(conn, run.thread_id, owner="me")
    assert (found.status, found.interrupts) == ("interrupted", waits)


async def test_a_stale_attempt_writes_nothing(db: Database) -> None:
    async with db.connection() as conn:
        run = await runs.start_on_free_thread(conn, order(await thread(conn)), WORKER)
        assert run
        assert await runs.release(conn, run, WORKER)
        (again,) = await runs.claim(conn, OTHER, most=1)
        assert (again.attempt, again.reserved_seq) == (2, 2 * SEQ_BLOCK)
        for late in (end(conn, run), runs.reserve(conn, run.run_id, 1), runs.fence(conn, run.run_id, 1)):
            with pytest.raises(StaleAttempt):
                await late
        assert not await runs.release(conn, run, WORKER)
        await runs.fence(conn, run.run_id, 2)
        assert await runs.reserve(conn, run.run_id, 2) == 3 * SEQ_BLOCK


async def test_a_batch_says_at_its_end_that_the_attempt_was_stale(db: Database) -> None:
    async with db.connection() as conn:
        run = await runs.start_on_free_thread(conn, order(await thread(conn)), WORKER)
    assert run

    async def write() -> None:
        async with db.transaction(batch=True) as conn:
            await runs.fence(conn, run.run_id, 7)
            await threads.hold(conn, run.thread_id)

    with pytest.raises(StaleAttempt):
        await write()


async def test_a_delayed_run_that_begins_in_the_same_moment_is_noticed(db: Database) -> None:
    async with db.transaction() as conn:
        id_ = await thread(conn)
        await runs.start_on_free_thread(conn, order(id_), WORKER)

    async def begin() -> None:
        async with db.transaction() as conn:
            await runs.add(conn, order(id_), worker_id=OTHER)

    with pytest.raises(ThreadTaken):
        await begin()


async def test_nobody_sees_the_runs_of_others(conn: Connection) -> None:
    run = await runs.add(conn, order(await thread(conn)))
    with pytest.raises(UnknownRun):
        await runs.get(conn, run.run_id, owner="you")
    assert await runs.of_thread(conn, run.thread_id, owner="you") == []
    assert [r.run_id for r in await runs.of_thread(conn, run.thread_id, owner="me")] == [run.run_id]
    assert await runs.of_thread(conn, run.thread_id, owner="me", status="success") == []
