"""Readers: here, elsewhere, late, slow, and coming back."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from tests.fakes.engines import SAID, Driver, Open, Stage, types

from artel.server.engine import stream
from artel.storage.events import Event
from artel.storage.ids import new_id
from artel.storage.runs import UnknownRun


async def test_tokens_come_as_messages_with_their_metadata(driver: Driver) -> None:
    run = await driver.start("talk")
    chunks = [json.loads(e.data) for e in await driver.events(run) if e.type == "messages"]
    assert "".join(chunk["content"] for chunk, _ in chunks) == SAID
    assert {chunk["type"] for chunk, _ in chunks} == {"AIMessageChunk"}
    assert chunks[-1][0]["chunk_position"] == "last"
    for _, metadata in chunks:
        assert metadata["langgraph_node"] == "speak"
        assert metadata["run_id"] == str(run.run_id)
        assert metadata["thread_id"] == str(run.thread_id)
        assert (metadata["graph_id"], metadata["run_attempt"]) == ("talk", 1)


async def test_all_readers_see_the_same_each_in_its_own_time(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    readers = [asyncio.create_task(driver.events(run)) for _ in range(3)]
    await stage.reached.wait()
    late = asyncio.create_task(driver.events(run))
    from_now = asyncio.create_task(driver.events(run, after=None))
    await asyncio.sleep(0.05)
    stage.gate.set()
    seen = await asyncio.gather(*readers, late)
    assert all(events == seen[0] for events in seen)
    new = await from_now
    assert 0 < len(new) < len(seen[0])
    assert new == seen[0][-len(new) :]


async def test_a_reader_in_another_process_misses_nothing(opened: Open, stage: Stage) -> None:
    here, there = await opened(), await opened(worker=False)
    run = await here.start("slow")
    elsewhere = asyncio.create_task(there.events(run))
    await stage.reached.wait()
    await asyncio.sleep(0.1)
    stage.gate.set()
    assert await elsewhere == await here.events(run)


async def test_a_reader_elsewhere_is_told_of_chunks_while_it_follows(opened: Open, stage: Stage) -> None:
    here, there = await opened(), await opened(worker=False)
    run = await here.start("slow")
    await stage.reached.wait()
    await asyncio.sleep(0.1)
    got: asyncio.Queue[Sequence[Event]] = asyncio.Queue()

    async def read() -> None:
        async for batch in stream.follow(there.engine, run.run_id, after=0):
            got.put_nowait(batch)

    reading = asyncio.create_task(read())
    await asyncio.wait_for(got.get(), 2)
    await asyncio.sleep(0.1)
    assert here.engine.live[run.run_id].log.followed_until > 0
    here.engine.live[run.run_id].log.add("custom", "", b'"ping"')
    assert (await asyncio.wait_for(got.get(), 0.5))[-1].data == b'"ping"'
    stage.gate.set()
    await reading


async def test_a_slow_reader_reads_from_the_store_what_memory_forgot(opened: Open, stage: Stage) -> None:
    driver = await opened(ring_events=16, chunk_ms=1)
    run = await driver.start("slow")
    await stage.reached.wait()
    log = driver.engine.live[run.run_id].log
    for i in range(200):
        log.add("custom", "", b"%d" % i)
        if i % 10 == 0:
            await asyncio.sleep(0.01)
    reader = asyncio.create_task(driver.events(run))
    await asyncio.sleep(0.05)
    assert log._ring[0].seq > 100
    stage.gate.set()
    events = await reader
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert [json.loads(e.data) for e in events if e.type == "custom"] == list(range(200))


async def test_a_reader_who_waits_for_a_queued_run_sees_it_from_its_first_event(
    driver: Driver, stage: Stage
) -> None:
    first = await driver.start("slow")
    second = await driver.start("three", first.thread_id)
    reader = asyncio.create_task(driver.events(second))
    await asyncio.sleep(0.05)
    stage.gate.set()
    events = await reader
    assert types(events)[0] == "metadata"
    assert types(events)[-1] == "run.ended"


async def test_an_unknown_run_is_said_to_be_unknown(driver: Driver) -> None:
    with pytest.raises(UnknownRun):
        [_ async for _ in stream.follow(driver.engine, new_id())]
    with pytest.raises(UnknownRun):
        await stream.outcome(driver.engine, new_id())


async def test_the_outcome_is_the_same_from_everywhere(opened: Open, stage: Stage) -> None:
    here, there = await opened(), await opened(worker=False)
    run = await here.start("slow")
    waiting = [asyncio.create_task(stream.outcome(d.engine, run.run_id)) for d in (here, there)]
    await stage.reached.wait()
    stage.gate.set()
    ours, theirs = await asyncio.gather(*waiting)
    later = await stream.outcome(there.engine, run.run_id)
    assert ours == theirs == later
    assert (ours.status, json.loads(ours.values)["trail"]) == ("success", ["a", "wait", "c"])


async def test_all_modes_asked_for_are_in_the_log(driver: Driver) -> None:
    run = await driver.start("talk", stream_mode=["tasks", "checkpoints", "debug", "events", "values"])
    seen = set(types(await driver.events(run)))
    assert seen >= {"tasks", "checkpoints", "debug", "events", "values", "updates", "messages"}


async def test_events_are_stored_in_chunks(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    log = driver.engine.live[run.run_id].log
    for _ in range(500):
        log.add("custom", "", b"1")
    await asyncio.sleep(0.15)
    stage.gate.set()
    await driver.end(run)
    (rows,) = await driver.rows("select count(*) as n from run_events where run_id = %s", run.run_id)
    assert rows["n"] <= 8


async def test_ids_go_on_beyond_the_first_block(driver: Driver, stage: Stage) -> None:
    run = await driver.start("slow")
    await stage.reached.wait()
    log = driver.engine.live[run.run_id].log
    for _ in range(25_000):
        log.add("custom", "", b"1")
        if log.full:
            await log.room()
    stage.gate.set()
    ended = await driver.end(run)
    events = await driver.events(run)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert events[-1].seq <= ended.reserved_seq
