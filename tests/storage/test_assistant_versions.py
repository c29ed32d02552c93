"""Every change of an assistant is a version; none is lost, and a restart takes none back."""

import asyncio

import pytest

from artel.storage import assistants
from artel.storage.assistants import Assistant, Change, OfTheGraph, UnknownVersion
from artel.storage.ids import new_id, system_assistant_id
from artel.storage.postgres import Connection, open_database


async def made(conn: Connection, **options: object) -> Assistant:
    return await assistants.create(conn, new_id(), "a", **options)  # type: ignore[arg-type]


async def numbers(conn: Connection, one: Assistant) -> list[int]:
    return [each.version for each in await assistants.versions(conn, one.assistant_id, limit=100)]


async def test_a_change_keeps_what_it_does_not_name(conn: Connection) -> None:
    old = await made(conn, name="old", config={"tags": ["x"]}, metadata={"k": 1, "deep": {"a": 1}})
    new = await assistants.patch(
        conn, old.assistant_id, Change(description="better", metadata={"deep": {"b": 2}})
    )

    assert (new.version, new.name, new.description, new.config) == (2, "old", "better", {"tags": ["x"]})
    assert new.metadata == {"k": 1, "deep": {"b": 2}}
    assert (new.created_at, new.updated_at > old.updated_at) == (old.created_at, True)
    first = (await assistants.versions(conn, old.assistant_id))[-1]
    assert (first.description, first.metadata) == (None, old.metadata)


async def test_no_context_leaves_nothing_configurable(conn: Connection) -> None:
    one = await made(conn, config={"tags": ["x"], "configurable": {"a": 1}}, context={"a": 1})
    now = await assistants.patch(conn, one.assistant_id, Change(context={}))
    assert (now.config, now.context) == ({"tags": ["x"]}, {})


async def test_an_earlier_version_comes_back_whole_and_numbers_go_on(conn: Connection) -> None:
    one = await made(conn, name="first", context={"a": 1}, metadata={"k": 1})
    await assistants.patch(conn, one.assistant_id, Change(graph_id="b", name="second", context={"b": 2}))

    back = await assistants.point(conn, one.assistant_id, 1)
    assert (back.version, back.graph_id, back.name, back.context) == (1, "a", "first", {"a": 1})
    assert await numbers(conn, one) == [2, 1]
    assert (await assistants.patch(conn, one.assistant_id, Change(metadata={"l": 2}))).version == 3
    for missing in (0, -1, 4, 2**63):
        with pytest.raises(UnknownVersion, match=str(missing)):
            await assistants.point(conn, one.assistant_id, missing)


async def test_versions_are_found_by_their_metadata(conn: Connection) -> None:
    one = await made(conn, metadata={"owner": "me", "k": 1})
    await assistants.patch(conn, one.assistant_id, Change(metadata={"k": 2}))
    await assistants.patch(conn, one.assistant_id, Change(metadata={"owner": "you"}))

    async def found(**options: object) -> list[int]:
        return [
            each.version
            for each in await assistants.versions(conn, one.assistant_id, **options)  # type: ignore[arg-type]
        ]

    assert await found(metadata={"k": 2}) == [3, 2]
    assert await found(limit=1, offset=1) == [2]
    assert await found(allowed='strict ($."owner" == "me")') == [2, 1]
    with pytest.raises(UnknownVersion):
        await assistants.point(conn, one.assistant_id, 1, allowed='strict ($."owner" == "you")')


async def test_changes_at_once_are_all_versions_and_lose_nothing(fresh_dsn: str) -> None:
    async with open_database(fresh_dsn, pool_size=5) as db:
        async with db.connection() as conn:
            one = await made(conn)

        async def patch(key: int) -> int:
            async with db.transaction() as conn:
                change = Change(metadata={f"k{key}": key})
                return (await assistants.patch(conn, one.assistant_id, change)).version

        taken = await asyncio.gather(*(patch(key) for key in range(12)))
        assert sorted(taken) == list(range(2, 14))
        async with db.connection() as conn:
            assert len((await assistants.get(conn, one.assistant_id)).metadata) == 12
            assert await numbers(conn, one) == list(range(13, 0, -1))


async def test_a_restart_takes_back_nothing_that_somebody_changed(conn: Connection) -> None:
    system = system_assistant_id("a")
    await assistants.keep_system(conn, {"a": "as configured"})
    await assistants.patch(conn, system, Change(name="mine", description="my words", context={"a": 1}))
    await assistants.keep_system(conn, {"a": "configured anew"})

    kept = await assistants.get(conn, system)
    assert (kept.version, kept.name, kept.description, kept.context) == (2, "mine", "my words", {"a": 1})
    assert (await assistants.point(conn, system, 1)).description == "configured anew"
    await assistants.keep_system(conn, {"a": None})
    assert (await assistants.get(conn, system)).description is None


async def test_what_came_with_a_graph_keeps_it_and_its_mark(conn: Connection) -> None:
    system = system_assistant_id("a")
    await assistants.keep_system(conn, {"a": None})

    with pytest.raises(OfTheGraph, match='"a"'):
        await assistants.patch(conn, system, Change(graph_id="b"))
    changed = await assistants.patch(
        conn, system, Change(graph_id="a", metadata={"created_by": "me", "k": 1})
    )
    assert changed.metadata == {"created_by": "system", "k": 1}


async def test_versions_go_with_their_assistant(conn: Connection) -> None:
    one = await made(conn)
    await assistants.delete(conn, one.assistant_id)
    assert await numbers(conn, one) == []
