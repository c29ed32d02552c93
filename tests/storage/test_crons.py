"""Crons in the database: what is due, and who gets it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from artel.storage import assistants, crons, threads
from artel.storage.crons import Cron, UnknownCron
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database

NOW = datetime.now(UTC)
PAST = NOW - timedelta(hours=1)


async def _assistant(conn: Connection) -> UUID:
    return (await assistants.create(conn, new_id(), "chat")).assistant_id


async def _keep(conn: Connection, **given: Any) -> Cron:
    known: dict[str, Any] = {
        "cron_id": new_id(),
        "thread_id": None,
        "schedule": "* * * * *",
        "timezone": None,
        "end_time": None,
        "enabled": True,
        "on_run_completed": "delete",
        "payload": {},
        "metadata": {},
        "owner": "local",
        "user_id": None,
        "next_run_date": PAST,
        "created_at": NOW,
        "updated_at": NOW,
    }
    assistant_id = given.pop("assistant_id", None) or await _assistant(conn)
    return await crons.create(conn, Cron(**{**known, "assistant_id": assistant_id, **given}))


async def test_what_is_kept_comes_back(conn: Connection) -> None:
    kept = await _keep(conn, payload={"input": {"q": "ü"}}, metadata={"k": 1}, timezone="Europe/Berlin")
    assert await crons.get(conn, kept.cron_id, owner="local") == kept


async def test_a_cron_of_somebody_else_or_beyond_the_filter_is_not_there(conn: Connection) -> None:
    kept = await _keep(conn, metadata={"team": "a"})
    with pytest.raises(UnknownCron):
        await crons.get(conn, kept.cron_id, owner="other")
    mine, others = '$.team == "a"', '$.team == "b"'
    assert await crons.get(conn, kept.cron_id, owner="local", allowed=mine) == kept
    for refused in (crons.get, crons.lock, crons.delete):
        with pytest.raises(UnknownCron):
            await refused(conn, kept.cron_id, owner="local", allowed=others)
    assert await crons.count(conn, owner="local", allowed=others) == 0


async def test_a_change_is_written(conn: Connection) -> None:
    kept = await _keep(conn)
    changed = await crons.update(conn, replace(kept, schedule="0 9 * * *", metadata={"a": 1}, enabled=False))
    assert (changed.schedule, changed.metadata, changed.enabled) == ("0 9 * * *", {"a": 1}, False)
    assert changed.updated_at > kept.updated_at


async def test_search_filters_sorts_and_pages(conn: Connection) -> None:
    assistant_id = await _assistant(conn)
    late = await _keep(conn, assistant_id=assistant_id, next_run_date=NOW, metadata={"k": 1})
    early = await _keep(conn, assistant_id=assistant_id, enabled=False)
    found = await crons.search(
        conn, owner="local", assistant_id=assistant_id, sort_by="next_run_date", sort_order="asc"
    )
    assert [one.cron_id for one in found] == [early.cron_id, late.cron_id]
    assert [one.cron_id for one in await crons.search(conn, owner="local", metadata={"k": 1})] == [
        late.cron_id
    ]
    assert await crons.count(conn, owner="local", assistant_id=assistant_id, enabled=True) == 1
    assert await crons.search(conn, owner="local", assistant_id=assistant_id, limit=1, offset=2) == []


async def test_what_is_longest_due_comes_first_and_what_is_off_or_over_never(conn: Connection) -> None:
    await _keep(conn, next_run_date=PAST)
    oldest = await _keep(conn, next_run_date=PAST - timedelta(days=1))
    await _keep(conn, next_run_date=PAST - timedelta(days=2), enabled=False)
    await _keep(conn, next_run_date=None)
    await _keep(conn, next_run_date=NOW + timedelta(hours=1))
    due = await crons.due(conn)
    assert due
    assert due.cron.cron_id == oldest.cron_id
    assert due.now >= NOW


async def test_two_replicas_never_hold_the_same_cron(db: Database) -> None:
    async with db.connection() as conn:
        first = await _keep(conn)
    async with db.transaction() as one, db.transaction() as other:
        mine = await crons.due(one)
        assert mine
        assert mine.cron.cron_id == first.cron_id
        assert await crons.due(other) is None


async def test_a_cron_waits_while_something_is_done_to_its_thread(db: Database) -> None:
    async with db.connection() as conn:
        thread = await threads.create(conn, new_id(), owner="local")
        await _keep(conn, thread_id=thread.thread_id)
    async with db.transaction() as removing, db.transaction() as firing:
        await threads.lock(removing, thread.thread_id, owner="local")
        assert await crons.due(firing) is None
    async with db.transaction() as firing:
        assert await crons.due(firing) is not None


async def test_the_next_due_time_counts_only_what_will_fire(conn: Connection) -> None:
    assert await crons.next_due_in(conn) is None
    off = await _keep(conn, next_run_date=NOW + timedelta(seconds=10))
    await crons.disable(conn, off.cron_id)
    kept = await _keep(conn, next_run_date=NOW + timedelta(hours=1))
    due_in = await crons.next_due_in(conn)
    assert due_in is not None
    assert 60 < due_in <= 3600
    await crons.move(conn, kept.cron_id, None)
    assert await crons.next_due_in(conn) is None


async def test_a_cron_goes_with_its_thread_and_with_its_assistant(conn: Connection) -> None:
    thread = await threads.create(conn, new_id(), owner="local")
    of_thread = await _keep(conn, thread_id=thread.thread_id)
    other = await _keep(conn)
    await threads.delete(conn, thread.thread_id)
    await assistants.delete(conn, other.assistant_id)
    for gone in (of_thread, other):
        with pytest.raises(UnknownCron):
            await crons.get(conn, gone.cron_id, owner="local")
