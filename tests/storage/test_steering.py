"""What is said to a run belongs to the step that takes it, and to no other."""

import warnings
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.ciphers import BLOBS, leaks

from artel.storage import steering, threads
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, open_database
from artel.storage.sealing import agree
from artel.storage.steering import MOST, SteeringTaken, TooManyWait, UnknownSteering

ME: dict[str, Any] = {"owner": "local", "user_id": "ada"}


@pytest.fixture
async def thread(conn: Connection) -> UUID:
    return (await threads.create(conn, new_id(), owner="local")).thread_id


async def say(conn: Connection, thread: UUID, text: str, **more: Any) -> UUID:
    return (await steering.add(conn, thread, text, **{**ME, **more})).steering_id


async def take(conn: Connection, thread: UUID, run: UUID, step: str, user: str = "ada") -> list[str]:
    taken = await steering.take(conn, thread, user_id=user, run_id=run, taken_in=step)
    return [one.text for one in taken]


async def statuses(conn: Connection, thread: UUID) -> list[str]:
    return [one.status for one in await steering.of_thread(conn, thread, owner="local")]


async def test_one_step_takes_what_waits_in_order_and_takes_it_again_when_begun_again(
    conn: Connection, thread: UUID
) -> None:
    run = new_id()
    for text in ("first", "second"):
        await say(conn, thread, text)
    assert await take(conn, thread, run, "model:1") == ["first", "second"]
    assert await take(conn, thread, run, "model:2") == []
    await say(conn, thread, "third")
    assert await take(conn, thread, run, "model:1") == ["first", "second", "third"]
    assert await statuses(conn, thread) == ["taken"] * 3


async def test_what_a_run_left_that_did_not_end_well_goes_to_the_next(conn: Connection, thread: UUID) -> None:
    broken, next_ = new_id(), new_id()
    await say(conn, thread, "x")
    await take(conn, thread, broken, "model:1")
    assert await take(conn, thread, next_, "model:9") == ["x"]
    assert not await (await steering.settle(conn, thread, next_)).waits()
    assert await take(conn, thread, new_id(), "model:1") == []
    assert await statuses(conn, thread) == []


async def test_the_end_of_a_run_tells_whether_something_waits_still(conn: Connection, thread: UUID) -> None:
    run = new_id()
    await say(conn, thread, "heard")
    await take(conn, thread, run, "model:1")
    await say(conn, thread, "too late")
    assert await (await steering.settle(conn, thread, run)).waits()
    rest = await steering.rest(conn, thread, user_id="ada", run_id=new_id())
    assert [one.text for one in rest] == ["too late"]
    assert not await (await steering.settle(conn, thread, run)).waits()


async def test_a_message_goes_only_into_runs_in_the_name_of_who_said_it(
    conn: Connection, thread: UUID
) -> None:
    await say(conn, thread, "x")
    assert await take(conn, thread, new_id(), "model:1", user="bob") == []
    assert await steering.rest(conn, thread, user_id="bob", run_id=new_id()) == []
    assert await statuses(conn, thread) == ["waiting"]


async def test_it_can_be_changed_and_removed_until_a_step_has_it(conn: Connection, thread: UUID) -> None:
    first, second = await say(conn, thread, "a"), await say(conn, thread, "b")
    changed = await steering.change(conn, thread, first, "better", **ME)
    assert (changed.text, changed.changed_at is not None) == ("better", True)
    await steering.remove(conn, thread, second, **ME)
    for other in ({**ME, "user_id": "bob"}, {**ME, "owner": "else"}):
        with pytest.raises(UnknownSteering):
            await steering.change(conn, thread, first, "worse", **other)
        with pytest.raises(UnknownSteering):
            await steering.remove(conn, thread, first, **other)
    with pytest.raises(UnknownSteering):
        await steering.remove(conn, thread, second, **ME)
    run = new_id()
    assert await take(conn, thread, run, "model:1") == ["better"]
    with pytest.raises(SteeringTaken, match="has message"):
        await steering.change(conn, thread, first, "late", **ME)
    with pytest.raises(SteeringTaken):
        await steering.remove(conn, thread, first, **ME)
    await steering.give_back(conn, run)
    await steering.remove(conn, thread, first, **ME)


async def test_only_so_many_wait(conn: Connection, thread: UUID) -> None:
    for n in range(MOST):
        await say(conn, thread, str(n))
    with pytest.raises(TooManyWait, match=f"{MOST} messages wait"):
        await say(conn, thread, "one more")
    await take(conn, thread, run := new_id(), "model:1")
    await steering.settle(conn, thread, run)
    await say(conn, thread, "one more")


async def test_an_idle_thread_on_which_something_waits_was_forgotten(conn: Connection, thread: UUID) -> None:
    await say(conn, thread, "x")
    assert (thread, "local") in await steering.forgotten(conn)
    await threads.settle(conn, thread, "interrupted", {})
    assert await steering.forgotten(conn) == []


async def test_what_is_said_is_sealed_and_opened_again(fresh_dsn: str) -> None:
    made: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(BLOBS, made)
    sealer = await agree(fresh_dsn, made["encryption"])
    async with open_database(fresh_dsn, pool_size=2, sealer=sealer) as db, db.connection() as conn:
        thread = (await threads.create(conn, new_id(), owner="local")).thread_id
        said = await say(conn, thread, "needle")
        await steering.change(conn, thread, said, "needle again", **ME)
        assert [one.text for one in await steering.of_thread(conn, thread, owner="local")] == ["needle again"]
        assert await take(conn, thread, new_id(), "model:1") == ["needle again"]
    assert leaks(fresh_dsn, "needle") == set()
