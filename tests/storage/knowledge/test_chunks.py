"""What a reader of a collection hears of, what passes filters, and what a hit reads like."""

import asyncio
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.written import draft, now, outcomes, put

from artel.storage.broker import open_broker
from artel.storage.errors import Invalid
from artel.storage.ids import new_id
from artel.storage.knowledge import chunks, collections, documents, sources
from artel.storage.knowledge.chunks import Changes
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.documents import Piece
from artel.storage.knowledge.filters import Filters, conditions
from artel.storage.knowledge.hits import Ids
from artel.storage.postgres import Connection, Database, connect

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "delete", "prune", "read"]),
        st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True),
        st.lists(st.sampled_from(["one", "two", "three", "four"]), max_size=4),
    ),
    max_size=12,
)


class Reader:
    """Somebody who keeps up by `since` alone."""

    def __init__(self) -> None:
        self.revision = 0
        self.ids: set[int] = set()

    def hear(self, changes: Changes) -> None:
        if changes.anew:
            self.ids = set()
        self.ids = self.ids - set(changes.removed.tolist()) | set(changes.added.tolist())
        self.revision = changes.revision


async def truth(conn: Connection, collection: Collection) -> set[int]:
    rows = await conn.execute(
        "select chunk_id from chunks where collection_id = %s", [collection.collection_id]
    )
    return {row["chunk_id"] async for row in rows}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(acts=ACTS)
def test_who_replays_what_changed_has_what_there_is(dsn: str, acts: Any) -> None:
    asyncio.run(replayed(dsn, acts))


async def replayed(dsn: str, acts: list[tuple[str, list[int], list[str]]]) -> None:
    async with await connect(dsn) as conn, conn.transaction(force_rollback=True):
        shelf = await collections.make(conn, str(new_id()), owner="ada")
        steady, seldom, history = Reader(), Reader(), dict[int, set[int]]()
        pruned = False
        for act, ids, words in acts:
            names, text = [f"d{n}" for n in ids], "\n".join(words)
            match act:
                case "put":
                    await put(conn, shelf, *(draft(name, text) for name in names))
                case "delete":
                    await documents.delete(conn, shelf, names)
                case "prune":
                    pruned = bool(await chunks.prune(conn, shelf, older_than=timedelta(0))) or pruned
                case "read":
                    seldom.hear(await chunks.since(conn, shelf, seldom.revision))
                    assert seldom.ids == await truth(conn, shelf)
            steady.hear(await chunks.since(conn, shelf, steady.revision))
            there = await truth(conn, shelf)
            assert steady.ids == there
            history[steady.revision] = there
        if not pruned:
            for revision, there in history.items():
                assert set((await chunks.ids(conn, shelf, at=revision)).tolist()) == there
        for document in await documents.listing(conn, shelf, source_id=None):
            text = await documents.text(conn, shelf, document.document_id)
            found = await (
                await conn.execute(
                    'select ordinal, start, "end" from chunks where document_id = %s order by ordinal',
                    [document.document_id],
                )
            ).fetchall()
            assert [text[one["start"] : one["end"]] for one in found] == text.split("\n") * bool(text)


async def test_a_reader_who_was_away_while_tombstones_were_pruned_begins_anew(
    conn: Connection, shelf: Collection
) -> None:
    await put(conn, shelf, draft("a", "one"), draft("b", "two"))
    reader = Reader()
    reader.hear(await chunks.since(conn, shelf, 0))
    await documents.delete(conn, shelf, ["a"])
    assert await chunks.prune(conn, shelf) == 0  # it is young
    assert await chunks.prune(conn, shelf, older_than=timedelta(0)) == 1
    changes = await chunks.since(conn, shelf, reader.revision)
    assert changes.anew
    reader.hear(changes)
    assert reader.ids == await truth(conn, shelf)
    assert not (await chunks.since(conn, shelf, reader.revision)).anew


async def test_a_reader_from_the_future_begins_anew(conn: Connection, shelf: Collection) -> None:
    """A database that came back from a backup has lower revisions than its readers."""
    await put(conn, shelf, draft("a", "one"))
    changes = await chunks.since(conn, shelf, 7)
    assert (changes.anew, changes.revision, len(changes.added)) == (True, 1, 1)


async def test_who_commits_late_is_never_skipped(db: Database, kept: Collection) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with db.transaction() as conn:
            await put(conn, kept, draft("slow", "one"))
            began.set()
            await go_on.wait()

    async def quick() -> None:
        async with db.transaction() as conn:
            await put(conn, kept, draft("quick", "two"))

    reader = Reader()
    async with asyncio.TaskGroup() as group:
        group.create_task(slow())
        await began.wait()
        second = group.create_task(quick())
        await waiting_for_a_lock(db)
        async with db.connection() as conn:
            reader.hear(await chunks.since(conn, kept, reader.revision))
        assert (reader.revision, reader.ids, second.done()) == (0, set(), False)
        go_on.set()
    async with db.connection() as conn:
        reader.hear(await chunks.since(conn, kept, reader.revision))
        assert (reader.revision, reader.ids) == (2, await truth(conn, kept))


async def waiting_for_a_lock(db: Database) -> None:
    query = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with asyncio.timeout(20), db.connection() as conn:
        while await (await conn.execute(query)).fetchone() is None:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.01)


async def test_writers_at_once_each_get_a_revision_and_readers_hear_all(
    db: Database, kept: Collection
) -> None:
    reader, done = Reader(), asyncio.Event()

    async def write(n: int) -> None:
        for turn in range(5):
            async with db.transaction() as conn:
                await put(conn, kept, draft(f"d{n}", f"{n} {turn}\nsame"), draft("all", f"{n} {turn}"))

    async def read() -> None:
        while not done.is_set():
            async with db.connection() as conn:
                reader.hear(await chunks.since(conn, kept, reader.revision))

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read())
        async with asyncio.TaskGroup() as writers:
            for n in range(3):
                writers.create_task(write(n))
        done.set()
    await reading
    async with db.connection() as conn:
        reader.hear(await chunks.since(conn, kept, reader.revision))
        assert (reader.revision, reader.ids) == (15, await truth(conn, kept))


async def test_other_processes_hear_of_a_change_once_it_is_committed(
    db: Database, kept: Collection, fresh_dsn: str
) -> None:
    async with open_broker(fresh_dsn) as broker, broker.listen(collections.CHANGED) as changed:
        async with db.transaction() as conn:
            await put(conn, kept, draft("a", "one"))
        async with asyncio.timeout(20):
            assert await anext(changed) == str(kept.collection_id)
        async with db.transaction() as conn:
            await put(conn, kept, draft("a", "one"))  # nothing new: nobody is woken
            await collections.drop(conn, kept)
        async with asyncio.timeout(20):
            assert await anext(changed) == str(kept.collection_id)
        assert changed._bodies.empty()


async def test_a_hit_reads_as_it_stands_in_its_document(conn: Connection, shelf: Collection) -> None:
    source = await sources.add(conn, shelf, kind="folder", name="notes", config={})
    text = "Ёлка 🎄 горит.\nВторая строка — 日本."
    given = draft("a", text, header="Глава", title="Книга", url="https://example.org/a", language="ru")
    (added,) = await outcomes(conn, shelf, given, source_id=source.source_id)
    ids = await truth(conn, shelf)
    found = sorted((await chunks.texts(conn, shelf, sorted(ids))).values(), key=lambda one: one.start)
    assert [one.text for one in found] == text.split("\n")
    for one in found:
        assert text[one.start : one.end] == one.text
        assert (one.title, one.header, one.language, one.version) == ("Книга", "Глава", "ru", 1)
        assert (one.source_id, one.external_id, one.document_id) == (source.source_id, "a", added.document_id)
        assert one.content_hash == documents.content_hash(text)
    for chunk in await chunks.contents(conn, shelf, np.array(sorted(ids))):
        assert chunk.text in text.split("\n")
        assert chunk.content_hash == documents.chunk_hash("Глава", chunk.text)


async def test_documents_larger_than_what_is_read_together_are_read_whole(
    conn: Connection, shelf: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "AT_ONCE", 10)
    await put(conn, shelf, *(draft(f"d{n}", "first line\nsecond line\nthird") for n in range(4)))
    ids = np.array(sorted(await truth(conn, shelf)))
    found = await chunks.contents(conn, shelf, ids)
    assert sorted(one.chunk_id for one in found) == ids.tolist()
    assert {one.text for one in found} == {"first line", "second line", "third"}


async def filled(conn: Connection, shelf: Collection) -> dict[str, int]:
    """Put one chunk a document, and return the ids by the names of the documents."""
    wiki = await sources.add(conn, shelf, kind="wiki", name="wiki", config={})
    await put(conn, shelf, draft("en", "one", language="en", kind="page", roles=["dev"], metadata={"v": 1}))
    await put(conn, shelf, draft("ru", "два", language="ru", kind="page", roles=["qa"], metadata={"v": "1"}))
    await put(conn, shelf, draft("py", "three", language="code", kind="code", metadata={"v": 1, "w": True}))
    await put(conn, shelf, draft("wiki", "four", language="en", kind="page"), source_id=wiki.source_id)
    rows = await conn.execute("select external_id, chunk_id from documents join chunks using (document_id)")
    return {row["external_id"]: row["chunk_id"] async for row in rows}


async def test_filters_let_through_what_they_name(conn: Connection, shelf: Collection) -> None:
    ids = await filled(conn, shelf)
    names = {chunk_id: name for name, chunk_id in ids.items()}
    (wiki,) = await sources.search(conn, shelf)
    moments = [row.updated_at for row in (await chunks.texts(conn, shelf, list(names))).values()]
    wanted = {
        Filters(): {"en", "ru", "py", "wiki"},
        Filters(sources=(wiki.source_id,)): {"wiki"},
        Filters(kinds=("page",), languages=("en",)): {"en", "wiki"},
        Filters(roles=("dev",)): {"en", "py", "wiki"},  # who names no roles is for all
        Filters(metadata=(("v", 1),)): {"en", "py"},
        Filters(metadata=(("v", 1), ("w", True))): {"py"},
        Filters(updated_from=max(moments)): {"wiki"},
        Filters(updated_before=max(moments)): {"en", "ru", "py"},
        Filters(kinds=("none of these",)): set(),
    }
    for filters, passed in wanted.items():
        found: Ids = await chunks.within(conn, shelf, filters)
        assert {names[one] for one in found.tolist()} == passed, filters
        assert found.tolist() == sorted(found.tolist())
        assert found.dtype == np.int64


async def test_filters_that_cannot_be_are_refused(conn: Connection, shelf: Collection) -> None:
    for wrong in (
        Filters(kinds=("a",) * 201),
        Filters(roles=("nul\0",)),
        Filters(metadata=(("nul\0", 1),)),
        Filters(metadata=(("long", "x" * 20_000),)),
    ):
        with pytest.raises(Invalid, match="filters"):
            await chunks.within(conn, shelf, wrong)


async def test_no_filter_of_one_owner_sees_what_another_has(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"))
    forged = Collection(**{name: getattr(shelf, name) for name in Collection.__slots__} | {"owner": "eve"})
    assert not len(await chunks.within(conn, forged, Filters()))
    assert await chunks.texts(conn, forged, sorted(await truth(conn, shelf))) == {}
    assert await chunks.contents(conn, forged, np.array(sorted(await truth(conn, shelf)))) == []
    for asking in (chunks.since(conn, forged, 0), chunks.ids(conn, forged, at=1)):
        with pytest.raises(collections.UnknownCollection):
            await asking


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(kinds=("rare",)), "documents_of_kind"),
        (Filters(kinds=("rare",), languages=("ru",)), "documents_of_kind"),
        (Filters(metadata=(("n", 7),)), "documents_metadata"),
    ],
)
async def test_a_filter_that_lets_little_through_reads_little(
    conn: Connection, shelf: Collection, filters: Filters, index: str
) -> None:
    text = "\n".join("abcdefghij")
    many = [
        draft(f"d{n}", text, kind="rare" if n % 50 == 0 else "page", language="ru", metadata={"n": n % 100})
        for n in range(1_000)
    ]
    for other in ("shelf", "theirs", "more"):
        await put(conn, await collections.make(conn, other, owner="ada"), *many)
    await conn.execute("analyze documents, chunks, collections")
    plan = await explained(conn, shelf, filters)
    assert index in plan, plan
    assert "chunks_of_document" in plan, plan
    assert "Seq Scan on documents" not in plan
    assert "Seq Scan on chunks" not in plan


async def explained(conn: Connection, shelf: Collection, filters: Filters) -> str:
    parts, values = conditions(filters)
    query = "explain " + chunks.WITHIN + "".join(f"   and {part}\n" for part in parts)
    rows = await (await conn.execute(query.encode(), {**shelf.whose, **values})).fetchall()
    return "\n".join(row["QUERY PLAN"] for row in rows)


async def test_pieces_may_overlap_and_leave_gaps(conn: Connection, shelf: Collection) -> None:
    given = draft("a", "one two three", pieces=[Piece(0, 7), Piece(4, 13)])
    assert await put(conn, shelf, given) == ["added"]
    found = (await chunks.texts(conn, shelf, sorted(await truth(conn, shelf)))).values()
    assert {one.text for one in found} == {"one two", "two three"}
    assert (await now(conn, shelf)).revision == 1
