"""Assistants of graphs come and go with the graphs; others stay."""

import pytest

from artel.storage import assistants
from artel.storage.assistants import AssistantExists, Change, OfTheGraph, UnknownAssistant
from artel.storage.ids import new_id, system_assistant_id
from artel.storage.postgres import Connection


async def names(conn: Connection, *served: str) -> list[str]:
    return [
        one.name for one in await assistants.search(conn, served=served, sort_by="name", sort_order="asc")
    ]


async def test_a_graph_that_is_not_served_shows_no_assistant_of_its_own(conn: Connection) -> None:
    await assistants.keep_system(conn, {"a": "first", "b": None})
    await assistants.create(conn, new_id(), "b", name="mine")

    assert await names(conn, "a", "b") == ["a", "b", "mine"]
    assert await names(conn, "a") == ["a", "mine"]
    assert await assistants.count(conn, served=["a"]) == 2


async def test_a_restart_changes_nothing_but_a_description(conn: Connection) -> None:
    await assistants.keep_system(conn, {"a": "first"})
    before = await assistants.get(conn, system_assistant_id("a"))
    await assistants.keep_system(conn, {"a": "first"})
    assert await assistants.get(conn, before.assistant_id) == before

    await assistants.keep_system(conn, {"a": "better"})
    after = await assistants.get(conn, before.assistant_id)
    assert (after.description, after.created_at) == ("better", before.created_at)
    assert after.is_system


async def test_what_a_graph_is_stands_in_the_metadata_of_its_assistant(conn: Connection) -> None:
    await assistants.keep_system(conn, {"a": None, "b": None}, {"b": "workflow"})
    plain, workflow = [await assistants.get(conn, system_assistant_id(name)) for name in ("a", "b")]
    assert "kind" not in plain.metadata
    assert (workflow.metadata["kind"], workflow.is_system) == ("workflow", True)


async def test_ids_are_given_once_and_what_is_gone_is_unknown(conn: Connection) -> None:
    mine = new_id()
    made = await assistants.create(conn, mine, "a", config={"tags": ["x"]}, metadata={"k": 1})

    assert (made.config, made.context, made.is_system) == ({"tags": ["x"]}, {}, False)
    with pytest.raises(AssistantExists):
        await assistants.create(conn, mine, "a")
    assert await assistants.create(conn, mine, "b", if_exists="do_nothing") == made
    await assistants.delete(conn, mine)
    with pytest.raises(UnknownAssistant):
        await assistants.delete(conn, mine)


async def test_what_came_with_a_graph_stays(conn: Connection) -> None:
    await assistants.keep_system(conn, {"a": None})
    with pytest.raises(OfTheGraph):
        await assistants.delete(conn, system_assistant_id("a"))


async def test_only_known_columns_sort(conn: Connection) -> None:
    with pytest.raises(ValueError, match="sort_by"):
        await assistants.search(conn, served=[], sort_by="name; drop table assistants")


async def test_a_name_is_found_and_sorted_whatever_its_case(conn: Connection) -> None:
    for name in ("b", "A", "C"):
        await assistants.create(conn, new_id(), "a", name=name)

    assert await names(conn, "a") == ["A", "b", "C"]
    assert [one.name for one in await assistants.search(conn, served=["a"], name="c")] == ["C"]


async def test_what_is_not_allowed_is_not_there(conn: Connection) -> None:
    mine = (await assistants.create(conn, new_id(), "a", metadata={"owner": "me"})).assistant_id
    theirs = 'strict ($."owner" == "you")'

    assert await assistants.count(conn, served=["a"], allowed='strict ($."owner" == "me")') == 1
    assert await assistants.count(conn, served=["a"], allowed=theirs) == 0
    assert await assistants.search(conn, served=["a"], allowed=theirs) == []
    with pytest.raises(UnknownAssistant):
        await assistants.get(conn, mine, allowed=theirs)
    with pytest.raises(UnknownAssistant):
        await assistants.patch(conn, mine, Change(name="x"), allowed=theirs)
    with pytest.raises(UnknownAssistant):
        await assistants.point(conn, mine, 1, allowed=theirs)
    with pytest.raises(UnknownAssistant):
        await assistants.delete(conn, mine, allowed=theirs)
    with pytest.raises(AssistantExists):
        await assistants.create(conn, mine, "a", if_exists="do_nothing", allowed=theirs)
