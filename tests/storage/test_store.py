"""The store on a real Postgres, as a graph uses it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from langgraph.store.base import GetOp, InvalidNamespaceError, ListNamespacesOp, PutOp, SearchOp

from artel.storage.errors import Invalid
from artel.storage.postgres import Connection, Database
from artel.storage.store import Store
from artel.storage.store.filters import FilterWrong

USER = ("users", "1")


@pytest.fixture
async def store(db: Database) -> Store:
    return Store(db)


async def age(db: Database, minutes: float) -> None:
    """Let `minutes` go by for all that is stored."""
    async with db.connection() as conn:
        await conn.execute(
            "update store set expires_at = expires_at - %(by)s * interval '1 minute',"
            " created_at = created_at - %(by)s * interval '1 minute'",
            {"by": minutes},
        )


async def lives_for(db: Database, key: str) -> float:
    """Return the minutes an item has left."""
    async with db.connection() as conn:
        row = await (
            await conn.execute(
                "select extract(epoch from expires_at - now()) / 60 as m from store where key = %(key)s",
                {"key": key},
            )
        ).fetchone()
    assert row is not None
    return float(row["m"])


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"in": value}
    return value


def found(items: list[Any]) -> list[str]:
    return [item.key for item in items]


async def test_an_item_comes_back_as_it_was(store: Store) -> None:
    value = {"text": "schön ✓ \U0001f600", "n": [1, 2.5, None, True], "deep": {"a": {"b": []}}}
    await store.aput(USER, "k", value)
    item = await store.aget(USER, "k")
    assert item is not None
    assert (item.namespace, item.key, item.value) == (USER, "k", value)
    assert item.created_at.tzinfo is UTC
    assert abs((datetime.now(UTC) - item.created_at).total_seconds()) < 60
    await store.adelete(USER, "k")
    assert await store.aget(USER, "k") is None
    await store.adelete(USER, "k")


async def test_putting_again_keeps_the_time_of_making(store: Store) -> None:
    await store.aput(USER, "k", {"n": 1})
    first = await store.aget(USER, "k")
    await store.aput(USER, "k", {"n": 2})
    second = await store.aget(USER, "k")
    assert first is not None
    assert second is not None
    assert (second.value, second.created_at) == ({"n": 2}, first.created_at)
    assert second.updated_at > first.updated_at


async def test_namespaces_match_by_whole_labels(store: Store) -> None:
    for namespace in (
        ("user",),
        ("user", "1"),
        ("user", "10"),
        ("user", "1", "deep"),
        ("us_r", "1"),
        ("user-1",),
    ):
        await store.aput(namespace, ".".join(namespace), {})
    assert sorted(found(await store.asearch(("user", "1")))) == ["user.1", "user.1.deep"]
    assert found(await store.asearch(("us_r",))) == ["us_r.1"]
    assert found(await store.asearch(("u",))) == []
    assert len(await store.asearch(())) == 6


async def test_a_search_gives_the_newest_first_and_pages(store: Store) -> None:
    for n in range(5):
        await store.aput(USER, f"k{n}", {"n": n})
    assert found(await store.asearch(USER)) == ["k4", "k3", "k2", "k1", "k0"]
    assert found(await store.asearch(USER, limit=2, offset=2)) == ["k2", "k1"]
    assert await store.asearch(USER, limit=0) == []
    assert [item.score for item in await store.asearch(USER, limit=1)] == [None]


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({"n": 9}, "a"),
        ({"n": {"$eq": 9}}, "a"),
        ({"n": {"$gt": 9}}, "b"),
        ({"n": {"$gte": 9}}, "ab"),
        ({"n": {"$lt": 10}}, "a"),
        ({"n": {"$lte": 10}}, "ab"),
        ({"n": {"$gt": 8, "$lt": 10}}, "a"),
        ({"n": {"$ne": 9}}, "bcd"),
        ({"n": {"$gt": "1"}}, "c"),
        ({"n": None}, "d"),
        ({"missing": None}, "abcd"),
        ({"deep": {"x": 1}}, "d"),
        ({"deep": {"x": {"$gte": 1}, "y": 2}}, "d"),
        ({"deep": {"x": 2}}, ""),
        ({"tags": ["p", "q"]}, "d"),
        ({"tags": ["q", "p"]}, ""),
        ({"day": {"$gte": "2026-02-01"}}, "d"),
        ({"n'; drop table store; --": 1}, ""),
        ({"odd.name %s {x}": "yes"}, "d"),
        ({"nul": "a\0b"}, "d"),
        ({"on": True}, "d"),
        ({"on": {"$gt": False}}, "d"),
        ({}, "abcd"),
    ],
)
async def test_a_filter_looks_into_values(store: Store, wanted: dict[str, Any], keys: str) -> None:
    await store.aput(USER, "a", {"n": 9, "day": "2026-01-01"})
    await store.aput(USER, "b", {"n": 10})
    await store.aput(USER, "c", {"n": "9"})
    odd = {"odd.name %s {x}": "yes", "nul": "a\0b", "on": True}
    await store.aput(USER, "d", {"deep": {"x": 1, "y": 2}, "tags": ["p", "q"], "day": "2026-02-01", **odd})
    assert "".join(sorted(found(await store.asearch(USER, filter=wanted)))) == keys


async def test_a_filter_that_cannot_be_understood_says_why(store: Store) -> None:
    with pytest.raises(FilterWrong, match=r"filter\.n: there is no operator '\$near'; there are \$eq"):
        await store.asearch(USER, filter={"n": {"$near": 1}})
    deep: dict[str, Any] = {"x": 1}
    for _ in range(2000):
        deep = {"x": deep}
    with pytest.raises(FilterWrong, match="20 objects deep"):
        await store.asearch(USER, filter=deep)
    with pytest.raises(FilterWrong, match="100 conditions"):
        await store.asearch(USER, filter={f"f{n}": n for n in range(101)})


async def test_namespaces_are_listed_by_prefix_suffix_wildcard_and_depth(store: Store) -> None:
    for namespace in (
        ("a", "b", "c"),
        ("a", "b", "d", "e"),
        ("a", "b", "d", "i"),
        ("a", "b", "f"),
        ("a", "c", "f"),
    ):
        await store.aput(namespace, "k", {})
        await store.aput(namespace, "l", {})
    assert await store.alist_namespaces(prefix=("a", "b"), max_depth=3) == [
        ("a", "b", "c"),
        ("a", "b", "d"),
        ("a", "b", "f"),
    ]
    assert await store.alist_namespaces(suffix=("f",)) == [("a", "b", "f"), ("a", "c", "f")]
    assert await store.alist_namespaces(prefix=("a", "*", "f")) == [("a", "b", "f"), ("a", "c", "f")]
    assert await store.alist_namespaces(prefix=("*", "c")) == [("a", "c", "f")]
    assert await store.alist_namespaces(suffix=("d", "*")) == [("a", "b", "d", "e"), ("a", "b", "d", "i")]
    assert await store.alist_namespaces(prefix=("a", "b"), suffix=("i",)) == [("a", "b", "d", "i")]
    assert await store.alist_namespaces(prefix=("a", "b", "c", "d")) == []
    assert await store.alist_namespaces(limit=2, offset=1) == [("a", "b", "d", "e"), ("a", "b", "d", "i")]
    assert await store.alist_namespaces(max_depth=1) == [("a",)]


async def test_what_expired_is_gone_at_once_and_swept_later(store: Store, db: Database) -> None:
    await store.aput(USER, "short", {}, ttl=0.5)
    await store.aput(USER, "stays", {})
    assert found(await store.asearch(USER)) == ["stays", "short"]
    await age(db, 0.6)
    assert await store.aget(USER, "short") is None
    assert found(await store.asearch(USER)) == ["stays"]
    await store.aput(("other",), "k", {}, ttl=1)
    await age(db, 2)
    assert await store.alist_namespaces() == [USER]
    assert (await store.sweep(), await store.sweep()) == (2, 0)


async def test_reading_lets_an_item_live_on_unless_told_not_to(store: Store, db: Database) -> None:
    await store.aput(USER, "k", {}, ttl=10)
    for read in (
        lambda: store.aget(USER, "k", refresh_ttl=False),
        lambda: store.asearch(USER, refresh_ttl=False),
    ):
        await age(db, 2)
        assert await read()
    assert await lives_for(db, "k") == pytest.approx(6, abs=0.1)
    for read in (lambda: store.aget(USER, "k"), lambda: store.asearch(USER)):
        await age(db, 4)
        assert await read()
        assert await lives_for(db, "k") == pytest.approx(10, abs=0.1)


async def test_a_read_moves_the_end_of_a_life_only_when_it_matters(store: Store, db: Database) -> None:
    await store.aput(USER, "k", {}, ttl=1000)
    async with db.connection() as conn:
        before = await (await conn.execute("select xmin::text from store")).fetchone()
        for _ in range(3):
            await store.aget(USER, "k")
        assert await (await conn.execute("select xmin::text from store")).fetchone() == before


async def test_the_configured_life_is_the_default(db: Database) -> None:
    store = Store(db, ttl={"default_ttl": 5, "refresh_on_read": False})
    await store.aput(USER, "k", {})
    await store.aput(USER, "for ever", {}, ttl=None)
    await age(db, 3)
    await store.aget(USER, "k")
    assert await lives_for(db, "k") == pytest.approx(2, abs=0.1)
    await age(db, 3)
    assert found(await store.asearch(USER)) == ["for ever"]


async def test_what_is_put_after_its_end_is_new(store: Store, db: Database) -> None:
    await store.aput(USER, "k", {}, ttl=1)
    await age(db, 5)
    await store.aput(USER, "k", {})
    item = await store.aget(USER, "k")
    assert item is not None
    assert item.created_at == item.updated_at


async def test_a_batch_reads_what_was_before_it_and_the_last_put_stands(store: Store) -> None:
    await store.aput(USER, "k", {"n": 0})
    await store.aput(USER, "gone", {})
    got, _, _, _, many, names = await store.abatch(
        [
            GetOp(USER, "k"),
            PutOp(USER, "k", {"n": 1}),
            PutOp(USER, "k", {"n": 2}),
            PutOp(USER, "gone", None),
            SearchOp(USER),
            ListNamespacesOp(),
        ]
    )
    assert got.value == {"n": 0}  # type: ignore[union-attr]
    assert (len(many), names) == (2, [USER])  # type: ignore[arg-type]
    assert [item.value for item in await store.asearch(USER)] == [{"n": 2}]
    twice = await store.abatch([GetOp(USER, "k"), GetOp(USER, "nope"), GetOp(("x",), "k"), GetOp(USER, "k")])
    assert [item and item.key for item in twice] == ["k", None, None, "k"]  # type: ignore[union-attr]
    assert await store.abatch([]) == []


async def test_a_batch_is_kept_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(Invalid):
        await store.abatch([PutOp(USER, "a", {}), PutOp(USER, "b", {"f": object()})])
    assert await store.asearch(USER) == []


async def test_one_call_is_one_statement(store: Store, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    execute: Callable[..., Any] = Connection.execute

    async def counted(self: Connection, query: object, *args: Any, **kwargs: Any) -> Any:
        sent.append(query)
        return await execute(self, query, *args, **kwargs)

    monkeypatch.setattr(Connection, "execute", counted)
    calls: list[Callable[[], Any]] = [
        lambda: store.aput(USER, "k", {}),
        lambda: store.aget(USER, "k"),
        lambda: store.asearch(USER, filter={"n": 1}),
        lambda: store.alist_namespaces(prefix=USER),
        lambda: store.abatch([PutOp(USER, str(n), {}) for n in range(50)]),
        lambda: store.abatch([GetOp(USER, str(n)) for n in range(50)]),
        lambda: store.adelete(USER, "k"),
    ]
    for call in calls:
        sent.clear()
        await call()
        assert len(sent) == 1


@pytest.mark.parametrize(
    ("namespace", "key", "value", "said"),
    [
        (USER, "a\0b", {}, "key may not have a NUL character"),
        (USER, "a\ud800b", {}, "key may not have half a character"),
        (("a\ud800",), "k", {}, "namespace may not have half a character"),
        (USER, "k" * 1001, {}, "key may take 1000 bytes, got 1001"),
        (("n" * 600, "ü" * 300), "k", {}, "namespace may take 1000 bytes, got 1201"),
        (USER, "k", ["no"], "value must be a mapping"),
        (USER, "k", {"o": object()}, "value is not JSON: Object of type object"),
        (USER, "k", {"o": {1, 2}}, "value is not JSON"),
        (USER, "k", {"o": nested(300)}, "value is nested too deep for JSON"),
        (USER, "k", {"o": nested(5000)}, "value is nested too deep for JSON"),
    ],
)
async def test_what_cannot_be_kept_is_named(
    store: Store, namespace: tuple[str, ...], key: str, value: Any, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        await store.aput(namespace, key, value)


@pytest.mark.parametrize("namespace", [(), ("a.b",), ("",), ("nul\0",), ("langgraph", "x"), (5,)])
async def test_a_namespace_that_is_none_is_refused_as_langgraph_does(store: Store, namespace: Any) -> None:
    with pytest.raises(InvalidNamespaceError):
        await store.aput(namespace, "k", {})


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), 1e12, True, "5"])
async def test_a_life_that_is_none_is_refused(store: Store, ttl: Any) -> None:
    with pytest.raises(Invalid, match="ttl must be minutes"):
        await store.aput(USER, "k", {}, ttl=ttl)


async def test_bounds_that_are_none_are_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="limit must be 0 or more"):
        await store.asearch(USER, limit=-1)
    with pytest.raises(Invalid, match="offset must be 0 or more"):
        await store.alist_namespaces(offset=2**63)
    with pytest.raises(Invalid, match="max_depth"):
        await store.alist_namespaces(max_depth=-1)


async def test_odd_texts_and_numbers_in_values_do_no_harm(store: Store) -> None:
    value: dict[Any, Any] = {
        "nul": "a\0b",
        "half": "x\ud800y",
        "big": 2**70,
        5: "five",
        "long": "é" * 1_000_000,
    }
    await store.aput(USER, "k", value)
    item = await store.aget(USER, "k")
    assert item is not None
    assert (item.value["nul"], item.value["half"], item.value["5"]) == ("ab", "x?y", "five")
    assert (len(item.value["long"]), float(item.value["big"])) == (1_000_000, 2.0**70)


async def test_a_thread_uses_it_synchronously(store: Store) -> None:
    def work() -> list[Any]:
        store.put(USER, "k", {"n": 1})
        item = store.get(USER, "k")
        store.put(USER, "gone", {})
        store.delete(USER, "gone")
        many = store.batch([GetOp(USER, "k"), SearchOp(USER)])
        return [item and item.value, found(store.search(USER)), store.list_namespaces(), len(many)]

    assert await asyncio.to_thread(work) == [{"n": 1}, ["k"], [USER], 2]


async def test_another_event_loop_uses_it_too(store: Store) -> None:
    async def work() -> Any:
        await store.aput(USER, "k", {"n": 1})
        return (await store.asearch(USER))[0].value

    assert await asyncio.to_thread(lambda: asyncio.run(work())) == {"n": 1}


async def test_the_event_loop_itself_is_told_to_await(store: Store) -> None:
    with pytest.raises(asyncio.InvalidStateError, match=r"await store\.aget"):
        store.get(USER, "k")


async def test_many_writers_and_readers_of_the_same_keys_never_lock_each_other_out(store: Store) -> None:
    async def work(n: int) -> None:
        keys = [str((n + m) % 7) for m in range(7)]
        await store.abatch([PutOp(USER, key, {"n": n}, ttl=0.01 if n % 3 else 10) for key in keys])
        await store.abatch([GetOp(USER, key) for key in keys])
        await store.abatch([PutOp(USER, key, None) for key in keys[:3]])
        await store.asearch(USER)
        await store.sweep()

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for n in range(60):
            tasks.create_task(work(n))
