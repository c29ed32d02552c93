import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from tests.fakes.carriers import Wire

from artel.storage.broker import PAYLOAD_BYTES, PostgresBroker, Subscription, notify, open_broker
from artel.storage.errors import Invalid, Unavailable
from artel.storage.postgres import Database, connect


@pytest.fixture
async def here(fresh_dsn: str) -> AsyncIterator[PostgresBroker]:
    async with open_broker(fresh_dsn) as broker:
        yield broker


@pytest.fixture
async def there(fresh_dsn: str) -> AsyncIterator[PostgresBroker]:
    async with open_broker(fresh_dsn) as broker:
        yield broker


async def heard(listener: Subscription) -> list[str]:
    """Return what has come once nothing more comes."""
    bodies: list[str] = []
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.4):
                bodies.append(await anext(listener))
    return bodies


async def kill(broker: PostgresBroker) -> None:
    """End the broker's session as a restart of Postgres would."""
    async with await connect(broker._dsn) as conn:
        await conn.execute("select pg_terminate_backend(%(pid)s)", broker._session)


async def test_every_listener_hears_each_wake_up_once_here_and_elsewhere(
    here: PostgresBroker, there: PostgresBroker
) -> None:
    async with (
        here.listen("run.queued") as one,
        here.listen("run.queued") as two,
        there.listen("run.queued") as other,
        there.listen("run.ended") as deaf,
    ):
        await here.publish("run.queued", "a")
        await there.publish("run.queued", "b with spaces")
        for listener in (one, two, other):
            assert sorted(await heard(listener)) == ["a", "b with spaces"]
        assert await heard(deaf) == []


async def test_a_wake_up_comes_with_the_commit_and_not_without(here: PostgresBroker, db: Database) -> None:
    async with here.listen("run.queued") as listener:
        with suppress(RuntimeError):
            async with db.transaction() as conn:
                await notify(conn, "run.queued", "undone")
                raise RuntimeError
        async with db.transaction() as conn:
            await notify(conn, "run.queued", "done")
            assert await heard(listener) == []
        assert await heard(listener) == ["done"]


async def test_a_listener_that_left_hears_no_more(here: PostgresBroker) -> None:
    async with here.listen("t") as listener:
        pass
    await here.publish("t", "late")
    assert await heard(listener) == []


async def test_wake_ups_come_in_their_order(here: PostgresBroker, there: PostgresBroker) -> None:
    async with there.listen("t") as listener:
        for n in range(200):
            await here.publish("t", str(n))
        assert [await anext(listener) for _ in range(200)] == [str(n) for n in range(200)]


async def test_a_lock_has_one_holder_and_is_free_when_the_holder_is_gone(
    here: PostgresBroker, fresh_dsn: str
) -> None:
    async with open_broker(fresh_dsn) as other:
        assert await other.lock(7)
        assert not await here.lock(7)
    for _ in range(500):  # the server notices a moment after the client has hung up
        if await here.lock(7):
            return
        await asyncio.sleep(0.01)
    pytest.fail("the lock is held by a connection that is gone")


async def test_after_a_loss_everything_is_as_before(here: PostgresBroker, there: PostgresBroker) -> None:
    story: list[str] = []
    restored = asyncio.Event()
    here.on_lost.append(lambda: story.append("lost"))
    here.on_restored += [lambda: story.append("restored"), restored.set]
    assert await here.lock(7)
    async with here.listen("t") as listener, asyncio.timeout(10):
        await kill(here)
        await restored.wait()
        assert story == ["lost", "restored"]
        assert not await there.lock(7)
        await there.publish("t", "again")
        assert await anext(listener) == "again"


async def test_what_is_published_while_the_connection_is_down_is_sent_when_it_is_back(
    here: PostgresBroker, there: PostgresBroker
) -> None:
    lost = asyncio.Event()
    here.on_lost.append(lost.set)
    async with there.listen("t") as listener, asyncio.timeout(10):
        await kill(here)
        await lost.wait()
        with pytest.raises(Unavailable):
            await here.lock(8)
        await here.publish("t", "later")
        assert await anext(listener) == "later"


async def test_a_loss_in_the_middle_of_a_statement_is_mended_too(
    here: PostgresBroker, there: PostgresBroker
) -> None:
    async with there.listen("t") as listener, asyncio.timeout(10):
        await asyncio.gather(kill(here), *(here.publish("t", str(n)) for n in range(50)))
        got = {await anext(listener) for _ in range(50)}
    assert got == {str(n) for n in range(50)}


async def test_it_listens_while_it_speaks(here: PostgresBroker, there: PostgresBroker) -> None:
    async with here.listen("t") as listener:
        await asyncio.gather(
            *(there.publish("t", str(n)) for n in range(100)), *(here.publish("u") for _ in range(100))
        )
        assert await heard(listener) == [str(n) for n in range(100)]


async def test_a_slow_listener_loses_the_oldest_and_takes_no_more_memory(
    here: PostgresBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artel.storage.broker.listening.WAITING", 3)
    async with here.listen("t") as listener:
        for n in range(10):
            await here.publish("t", str(n))
        assert await heard(listener) == ["7", "8", "9"]


async def test_a_wake_up_too_big_for_postgres_is_refused_at_once(here: PostgresBroker) -> None:
    await here.publish("t", "x" * (PAYLOAD_BYTES - 2))
    with pytest.raises(Invalid, match="send an id instead"):
        await here.publish("t", "x" * (PAYLOAD_BYTES - 1))


async def test_a_loss_tells_a_postgres_that_stops_from_a_wire_that_is_cut(fresh_dsn: str) -> None:
    async with Wire(fresh_dsn) as wire, open_broker(wire.dsn) as broker, asyncio.timeout(10):
        lost, restored = asyncio.Event(), asyncio.Event()
        broker.on_lost.append(lost.set)
        broker.on_restored.append(restored.set)
        assert await broker.lock(9)
        await kill(broker)
        await lost.wait()
        assert broker.unlocked_since is None, "Postgres said goodbye"
        await restored.wait()
        lost.clear()
        restored.clear()
        wire.cut()
        await lost.wait()
        assert broker.unlocked_since is not None
        wire.mend()
        await restored.wait()
        assert broker.unlocked_since is None
