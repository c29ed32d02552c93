"""Every graph has an assistant; more can be made, are found, and go, with their threads if they shall."""

from tests.fakes.served import graphs

from artel.storage.ids import system_assistant_id

from .conftest import Wire

FLOW = str(system_assistant_id("flow"))


async def test_each_graph_has_an_assistant_that_nobody_made(wire: Wire) -> None:
    found = await wire.ok("POST", "/assistants/search", {"graph_id": "flow"})

    assert [(one["assistant_id"], one["name"], one["version"]) for one in found] == [(FLOW, "flow", 1)]
    assert found[0]["metadata"] == {"created_by": "system"}
    assert found[0]["description"] == "Graph flow"
    assert await wire.ok("GET", f"/assistants/{FLOW}") == found[0]


async def test_assistants_come_in_pages(wire: Wire) -> None:
    seen: list[str] = []
    offset: str | None = "0"
    while offset:
        body = {"limit": 3, "offset": int(offset), "sort_by": "name", "sort_order": "asc"}
        page = await wire("POST", "/assistants/search", body)
        assert page.headers["x-pagination-total"] == str(len(graphs()))
        seen += [one["graph_id"] for one in page.json()]
        offset = page.headers.get("x-pagination-next")

    assert seen == sorted(graphs())
    assert await wire.ok("POST", "/assistants/count", {}) == len(graphs())


async def test_only_what_was_selected_is_told(wire: Wire) -> None:
    body = {"name": "LOW", "select": ["name", "graph_id"], "sort_by": "name"}
    assert await wire.ok("POST", "/assistants/search", body) == [
        {"graph_id": "slow", "name": "slow"},
        {"graph_id": "flow", "name": "flow"},
    ]


async def test_an_assistant_is_made_found_used_and_removed(wire: Wire) -> None:
    body = {"graph_id": "tells", "context": {"who": "me"}, "config": {"tags": ["a"]}, "metadata": {"k": 1}}
    made = await wire.ok("POST", "/assistants", body)
    path = f"/assistants/{made['assistant_id']}"

    assert made["config"] == {"tags": ["a"], "configurable": {"who": "me"}}
    assert [one["name"] for one in await wire.ok("POST", "/assistants/search", {"metadata": {"k": 1}})] == [
        "Untitled"
    ]
    said = await wire.ok("POST", "/runs/wait", {"assistant_id": made["assistant_id"], "input": {"out": 0}})
    assert said["out"] == {"who": "me", "x": None, "tags": ["a"]}
    again = {**body, "assistant_id": made["assistant_id"]}
    assert (await wire.refused("POST", "/assistants", again))[0] == 409
    assert await wire.ok("POST", "/assistants", {**again, "if_exists": "do_nothing"}) == made
    assert (await wire("DELETE", path)).status_code == 204
    assert (await wire.refused("GET", path))[0] == 404
    assert (await wire.refused("DELETE", path))[0] == 404


async def test_what_belongs_to_a_graph_cannot_be_removed(wire: Wire) -> None:
    status, detail = await wire.refused("DELETE", f"/assistants/{FLOW}")
    assert (status, "came with its graph" in detail) == (409, True)


async def test_what_is_not_there_or_makes_no_sense_is_refused(wire: Wire, nowhere: str) -> None:
    assert (await wire.refused("GET", f"/assistants/{nowhere}"))[0] == 404
    assert (await wire.refused("GET", "/assistants/flow"))[0] == 422
    status, detail = await wire.refused("POST", "/assistants", {"graph_id": "none"})
    assert (status, '"none"' in detail) == (404, True)
    both = {"graph_id": "tells", "context": {"a": 1}, "config": {"configurable": {"b": 1}}}
    assert (await wire.refused("POST", "/assistants", both))[0] == 400
    for wrong, field in [
        ({"limit": 0}, "limit"),
        ({"sort_by": "x"}, "sort_by"),
        ({"select": ["x"]}, "select"),
    ]:
        status, detail = await wire.refused("POST", "/assistants/search", wrong)
        assert (status, field in detail) == (422, True)
    for way in ("search", "count"):
        assert (await wire.refused("POST", f"/assistants/{way}", {"graph_id": "none"}))[0] == 404


async def test_a_name_may_be_left_empty_and_a_config_keeps_what_it_holds(wire: Wire) -> None:
    body = {"graph_id": "tells", "name": "", "config": {"max_concurrency": 2, "recursion_limit": 9}}
    made = await wire.ok("POST", "/assistants", body)
    assert (made["name"], made["config"], made["context"]) == ("Untitled", body["config"], {})


async def test_the_threads_of_an_assistant_go_with_it_when_they_shall(wire: Wire) -> None:
    async def used() -> tuple[str, str]:
        made = await wire.ok("POST", "/assistants", {"graph_id": "slow"})
        thread = await wire.thread()
        await wire.ok(
            "POST", f"/threads/{thread}/runs", {"assistant_id": made["assistant_id"], "input": {"n": 30}}
        )
        return made["assistant_id"], thread

    (kept, stays), (removed, goes), other = await used(), await used(), await wire.thread()
    idle = await wire.thread(metadata={"assistant_id": removed})
    assert (await wire("DELETE", f"/assistants/{kept}")).status_code == 204
    assert (await wire("DELETE", f"/assistants/{removed}?delete_threads=true")).status_code == 204

    for thread, status in [(stays, 200), (other, 200), (goes, 404), (idle, 404)]:
        assert (await wire("GET", f"/threads/{thread}")).status_code == status
    assert (await wire.refused("DELETE", f"/assistants/{removed}?delete_threads=true"))[0] == 404
    assert (await wire.refused("DELETE", f"/assistants/{kept}?delete_threads=x"))[0] == 422
