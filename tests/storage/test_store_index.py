"""Search by meaning, with a real function that embeds words and a real pgvector."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from langchain_core.embeddings import Embeddings
from langgraph.store.base import PutOp, ensure_embeddings
from langgraph.store.postgres import AsyncPostgresStore
from tests.fakes.carriers import PgBouncer

from artel.storage.migrations import migrate
from artel.storage.postgres import Database, open_database
from artel.storage.store import EmbeddingFailed, Index, Store, VectorsMissing
from artel.storage.store.index import prepare

DIMS = 32
NOTES = ("notes",)


def words(texts: Sequence[str]) -> list[list[float]]:
    """Embed a text as how often it has each word: texts that share words are near."""
    vectors = []
    for text in texts:
        vector = [0.0] * DIMS
        for word in "".join(c if c.isalnum() else " " for c in text.lower()).split():
            vector[sum(word.encode()) % DIMS] += 1.0
        vectors.append(vector)
    return vectors


class Recorded(Embeddings):
    """Embeds words, and remembers what it was asked."""

    def __init__(self) -> None:
        self.documents: list[list[str]] = []
        self.questions: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.documents.append(texts)
        return words(texts)

    def embed_query(self, text: str) -> list[float]:
        self.questions.append(text)
        return words([text])[0]


async def opened(
    db: Database, embed: Any = words, fields: Sequence[str] = ("text",), dims: int = DIMS
) -> Store:
    await prepare(db, dims)
    return Store(db, index=Index(ensure_embeddings(embed), dims, fields))


def found(items: list[Any]) -> list[str]:
    return [item.key for item in items]


async def count(db: Database) -> int:
    async with db.connection() as conn:
        row = await (await conn.execute("select count(*) as n from store_vectors")).fetchone()
    assert row is not None
    return int(row["n"])


async def test_the_nearest_come_first_with_their_score(db: Database) -> None:
    store = await opened(db)
    await store.aput(NOTES, "cat", {"text": "the cat sleeps"})
    await store.aput(NOTES, "dog", {"text": "a dog barks"})
    await store.aput((*NOTES, "deep"), "cats", {"text": "cat"})
    await store.aput(("other",), "cat", {"text": "cat"})
    items = await store.asearch(NOTES, query="cat")
    assert found(items) == ["cats", "cat", "dog"]
    scores = [item.score for item in items]
    assert scores == pytest.approx([1.0, 3**-0.5, 0.0], abs=1e-6)
    assert found(await store.asearch(NOTES, query="cat", filter={"text": "a dog barks"})) == ["dog"]
    assert found(await store.asearch(NOTES, query="cat", limit=1, offset=1)) == ["cat"]
    assert found(await store.asearch(NOTES, query="cat", limit=5, offset=2)) == ["dog"]


async def test_without_a_question_all_is_found_the_newest_first(db: Database) -> None:
    store = await opened(db)
    await store.aput(NOTES, "a", {"text": "x"})
    await store.aput(NOTES, "b", {"text": "x"}, index=False)
    assert found(await store.asearch(NOTES)) == ["b", "a"]
    assert found(await store.asearch(NOTES, query="")) == ["b", "a"]
    assert found(await store.asearch(NOTES, query="x")) == ["a"]


async def test_an_item_counts_once_by_the_nearest_of_its_fields(db: Database) -> None:
    store = await opened(db, fields=["title", "parts[*].text", "deep.note"])
    await store.aput(
        NOTES,
        "many",
        {"title": "one", "parts": [{"text": "two"}, {"text": "three"}], "deep": {"note": "four"}},
    )
    await store.aput(NOTES, "none", {"other": "two"})
    assert await count(db) == 4
    for question in ("one", "two", "three", "four"):
        (item,) = await store.asearch(NOTES, query=question)
        assert item.score == pytest.approx(1.0, abs=1e-6)


async def test_the_whole_item_is_embedded_by_default(db: Database) -> None:
    store = await opened(db, fields=("$",))
    await store.aput(NOTES, "k", {"any": {"where": "zebra"}})
    assert (await store.asearch(NOTES, query="zebra"))[0].score == pytest.approx(3**-0.5, abs=1e-6)


async def test_a_put_may_name_other_fields(db: Database) -> None:
    store = await opened(db)
    await store.aput(NOTES, "k", {"text": "zebra", "name": "lion"}, index=["name"])
    assert (await store.asearch(NOTES, query="lion"))[0].score == pytest.approx(1.0, abs=1e-6)
    assert (await store.asearch(NOTES, query="zebra"))[0].score == pytest.approx(0.0, abs=1e-6)


async def test_putting_again_leaves_no_vector_of_what_was(db: Database) -> None:
    store = await opened(db, fields=["a", "b"])
    await store.aput(NOTES, "k", {"a": "cat", "b": "dog"})
    await store.aput(NOTES, "k", {"a": "zebra"})
    assert await count(db) == 1
    assert (await store.asearch(NOTES, query="dog"))[0].score == pytest.approx(0.0, abs=1e-6)
    await store.aput(NOTES, "k", {"a": "zebra"}, index=False)
    assert await store.asearch(NOTES, query="zebra") == []
    await store.aput(NOTES, "k", {"a": "zebra"})
    await store.adelete(NOTES, "k")
    assert await count(db) == 0


async def test_two_puts_of_one_key_at_once_leave_the_vectors_of_the_one_that_stands(db: Database) -> None:
    store = await opened(db, fields=["a", "b", "c"])
    async with asyncio.timeout(60):
        for _ in range(20):
            await asyncio.gather(
                *(store.aput(NOTES, "k", {name: f"word{name}", "name": name}) for name in "abc")
            )
            item = await store.aget(NOTES, "k")
            assert item is not None
            (near,) = await store.asearch(NOTES, query=f"word{item.value['name']}")
            assert near.score == pytest.approx(1.0, abs=1e-6)


async def test_many_puts_of_the_same_keys_never_lock_each_other_out(db: Database) -> None:
    store = await opened(db, fields=["a", "b", "c"])

    async def work(n: int) -> None:
        for m in range(15):
            values = [{"abc"[(n + m + k) % 3]: f"w{n} w{m}", "b": "x"} for k in range(3)]
            keys = [str((n + m + k) % 4) for k in range(3)]
            await store.abatch([PutOp(NOTES, key, one) for key, one in zip(keys, values, strict=True)])
            await store.aput(NOTES, keys[0], {"abc"[m % 3]: "alone"})
            if m % 5 == 4:
                await store.adelete(NOTES, keys[0])

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for n in range(12):
            tasks.create_task(work(n))


async def test_a_batch_embeds_each_text_once_and_questions_as_questions(db: Database) -> None:
    asked = Recorded()
    store = await opened(db, asked)
    await store.abatch([PutOp(NOTES, str(n), {"text": "same" if n % 2 else f"n{n}"}) for n in range(4)])
    await store.asearch(NOTES, query="same")
    assert (asked.documents, asked.questions) == ([["n0", "same", "n2"]], ["same"])


async def test_an_async_function_embeds_too(db: Database) -> None:
    async def slowly(texts: Sequence[str]) -> list[list[float]]:
        await asyncio.sleep(0)
        return words(texts)

    store = await opened(db, slowly)
    await store.aput(NOTES, "k", {"text": "zebra"})
    assert found(await store.asearch(NOTES, query="zebra")) == ["k"]


async def test_nothing_waits_for_the_embedding_of_another(fresh_dsn: str) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waiting(texts: Sequence[str]) -> list[list[float]]:
        begun.set()
        await go_on.wait()
        return words(texts)

    async with open_database(fresh_dsn, pool_size=2) as db:
        store = await opened(db, waiting)
        puts = [asyncio.create_task(store.aput(NOTES, str(n), {"text": "x"})) for n in range(5)]
        await begun.wait()
        started = time.monotonic()
        assert await store.aget(NOTES, "0") is None
        assert time.monotonic() - started < 2
        go_on.set()
        await asyncio.gather(*puts)
        assert await count(db) == 5


async def test_nodes_in_all_threads_may_wait_for_a_synchronous_model(db: Database) -> None:
    store = await opened(db)
    with ThreadPoolExecutor(2) as threads:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(threads)
        async with asyncio.timeout(20):
            await asyncio.gather(
                *(asyncio.to_thread(store.put, NOTES, str(n), {"text": "x"}) for n in range(8))
            )
            assert len(await asyncio.to_thread(store.search, NOTES, query="x")) == 8


async def test_a_text_of_no_known_word_is_near_to_nothing(db: Database) -> None:
    store = await opened(db)
    await store.aput(NOTES, "empty", {"text": "..."})
    await store.aput(NOTES, "cat", {"text": "cat"})
    items = await store.asearch(NOTES, query="cat")
    assert [(item.key, round(item.score or 0, 3)) for item in items] == [("cat", 1.0), ("empty", 0.0)]
    assert [item.score for item in await store.asearch(NOTES, query="...")] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("embed", "said"),
    [
        (lambda texts: [[1.0] * 3 for _ in texts], "a vector of 3 numbers, but store.index.dims is 32"),
        (lambda texts: [], "0 vectors for 1 texts"),
        (lambda texts: [[float("nan")] * DIMS for _ in texts], "an infinite number, or none"),
        (lambda texts: [["x"] * DIMS for _ in texts], "failed"),
        (lambda texts: None, "failed"),
        (lambda texts: 1 / 0, "failed: ZeroDivisionError"),
    ],
)
async def test_a_model_that_fails_is_said_and_nothing_is_kept(db: Database, embed: Any, said: str) -> None:
    store = await opened(db, embed)
    with pytest.raises(EmbeddingFailed, match=said):
        await store.aput(NOTES, "k", {"text": "x"})
    assert await store.aget(NOTES, "k") is None


async def test_processes_that_start_together_make_the_table_once(fresh_dsn: str) -> None:
    async def start() -> None:
        async with open_database(fresh_dsn, pool_size=2) as db:
            await prepare(db, DIMS)

    async with asyncio.timeout(30):
        await asyncio.gather(*(start() for _ in range(6)))


async def test_what_langgraphs_own_store_kept_is_kept_on(empty_dsn: str) -> None:
    index: Any = {"dims": DIMS, "embed": words, "fields": ["text"]}
    async with AsyncPostgresStore.from_conn_string(empty_dsn, index=index) as stock:
        await stock.setup()
        await stock.aput(NOTES, "theirs", {"text": "zebra"}, ttl=5)
        await stock.aput(NOTES, "theirs", {"text": "lion"}, ttl=5)
    await migrate(empty_dsn)
    async with open_database(empty_dsn) as db:
        store = await opened(db)
        await store.aput(NOTES, "ours", {"text": "lion"}, ttl=0.5)
        found_ = await store.asearch(NOTES, query="lion")
        assert [(item.key, item.score) for item in found_] == [("ours", 1.0), ("theirs", 1.0)]
        assert await store.aget(NOTES, "ours") is not None


@pytest.mark.needs("pgbouncer")
async def test_a_pooler_that_shares_sessions_is_no_matter(pgbouncer: PgBouncer, fresh_dsn: str) -> None:
    async with open_database(pgbouncer.to(fresh_dsn), pool_size=20, pooled=True) as db:
        store = await opened(db)

        async def work(n: int) -> None:
            await store.aput(NOTES, str(n), {"text": f"n{n}"}, ttl=5)
            await store.abatch([PutOp(NOTES, f"b{n}", {"text": "x"}), PutOp(NOTES, "gone", None)])
            assert found(await store.asearch(NOTES, query=f"n{n}", filter={"text": f"n{n}"})) == [str(n)]

        await asyncio.gather(*(work(n) for n in range(30)))
        assert len(await store.asearch(NOTES, limit=100)) == 60


async def test_vectors_of_another_length_are_not_mixed(db: Database) -> None:
    await prepare(db, 8)
    with pytest.raises(VectorsMissing, match=r"dims is 32, but this database holds a vector\(8\)"):
        await prepare(db, DIMS)


async def test_a_user_who_may_not_create_extensions_is_told_who_can(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as conn:
        conn.execute("create role reader login")
    try:
        async with open_database(psycopg.conninfo.make_conninfo(fresh_dsn, user="reader")) as db:
            with pytest.raises(VectorsMissing, match="let an administrator run `create extension vector`"):
                await prepare(db, DIMS)
    finally:
        with psycopg.connect(fresh_dsn) as conn:
            conn.execute("drop role reader")


async def test_a_postgres_without_pgvector_is_said_in_a_sentence(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artel.storage.store.index.EXTENSION", "create extension if not exists no_such_thing")
    with pytest.raises(
        VectorsMissing, match="needs the extension pgvector, which this PostgreSQL does not have"
    ):
        await prepare(db, DIMS)


def test_the_embedded_postgres_has_pgvector(postgres: str) -> None:
    with psycopg.connect(postgres) as conn:
        query = "select 1 from pg_available_extensions where name = 'vector'"
        assert conn.execute(query).fetchone()
