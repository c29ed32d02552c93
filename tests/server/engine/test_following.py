"""Following a whole thread: over runs, from any place, in any process."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from tests.fakes.engines import Driver, Open, Stage
from tests.fakes.waiting import eventually

from artel.server.engine import dispatch, following, worker
from artel.server.engine.following import Look
from artel.storage import threads
from artel.storage.events import Event
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.runs import Run


class Reader:
    """One who follows a thread and keeps what was said, by the numbers of the thread."""

    def __init__(self, driver: Driver, thread_id: UUID, *, after: int = 0, whole: bool = False) -> None:
        self.driver = driver
        self.thread_id = thread_id
        self.seen: list[tuple[int, str]] = []
        self.ends = 0
        self.runs: list[UUID] = []
        self.told = asyncio.Event()
        self.task = asyncio.create_task(self._read(after, whole))

    async def _read(self, after: int, whole: bool) -> None:
        async def is_there(conn: Connection) -> bool:
            return await threads.lock(conn, self.thread_id, owner="local") is not None

        async for step in following.follow_thread(
            self.driver.engine, self.thread_id, after=after, whole=whole, is_there=is_there
        ):
            if not isinstance(step, Look):
                self._note(*step)
            self.told.set()

    def _note(self, run: Run, batch: Sequence[Event]) -> None:
        assert run.event_base is not None
        if run.run_id not in self.runs:
            self.runs.append(run.run_id)
        self.seen += [(run.event_base + event.seq, event.type) for event in batch]
        self.ends += sum(event.type == "run.ended" for event in batch)

    async def until(self, ends: int) -> list[tuple[int, str]]:
        """Wait until that many runs have ended; return what was seen."""
        async with asyncio.timeout(5):
            while self.ends < ends:
                self.told.clear()
                await self.told.wait()
        return list(self.seen)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


async def test_a_thread_is_followed_over_its_runs_in_one_numbering(driver: Driver) -> None:
    thread_id = await driver.thread()
    first = await driver.run("three", thread_id)
    reader = Reader(driver, thread_id)
    await reader.until(1)
    second = await driver.run("three", thread_id)
    third = await driver.run("fail", thread_id)
    seen = await reader.until(3)
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers))
    assert reader.runs == [first.run_id, second.run_id, third.run_id]
    assert [kind for _, kind in seen if kind in ("metadata", "run.ended")] == ["metadata", "run.ended"] * 3
    await reader.stop()


async def test_readers_come_back_to_any_event_and_miss_nothing(driver: Driver) -> None:
    thread_id = await driver.thread()
    for _ in range(2):
        await driver.run("talk", thread_id)
    reader = Reader(driver, thread_id)
    whole = await reader.until(2)
    await reader.stop()
    for number, _ in whole[:-1]:
        later = Reader(driver, thread_id, after=number)
        ends = sum(kind == "run.ended" and n > number for n, kind in whole)
        assert await later.until(ends) == [one for one in whole if one[0] > number]
        await later.stop()


async def test_a_reader_may_ask_for_the_whole_run_of_its_place(driver: Driver) -> None:
    thread_id = await driver.thread()
    await driver.run("talk", thread_id)
    run = await driver.run("talk", thread_id)
    assert run.event_base is not None
    reader = Reader(driver, thread_id, after=run.event_base + 3, whole=True)
    seen = await reader.until(1)
    assert (reader.runs, seen[0]) == ([run.run_id], (run.event_base + 1, "metadata"))
    await reader.stop()


async def test_a_run_of_another_process_is_told_at_once(
    opened: Open, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SOON_S", 60.0)  # so only a word from the other side is as soon
    here, there = await opened(), await opened()
    thread_id = await here.thread()
    reader = Reader(there, thread_id)
    async with asyncio.timeout(5):
        await reader.told.wait()  # it has looked once, and said so to others
        await eventually(lambda: bool(here.engine.audience._elsewhere))
    run = await here.start("slow", thread_id)
    await stage.reached.wait()
    async with asyncio.timeout(10):
        await eventually(lambda: bool(reader.seen))
    assert reader.runs == [run.run_id]
    stage.gate.set()
    await reader.until(1)
    await reader.stop()


async def test_a_thread_may_be_followed_before_there_is_one(driver: Driver) -> None:
    thread_id = new_id()
    reader = Reader(driver, thread_id)
    await asyncio.wait_for(reader.told.wait(), 5)
    await driver.start("three", thread_id, if_not_exists="create")
    assert (await reader.until(1))[-1][1] == "run.ended"
    await reader.stop()


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_rolled_back_run_ends_for_its_readers_and_its_numbers_are_not_given_again(
    opened: Open, stage: Stage, elsewhere: bool
) -> None:
    driver = await opened()
    thread_id = await driver.thread()
    before = await driver.run("three", thread_id)
    run = await driver.start("slow", thread_id)
    reader = Reader(await opened() if elsewhere else driver, thread_id)
    await stage.reached.wait()
    async with asyncio.timeout(5):
        await eventually(lambda: run.run_id in reader.runs)
    await dispatch.cancel(driver.engine, thread_id, run.run_id, action="rollback", wait=True)
    await reader.until(2)
    after = await driver.run("three", thread_id)
    seen = await reader.until(3)
    assert reader.runs == [before.run_id, run.run_id, after.run_id]
    assert [number for number, _ in seen] == sorted({number for number, _ in seen})
    await reader.stop()


async def test_the_end_of_a_thread_and_of_the_process_end_its_followers(driver: Driver) -> None:
    thread_id, other = await driver.thread(), await driver.thread()
    reader, kept = Reader(driver, thread_id), Reader(driver, other)
    await asyncio.wait_for(reader.told.wait(), 5)
    await dispatch.delete_thread(driver.engine, thread_id)
    await asyncio.wait_for(reader.task, 5)
    assert not kept.task.done()
    await worker.drain(driver.engine)
    await asyncio.wait_for(kept.task, 5)


async def test_the_newest_number_is_known_live_and_stored(driver: Driver, stage: Stage) -> None:
    thread_id = await driver.thread()
    assert await following.now(driver.engine, thread_id) == 0
    run = await driver.start("slow", thread_id)
    await stage.reached.wait()
    live = await following.now(driver.engine, thread_id)
    stage.gate.set()
    await driver.end(run)
    ended = await following.now(driver.engine, thread_id)
    reader = Reader(driver, thread_id)
    assert 0 < live < ended == (await reader.until(1))[-1][0]
    await reader.stop()
