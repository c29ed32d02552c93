"""The event log: in order, fenced, small, and read from anywhere."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.begun import begin, end, take_over

from artel.storage import events
from artel.storage.errors import StaleAttempt
from artel.storage.events import Event, ValuesRef, _pack, _unpack
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database

TOKEN = b'[{"content":"word","type":"AIMessageChunk"},{"langgraph_node":"agent"}]'


def said(first: int, count: int = 3) -> list[Event]:
    return [Event(first + n, "messages", "agent:1", TOKEN) for n in range(count)]


async def seqs(conn: Connection, run_id: UUID, after: int = 0) -> list[int]:
    return [event.seq for event in await events.read(conn, run_id, after=after)]


async def test_a_log_is_read_back_as_it_was_written(conn: Connection) -> None:
    run = await begin(conn)
    written = [
        Event(1, "metadata", "", b"{}"),
        *said(2),
        Event(5, "custom", "a:1|b:2", '"привет\\n"'.encode()),
    ]
    await events.append(conn, run.run_id, 1, written[:2])
    await events.append(conn, run.run_id, 1, written[2:])
    assert await events.read(conn, run.run_id) == written


async def test_reading_goes_on_after_any_event_also_in_the_middle_of_a_chunk(conn: Connection) -> None:
    run = await begin(conn)
    await events.append(conn, run.run_id, 1, said(1, 5))
    await events.append(conn, run.run_id, 1, said(6, 5))
    for after in range(12):
        assert await seqs(conn, run.run_id, after) == list(range(after + 1, 11))


async def test_a_take_over_leaves_a_gap_and_no_number_twice(conn: Connection) -> None:
    run = await begin(conn)
    await events.append(conn, run.run_id, 1, said(1))
    await take_over(conn, run)
    await events.append(conn, run.run_id, 2, said(10_001))
    assert await seqs(conn, run.run_id) == [1, 2, 3, 10_001, 10_002, 10_003]
    assert await events.last_seq(conn, run.run_id) == 10_003


async def test_a_worker_that_lost_its_run_adds_nothing(db: Database) -> None:
    async with db.connection() as conn:
        run = await begin(conn)
        await take_over(conn, run)
        with pytest.raises(StaleAttempt):
            async with db.connection() as late:
                await events.append(late, run.run_id, 1, said(1))
        assert await events.last_seq(conn, run.run_id) == 0


async def test_an_ended_run_takes_no_events_but_the_last_word_of_whoever_locked_it(db: Database) -> None:
    async with db.connection() as conn:
        run = await begin(conn)
        await end(conn, run)
        with pytest.raises(StaleAttempt):
            async with db.transaction(batch=True) as late:
                await events.append(late, run.run_id, 1, said(1))
        await events.append_unfenced(conn, run.run_id, 1, said(1))
        assert await seqs(conn, run.run_id) == [1, 2, 3]


async def test_a_state_that_a_checkpoint_holds_is_not_stored_again(conn: Connection) -> None:
    run = await begin(conn)
    ref = ValuesRef("thread", "checkpoint", (("messages", None), ("todos", "[]")))
    large = b'{"messages":[%b],"todos":[]}' % b",".join([b'"%d"' % n for n in range(5000)])
    await events.append(conn, run.run_id, 1, [Event(1, "values", "", large, lambda: ref), *said(2, 1)])
    row = await (await conn.execute("select sum(length(chunk)) as size from run_events")).fetchone()
    assert row
    assert row["size"] < 500

    async def resolve(asked: ValuesRef) -> bytes | None:
        return large if asked == ref else None

    found = await events.read(conn, run.run_id, resolve=resolve)
    assert [(e.type, e.data) for e in found] == [("values", large), ("messages", TOKEN)]


async def test_a_state_that_no_checkpoint_holds_is_stored_itself(conn: Connection) -> None:
    run = await begin(conn)
    await events.append(conn, run.run_id, 1, [Event(1, "values", "", b'{"n":1}', lambda: None)])
    assert [e.data for e in await events.read(conn, run.run_id)] == [b'{"n":1}']


async def test_a_state_whose_checkpoint_was_pruned_is_left_out_of_the_replay(conn: Connection) -> None:
    run = await begin(conn)
    ref = ValuesRef("thread", "gone", ())

    async def resolve(_: ValuesRef) -> bytes | None:
        return None

    await events.append(conn, run.run_id, 1, [Event(1, "values", "", b"{}", lambda: ref), *said(2, 1)])
    assert [e.seq for e in await events.read(conn, run.run_id, resolve=resolve)] == [2]


async def test_tokens_are_stored_small(conn: Connection) -> None:
    run = await begin(conn)
    tokens = [
        Event(n, "messages", "agent:1", b'[{"content":"w%d"},%b]' % (n, b"x" * 700)) for n in range(1, 40)
    ]
    await events.append(conn, run.run_id, 1, tokens)
    row = await (await conn.execute("select sum(length(chunk)) as size from run_events")).fetchone()
    assert row
    assert row["size"] / len(tokens) < 60


async def test_old_events_go_but_not_those_of_a_run_that_goes_on(conn: Connection) -> None:
    done, going = await begin(conn), await begin(conn)
    for run in (done, going):
        await events.append(conn, run.run_id, 1, said(1))
    await end(conn, done)
    await conn.execute("update run_events set created_at = now() - interval '8 days'")
    assert await events.prune(conn, older_than=timedelta(days=9)) == 0
    assert await events.prune(conn, older_than=timedelta(days=7)) == 1
    assert (await seqs(conn, done.run_id), await seqs(conn, going.run_id)) == ([], [1, 2, 3])


async def test_events_go_with_their_run_or_their_thread(conn: Connection) -> None:
    one, other = await begin(conn), await begin(conn)
    for run in (one, other):
        await events.append(conn, run.run_id, 1, said(1))
    await events.delete_of_thread(conn, one.thread_id)
    assert (await seqs(conn, one.run_id), await seqs(conn, other.run_id)) == ([], [1, 2, 3])
    await events.delete(conn, other.run_id)
    assert await seqs(conn, other.run_id) == []


async def test_nothing_is_known_of_an_unknown_run(conn: Connection) -> None:
    assert (await seqs(conn, new_id()), await events.last_seq(conn, new_id())) == ([], 0)


def test_a_chunk_of_a_newer_version_is_refused() -> None:
    with pytest.raises(ValueError, match="newer version"):
        list(_unpack(b"\x09..."))


one_event = st.builds(
    Event, st.integers(1, 2**60), st.sampled_from(["messages", "updates", "error"]), st.text(), st.binary()
)


@given(st.lists(one_event, min_size=1, max_size=30))
def test_any_chunk_is_unpacked_as_it_was_packed(written: list[Event]) -> None:
    assert [event for event, _ in _unpack(_pack(written))] == written


async def test_chunks_of_many_runs_are_stored_together_or_not_at_all(db: Database) -> None:
    async with db.connection() as conn:
        one, two, lost = [await begin(conn) for _ in range(3)]
        await events.append_many(
            conn, [events.Chunk(one.run_id, 1, said(1)), events.Chunk(two.run_id, 1, said(1, 5))]
        )
        assert [await seqs(conn, run.run_id) for run in (one, two)] == [[1, 2, 3], [1, 2, 3, 4, 5]]
        await take_over(conn, lost)
        chunks = [events.Chunk(one.run_id, 1, said(4)), events.Chunk(lost.run_id, 1, said(1))]
        with pytest.raises(StaleAttempt):
            async with db.connection() as late:
                await events.append_many(late, chunks)
        assert await seqs(conn, one.run_id) == [1, 2, 3]
