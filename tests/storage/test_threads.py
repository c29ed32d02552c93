"""Threads: made once, found by what they carry, nobody's but their owner's."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from artel.storage import runs, threads
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.runs import Order
from artel.storage.threads import Filter, Life, ThreadExists, UnknownThread


async def test_a_thread_is_made_once(conn: Connection) -> None:
    id_ = new_id()
    made = await threads.create(conn, id_, owner="me", metadata={"a": 1})
    assert (made.status, made.interrupts, made.error) == ("idle", {}, None)
    with pytest.raises(ThreadExists):
        await threads.create(conn, id_, owner="me")
    assert await threads.create(conn, id_, owner="me", if_exists="do_nothing") == made
    with pytest.raises(ThreadExists):
        await threads.create(conn, id_, owner="you", if_exists="do_nothing")


async def test_a_patch_merges_metadata(conn: Connection) -> None:
    made = await threads.create(conn, new_id(), owner="me", metadata={"a": 1, "b": 1})
    patched = await threads.patch(conn, made.thread_id, {"b": 2}, owner="me")
    assert patched.metadata == {"a": 1, "b": 2}
    with pytest.raises(UnknownThread):
        await threads.patch(conn, made.thread_id, {}, owner="you")
    with pytest.raises(UnknownThread):
        await threads.get(conn, made.thread_id, owner="you")


async def test_threads_are_found_by_metadata_status_and_id(conn: Connection) -> None:
    one = await threads.create(conn, new_id(), owner="me", metadata={"kind": "x", "n": 1})
    two = await threads.create(conn, new_id(), owner="me", metadata={"kind": "x", "n": 2})
    await threads.create(conn, new_id(), owner="you", metadata={"kind": "x"})

    async def found(**wanted: Any) -> list[UUID]:
        which = Filter("me", **wanted)
        seen = await threads.search(conn, which, sort_by="thread_id", sort_order="asc")
        assert await threads.count(conn, which) == len(seen)
        return [thread.thread_id for thread in seen]

    assert await found(metadata={"kind": "x"}) == [one.thread_id, two.thread_id]
    assert await found(metadata={"n": 3}) == []
    assert await found(ids=[two.thread_id]) == [two.thread_id]
    assert await found(metadata={"kind": "x"}, status="busy") == []
    assert await found(metadata={"kind": "x"}, allowed="$.n == 2") == [two.thread_id]
    with pytest.raises(ValueError, match="sort_by"):
        await threads.search(conn, Filter("me"), sort_by="owner; drop table threads")


async def test_what_a_caller_may_not_see_is_not_there(conn: Connection) -> None:
    made = await threads.create(conn, new_id(), owner="me", metadata={"who": "a"})
    id_, mine, others = made.thread_id, '$.who == "a"', '$.who == "b"'

    assert await threads.get(conn, id_, owner="me", allowed=mine) == made
    assert await threads.lock(conn, id_, owner="me", allowed=mine) == made
    with pytest.raises(UnknownThread):
        await threads.get(conn, id_, owner="me", allowed=others)
    with pytest.raises(UnknownThread):
        await threads.patch(conn, id_, {"who": "b"}, owner="me", allowed=others)
    with pytest.raises(ThreadExists):
        await threads.create(conn, id_, owner="me", if_exists="do_nothing", allowed=others)
    assert await threads.lock(conn, id_, owner="me", allowed=others) is None


async def test_a_life_begins_again_with_every_change_and_after_a_pruning_with_the_next(
    conn: Connection,
) -> None:
    made = await threads.create(conn, new_id(), owner="me", life=Life(60, "keep_latest"))
    assert made.expires_at == made.updated_at + timedelta(hours=1)
    patched = await threads.patch(conn, made.thread_id, {"a": 1}, owner="me")
    assert patched.expires_at == patched.updated_at + timedelta(hours=1) > made.expires_at
    await threads.pruned(conn, made.thread_id)
    assert (await threads.get(conn, made.thread_id, owner="me")).expires_at is None
    await runs.add(conn, Order(made.thread_id, new_id(), "g", owner="me"))
    busy = await threads.get(conn, made.thread_id, owner="me")
    assert busy.expires_at == busy.updated_at + timedelta(hours=1)
    for_ever = await threads.patch(conn, made.thread_id, {}, owner="me", life=Life())
    assert (for_ever.ttl_minutes, for_ever.expires_at) == (None, None)


async def test_only_threads_at_rest_without_a_schedule_come_to_their_end(conn: Connection) -> None:
    def life(minutes: float) -> dict[str, Any]:
        return {"owner": "me", "life": Life(minutes)}

    over, busy, planned = [await threads.create(conn, new_id(), **life(1)) for _ in range(3)]
    await threads.create(conn, new_id(), **life(600))
    await threads.create(conn, new_id(), owner="me")
    await conn.execute("update threads set updated_at = now() - interval '5 minutes'")
    await runs.add(conn, Order(busy.thread_id, new_id(), "g", owner="me"))
    await conn.execute("update threads set updated_at = now() - interval '5 minutes'")
    assistant = new_id()
    await conn.execute(
        "insert into assistants (assistant_id, graph_id, name) values (%s, 'g', 'g')", [assistant]
    )
    await conn.execute(
        "insert into crons (cron_id, assistant_id, thread_id, schedule, payload, next_run_date)"
        " values (%s, %s, %s, '* * * * *', '{}', now())",
        [new_id(), assistant, planned.thread_id],
    )

    found = await threads.next_expired(conn)
    assert found
    assert found.thread_id == over.thread_id
    await threads.delete(conn, over.thread_id)
    assert await threads.next_expired(conn) is None
    await conn.execute("update crons set enabled = false")
    found = await threads.next_expired(conn)
    assert found
    assert found.thread_id == planned.thread_id


async def test_a_thread_is_settled_only_when_no_run_will_do_it(conn: Connection) -> None:
    made = await threads.create(conn, new_id(), owner="me")
    await threads.settle(conn, made.thread_id, "interrupted", {"t": []})
    assert (await threads.get(conn, made.thread_id, owner="me")).status == "interrupted"
    await runs.add(conn, Order(made.thread_id, new_id(), "g", owner="me"))
    await threads.settle(conn, made.thread_id, "idle", {})
    assert (await threads.get(conn, made.thread_id, owner="me")).status == "busy"


async def test_a_deleted_thread_takes_its_runs_along(conn: Connection) -> None:
    made = await threads.create(conn, new_id(), owner="me")
    run = await runs.add(conn, Order(made.thread_id, new_id(), "g", owner="me"))
    await threads.delete(conn, made.thread_id)
    assert await runs.find(conn, run.run_id) is None
    assert await threads.lock(conn, made.thread_id, owner="me") is None
