"""Imports: each document is counted once, and what failed says why."""

import pytest
from psycopg.errors import CheckViolation
from tests.fakes.written import draft, outcomes

from artel.storage.knowledge import collections, jobs, sources
from artel.storage.knowledge.collections import Collection, UnknownCollection
from artel.storage.knowledge.jobs import Failure, ImportEnded, UnknownImport
from artel.storage.knowledge.sources import UnknownSource
from artel.storage.postgres import Connection, Database


async def test_sums_balance_and_failures_have_reasons(conn: Connection, shelf: Collection) -> None:
    begun = await jobs.begin(conn, shelf)
    for drafts in (
        [draft("a", "one"), draft("b", "two"), draft("nul\0", "three")],
        [draft("a", "one"), draft("b", "new"), draft("c", "\ud800")],
    ):
        said = await outcomes(conn, shelf, *drafts)
        counted = await jobs.count(conn, begun.import_id, said, owner="ada", deleted=1)
    assert (
        counted.seen,
        counted.added,
        counted.updated,
        counted.skipped,
        counted.failed,
        counted.deleted,
    ) == (
        6,
        2,
        1,
        1,
        2,
        2,
    )
    assert await jobs.failures(conn, begun.import_id, owner="ada") == [
        Failure("nul�", "id has a NUL character in it"),
        Failure("c", "text has half a character (a lone surrogate) in it"),
    ]
    ended = await jobs.end(conn, begun.import_id, owner="ada", notes="as planned")
    assert (ended.state, ended.notes, ended.ended_at is None) == ("done", "as planned", False)
    assert await jobs.search(conn, shelf) == [ended]


async def test_an_import_that_has_ended_counts_no_more(conn: Connection, shelf: Collection) -> None:
    begun = await jobs.begin(conn, shelf)
    await jobs.end(conn, begun.import_id, owner="ada", failed=True)
    said = await outcomes(conn, shelf, draft("a", "one"))
    with pytest.raises(ImportEnded, match="it is failed"):
        await jobs.count(conn, begun.import_id, said, owner="ada")
    with pytest.raises(ImportEnded):
        await jobs.end(conn, begun.import_id, owner="ada")


async def test_the_imports_of_another_are_out_of_reach(conn: Connection, shelf: Collection) -> None:
    begun = await jobs.begin(conn, shelf)
    said = await outcomes(conn, shelf, draft("", "one"))
    await jobs.count(conn, begun.import_id, said, owner="ada")
    for asking in (
        jobs.get(conn, begun.import_id, owner="eve"),
        jobs.count(conn, begun.import_id, said, owner="eve"),
        jobs.end(conn, begun.import_id, owner="eve"),
    ):
        with pytest.raises(UnknownImport):
            await asking
    assert await jobs.failures(conn, begun.import_id, owner="eve") == []
    theirs = await collections.make(conn, "theirs", owner="eve")
    source = await sources.add(conn, theirs, kind="folder", name="theirs", config={})
    with pytest.raises(UnknownSource):
        await jobs.begin(conn, shelf, source_id=source.source_id)


async def test_of_many_failures_the_first_are_kept_and_all_are_counted(
    conn: Connection, shelf: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FAILURES_KEPT", 3)
    begun = await jobs.begin(conn, shelf)
    for _ in range(2):
        said = await outcomes(conn, shelf, *(draft("", "one") for _ in range(2)))
        counted = await jobs.count(conn, begun.import_id, said, owner="ada")
    assert counted.failed == 4
    assert len(await jobs.failures(conn, begun.import_id, owner="ada", limit=3)) == 3


async def test_the_database_itself_refuses_sums_that_do_not_balance(db: Database, kept: Collection) -> None:
    async with db.connection() as conn:
        begun = await jobs.begin(conn, kept)
        with pytest.raises(CheckViolation):
            await conn.execute("update document_imports set seen = 1 where import_id = %s", [begun.import_id])


async def test_nothing_is_counted_for_a_collection_that_is_gone(conn: Connection, shelf: Collection) -> None:
    await collections.drop(conn, shelf)
    with pytest.raises(UnknownCollection):
        await jobs.begin(conn, shelf)
