"""The audit log: only added to, in one row for each owner, and no change goes unseen."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg import Rollback

from artel.storage import audit, threads
from artel.storage.audit import UnknownEntry
from artel.storage.chains import START, canonical
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database

WRITER = """
import asyncio, sys
from artel.storage import audit
from artel.storage.chains import canonical
from artel.storage.ids import new_id
from artel.storage.postgres import open_database

async def write():
    async with open_database(sys.argv[1], pool_size=4) as db:
        async def some(n):
            for _ in range(10):
                async with db.connection() as conn:
                    one = {"kind": "call", "owner": "local", "who": f"{sys.argv[2]} {n}"}
                    await audit.add(conn, [{"id": str(new_id()), **one}])
                    more = [{"id": str(new_id()), **one} for _ in range(2)]
                    await audit.add_sealed(conn, [("local", canonical(each)) for each in more])
        await asyncio.gather(*(some(n) for n in range(4)))

asyncio.run(write())
"""


def entry(**said: Any) -> dict[str, Any]:
    return {"id": str(new_id()), "owner": "local", "kind": "call", "user": "local", **said}


async def put(conn: Connection, *entries: dict[str, Any]) -> None:
    """Add entries within a transaction that is never committed."""
    await audit.add(conn, entries)
    await conn.execute("set constraints all immediate")


async def numbers(conn: Connection, **asked: Any) -> list[int]:
    return [link.seq for link in await audit.search(conn, **{"owner": "local", **asked})]


async def wrong(db: Database, owner: str = "local") -> str:
    """Walk a chain; what is wrong with it, and at which entry."""
    async with db.connection() as conn:
        _, broken = await audit.verify(conn, owner)
    return f"{broken.seq}: {broken.what}" if broken else ""


async def tampered(db: Database, *statements: str) -> None:
    """Do what only somebody with all rights can, behind the back of the triggers."""
    async with db.transaction() as conn:
        await conn.execute("set local session_replication_role = replica")
        for one in statements:
            await conn.execute(one)


@pytest.fixture
async def five(db: Database) -> Database:
    async with db.connection() as conn:
        await audit.add(conn, [entry(tool="read_file", n=n) for n in range(5)])
    return db


async def test_entries_follow_each_other(five: Database) -> None:
    async with five.connection() as conn:
        found = [link async for link in audit.walk(conn, "local")]
        way, broken = await audit.verify(conn, "local")
    assert [link.body["n"] for link in found] == [0, 1, 2, 3, 4]
    assert found[0].prev_hash == START
    assert all(one.hash == next_.prev_hash for one, next_ in pairwise(found))
    assert (broken, way.seq, way.hash) == (None, 5, found[-1].hash)


async def test_an_entry_that_is_sent_twice_is_there_once(conn: Connection) -> None:
    one, two = entry(), entry()
    await put(conn, one, two, one)
    await put(conn, two)
    assert await numbers(conn) == [2, 1]


async def test_each_owner_has_a_chain(conn: Connection) -> None:
    await put(conn, entry(owner="bob"), entry(owner="ada"), entry(owner="bob"))
    assert [await numbers(conn, owner=owner) for owner in ("ada", "bob", "eve")] == [[1], [2, 1], []]
    assert await audit.owners(conn) == ["ada", "bob"]


async def test_two_processes_that_write_at_once_make_one_chain(db: Database, fresh_dsn: str) -> None:
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, fresh_dsn, name)
        for name in ("one", "two")
    ]
    assert [await each.wait() for each in writers] == [0, 0]
    assert await wrong(db) == ""
    async with db.connection() as conn:
        way, _ = await audit.verify(conn, "local")
        found = [link async for link in audit.walk(conn, "local")]
    assert way.seq == len(found) == 240
    assert len({link.body["who"] for link in found[:120]}) > 1


async def test_writers_of_several_chains_do_not_wait_for_each_other_for_ever(db: Database) -> None:
    async def some(first: str, second: str) -> None:
        for _ in range(15):
            async with db.connection() as conn:
                both = [(owner, canonical(entry(owner=owner))) for owner in (first, second)]
                await audit.add_sealed(conn, both)

    async with asyncio.timeout(20):
        await asyncio.gather(some("ada", "bob"), some("bob", "ada"))
    assert (await wrong(db, "ada"), await wrong(db, "bob")) == ("", "")


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set entry = entry",
        "update audit set seq = seq + 10",
        "delete from audit where seq = 5",
        "delete from audit",
        "truncate audit",
    ],
)
async def test_nothing_is_changed_or_removed(five: Database, statement: str) -> None:
    with pytest.raises(psycopg.Error, match="only added to"):
        async with five.connection() as conn:
            await conn.execute(statement.encode())
    assert await wrong(five) == ""


FORGE = """
update audit set entry = '{"id":"x","kind":"call","n":9,"owner":"local"}',
    hash = sha256(convert_to('{"entry":{"id":"x","kind":"call","n":9,"owner":"local"},"prev_hash":"'
        || encode(prev_hash, 'hex') || '","seq":' || seq || ',"written_at":"'
        || to_char(written_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"}', 'UTF8'))
 where seq = 3
"""
CHANGE = """update audit set entry = replace(entry::text, '"n":2', '"n":7')::json where seq = 3"""
SWAP = """
update audit a set entry = b.entry from audit b
 where (a.seq, b.seq) in ((2, 4), (4, 2))
"""
REWIND = "update audit_heads h set seq = 4, hash = (select hash from audit where seq = 4)"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([CHANGE], "3: it was changed"),
        (["update audit set written_at = written_at + interval '1 s' where seq = 2"], "2: it was changed"),
        (["update audit set hash = sha256('x') where seq = 4"], "4: it was changed"),
        (["update audit set prev_hash = sha256('x') where seq = 4"], "4: it was changed"),
        (["drop index audit_by_id", SWAP], "2: it was changed"),
        ([FORGE], "4: it follows another one"),
        (["delete from audit where seq = 3"], "3: it is missing"),
        (["delete from audit where seq = 1"], "1: what came before is missing, and no `cut` signs it off"),
        (["delete from audit where seq = 5"], "5: the chain ends elsewhere than its head"),
        (["delete from audit"], "5: the chain ends elsewhere than its head"),
        (["delete from audit_heads"], "5: the head of the chain is missing"),
        (["update audit_heads set seq = 9"], "9: the chain ends elsewhere than its head"),
    ],
)  # fmt: skip
async def test_whoever_has_all_rights_leaves_a_trace(
    five: Database, statements: list[str], found: str
) -> None:
    await tampered(five, *statements)
    assert await wrong(five) == found


async def test_a_tail_cut_with_its_head_is_found_by_an_earlier_export(five: Database) -> None:
    async with five.connection() as conn:
        last = [link async for link in audit.walk(conn, "local")][-1]
    await tampered(five, REWIND, "delete from audit where seq = 5")
    assert await wrong(five) == ""  # the chain alone cannot know
    async with five.connection() as conn:
        way, _ = await audit.verify(conn, "local")
    assert way.seq < last.seq


async def test_old_entries_go_when_somebody_signs_that_off(five: Database) -> None:
    async with five.transaction() as conn:
        assert await audit.cut(conn, "local", 3, by="root", reason="a year is over") == 3
    assert await wrong(five) == ""
    async with five.connection() as conn:
        left = [link async for link in audit.walk(conn, "local")]
    assert [link.seq for link in left] == [4, 5, 6]
    signed = left[-1].body
    assert (signed["kind"], signed["user"], signed["cut"]["seq"]) == ("cut", "root", 3)
    assert signed["cut"]["hash"] == left[0].prev_hash
    with pytest.raises(psycopg.Error, match="only added to"):
        async with five.connection() as conn:
            await conn.execute("delete from audit where seq = 4")
    async with five.transaction() as conn:
        await audit.cut(conn, "local", 6, by="root", reason="all of it")
    assert await wrong(five) == ""
    await tampered(five, "delete from audit where seq = 7")
    assert await wrong(five) == "7: the chain ends elsewhere than its head"


async def test_what_is_not_there_cannot_be_cut(five: Database) -> None:
    with pytest.raises(UnknownEntry, match="no entry 6"):
        async with five.transaction() as conn:
            await audit.cut(conn, "local", 6, by="root", reason="")


async def test_a_process_that_stands_still_in_a_transaction_holds_up_nobody(db: Database) -> None:
    async with db.transaction() as conn:
        await audit.add(conn, [entry(n=1), entry(n=2)])
        async with asyncio.timeout(5), db.connection() as other:
            await audit.add(other, [entry(n=0)])
    assert await wrong(db) == ""
    async with db.connection() as conn:
        assert [link.body["n"] async for link in audit.walk(conn, "local")] == [0, 1, 2]


async def test_what_is_rolled_back_is_not_on_record(db: Database) -> None:
    async with db.transaction() as conn:
        await audit.add(conn, [entry()])
        raise Rollback
    async with db.connection() as conn:
        await audit.add(conn, [entry(n=1)])
        assert [link.body["n"] async for link in audit.walk(conn, "local")] == [1]


async def test_entries_are_found_by_what_they_are_about(conn: Connection) -> None:
    thread = str(new_id())
    await put(conn, entry(tool="grep"), entry(kind="intent", thread_id=thread), entry(user="bob"))
    assert await numbers(conn, tool="grep") == [1]
    assert await numbers(conn, kind="intent") == [2]
    assert await numbers(conn, thread_id=thread) == [2]
    assert await numbers(conn, user="bob") == [3]
    assert await numbers(conn, before=3, limit=1) == [2]
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    assert await numbers(conn, since=now - hour, until=now + hour) == [3, 2, 1]
    assert await numbers(conn, since=now + hour) == await numbers(conn, until=now - hour) == []


async def test_somebody_sees_their_own_and_what_is_of_threads_they_may_see(conn: Connection) -> None:
    thread = await threads.create(conn, new_id(), owner="local", metadata={"owner": "ada"})
    about = {"thread_id": str(thread.thread_id)}
    await put(conn, entry(user="bob", **about), entry(user="ada"), entry(user="eve"))
    of_ada: dict[str, Any] = {"user": "ada", "allowed": '$.owner == "ada"'}
    assert await numbers(conn, **of_ada) == [2, 1]
    assert [link.seq for link in await audit.after(conn, 0, owner="local", **of_ada)] == [1, 2]
    assert await numbers(conn, user="eve", allowed='$.owner == "eve"') == [3]
    assert await numbers(conn, owner="ada", **of_ada) == []
