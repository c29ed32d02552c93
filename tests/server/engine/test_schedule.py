"""When crons are due, and that each tick makes one run."""

import asyncio
import time
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.fakes.engines import Driver, Open

from artel.server.engine.schedule import CHANGED, fire, keep_schedule, next_tick
from artel.storage import assistants, crons, tasks, threads
from artel.storage.assistants import UnknownAssistant
from artel.storage.broker import notify
from artel.storage.crons import Cron, UnknownCron
from artel.storage.errors import Invalid, Unavailable
from artel.storage.ids import new_id, system_assistant_id
from artel.storage.runs import Order

BERLIN = "Europe/Berlin"


def _utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def _ticks(schedule: str, timezone: str | None, after: datetime, count: int) -> list[str]:
    found: list[str] = []
    for _ in range(count):
        tick = next_tick(schedule, timezone, after=after)
        assert tick
        after = tick
        found.append(f"{tick:%m-%d %H:%M}")
    return found


def test_a_local_time_keeps_its_place_on_the_clock_when_the_clocks_change() -> None:
    assert _ticks("0 9 * * *", BERLIN, _utc(2026, 3, 27, 12), 3) == [
        "03-28 08:00",
        "03-29 07:00",
        "03-30 07:00",
    ]


def test_a_host_without_time_zones_has_ours() -> None:
    """Slim images and Windows bring none; a cron with a zone would be refused there as unknown."""
    try:
        zoneinfo.reset_tzpath(to=[])
        zoneinfo.ZoneInfo.clear_cache()
        assert _ticks("0 9 * * *", BERLIN, _utc(2026, 3, 27, 12), 2) == ["03-28 08:00", "03-29 07:00"]
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


def test_a_time_that_does_not_exist_fires_once_right_after() -> None:
    found = _ticks("30 2 * * *", BERLIN, _utc(2026, 3, 28, 12), 2)
    assert found == ["03-29 01:00", "03-30 00:30"]
    assert _ticks("0,30 2 * * *", BERLIN, _utc(2026, 3, 28, 12), 2) == ["03-29 01:00", "03-30 00:00"]


def test_a_time_that_comes_twice_fires_at_the_first() -> None:
    assert _ticks("30 2 * * *", BERLIN, _utc(2026, 10, 24, 12), 2) == ["10-25 00:30", "10-26 01:30"]


def test_a_cron_made_in_the_second_of_two_hours_does_not_fire_for_the_first() -> None:
    assert _ticks("30 2 * * *", BERLIN, _utc(2026, 10, 25, 1, 10), 1) == ["10-26 01:30"]


def test_every_so_many_minutes_is_real_time_over_both_changes() -> None:
    assert _ticks("*/30 * * * *", BERLIN, _utc(2026, 3, 29, 0, 30), 3) == [
        "03-29 01:00",
        "03-29 01:30",
        "03-29 02:00",
    ]
    assert _ticks("0 * * * *", BERLIN, _utc(2026, 10, 24, 23), 4) == [
        "10-25 00:00",
        "10-25 01:00",
        "10-25 02:00",
        "10-25 03:00",
    ]


def test_a_sixth_field_is_for_seconds_and_names_stand_for_schedules() -> None:
    after = _utc(2026, 1, 1, 0, 0, 5)
    assert next_tick("* * * * * */20", None, after=after) == _utc(2026, 1, 1, 0, 0, 20)
    assert next_tick(" @Daily ", None, after=after) == _utc(2026, 1, 2)


def test_no_tick_comes_after_the_end() -> None:
    noon = _utc(2026, 1, 1, 12)
    assert next_tick("0 * * * *", None, after=noon - timedelta(minutes=1), until=noon) == noon
    assert next_tick("0 * * * *", None, after=noon, until=noon) is None


@pytest.mark.parametrize(
    "schedule",
    ["", "bad", "* * * *", "60 * * * *", "0 0 31 2 *", "0 0 30 2 *", "* * * * * * *", "@never", "1" * 5000],
)
def test_a_schedule_that_is_none_or_never_comes_is_refused(schedule: str) -> None:
    with pytest.raises(Invalid, match="schedule must be a cron expression"):
        next_tick(schedule, None, after=_utc(2026, 1, 1))


@pytest.mark.parametrize(
    "zone", ["Mars/X", "../etc/passwd", "Europe", "a\0b", "Europe/Berlin ", "x" * 10_000]
)
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(Invalid, match="timezone must be"):
        next_tick("* * * * *", zone, after=_utc(2026, 1, 1))


@given(
    st.text("0123456789*/,-LW# ²?", max_size=40),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
)
@example("0 0 29 2 1#5", datetime(2026, 3, 1))
def test_any_text_is_a_schedule_or_refused_and_ticks_go_forward(text: str, start: datetime) -> None:
    after = start.replace(tzinfo=UTC)
    try:
        first = next_tick(text, BERLIN, after=after)
    except Invalid:
        return
    assert first
    assert first > after


class Crons:
    """Crons in the database of a test, and the orders of their runs."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.wrong: Exception | None = None

    async def keep(self, *, due_s: float = -1, graph: str = "three", **given: Any) -> Cron:
        now = datetime.now(UTC)
        known: dict[str, Any] = {
            "cron_id": new_id(),
            "assistant_id": system_assistant_id(graph),
            "thread_id": None,
            "schedule": "0 0 1 1 *",
            "timezone": None,
            "end_time": None,
            "enabled": True,
            "on_run_completed": "delete",
            "payload": {"graph": graph},
            "metadata": {},
            "owner": "local",
            "user_id": None,
            "next_run_date": now + timedelta(seconds=due_s),
            "created_at": now,
            "updated_at": now,
        }
        async with self.driver.db.transaction() as conn:
            await assistants.keep_system(conn, {graph: None})
            cron = await crons.create(conn, Cron(**{**known, **given}))
            await notify(conn, CHANGED, str(cron.cron_id))
        return cron

    async def get(self, cron: Cron) -> Cron:
        async with self.driver.db.connection() as conn:
            return await crons.get(conn, cron.cron_id, owner="local")

    async def runs(self, cron: Cron | None = None) -> list[dict[str, Any]]:
        query = "select * from runs where cron_id = coalesce(%s, cron_id)"
        return await self.driver.rows(query, cron and cron.cron_id)

    async def until(self, count: int, cron: Cron | None = None) -> None:
        async with asyncio.timeout(5):
            while True:
                if len(await self.runs(cron)) == count:
                    return
                await asyncio.sleep(0.005)

    async def order_of(self, cron: Cron) -> Order:
        if self.wrong:
            raise self.wrong
        graph = cron.payload["graph"]
        return Order(
            cron.thread_id or new_id(),
            cron.assistant_id,
            graph,
            {"input": {"trail": []}, "if_not_exists": "reject" if cron.thread_id else "create"},
            temporary=cron.thread_id is None and cron.on_run_completed == "delete",
            multitask_strategy=cron.payload.get("strategy", "enqueue"),
            cron_id=cron.cron_id,
        )

    async def fire(self) -> bool:
        return await fire(self.driver.engine, self.order_of)


@pytest.fixture
def kept(driver: Driver) -> Crons:
    return Crons(driver)


async def test_a_tick_makes_one_run_and_moves_on(kept: Crons) -> None:
    cron = await kept.keep(on_run_completed="keep")
    assert await kept.fire()
    assert not await kept.fire()
    (run,) = await kept.runs(cron)
    async with asyncio.timeout(5):
        while not run["ended_at"]:
            (run,) = await kept.runs(cron)
            await asyncio.sleep(0.01)
    assert run["status"] == "success"
    following = (await kept.get(cron)).next_run_date
    assert following
    assert following > datetime.now(UTC)
    assert (await kept.driver.of_thread(run["thread_id"])).status == "idle"


async def test_a_thread_of_its_own_goes_with_the_run(kept: Crons) -> None:
    await kept.keep(graph="slow")
    assert await kept.fire()
    (run,) = await kept.runs()
    kept.driver.engine.catalog.stage.gate.set()  # type: ignore[attr-defined]
    await kept.until(0)
    assert not await kept.driver.rows("select 1 from threads where thread_id = %s", run["thread_id"])


async def test_many_replicas_make_one_run_a_tick(opened: Open) -> None:
    replicas = [Crons(await opened()) for _ in range(3)]
    made = [await replicas[0].keep(on_run_completed="keep") for _ in range(15)]

    async def fire_all(replica: Crons) -> None:
        for _ in range(30):
            await replica.fire()

    await asyncio.gather(*(fire_all(replica) for replica in replicas))
    for cron in made:
        assert len(await replicas[0].runs(cron)) == 1


async def test_a_server_that_was_down_makes_up_for_missed_ticks_once(kept: Crons) -> None:
    cron = await kept.keep(due_s=-3600, schedule="* * * * *", on_run_completed="keep")
    assert await kept.fire()
    assert not await kept.fire()
    assert len(await kept.runs(cron)) == 1


async def test_the_last_tick_before_the_end_is_the_last(kept: Crons) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    cron = await kept.keep(schedule="* * * * *", end_time=soon, on_run_completed="keep")
    assert await kept.fire()
    assert len(await kept.runs(cron)) == 1
    assert (await kept.get(cron)).next_run_date is None


async def test_what_cannot_be_run_any_more_is_disabled_and_told_once(kept: Crons) -> None:
    cron = await kept.keep()
    kept.wrong = UnknownAssistant("the graph is not served here")
    assert await kept.fire()
    assert not await kept.fire()
    assert not (await kept.get(cron)).enabled
    assert not await kept.runs()


async def test_a_bug_in_one_cron_holds_up_no_other(kept: Crons) -> None:
    broken = await kept.keep(due_s=-10, payload={})  # without a graph: a KeyError
    good = await kept.keep(on_run_completed="keep")
    assert await kept.fire()
    assert await kept.fire()
    assert len(await kept.runs(good)) == 1
    assert not await kept.runs(broken)
    still = await kept.get(broken)
    assert still.enabled
    assert still.next_run_date
    assert still.next_run_date > datetime.now(UTC)


async def test_a_schedule_in_the_table_that_is_none_is_disabled(kept: Crons) -> None:
    cron = await kept.keep(schedule="never")
    assert await kept.fire()
    assert not (await kept.get(cron)).enabled


async def test_a_busy_thread_that_rejects_leaves_the_tick_out(kept: Crons) -> None:
    busy = await kept.driver.start("slow")
    cron = await kept.keep(thread_id=busy.thread_id, payload={"graph": "three", "strategy": "reject"})
    assert await kept.fire()
    assert not await kept.runs(cron)
    assert (await kept.get(cron)).enabled


async def test_when_the_database_goes_away_the_tick_stays_due(kept: Crons) -> None:
    cron = await kept.keep(on_run_completed="keep")
    kept.wrong = Unavailable("gone for a moment")
    with pytest.raises(Unavailable):
        await kept.fire()
    kept.wrong = None
    assert await kept.fire()
    assert len(await kept.runs(cron)) == 1


async def test_a_new_cron_is_heard_of_at_once_and_fires_when_it_is_due(opened: Open) -> None:
    kept = Crons(await opened(poll_s=60))
    keeping = asyncio.create_task(keep_schedule(kept.driver.engine, kept.order_of))
    try:
        await asyncio.sleep(0.1)
        cron = await kept.keep(due_s=0.5, on_run_completed="keep")
        due = time.monotonic() + 0.5
        await kept.until(1, cron)
        assert -0.1 < time.monotonic() - due < 30  # it looks at the clock by itself once a minute
    finally:
        await tasks.end(keeping)


async def test_deleting_a_thread_while_its_cron_fires_ends_well(kept: Crons) -> None:
    for _ in range(5):
        thread_id = await kept.driver.thread()
        cron = await kept.keep(thread_id=thread_id)

        async def remove(thread_id: UUID = thread_id) -> None:
            async with kept.driver.db.transaction() as conn:
                await threads.lock(conn, thread_id, owner="local")
                await asyncio.sleep(0.01)
                await threads.delete(conn, thread_id)

        await asyncio.gather(remove(), kept.fire(), kept.fire())
        with pytest.raises(UnknownCron):
            await kept.get(cron)
