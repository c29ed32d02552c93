"""The broker on Redis: one channel of publish and subscribe; the rows are the truth, Redis only hurries.

While Redis is away nothing waits for it: what is said is heard in this process at once, and by others when it
is back, or when they look into the tables by themselves.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import chain, count, islice, repeat

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from artel.storage import tasks
from artel.storage.broker.listening import WAITING, Listeners, Subscription, unique, wake_up_of
from artel.storage.broker.postgres import RETRY_S, PostgresBroker
from artel.storage.errors import Invalid
from artel.storage.ids import new_id

ANSWER_S = 2.0  # Redis answers within that, or it is away
QUIET_S = 4.0  # when nothing has come for so long, Redis is asked whether it is still there
REFUSED_S = 1.0
AT_ONCE = 500  # wake-ups in one message to Redis
SENDERS = 4096  # processes of which the last number is remembered; the longest known is forgotten first

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_redis_broker(url: str, session: PostgresBroker | None) -> AsyncIterator["RedisBroker"]:
    """Open a broker on the Redis at `url`, kept up until the context ends; it may be away, also now.

    `session` holds the locks of this process; None: the lease alone shows that it lives.

    Raises:
        Invalid: `url` is no address of a Redis.
    """
    broker = RedisBroker(url, session)
    jobs = [asyncio.create_task(job(), name=f"redis {job.__name__}") for job in (broker.hear, broker.send)]
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await broker.up.wait()
        if not broker.up.is_set():
            broker.say_away()
        yield broker
    finally:
        await tasks.end(*jobs)
        await broker.close()


class RedisBroker:
    """A broker that tells through Redis and, where it can, locks in Postgres.

    Each wake-up carries its sender and a number that rises, so that what was sent again after a loss is heard
    once. Wake-ups of this process do not go round by Redis.
    """

    def __init__(self, url: str, session: PostgresBroker | None = None) -> None:
        self.on_lost: list[Callable[[], None]] = []
        self.on_restored: list[Callable[[], None]] = []
        self.up = asyncio.Event()
        self._redis = _client(url)
        self._channel = f"artel:{self._redis.connection_pool.connection_kwargs.get('db', 0)}"
        self._session = session
        self._listeners = Listeners()
        self._me = new_id().hex
        self._numbers = count(1)
        self._heard: dict[str, int] = {}
        self._unsent: deque[tuple[int, str]] = deque(maxlen=WAITING)
        self._news = asyncio.Event()
        self._away = "it does not answer"
        self._said_away = False

    @property
    def deaf(self) -> bool:
        """Whether Redis is away at the moment, so that others are not heard."""
        return not self.up.is_set()

    @property
    def locked_since(self) -> datetime | None:
        """When the Postgres was started in which our locks are held; None: none can be held here."""
        return self._session.locked_since if self._session else None

    @property
    def unlocked_since(self) -> float | None:
        """Since when our locks are not held though Postgres did not say that it stops, or None."""
        return self._session.unlocked_since if self._session else None

    def listen(self, topic: str) -> Subscription:
        """Return a queue of bodies that fills from the moment it is entered."""
        return self._listeners.to(topic)

    async def publish(self, topic: str, body: str = "") -> None:
        """Wake every listener of `topic`, in every process, exactly once; later, if Redis is away.

        Raises:
            Invalid: topic and body together are more than a wake-up carries.
        """
        self.tell([wake_up_of(topic, body)])

    def tell(self, wake_ups: Sequence[str]) -> None:
        """Hand out what a transaction said, here and now; others hear it as soon as Redis does."""
        for wake_up in unique(wake_ups):
            self._unsent.append((next(self._numbers), wake_up))
            self._listeners.hand_out(wake_up)
        self._news.set()

    async def lock(self, key: int) -> bool:
        """Take a lock in Postgres that lasts as long as this process; say whether it could be taken.

        Raises:
            Unavailable: the connection that holds locks is down.
        """
        return await self._session.lock(key) if self._session else False

    async def hear(self) -> None:
        """Hear what others say, over all losses, until cancelled."""
        while True:
            for pause in chain(RETRY_S, repeat(RETRY_S[-1])):
                try:
                    await self._hear()
                except (RedisError, OSError, TimeoutError) as away:
                    self._away = str(away) or "it does not answer"
                if self.up.is_set():
                    self._lose()
                    break
                await asyncio.sleep(pause)

    async def send(self) -> None:
        """Send what is said here, over all losses, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._unsent:
                try:
                    await self._send(list(islice(self._unsent, AT_ONCE)))
                except ResponseError as refused:
                    log.warning("Redis refuses wake-ups: %s", refused)
                    await asyncio.sleep(REFUSED_S)
                except (RedisError, OSError, TimeoutError) as away:
                    log.debug("Redis is away: %s", away)
                    await asyncio.sleep(RETRY_S[0])
                    await self.up.wait()

    def say_away(self) -> None:
        """Warn that others are heard late."""
        self._said_away = True
        log.warning("Redis is away (%s): others are heard by the slow poll until it is back", self._away)

    async def close(self) -> None:
        """Close the connections to Redis; what is not sent is not sent."""
        await self._redis.aclose()

    async def _hear(self) -> None:
        async with self._redis.pubsub() as channel:
            async with asyncio.timeout(ANSWER_S):
                await channel.subscribe(self._channel)
                await channel.get_message(timeout=ANSWER_S)
            self._restore()
            while True:
                if said := await _next(channel):
                    self._take(said)

    def _take(self, said: str) -> None:
        sender, number, wake_up = said.split(" ", 2)
        if sender == self._me or int(number) <= self._heard.get(sender, 0):
            return
        self._heard[sender] = int(number)
        if len(self._heard) > SENDERS:
            del self._heard[next(iter(self._heard))]
        self._listeners.hand_out(wake_up)

    async def _send(self, batch: list[tuple[int, str]]) -> None:
        async with asyncio.timeout(ANSWER_S), self._redis.pipeline(transaction=False) as pipeline:
            for number, wake_up in batch:
                pipeline.publish(self._channel, f"{self._me} {number} {wake_up}")
            await pipeline.execute()
        while self._unsent and self._unsent[0][0] <= batch[-1][0]:
            self._unsent.popleft()

    def _restore(self) -> None:
        self.up.set()
        self._news.set()
        if self._said_away:
            self._said_away = False
            log.warning("Redis is back")
        for call in self.on_restored:
            call()

    def _lose(self) -> None:
        self.up.clear()
        self.say_away()
        for call in self.on_lost:
            call()


async def _next(channel: PubSub) -> str | None:
    """Return what was said next; None when it was Redis itself that spoke.

    Raises:
        TimeoutError: Redis does not answer.
    """
    message = await channel.get_message(ignore_subscribe_messages=True, timeout=QUIET_S)
    if message is None:
        await channel.ping()
        message = await channel.get_message(ignore_subscribe_messages=True, timeout=ANSWER_S)
        if message is None:
            raise TimeoutError
    return str(message["data"]) if message["type"] == "message" else None


def _client(url: str) -> "Redis":
    try:
        return Redis.from_url(
            url,
            decode_responses=True,
            client_name="artel",
            protocol=2,  # with 3 redis-py takes the answer to a ping of a subscriber for nothing
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),  # losses are mended here, where they are told
        )
    except ValueError as wrong:
        raise Invalid(f"not the address of a Redis, such as redis://host:6379/0: {wrong}") from wrong
