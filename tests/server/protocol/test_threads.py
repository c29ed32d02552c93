"""Threads are made, found, changed and removed."""

from typing import Any

from tests.fakes.served import HI

from .conftest import Wire


async def test_a_new_thread_is_idle_and_empty(wire: Wire) -> None:
    made = await wire.ok("POST", "/threads", {"metadata": {"k": "v"}})

    assert made["status"] == "idle"
    assert (made["values"], made["interrupts"], made["error"]) == (None, {}, None)
    assert made["metadata"] == {"k": "v"}
    assert await wire.ok("GET", f"/threads/{made['thread_id']}") == made


async def test_a_thread_has_the_values_of_its_newest_state_and_the_graph_that_ran(wire: Wire) -> None:
    thread = await wire.thread()
    values = await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": HI})
    told = await wire.ok("GET", f"/threads/{thread}")

    assert told["values"] == values
    assert told["metadata"]["graph_id"] == "flow"
    assert told["status"] == "idle"
    assert told["created_at"] < told["updated_at"]


async def test_a_thread_tells_what_it_waits_for_and_why_it_failed(wire: Wire) -> None:
    asking, failing = await wire.thread(), await wire.thread()
    await wire.ok("POST", f"/threads/{asking}/runs/wait", {"assistant_id": "asks", "input": {"n": 1}})
    await wire.ok("POST", f"/threads/{failing}/runs/wait", {"assistant_id": "fails", "input": {"n": 1}})

    told = await wire.ok("GET", f"/threads/{asking}")
    ((question,),) = told["interrupts"].values()
    assert (told["status"], question["value"], told["values"]) == (
        "interrupted",
        {"question": "ok?"},
        {"n": 1},
    )
    told = await wire.ok("GET", f"/threads/{failing}")
    assert (told["status"], told["error"]) == ("error", {"error": "ValueError", "message": "boom"})


async def test_an_id_may_be_chosen_once(wire: Wire, nowhere: str) -> None:
    made = await wire.ok("POST", "/threads", {"thread_id": nowhere})

    assert made["thread_id"] == nowhere
    assert (await wire.refused("POST", "/threads", {"thread_id": nowhere}))[0] == 409
    again = {"thread_id": nowhere, "if_exists": "do_nothing"}
    assert await wire.ok("POST", "/threads", again) == made


async def test_metadata_is_merged(wire: Wire) -> None:
    thread = await wire.thread(metadata={"a": 1, "b": 1})
    path = f"/threads/{thread}"

    changed = await wire.ok("PATCH", path, {"metadata": {"b": 2, "c": 3}})
    assert changed["metadata"] == {"a": 1, "b": 2, "c": 3}
    minimal = {"Prefer": "return=minimal"}
    assert (await wire("PATCH", path, {"metadata": {"d": 4}}, headers=minimal)).status_code == 204
    assert (await wire.ok("GET", path))["metadata"]["d"] == 4


async def test_a_thread_says_how_long_it_stays_when_it_is_asked(wire: Wire) -> None:
    async def life(body: dict[str, Any]) -> Any:
        thread = await wire.thread(**body)
        told = await wire.ok("GET", f"/threads/{thread}?include=ttl")
        assert "ttl" not in await wire.ok("GET", f"/threads/{thread}")
        assert told.get("ttl") is None or told["ttl"]["expires_at"] > told["updated_at"]
        return told.get("ttl") and (told["ttl"]["strategy"], told["ttl"]["ttl_minutes"])

    assert await life({}) is None
    assert await life({"ttl": {}}) is None
    assert await life({"ttl": {"ttl": None}}) is None
    assert await life({"ttl": 5}) == await life({"ttl": {"ttl": 5.0}}) == ("delete", 5)
    assert await life({"ttl": {"ttl": 0.5, "strategy": "keep_latest"}}) == ("keep_latest", 0.5)


async def test_a_life_is_given_taken_and_kept_by_a_patch(wire: Wire) -> None:
    path = f"/threads/{await wire.thread(ttl=5)}"

    async def life() -> Any:
        return (await wire.ok("GET", f"{path}?include=ttl")).get("ttl")

    first = await life()
    await wire.ok("PATCH", path, {"metadata": {"a": 1}})
    kept = await life()
    assert (kept["ttl_minutes"], kept["expires_at"] > first["expires_at"]) == (5, True)
    await wire.ok("PATCH", path, {"ttl": {"ttl": 7, "strategy": "keep_latest"}})
    assert ((await life())["ttl_minutes"], (await life())["strategy"]) == (7, "keep_latest")
    assert (await wire.ok("GET", path))["metadata"] == {"a": 1}
    await wire.ok("PATCH", path, {"ttl": {"ttl": None}})
    assert await life() is None


async def test_a_life_that_makes_no_sense_is_refused(wire: Wire) -> None:
    thread = await wire.thread()
    wrongs: list[Any] = [0, -1, "5", True, [5], 1e12, {"ttl": 0}, {"ttl": "5"}, {"ttl": 5, "strategy": "x"}]
    for wrong in (*wrongs, {"strategy": "delete"}):
        for method, path in (("POST", "/threads"), ("PATCH", f"/threads/{thread}")):
            status, detail = await wire.refused(method, path, {"ttl": wrong})
            assert (status, "ttl" in detail) == (422, True), wrong
    status, detail = await wire.refused("GET", f"/threads/{thread}?include=ttl,more")
    assert (status, "'more'" in detail) == (422, True)


async def test_threads_are_found_by_what_they_are(wire: Wire) -> None:
    asking, other = await wire.thread(metadata={"who": "a"}), await wire.thread(metadata={"who": "b"})
    await wire.ok("POST", f"/threads/{asking}/runs/wait", {"assistant_id": "asks", "input": {"n": 1}})

    async def found(**body: object) -> list[str]:
        return [one["thread_id"] for one in await wire.ok("POST", "/threads/search", body)]

    assert await found(status="interrupted") == [asking]
    assert await found(metadata={"who": "b"}) == [other]
    assert await found(metadata={"graph_id": "asks"}) == [asking]
    assert await found(ids=[other]) == [other]
    assert await found(sort_by="created_at", sort_order="asc") == [asking, other]
    assert await found(sort_by="updated_at") == [asking, other]
    assert await wire.ok("POST", "/threads/count", {"status": "idle"}) == 1
    page = await wire("POST", "/threads/search", {"limit": 1})
    assert (page.headers["x-pagination-total"], page.headers["x-pagination-next"]) == ("2", "1")
    values = await wire.ok("POST", "/threads/search", {"ids": [asking]})
    assert values[0]["values"] == {"n": 1}
    short = await wire.ok("POST", "/threads/search", {"ids": [asking], "select": ["status"]})
    assert short == [{"status": "interrupted"}]


async def test_a_removed_thread_is_gone_with_all_that_was_on_it(wire: Wire) -> None:
    thread = await wire.thread()
    body = {"assistant_id": "slow", "input": {"n": 30}}
    run = await wire.ok("POST", f"/threads/{thread}/runs", body)

    assert (await wire("DELETE", f"/threads/{thread}")).status_code == 204
    for path in ("", "/state", "/history", "/runs", f"/runs/{run['run_id']}"):
        assert (await wire.refused("GET", f"/threads/{thread}{path}"))[0] == 404
    assert (await wire.refused("DELETE", f"/threads/{thread}"))[0] == 404


async def test_what_makes_no_sense_is_refused_by_name(wire: Wire, nowhere: str) -> None:
    for path in ("", "/state", "/history", "/runs"):
        assert (await wire.refused("GET", f"/threads/{nowhere}{path}"))[0] == 404
        assert (await wire.refused("GET", f"/threads/nope{path}"))[0] == 422
    assert (await wire.refused("PATCH", f"/threads/{nowhere}", {"metadata": {}}))[0] == 404
    for wrong, field in [
        ({"thread_id": "nope"}, "thread_id"),
        ({"if_exists": "maybe"}, "if_exists"),
        ({"metadata": "x"}, "metadata"),
        ({"ttl": 0}, "ttl"),
    ]:
        status, detail = await wire.refused("POST", "/threads", wrong)
        assert (status, field in detail) == (422, True)
    for wrong, field in [
        ({"status": "odd"}, "status"),
        ({"limit": 1001}, "limit"),
        ({"offset": -1}, "offset"),
        ({"ids": ["x"]}, "ids[0]"),
        ({"values": "x"}, "values"),
    ]:
        status, detail = await wire.refused("POST", "/threads/search", wrong)
        assert (status, field in detail) == (422, True)
    assert (await wire.refused("POST", "/threads", content=b"{"))[1] == "Invalid JSON in request body"
    assert (await wire.refused("POST", "/threads", content=b'{"metadata": {"a": NaN}}'))[0] == 422
    assert (await wire.refused("POST", "/threads", content=b"[]"))[0] == 422


async def test_a_body_is_read_whatever_its_type_is_said_to_be(wire: Wire) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    made = await wire.ok("POST", "/threads", content=b'{"metadata": {"a": 1}}', headers=form)
    assert made["metadata"] == {"a": 1}
