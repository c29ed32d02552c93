"""Threads are found by what their states hold, and parts of them are shown."""

from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient
from tests.fakes.served import HI

from artel.server.protocol import finding

from .conftest import Wire


async def run(wire: Wire, graph: str, given: Any, **thread: Any) -> str:
    """A thread on which a graph ran once."""
    id_ = await wire.thread(**thread)
    await wire.ok("POST", f"/threads/{id_}/runs/wait", {"assistant_id": graph, "input": given})
    return id_


async def found(wire: Wire, values: Any, **more: Any) -> list[str]:
    """The ids of the threads whose values match; the count says the same."""
    body = {"values": values, **more}
    page = await wire("POST", "/threads/search", {"select": ["thread_id"], "sort_order": "asc", **body})
    assert page.status_code == 200, page.text
    count = await wire.ok("POST", "/threads/count", body)
    assert page.headers["x-pagination-total"] == str(count)
    return [one["thread_id"] for one in page.json()]


async def test_values_find_threads_whatever_kind_they_are_and_threads_without_any_do_no_harm(
    wire: Wire,
) -> None:
    await wire.thread()
    long = "long " * 200
    five = await run(wire, "asks", {"n": 5, "answer": "short"})
    half = await run(wire, "asks", {"n": 5.5, "answer": long})
    deep = await run(wire, "asks", {"n": 0, "answer": {"a": [1, {"b": "x", "c": None}], "yes": True}})
    flow = await run(wire, "flow", HI)

    assert await found(wire, {"n": 5}) == await found(wire, {"n": 5.0}) == [five]
    assert await found(wire, {"n": 5.5}) == await found(wire, {"answer": long}) == [half]
    assert await found(wire, {"n": 0}) == [deep]
    assert await found(wire, {"answer": {"a": [{"b": "x"}]}}) == [deep]
    assert await found(wire, {"answer": {"a": [{"c": None}, 1]}, "n": 0}) == [deep]
    assert await found(wire, {"answer": {"yes": 1}}) == []
    assert await found(wire, {"answer": None}) == []
    assert await found(wire, {"messages": [{"content": "one two three"}]}) == [flow]
    assert await found(wire, {"log": ["inner"]}, metadata={"graph_id": "flow"}) == [flow]
    assert await found(wire, {"n": 5, "answer": "other"}) == []
    assert await found(wire, {"nothing": 1}) == await found(wire, {"nothing": []}) == []
    assert await found(wire, {"n": 5}, status="interrupted", ids=[five, half]) == [five]
    assert await found(wire, {"n": 5}, status="idle") == []


async def test_only_the_newest_state_is_looked_at(wire: Wire) -> None:
    thread = await run(wire, "slow", {"n": 0.01})
    await wire.ok("POST", f"/threads/{thread}/state", {"values": {"answer": "changed"}, "as_node": "nap"})

    assert await found(wire, {"answer": "slept"}) == []
    assert await found(wire, {"answer": "changed"}) == [thread]


async def test_a_page_of_threads_found_by_reading_is_a_page(wire: Wire) -> None:
    ids = [await run(wire, "asks", {"answer": {"k": n % 2}}) for n in range(5)]
    body = {"values": {"answer": {"k": 0}}, "sort_order": "asc", "limit": 2, "select": ["thread_id"]}
    first = await wire("POST", "/threads/search", body)
    second = await wire("POST", "/threads/search", {**body, "offset": 2})

    assert [one["thread_id"] for one in first.json()] == [ids[0], ids[2]]
    assert [one["thread_id"] for one in second.json()] == [ids[4]]
    assert (first.headers["x-pagination-total"], first.headers["x-pagination-next"]) == ("3", "2")
    assert "x-pagination-next" not in second.headers


async def test_a_search_that_would_read_too_many_states_says_how_to_narrow_it(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "READ_MOST", 2)
    kept = [await run(wire, "asks", {"answer": [n]}, metadata={"few": n < 2}) for n in range(3)]

    status, detail = await wire.refused("POST", "/threads/search", {"values": {"answer": [1]}})
    assert (status, "values.answer" in detail, "metadata" in detail) == (422, True, True)
    assert (await wire.refused("POST", "/threads/count", {"values": {"answer": [1]}}))[0] == 422
    assert await found(wire, {"answer": [1]}, metadata={"few": True}) == [kept[1]]


async def test_names_and_values_reach_the_database_as_data_only(wire: Wire) -> None:
    thread = await run(wire, "asks", {"answer": "it's"})

    assert await found(wire, {"answer": "it's"}) == [thread]
    for odd in (
        "x'; drop table threads; --",
        '$.** ? (@ == "x")',
        "%(owner)s",
        "\0",
        "ü\U0001f600",
        "__start__",
    ):
        assert await found(wire, {odd: odd}) == []
        assert await found(wire, {"answer": odd}) == []
        assert await found(wire, {"answer": [odd]}) == []
        assert await found(wire, {}, metadata={odd: odd}) == []
    assert await wire.ok("POST", "/threads/count", {}) == 1
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    assert await found(wire, {"answer": deep}) == []


async def test_parts_of_threads_are_shown_by_paths(wire: Wire) -> None:
    client = LangGraphClient(wire.http)
    flow = await run(wire, "flow", HI, metadata={"k": {"deep": [1, 2]}})
    asks = await run(wire, "asks", {"n": 1})
    rows: Any = await client.threads.search(
        ids=[flow, asks],
        sort_order="asc",
        select=["thread_id"],
        extract={
            "last": "values.messages[-1].content",
            "first": "values.log[0]",
            "deep": "metadata.k.deep[1]",
            "graph": "metadata.graph_id",
            "past_the_end": "values.log[9]",
            "asked": "interrupts",
        },
    )

    assert [set(row) for row in rows] == [{"thread_id", "extracted"}] * 2
    one, two = (row["extracted"] for row in rows)
    assert one == {
        "last": "one two three",
        "first": "first",
        "deep": 2,
        "graph": "flow",
        "past_the_end": None,
        "asked": {},
    }
    ((question,),) = two["asked"].values()
    assert (two["last"], two["graph"], question["value"]) == (None, "asks", {"question": "ok?"})


async def test_a_path_that_makes_no_sense_is_refused_by_name(wire: Wire) -> None:
    wrongs: list[dict[str, Any]] = [
        {"a": "status"},
        {"a": "valuesx.n"},
        {"a": ""},
        {"a": "values..n"},
        {"a": "values.n["},
        {"a": "values.log[*]"},
        {"a": "values.log[x]"},
        {"a": f"values.log[{'9' * 5000}]"},
        {"a": 5},
        {"a b": "values.n"},
        {"": "values.n"},
        {f"a{n}": "values.n" for n in range(11)},
    ]
    for wrong in wrongs:
        status, detail = await wire.refused("POST", "/threads/search", {"extract": wrong})
        assert (status, "extract" in detail) == (422, True), wrong
    wrongs = [{"select": ["foo"]}, {"sort_by": "foo"}, {"values": []}, {"metadata": 1}]
    for wrong in wrongs:
        assert (await wire.refused("POST", "/threads/search", wrong))[0] == 422
    assert await wire.ok("POST", "/threads/search", {"ids": []}) == []
