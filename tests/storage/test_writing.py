"""What runs put down shares statements: nothing is lost, and nobody suffers for another."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from tests.fakes.begun import begin, take_over
from tests.fakes.waiting import eventually

from artel.storage.checkpoints import RunSaver, Saver, Saves, writing
from artel.storage.errors import StaleAttempt, Unstorable
from artel.storage.postgres import Database
from artel.storage.runs import Run


async def runs_of(db: Database, count: int) -> list[Run]:
    async with db.connection() as conn:
        return [await begin(conn) for _ in range(count)]


def place(run: Run) -> Any:
    return {"configurable": {"thread_id": str(run.thread_id), "checkpoint_ns": ""}}


async def put(saver: RunSaver, run: Run, **values: Any) -> Any:
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = values
    checkpoint["channel_versions"] = dict.fromkeys(values, "1")
    return await saver.aput(place(run), checkpoint, {}, checkpoint["channel_versions"])


async def newest(db: Database, run: Run) -> Any:
    found = await Saver(db).aget_tuple(place(run))
    return found and found.checkpoint["channel_values"]


@pytest.fixture
def count_statements(db: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    sent = 0
    insist = Saves._insist

    async def counting(self: Saves, batch: Any) -> None:
        nonlocal sent
        sent += 1
        await insist(self, batch)

    monkeypatch.setattr(Saves, "_insist", counting)
    return lambda: sent


async def test_what_several_runs_put_down_at_once_is_one_statement(
    db: Database, count_statements: Callable[[], int]
) -> None:
    runs = await runs_of(db, 8)
    saves = Saves(db)
    savers = [RunSaver(db, run.run_id, 1, saves=saves) for run in runs]
    for saver, run in zip(savers, runs, strict=True):
        saver.trust()
        await put(saver, run, said=str(run.run_id))
    await asyncio.gather(*(saver.flush() for saver in savers))
    assert count_statements() == 1
    assert [await newest(db, run) for run in runs] == [{"said": str(run.run_id)} for run in runs]


async def test_a_run_that_was_lost_takes_none_of_the_others_with_it(db: Database) -> None:
    runs = await runs_of(db, 4)
    async with db.connection() as conn:
        await take_over(conn, runs[1])
    saves = Saves(db)
    savers = [RunSaver(db, run.run_id, 1, saves=saves) for run in runs]
    for saver, run in zip(savers, runs, strict=True):
        saver.trust()
        await put(saver, run, said="x")
    ended = await asyncio.gather(*(saver.flush() for saver in savers), return_exceptions=True)
    assert [type(one) for one in ended] == [type(None), StaleAttempt, type(None), type(None)]
    assert [await newest(db, run) for run in runs] == [{"said": "x"}, None, {"said": "x"}, {"said": "x"}]
    with pytest.raises(StaleAttempt):
        await put(savers[1], runs[1], said="more")


async def test_what_cannot_be_stored_fails_for_its_own_run_only(db: Database) -> None:
    good, bad = await runs_of(db, 2)
    saves = Saves(db)
    savers = [RunSaver(db, run.run_id, 1, saves=saves) for run in (good, bad)]
    for saver in savers:
        saver.trust()
    await put(savers[0], good, said="x")
    where: Any = {"configurable": {**place(bad)["configurable"], "checkpoint_id": "1"}}
    await savers[1].aput_writes(where, [("a\0b", 1)], "task")
    ended = await asyncio.gather(*(one.flush() for one in savers), return_exceptions=True)
    assert ended[0] is None
    assert isinstance(ended[1], Unstorable)
    assert await newest(db, good) == {"said": "x"}


async def test_a_reader_within_the_run_sees_what_was_put_down_just_before(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LINGER_S", 60)
    [run] = await runs_of(db, 1)
    saver = RunSaver(db, run.run_id, 1)
    saver.trust()
    await put(saver, run, said="x")
    assert await newest(db, run) is None
    found = await saver.aget_tuple(place(run))
    assert found
    assert found.checkpoint["channel_values"] == {"said": "x"}
    assert [one.checkpoint["channel_values"] async for one in saver.alist(place(run))] == [{"said": "x"}]


async def test_what_is_left_goes_into_the_transaction_of_whoever_ends_the_run(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LINGER_S", 60)
    [run] = await runs_of(db, 1)
    saver = RunSaver(db, run.run_id, 1)
    saver.trust()
    await put(saver, run, said="x")
    left = await saver.rest()
    async with db.transaction() as conn:
        await writing.save(conn, run.run_id, 1, left)
        await conn.execute("rollback")
        await conn.execute("begin")
    assert await newest(db, run) is None
    async with db.transaction() as conn:
        await writing.save(conn, run.run_id, 1, left)
    assert await newest(db, run) == {"said": "x"}
    assert not (await saver.rest()).size


async def test_much_is_not_kept_waiting(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LINGER_S", 60)
    [run] = await runs_of(db, 1)
    saver = RunSaver(db, run.run_id, 1)
    saver.trust()
    await put(saver, run, said=["x" * writing.FULL])
    await eventually(lambda: not saver._memory.writer.holds(str(run.thread_id), ""))
    assert await newest(db, run) is not None
