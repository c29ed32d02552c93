"""Collections: one embedder each, what they have learned, and their end."""

import pytest
from tests.fakes.written import draft, now, put

from artel.storage.errors import Invalid
from artel.storage.knowledge import chunks, collections, documents, sources
from artel.storage.knowledge.collections import (
    LEARNED_KEPT,
    Collection,
    EmbedderTaken,
    UnknownCollection,
    UnknownLearned,
)
from artel.storage.knowledge.sources import SourceNameTaken, UnknownSource
from artel.storage.postgres import Connection


async def test_one_owner_has_one_of_a_name(conn: Connection, shelf: Collection) -> None:
    assert await collections.make(conn, "shelf", owner="ada") == shelf
    theirs = await collections.make(conn, "shelf", owner="eve")
    assert await collections.search(conn, owner="eve") == [theirs]
    assert await collections.named(conn, "shelf", owner="ada") == shelf


@pytest.mark.parametrize("name", ["", "  ", "n" * 513, "nul\0", "half \ud800"])
async def test_a_name_that_cannot_be_is_refused(conn: Connection, name: str) -> None:
    with pytest.raises(Invalid):
        await collections.make(conn, name, owner="ada")
    with pytest.raises(UnknownCollection):
        await collections.named(conn, name, owner="ada")


async def test_a_second_embedder_is_refused_with_both_names(conn: Connection, shelf: Collection) -> None:
    bound = await collections.bind(conn, shelf, embedder="minilm int8", dimension=384)
    assert (bound.embedder, bound.dimension) == ("minilm int8", 384)
    assert await collections.bind(conn, shelf, embedder="minilm int8", dimension=384) == bound
    with pytest.raises(EmbedderTaken, match=r"'shelf' has vectors of 'minilm int8' \(384 .*'e5'"):
        await collections.bind(conn, shelf, embedder="e5", dimension=384)
    with pytest.raises(EmbedderTaken, match="128 numbers"):
        await collections.bind(conn, shelf, embedder="minilm int8", dimension=128)


async def test_what_is_learned_is_kept_with_its_evidence_and_can_be_taken_back(
    conn: Connection, shelf: Collection
) -> None:
    assert shelf.model is None
    first = await collections.learn(conn, shelf, {"en": 0.4}, evidence={"ndcg": 0.7}, live=True)
    shadow = await collections.learn(conn, shelf, {"en": 0.9}, evidence={"ndcg": 0.6}, live=False)
    found = await now(conn, shelf)
    assert found.model == {"en": 0.4}
    assert [one["evidence"] for one in found.learned["versions"]] == [{"ndcg": 0.7}, {"ndcg": 0.6}]
    assert (await collections.go_back(conn, shelf, shadow)).model == {"en": 0.9}
    assert (await collections.go_back(conn, shelf, first)).model == {"en": 0.4}
    assert (await collections.go_back(conn, shelf, 0)).model is None
    with pytest.raises(UnknownLearned, match="version 9 is not kept"):
        await collections.go_back(conn, shelf, 9)


async def test_the_version_in_use_stays_however_many_come_after_it(
    conn: Connection, shelf: Collection
) -> None:
    await collections.learn(conn, shelf, {"n": 0}, evidence={}, live=True)
    for n in range(1, 2 * LEARNED_KEPT):
        await collections.learn(conn, shelf, {"n": n}, evidence={}, live=False)
    found = await now(conn, shelf)
    assert found.model == {"n": 0}
    versions = [one["version"] for one in found.learned["versions"]]
    assert versions == [1, *range(LEARNED_KEPT + 2, 2 * LEARNED_KEPT + 1)]


async def test_too_much_is_not_learned(conn: Connection, shelf: Collection) -> None:
    with pytest.raises(Invalid, match="bytes of JSON"):
        await collections.learn(conn, shelf, {"w": "x" * 300_000}, evidence={}, live=True)


async def test_a_dropped_collection_takes_all_along(conn: Connection, shelf: Collection) -> None:
    source = await sources.add(conn, shelf, kind="folder", name="notes", config={})
    await put(conn, shelf, draft("a", "one"), source_id=source.source_id)
    ids = (await chunks.since(conn, shelf, 0)).added
    await collections.drop(conn, shelf)
    assert await chunks.texts(conn, shelf, ids) == {}
    for table in ("documents", "chunks", "sources", "removed_chunks"):
        assert await (await conn.execute(f"select from {table}".encode())).fetchone() is None
    with pytest.raises(UnknownCollection):
        await collections.drop(conn, shelf)


async def test_a_source_goes_with_its_documents_and_leaves_the_others(
    conn: Connection, shelf: Collection
) -> None:
    source = await sources.add(conn, shelf, kind="folder", name="notes", config={"path": "notes"})
    await put(conn, shelf, draft("a", "one"), source_id=source.source_id)
    await put(conn, shelf, draft("b", "one"))
    before = await chunks.since(conn, shelf, 0)
    await sources.delete(conn, shelf, source.source_id)
    changes = await chunks.since(conn, shelf, before.revision)
    assert (len(changes.removed), len(changes.added), changes.revision) == (1, 0, 3)
    assert list(await documents.known(conn, shelf, ["a", "b"])) == ["b"]
    with pytest.raises(UnknownSource):
        await sources.get(conn, shelf, source.source_id)


async def test_a_source_remembers_up_to_where_it_was_read(conn: Connection, shelf: Collection) -> None:
    source = await sources.add(
        conn, shelf, kind="git", name="repo", config={"url": "https://example.org"}, schedule="0 3 * * *"
    )
    assert (await sources.begin(conn, shelf, source.source_id)).state == "running"
    first = await sources.end(conn, shelf, source.source_id, report={"seen": 2}, cursor={"commit": "abc"})
    assert (first.state, first.cursor, first.report, first.listed_at) == (
        "idle",
        {"commit": "abc"},
        {"seen": 2},
        None,
    )
    second = await sources.end(conn, shelf, source.source_id, report={}, failed=True, listed=True)
    assert (second.state, second.cursor, second.listed_at is None) == ("failed", {"commit": "abc"}, False)
    assert source.source_id in {one.source_id for one in await sources.scheduled(conn)}
    await sources.change(conn, shelf, source.source_id, state="paused")
    assert source.source_id not in {one.source_id for one in await sources.scheduled(conn)}
    assert (await sources.change(conn, shelf, source.source_id, reschedule=True)).schedule is None


async def test_two_sources_of_one_name_are_refused_and_the_transaction_goes_on(
    conn: Connection, shelf: Collection
) -> None:
    await sources.add(conn, shelf, kind="folder", name="notes", config={})
    with pytest.raises(SourceNameTaken, match="notes"):
        await sources.add(conn, shelf, kind="git", name="notes", config={})
    assert len(await sources.search(conn, shelf)) == 1


@pytest.mark.parametrize(
    "config",
    [
        {"token": "abc"},
        {"auth": {"api_key": "abc"}},
        {"hosts": [{"gitlab_token": "abc"}]},
        {"url": "https://me:abc@example.org/wiki"},
    ],
)
async def test_a_secret_is_not_kept_in_a_source(
    conn: Connection, shelf: Collection, config: dict[str, object]
) -> None:
    with pytest.raises(Invalid, match="keep it in the environment") as refused:
        await sources.add(conn, shelf, kind="wiki", name="wiki", config=config)
    assert "abc" not in str(refused.value)
