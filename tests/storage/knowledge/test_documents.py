"""What becomes of documents that are put, and of those that are wrong."""

import asyncio
from datetime import datetime

import pytest
from tests.fakes.written import draft, now, outcomes, put

from artel.storage.errors import Invalid
from artel.storage.knowledge import chunks, collections, documents, limits, sources
from artel.storage.knowledge.collections import Collection, UnknownCollection
from artel.storage.knowledge.documents import Draft, Outcome, Piece, UnknownDocument
from artel.storage.postgres import Connection, Database


async def read(conn: Connection, collection: Collection) -> dict[int, str]:
    """Return the text of each chunk."""
    collection = await now(conn, collection)
    ids = await chunks.ids(conn, collection, at=collection.revision)
    return {one.chunk_id: one.text for one in await chunks.contents(conn, collection, ids)}


async def test_a_document_is_added_then_known_then_changed(conn: Connection, shelf: Collection) -> None:
    assert await put(conn, shelf, draft("a", "one\ntwo")) == ["added"]
    assert await put(conn, shelf, draft("a", "one\ntwo")) == ["skipped"]
    assert (await now(conn, shelf)).revision == 1
    assert await put(conn, shelf, draft("a", "one\nthree")) == ["updated"]
    assert sorted((await read(conn, shelf)).values()) == ["one", "three"]
    assert (await now(conn, shelf)).revision == 2


async def test_what_reads_as_before_keeps_its_id_wherever_it_goes(
    conn: Connection, shelf: Collection
) -> None:
    await put(conn, shelf, draft("a", "one\ntwo\ntwo\nthree"))
    before = await read(conn, shelf)
    await put(conn, shelf, draft("a", "new\nthree\ntwo\none, more"))
    after = await read(conn, shelf)
    same = {chunk_id: text for chunk_id, text in before.items() if chunk_id in after}
    assert sorted(same.values()) == ["three", "two"]
    assert {chunk_id: after[chunk_id] for chunk_id in same} == same
    assert sorted(after.values()) == ["new", "one, more", "three", "two"]


async def test_another_header_or_language_makes_another_chunk(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"))
    ids = set(await read(conn, shelf))
    assert await put(conn, shelf, draft("a", "one", header="chapter 1")) == ["skipped"]  # title stands for it
    assert await put(conn, shelf, draft("a", "one", header="chapter 1", title="Book")) == ["updated"]
    with_header = set(await read(conn, shelf))
    await put(conn, shelf, draft("a", "one", header="chapter 1", title="Book", language="de"))
    assert len(ids | with_header | set(await read(conn, shelf))) == 3


async def test_two_documents_may_read_the_same_and_one_may_go(conn: Connection, shelf: Collection) -> None:
    assert await put(conn, shelf, draft("a", "same"), draft("b", "same")) == ["added", "added"]
    assert await documents.delete(conn, shelf, ["a", "never was"]) == ["a"]
    assert list((await read(conn, shelf)).values()) == ["same"]
    assert list(await documents.known(conn, shelf, ["a", "b"])) == ["b"]


async def test_one_id_in_two_sources_is_two_documents(conn: Connection, shelf: Collection) -> None:
    one = await sources.add(conn, shelf, kind="folder", name="one", config={})
    for source_id in (None, one.source_id):
        assert await put(conn, shelf, draft("a", "same"), source_id=source_id) == ["added"]
    assert await documents.delete(conn, shelf, ["a"], source_id=one.source_id) == ["a"]
    assert list(await documents.known(conn, shelf, ["a"])) == ["a"]
    assert await documents.known(conn, shelf, ["a"], source_id=one.source_id) == {}


async def test_what_is_only_said_otherwise_needs_no_pieces_and_leaves_chunks_and_version(
    conn: Connection, shelf: Collection
) -> None:
    (added,) = await outcomes(conn, shelf, draft("a", "one"))
    before = await read(conn, shelf)
    more = draft("a", "one", pieces=None, metadata={"b": 1, "a": [2]}, roles=["dev"], kind="page")
    assert await put(conn, shelf, more) == ["updated"]
    assert await put(
        conn, shelf, draft("a", "one", metadata={"a": [2], "b": 1}, roles=["dev"], kind="page")
    ) == ["skipped"]
    assert await read(conn, shelf) == before
    assert added.document_id
    found = await documents.get(conn, shelf, added.document_id)
    assert (found.metadata, found.roles, found.kind, found.version) == (
        {"a": [2], "b": 1},
        ["dev"],
        "page",
        1,
    )
    assert found.updated_at > found.indexed_at


async def test_a_new_text_without_pieces_is_refused(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"))
    for wrong in (draft("a", "two", pieces=None), draft("b", "two", pieces=None)):
        (outcome,) = await outcomes(conn, shelf, wrong)
        assert (outcome.result, "needs its pieces" in str(outcome.reason)) == ("failed", True)


async def test_a_new_etag_alone_is_remembered_and_no_change(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one", source_version="etag 1"))
    assert await put(conn, shelf, draft("a", "one", source_version="etag 2")) == ["skipped"]
    assert (await documents.known(conn, shelf, ["a"]))["a"].source_version == "etag 2"
    assert (await now(conn, shelf)).revision == 1


async def test_a_citation_of_an_old_version_is_known_as_one(conn: Connection, shelf: Collection) -> None:
    (added,) = await outcomes(conn, shelf, draft("a", "one"))
    assert added.document_id
    assert await documents.replaced(conn, shelf, added.document_id, 1) is None
    await put(conn, shelf, draft("a", "two"))
    assert isinstance(await documents.replaced(conn, shelf, added.document_id, 1), datetime)
    assert await documents.replaced(conn, shelf, added.document_id, 2) is None
    assert await documents.text(conn, shelf, added.document_id) == "two"
    await documents.delete(conn, shelf, ["a"])
    with pytest.raises(UnknownDocument, match=str(added.document_id)):
        await documents.replaced(conn, shelf, added.document_id, 1)


WRONG = {
    "text may have 5000000": draft("big", "ä" * 2_600_000),
    "id may have 512": draft("i" * 513, "one"),
    "needs an id": draft("", "one"),
    "id has a NUL": draft("nu\0l", "one"),
    "text has a NUL": draft("nul", "one\0two"),
    "half a character": draft("half", "one \ud800"),
    "metadata may have": draft("meta", "one", metadata={"a": "x" * 20_000}),
    "metadata has a NUL": draft("meta", "one", metadata={"a": ["\0"]}),
    "metadata must be an object": draft("meta", "one", metadata=["a"]),
    "roles, got 33": draft("roles", "one", roles=["r"] * 33),
    "role may have 64": draft("roles", "one", roles=["r" * 65]),
    "title may have": draft("title", "one", title="t" * 3_000),
    "not in a text of 3": draft("cut", "one", pieces=[Piece(0, 4)]),
    "characters 2 to 2": draft("cut", "one", pieces=[Piece(2, 2)]),
    "header may have": draft("cut", "one", pieces=[Piece(0, 1, "h" * 3_000)]),
}


async def test_what_is_wrong_is_said_of_each_and_holds_up_no_other(
    conn: Connection, shelf: Collection
) -> None:
    said = await outcomes(conn, shelf, *WRONG.values(), draft("good", "one"), draft("good", "two"))
    for reason, outcome in zip(WRONG, said, strict=False):
        assert outcome.result == "failed"
        assert reason in str(outcome.reason)
    assert [outcome.result for outcome in said[-2:]] == ["added", "failed"]
    assert list((await read(conn, shelf)).values()) == ["one"]


async def test_metadata_as_deep_as_its_limit_lets_it_be_is_kept(conn: Connection, shelf: Collection) -> None:
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    assert await put(conn, shelf, draft("deep", "one", metadata={"a": deep})) == ["added"]
    assert await put(conn, shelf, draft("deep", "one", metadata={"a": deep})) == ["skipped"]


async def test_too_much_at_once_is_refused(
    conn: Connection, shelf: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Invalid, match="put 1000 documents at once, got 1001"):
        await documents.put(conn, shelf, [draft("a", "one")] * (limits.MAX_DRAFTS + 1))
    monkeypatch.setattr("artel.storage.knowledge.documents.putting.MAX_TOGETHER", 5)
    with pytest.raises(Invalid, match="put 5 characters of text at once, got 6"):
        await documents.put(conn, shelf, [draft("a", "one"), draft("b", "two")])


async def test_the_library_of_another_is_out_of_reach(conn: Connection, shelf: Collection) -> None:
    (added,) = await outcomes(conn, shelf, draft("a", "one"))
    source = await sources.add(conn, shelf, kind="folder", name="one", config={})
    assert added.document_id
    theirs = await collections.make(conn, "shelf", owner="eve")
    assert theirs.collection_id != shelf.collection_id
    with pytest.raises(UnknownCollection):
        await collections.get(conn, shelf.collection_id, owner="eve")
    with pytest.raises(UnknownDocument):
        await documents.text(conn, theirs, added.document_id)
    with pytest.raises(sources.UnknownSource):
        await put(conn, theirs, draft("a", "two"), source_id=source.source_id)
    with pytest.raises(sources.UnknownSource):
        await sources.delete(conn, theirs, source.source_id)
    ids = list(await read(conn, shelf))
    assert await chunks.texts(conn, theirs, ids) == {}
    assert list(await chunks.texts(conn, shelf, ids)) == ids


async def test_a_document_that_was_deleted_comes_back_as_another(conn: Connection, shelf: Collection) -> None:
    first = await outcomes(conn, shelf, draft("a", "one"))
    chunk_ids = set(await read(conn, shelf))
    await documents.delete(conn, shelf, ["a"])
    assert await chunks.texts(conn, shelf, list(chunk_ids)) == {}
    second = await outcomes(conn, shelf, draft("a", "one"))
    assert second[0].document_id != first[0].document_id
    assert not chunk_ids & set(await read(conn, shelf))


async def test_a_listing_goes_on_where_it_stopped(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, *(draft(f"d{n}", "one") for n in range(5)))
    first = await documents.listing(conn, shelf, source_id=None, limit=3)
    rest = await documents.listing(conn, shelf, source_id=None, after=first[-1].external_id, limit=3)
    assert [one.external_id for one in [*first, *rest]] == [f"d{n}" for n in range(5)]


async def test_two_who_put_the_same_at_once_add_it_once(db: Database, kept: Collection) -> None:
    async def write(text: str) -> list[Outcome]:
        async with db.transaction() as conn:
            return await documents.put(conn, kept, [draft(f"d{n}", text) for n in range(20)])

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write("same" if n % 2 else "other")) for n in range(6)]
    said = [outcome.result for writer in writers for outcome in writer.result()]
    assert said.count("added") == 20
    assert "failed" not in said
    async with db.connection() as conn:
        assert len(await read(conn, kept)) == 20


async def test_an_unknown_collection_takes_nothing(conn: Connection, shelf: Collection) -> None:
    await collections.drop(conn, shelf)
    with pytest.raises(UnknownCollection):
        await documents.put(conn, shelf, [Draft("a", "one", "none", [])])
    with pytest.raises(UnknownCollection):
        await documents.delete(conn, shelf, ["a"])
