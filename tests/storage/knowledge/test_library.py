"""Indexes follow Postgres: by what changed, after a kill, from nothing, and beside the old ones."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.indexes import FileVectors, Hashes, Words
from tests.fakes.waiting import eventually
from tests.fakes.written import draft, now, put

from artel.storage.broker import open_broker
from artel.storage.knowledge import chunks, collections, documents, library, shelves
from artel.storage.knowledge.collections import Collection, EmbedderTaken, UnknownCollection
from artel.storage.knowledge.hits import Ids, Vectors
from artel.storage.knowledge.library import Library, RebuiltMeanwhile
from artel.storage.postgres import Database, open_database

ROOT = Path(__file__).parents[3]


@pytest.fixture
def vectors(tmp_path: Path) -> FileVectors:
    return FileVectors(tmp_path / "vectors.db")


@pytest.fixture
def model() -> Hashes:
    return Hashes()


@pytest.fixture
def shelf_of(db: Database, vectors: FileVectors, model: Hashes) -> Library[Words]:
    """A library with an embedder."""
    return Library(db, vectors, Words, embedder=model)


async def write(db: Database, collection: Collection, **texts: str) -> None:
    async with db.transaction() as conn:
        await put(conn, collection, *(draft(name, text) for name, text in texts.items()))


async def remove(db: Database, collection: Collection, *names: str) -> None:
    async with db.transaction() as conn:
        await documents.delete(conn, collection, names)


async def equal(books: Library[Words], collection: Collection, *, of: int) -> None:
    """Assert that both indexes have all of the truth, which has `of` chunks, and are at its revision."""
    report = await books.check(collection)
    assert report.equal, report
    assert (report.chunks, report.waiting, report.revision) == (of, 0, report.newest)


async def near(books: Library[Words], collection: Collection, model: Hashes, text: str) -> list[int]:
    (vector,) = await model.embed([text])
    return [hit.chunk_id for hit in await books.near(collection, vector, limit=1) if hit.score > 0.99]


async def test_what_is_put_is_found_and_what_is_deleted_is_gone_from_the_next_sync(
    db: Database, kept: Collection, shelf_of: Library[Words], model: Hashes
) -> None:
    await write(db, kept, a="how to deploy\nhow to run", b="how to deploy")
    synced = await shelf_of.sync(kept)
    assert (synced.revision, synced.embedder) == (1, "hashes")
    words = shelf_of.lexical(kept)
    assert (len(words.search("deploy")), len(words.search("run"))) == (2, 1)
    assert set(await near(shelf_of, kept, model, "how to run")) == set(words.search("run"))
    await remove(db, kept, "a")
    await shelf_of.sync(kept)
    assert (len(words.search("deploy")), words.search("run")) == (1, [])
    assert await near(shelf_of, kept, model, "how to run") == []
    await equal(shelf_of, kept, of=1)


async def test_a_sync_reads_only_what_changed_and_embeds_nothing_twice(
    db: Database, kept: Collection, shelf_of: Library[Words], model: Hashes, vectors: FileVectors
) -> None:
    await write(db, kept, a="one\ntwo\nthree", b="one")
    await shelf_of.sync(kept)
    assert sorted(model.embedded) == ["one", "three", "two"]
    words = shelf_of.lexical(kept)
    assert (words.added, vectors.added) == (4, 4)
    await write(db, kept, a="one\ntwo\nthree\nfour")
    await shelf_of.sync(kept)
    await shelf_of.sync(kept)
    assert (words.added, vectors.added, model.embedded[3:]) == (5, 5, ["four"])
    await remove(db, kept, "a")
    await write(db, kept, again="four\nthree")
    await shelf_of.sync(kept)
    assert model.embedded[4:] == []
    await equal(shelf_of, kept, of=3)


async def test_a_process_that_begins_takes_the_vectors_that_are_there(
    db: Database, kept: Collection, shelf_of: Library[Words], vectors: FileVectors
) -> None:
    await write(db, kept, a="one\ntwo", b="three")
    await shelf_of.sync(kept)
    await remove(db, kept, "b")
    await write(db, kept, c="four")
    vectors.added = 0
    begun = Library(db, vectors, Words, embedder=Hashes())
    await begun.sync(kept)
    assert vectors.added == 1
    await equal(begun, kept, of=3)


async def test_an_index_whose_folder_was_lost_is_made_again_without_a_model(
    db: Database, kept: Collection, shelf_of: Library[Words], tmp_path: Path, model: Hashes
) -> None:
    await write(db, kept, a="one\ntwo")
    await shelf_of.sync(kept)
    begun = Library(db, FileVectors(tmp_path / "another.db"), Words)
    await begun.sync(kept)
    await equal(begun, kept, of=2)
    assert len(await near(begun, kept, model, "two")) == 1


async def test_without_a_model_chunks_wait_for_who_has_one(
    db: Database, kept: Collection, shelf_of: Library[Words], tmp_path: Path
) -> None:
    await write(db, kept, a="one\ntwo")
    await shelf_of.sync(kept)
    without = Library(db, FileVectors(tmp_path / "another.db"), Words)
    await write(db, kept, b="three\none")
    await without.sync(kept)
    report = await without.check(kept)
    assert (report.equal, report.waiting) == (True, 1)
    assert len(without.lexical(kept).search("three")) == 1  # words find it meanwhile
    await shelf_of.sync(kept)
    await without.sync(kept)
    await equal(without, kept, of=4)


async def test_a_chunk_that_was_deleted_while_it_waited_waits_no_more(
    db: Database, kept: Collection, shelf_of: Library[Words]
) -> None:
    await write(db, kept, a="one\ntwo")
    await shelf_of.sync(kept, embed=False)
    assert (await shelf_of.check(kept)).waiting == 2
    await remove(db, kept, "a")
    await shelf_of.sync(kept, embed=False)
    await equal(shelf_of, kept, of=0)


async def test_many_may_sync_at_once(
    db: Database, kept: Collection, shelf_of: Library[Words], model: Hashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "PAGE", 3)

    async def change(n: int) -> None:
        for turn in range(4):
            await write(db, kept, **{f"d{n}": f"{n} {turn}\n{n}\nsame"})
            await shelf_of.sync(kept)

    async with asyncio.TaskGroup() as group:
        for n in range(4):
            group.create_task(change(n))
    await equal(shelf_of, kept, of=12)
    assert len(model.embedded) == len(set(model.embedded))


async def test_a_search_need_not_wait_while_another_embeds(
    db: Database, kept: Collection, vectors: FileVectors
) -> None:
    class Slow(Hashes):
        began, go_on = asyncio.Event(), asyncio.Event()

        async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
            self.began.set()
            await self.go_on.wait()
            return await super().embed(texts)

    slow = Slow()
    books = Library(db, vectors, Words, embedder=slow)
    await write(db, kept, a="one")
    embedding = asyncio.create_task(books.sync(kept))
    await slow.began.wait()
    await write(db, kept, b="two")
    async with asyncio.timeout(20):
        await books.sync(kept, embed=False)
    assert len(books.lexical(kept).search("two")) == 1
    slow.go_on.set()
    await embedding
    await books.sync(kept)
    await equal(books, kept, of=2)


class Failing(FileVectors):
    """An index that breaks off in the middle of what it is told to add, as often as it is told."""

    failures = 0

    async def add(self, collection: object, chunk_ids: Ids, vectors: Vectors) -> None:
        if self.failures:
            self.failures -= 1
            await super().add(collection, chunk_ids[:1], vectors[:1])  # type: ignore[arg-type]
            raise ConnectionError("gone")
        await super().add(collection, chunk_ids, vectors)  # type: ignore[arg-type]


async def test_a_sync_that_breaks_off_is_made_good_by_the_next(
    db: Database, kept: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "PAGE", 2)
    index = Failing(tmp_path / "vectors.db")
    books = Library(db, index, Words, embedder=Hashes())
    await write(db, kept, a="one\ntwo\nthree\nfour\nfive")
    await books.sync(kept)
    await remove(db, kept, "a")
    await write(db, kept, b="one\ntwo\nsix")
    index.failures = 2
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await books.sync(kept)
        assert len(books.lexical(kept).search("six")) == 1  # words are there whatever vectors do
    await books.sync(kept)
    await equal(books, kept, of=3)


async def test_the_check_finds_what_is_too_little_and_too_much(
    db: Database, kept: Collection, shelf_of: Library[Words], vectors: FileVectors
) -> None:
    await write(db, kept, a="one\ntwo")
    synced = await shelf_of.sync(kept)
    one, two = shelf_of.lexical(kept).ids().tolist()
    del shelf_of.lexical(kept).texts[one]
    shelf_of.lexical(kept).texts[777] = "ghost"
    await vectors.remove(synced.index_key, np.array([two]))
    await vectors.add(synced.index_key, np.array([888]), np.ones((1, 8), dtype=np.float32))
    report = await shelf_of.check(kept)
    assert not report.equal
    found = (report.lexical_lacks, report.lexical_has_more, report.vectors_lack, report.vectors_have_more)
    assert [ids.tolist() for ids in found] == [[one], [777], [two], [888]]
    await shelf_of.rebuild(kept)
    await equal(shelf_of, kept, of=2)


async def test_a_check_before_the_next_sync_is_of_what_the_indexes_should_have_by_then(
    db: Database, kept: Collection, shelf_of: Library[Words]
) -> None:
    await write(db, kept, a="one\ntwo")
    await shelf_of.sync(kept)
    await remove(db, kept, "a")
    await write(db, kept, b="three")
    report = await shelf_of.check(kept)
    assert (report.equal, report.revision, report.newest, report.chunks) == (True, 1, 3, 2)


async def test_a_rebuild_swaps_and_the_old_index_goes_once_no_search_is_in_it(
    db: Database,
    kept: Collection,
    shelf_of: Library[Words],
    vectors: FileVectors,
    model: Hashes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await write(db, kept, a="one\ntwo")
    old = await shelf_of.sync(kept)
    elsewhere = Library(db, vectors, Words)
    await elsewhere.sync(kept)
    embedded = len(model.embedded)
    new = await shelf_of.rebuild(kept)
    assert new.index_key != old.index_key
    assert vectors.keys() == {old.index_key, new.index_key}
    assert len(model.embedded) == embedded
    assert len(await near(elsewhere, kept, model, "two")) == 1  # it has not heard yet
    assert await shelf_of.sweep() == 0
    monkeypatch.setattr(library, "GRACE_S", 0.0)
    newest = await shelf_of.rebuild(kept)
    assert await shelf_of.sweep() == 1
    assert vectors.keys() == {old.index_key, newest.index_key}
    await elsewhere.sync(kept)
    await equal(elsewhere, kept, of=2)
    await equal(shelf_of, kept, of=2)


async def test_of_two_processes_that_rebuild_one_gives_way(
    db: Database, kept: Collection, shelf_of: Library[Words], vectors: FileVectors
) -> None:
    await write(db, kept, a="one\ntwo")
    await shelf_of.sync(kept)
    other = Library(db, vectors, Words)

    async def rebuilt_by_another(*args: object) -> None:
        monkey.undo()
        await other.rebuild(kept)

    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(shelf_of, "_build", rebuilt_by_another)
        with pytest.raises(RebuiltMeanwhile, match="'kept'"):
            await shelf_of.rebuild(kept)
    await shelf_of.sync(kept)
    await equal(shelf_of, kept, of=2)
    assert await shelf_of.sweep() == 1  # what the slower one had begun
    await equal(shelf_of, kept, of=2)


async def test_what_was_dropped_goes_from_the_indexes_of_each_process(
    db: Database, kept: Collection, shelf_of: Library[Words], vectors: FileVectors
) -> None:
    await write(db, kept, a="one")
    await shelf_of.sync(kept)
    async with db.transaction() as conn:
        await collections.drop(conn, kept)
    begun = Library(db, vectors, Words)
    assert len(vectors.keys()) == 1
    with pytest.raises(UnknownCollection):
        await shelf_of.sync(kept)
    assert not vectors.keys()
    assert await begun.sweep() == 1
    assert await begun.sweep() == 0


async def test_a_second_model_is_refused_and_spoils_nothing(
    db: Database, kept: Collection, shelf_of: Library[Words], vectors: FileVectors
) -> None:
    await write(db, kept, a="one")
    await shelf_of.sync(kept)
    other = Library(db, vectors, Words, embedder=Hashes("other", 16))
    with pytest.raises(EmbedderTaken, match=r"'hashes'.*'other'"):
        await other.sync(kept)
    await equal(shelf_of, kept, of=1)


async def test_who_follows_hears_of_changes_elsewhere(
    db: Database, kept: Collection, shelf_of: Library[Words], fresh_dsn: str, following: None
) -> None:
    await shelf_of.sync(kept)
    await write(db, kept, a="one")
    await eventually(lambda: bool(shelf_of.lexical(kept).search("one")))


@pytest.fixture
async def following(shelf_of: Library[Words], fresh_dsn: str) -> AsyncIterator[None]:
    async with open_broker(fresh_dsn) as broker:
        task = asyncio.create_task(shelf_of.follow(broker))
        await asyncio.sleep(0)
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(("write_at", "when"), [(0, "before"), (0, "after"), (2, "before"), (3, "after")])
async def test_a_killed_process_leaves_nothing_that_the_next_one_does_not_mend(
    db: Database, kept: Collection, fresh_dsn: str, tmp_path: Path, write_at: int, when: str
) -> None:
    file = tmp_path / "vectors.db"
    first = Library(db, FileVectors(file), Words, embedder=Hashes())
    await write(db, kept, a="one\ntwo\nthree", b="four\nfive")
    await first.sync(kept)
    told = [fresh_dsn, str(kept.collection_id), str(file), str(write_at), when]
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.fakes.killed", *told],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        timeout=120,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    async with db.connection() as conn:
        gone = await documents.known(conn, kept, ["a"])
        assert gone == {}
        left = await chunks.since(conn, await now(conn, kept), 0)
    model = Hashes()
    begun = Library(db, FileVectors(file), Words, embedder=model)
    await begun.sync(kept)
    await equal(begun, kept, of=len(left.added))
    assert await near(begun, kept, Hashes(), "two") == []
    await first.sync(kept)
    await equal(first, kept, of=len(left.added))


async def test_two_databases_are_two_libraries(fresh_dsn: str, other_dsn: str, tmp_path: Path) -> None:
    for dsn in (fresh_dsn, other_dsn):
        async with open_database(dsn) as db:
            async with db.connection() as conn:
                made = await collections.make(conn, "same name", owner="ada")
            await write(db, made, a="one")
            books = Library(db, FileVectors(tmp_path / "vectors.db"), Words, embedder=Hashes())
            await books.sync(made)
            await equal(books, made, of=1)
