"""Redis as the carrier of wake-ups: it hurries, and nothing waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from psycopg.errors import UniqueViolation
from tests.fakes.carriers import RedisServer

from artel.storage import opening
from artel.storage.broker import Subscription, notify
from artel.storage.broker.redis import RedisBroker, open_redis_broker
from artel.storage.errors import Invalid, Unavailable
from artel.storage.opening import Storage, open_storage

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture
async def here(redis_server: RedisServer) -> AsyncIterator[RedisBroker]:
    async with open_redis_broker(redis_server.url, None) as broker:
        yield broker


@pytest.fixture
async def there(redis_server: RedisServer) -> AsyncIterator[RedisBroker]:
    async with open_redis_broker(redis_server.url, None) as broker:
        yield broker


@pytest.fixture
async def storage(redis_server: RedisServer, fresh_dsn: str) -> AsyncIterator[Storage]:
    async with open_storage(fresh_dsn, redis=redis_server.url, pool_size=4) as opened:
        yield opened


async def heard(listener: Subscription) -> list[str]:
    """Return what has come once nothing more comes."""
    bodies: list[str] = []
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.4):
                bodies.append(await anext(listener))
    return bodies


async def test_every_listener_hears_each_wake_up_once_here_and_elsewhere(
    here: RedisBroker, there: RedisBroker
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


async def test_a_wake_up_comes_after_the_commit_and_not_without(storage: Storage, there: RedisBroker) -> None:
    async with there.listen("run.queued") as elsewhere, storage.broker.listen("run.queued") as here:
        with suppress(RuntimeError):
            async with storage.db.transaction() as conn:
                await notify(conn, "run.queued", "undone")
                raise RuntimeError
        async with storage.db.transaction(batch=True) as conn:
            await notify(conn, "run.queued", "done")
            await notify(conn, "run.queued", "done")
            assert await heard(elsewhere) == []
        assert (await heard(elsewhere), await heard(here)) == (["done"], ["done"])


async def test_a_commit_that_is_refused_wakes_nobody(storage: Storage, there: RedisBroker) -> None:
    async with storage.db.connection() as conn:
        await conn.execute("create table t (n int unique deferrable initially deferred)")
    async with there.listen("t") as listener:
        with suppress(UniqueViolation):
            async with storage.db.transaction() as conn:
                await conn.execute("insert into t values (1), (1)")
                await notify(conn, "t", "never")
            pytest.fail("it was committed")
        assert await heard(listener) == []


async def test_a_statement_of_its_own_wakes_when_it_is_done(storage: Storage, there: RedisBroker) -> None:
    async with there.listen("t") as listener:
        async with storage.db.connection() as conn:
            await notify(conn, "t", "a")
        assert await heard(listener) == ["a"]


async def test_wake_ups_come_in_their_order(here: RedisBroker, there: RedisBroker) -> None:
    async with there.listen("t") as listener:
        for n in range(200):
            await here.publish("t", str(n))
        assert [await anext(listener) for _ in range(200)] == [str(n) for n in range(200)]


@pytest.mark.parametrize("loss", ["kill", "pause"])
async def test_what_is_said_while_redis_is_away_is_heard_at_most_once_and_tables_are_looked_at(
    here: RedisBroker,
    there: RedisBroker,
    redis_server: RedisServer,
    loss: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("artel.storage.broker.redis.QUIET_S", 0.3)
    monkeypatch.setattr("artel.storage.broker.redis.ANSWER_S", 0.3)
    lost, restored = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]
    for n, broker in enumerate((here, there)):
        broker.on_lost.append(lost[n].set)
        broker.on_restored.append(restored[n].set)
    async with there.listen("t") as listener, here.listen("t") as own, asyncio.timeout(15):
        await here.publish("t", "before")
        assert await heard(listener) == ["before"]
        redis_server.kill() if loss == "kill" else redis_server.pause()
        for n in range(50):
            await here.publish("t", str(n))
        assert len(await heard(own)) == 51, "this process needs no Redis to hear itself"
        await asyncio.gather(*(one.wait() for one in lost))
        redis_server.start() if loss == "kill" else redis_server.go_on()
        await asyncio.gather(*(one.wait() for one in restored))
        await here.publish("t", "after")
        got: list[str] = []
        while "after" not in got:
            got += await heard(listener)
        assert len(got) == len(set(got)), "a wake-up that was sent again is heard once"
        assert got[-1] == "after"


async def test_a_redis_that_says_nothing_for_long_is_not_away(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artel.storage.broker.redis.QUIET_S", 0.05)
    lost = asyncio.Event()
    async with open_redis_broker(redis_server.url, None) as broker:
        broker.on_lost.append(lost.set)
        await asyncio.sleep(0.5)
    assert not lost.is_set()


async def test_a_flush_of_redis_changes_nothing(
    here: RedisBroker, there: RedisBroker, redis_server: RedisServer
) -> None:
    async with there.listen("t") as listener:
        await here._redis.flushall()
        await here.publish("t", "a")
        assert await heard(listener) == ["a"]


async def test_a_process_starts_while_redis_is_away_and_hears_others_when_it_comes(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("artel.storage.broker.redis.ANSWER_S", 0.2)
    redis_server.kill()
    async with (
        open_redis_broker(redis_server.url, None) as one,
        open_redis_broker(redis_server.url, None) as two,
    ):
        assert "slow poll" in caplog.text
        restored = asyncio.Event()
        two.on_restored.append(restored.set)
        async with two.listen("t") as listener, asyncio.timeout(10):
            await one.publish("t", "early")
            redis_server.start()
            await restored.wait()
            await one.publish("t", "late")
            assert "late" in await heard(listener)


async def test_deployments_on_other_databases_of_one_redis_do_not_hear_each_other(
    here: RedisBroker, redis_server: RedisServer
) -> None:
    async with (
        open_redis_broker(redis_server.url.replace("/0", "/1"), None) as other,
        other.listen("t") as listener,
    ):
        await here.publish("t", "a")
        assert await heard(listener) == []


async def test_locks_stay_in_postgres(storage: Storage, fresh_dsn: str, redis_server: RedisServer) -> None:
    async with open_storage(fresh_dsn, redis=redis_server.url) as other:
        assert await storage.broker.lock(7)
        assert not await other.broker.lock(7)
        assert storage.broker.locked_since is not None


async def test_without_a_way_to_postgres_itself_no_lock_can_be_held(here: RedisBroker) -> None:
    assert not await here.lock(7)
    assert here.locked_since is None


@pytest.mark.parametrize("url", ["localhost:6379", "http://h", "redis://h:port", "redis://[::1"])
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="not the address of a Redis"):
        async with open_redis_broker(url, None):
            pass


async def test_without_its_client_the_setting_says_what_to_install(
    fresh_dsn: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name="redis")

    monkeypatch.setattr(opening, "import_module", missing)
    with pytest.raises(Invalid, match=r"pip install 'artel\[redis\]'"):
        async with open_storage(fresh_dsn, redis=redis_server.url):
            pass


async def test_a_password_that_is_wrong_is_told(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artel.storage.broker.redis.ANSWER_S", 0.3)
    redis_server.stop()
    redis_server.start("--requirepass", "right")
    url = redis_server.url.replace("redis://", "redis://:wrong@")
    async with open_redis_broker(url, None):
        assert "password" in caplog.text.lower() or "auth" in caplog.text.lower()
        assert ":wrong@" not in caplog.text


async def test_a_wake_up_for_nobody_is_no_error(here: RedisBroker) -> None:
    await here.publish("t", "тема \0 " + "x" * 7_000)
    with pytest.raises(Invalid, match="send an id instead"):
        await here.publish("t", "x" * 8_000)
    with suppress(Unavailable):
        await here.lock(1)
