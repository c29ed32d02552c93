"""Threads: made once, found by what they carry, nobody's but their owner's."""

import pytest

from artel.storage import runs, threads
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.runs import Order
from artel.storage.threads import ThreadExists, UnknownThread


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
    found = await threads.search(
        conn, owner="me", metadata={"kind": "x"}, sort_by="thread_id", sort_order="asc"
    )
    assert [t.thread_id for t in found] == [one.thread_id, two.thread_id]
    assert await threads.count(conn, owner="me", metadata={"kind": "x"}) == 2
    assert await threads.search(conn, owner="me", metadata={"n": 3}) == []
    assert [t.thread_id for t in await threads.search(conn, owner="me", ids=[two.thread_id])] == [
        two.thread_id
    ]
    assert await threads.search(conn, owner="me", metadata={"kind": "x"}, status="busy") == []
    with pytest.raises(ValueError, match="sort_by"):
        await threads.search(conn, owner="me", sort_by="owner; drop table threads")


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
