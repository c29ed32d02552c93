"""Crons over the wire."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient
from tests.fakes.callers import OwnOnly, called_by
from tests.server.protocol.conftest import Wire

from artel.storage.ids import system_assistant_id

ASLEEP = {"assistant_id": "asks", "schedule": "0 0 1 1 *"}
SOON = "* * * * * *"  # every second


async def _until(wire: Wire, path: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(8):
        while True:
            found: list[dict[str, Any]] = await wire.ok("GET", path)
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)


async def test_a_cron_is_made_shown_changed_and_removed(wire: Wire) -> None:
    body = ASLEEP | {"input": {"n": 1}, "metadata": {"k": 1}, "config": {"tags": ["t"]}}
    made = await wire.ok("POST", "/runs/crons", body)
    cron_id = made["cron_id"]
    assert made["assistant_id"] == str(system_assistant_id("asks"))
    assert (made["thread_id"], made["timezone"], made["end_time"]) == (None, None, None)
    assert (made["enabled"], made["on_run_completed"], made["user_id"]) == (True, "delete", "")
    assert made["metadata"] == {"k": 1}
    assert made["payload"] == body | {
        "assistant_id": made["assistant_id"],
        "config": {"tags": ["t"], "configurable": {"cron_id": cron_id}},
    }
    assert made["next_run_date"].endswith("-01-01T00:00:00+00:00")
    assert await wire.ok("GET", f"/runs/crons/{cron_id}") == made
    changed = await wire.ok(
        "PATCH",
        f"/runs/crons/{cron_id}",
        {"metadata": {"n": 2}, "input": {"n": 2}, "schedule": "0 0 2 1 *", "timezone": "Asia/Tokyo"},
    )
    assert changed["metadata"] == {"k": 1, "n": 2}
    assert changed["payload"]["input"] == {"n": 2}
    assert changed["payload"]["config"]["tags"] == ["t"]
    assert changed["next_run_date"].endswith("-01-01T15:00:00+00:00")
    assert changed["updated_at"] > made["updated_at"]
    assert (await wire("DELETE", f"/runs/crons/{cron_id}")).status_code == 204
    assert (await wire.refused("GET", f"/runs/crons/{cron_id}"))[0] == 404


async def test_a_cron_of_a_thread_answers_with_a_cron_and_runs_there(wire: Wire) -> None:
    thread = await wire.thread()
    made = await wire.ok(
        "POST",
        f"/threads/{thread}/runs/crons",
        {
            "assistant_id": "tells",
            "schedule": SOON,
            "input": {"out": 0},
            "metadata": {"from": "cron"},
            "context": {"who": "me"},
        },
    )
    assert made["thread_id"] == thread
    assert made["on_run_completed"] is None
    (run, *_) = await _until(wire, f"/threads/{thread}/runs", 1)
    assert run["metadata"]["from"] == "cron"
    assert run["kwargs"]["config"]["configurable"]["cron_id"] == made["cron_id"]
    await wire.ok("PATCH", f"/runs/crons/{made['cron_id']}", {"enabled": False})
    await wire.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join")
    state = await wire.ok("GET", f"/threads/{thread}/state")
    assert state["values"]["out"]["who"] == "me"


async def test_runs_go_with_their_threads_unless_they_are_to_be_kept(wire: Wire) -> None:
    async def threads_of(**body: Any) -> list[Any]:
        made = await wire.ok(
            "POST", "/runs/crons", {"assistant_id": "tells", "schedule": SOON, "input": {"out": 0}} | body
        )
        await asyncio.sleep(2.2)
        await wire.ok("DELETE", f"/runs/crons/{made['cron_id']}")
        await asyncio.sleep(0.5)
        found: list[Any] = await wire.ok("POST", "/threads/search", {"limit": 100})
        return found

    assert await threads_of() == []
    kept = await threads_of(on_run_completed="keep")
    assert 1 <= len(kept) <= 3
    assert kept[0]["metadata"]["graph_id"] == "tells"


async def test_what_is_off_does_not_fire_and_made_again_begins_from_now(wire: Wire) -> None:
    thread = await wire.thread()
    made = await wire.ok(
        "POST",
        f"/threads/{thread}/runs/crons",
        {"assistant_id": "tells", "schedule": SOON, "input": {"out": 0}, "enabled": False},
    )
    await asyncio.sleep(1.5)
    assert await wire.ok("GET", f"/threads/{thread}/runs") == []
    now = datetime.now(UTC)
    on = await wire.ok("PATCH", f"/runs/crons/{made['cron_id']}", {"enabled": True})
    assert datetime.fromisoformat(on["next_run_date"]) >= now
    await _until(wire, f"/threads/{thread}/runs", 1)


async def test_the_end_can_be_set_and_taken_away(wire: Wire) -> None:
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    made = await wire.ok("POST", "/runs/crons", ASLEEP | {"end_time": past})
    assert made["next_run_date"] is None
    assert datetime.fromisoformat(made["end_time"]) == datetime.fromisoformat(past)
    path = f"/runs/crons/{made['cron_id']}"
    other = await wire.ok("PATCH", path, {"input": {}})
    assert other["end_time"] == made["end_time"]
    without = await wire.ok("PATCH", path, {"end_time": None})
    assert (without["end_time"], without["next_run_date"] is None) == (None, False)
    naive = await wire.ok("PATCH", path, {"end_time": "2030-01-01T00:00:00"})
    assert naive["end_time"] == "2030-01-01T00:00:00+00:00"


async def test_search_and_count_filter_select_sort_and_page(wire: Wire) -> None:
    thread = await wire.thread()
    first = await wire.ok("POST", "/runs/crons", ASLEEP | {"metadata": {"k": 1}})
    second = await wire.ok("POST", f"/threads/{thread}/runs/crons", ASLEEP | {"enabled": False})
    third = await wire.ok("POST", "/runs/crons", ASLEEP | {"assistant_id": "tells"})
    newest = await wire.ok("POST", "/runs/crons/search", {})
    assert newest == [third, second, first]
    for wish, found in (
        ({"thread_id": thread}, [second]),
        ({"assistant_id": first["assistant_id"], "enabled": True}, [first]),
        ({"metadata": {"k": 1}}, [first]),
        ({"metadata": {"k": 2}}, []),
    ):
        assert await wire.ok("POST", "/runs/crons/search", wish) == found
        assert await wire.ok("POST", "/runs/crons/count", wish) == len(found)
    page = await wire(
        "POST",
        "/runs/crons/search",
        {"limit": 1, "offset": 1, "sort_by": "created_at", "sort_order": "asc", "select": ["cron_id"]},
    )
    assert page.json() == [{"cron_id": second["cron_id"]}]
    assert (page.headers["X-Pagination-Total"], page.headers["X-Pagination-Next"]) == ("3", "2")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"schedule": None}, "schedule is required"),
        ({"schedule": "bad"}, "got 'bad'"),
        ({"schedule": "0 0 30 2 *"}, "Bad day-of-month"),
        ({"schedule": "a\0b"}, "NUL"),
        ({"timezone": "Mars/X"}, "'Mars/X'"),
        ({"end_time": "tomorrow"}, "end_time"),
        ({"end_time": "9999-12-31T23:59:59-12:00"}, "end_time"),
        ({"on_run_completed": "archive"}, "on_run_completed"),
        ({"assistant_id": "nobody"}, "'nobody'"),
        ({"command": {"goto": 5}}, "goto"),
        ({"stream_mode": "loud"}, "stream_mode"),
        ({"enabled": "yes"}, "enabled"),
        ({"webhook": "http://127.0.0.1/x"}, "127.0.0.1"),
    ],
)
async def test_what_no_run_could_be_made_of_is_refused(wire: Wire, body: Any, said: str) -> None:
    status, detail = await wire.refused("POST", "/runs/crons", ASLEEP | body)
    assert status == 422
    assert said in detail
    assert await wire.ok("POST", "/runs/crons/count", {}) == 0


async def test_a_change_is_checked_as_a_whole(wire: Wire) -> None:
    made = await wire.ok("POST", "/runs/crons", ASLEEP | {"config": {"configurable": {"a": 1}}})
    path = f"/runs/crons/{made['cron_id']}"
    assert (await wire.refused("PATCH", path, {}))[0] == 400
    assert (await wire.refused("PATCH", path, {"context": {"b": 1}}))[0] == 400
    for wrong in ({"schedule": "bad"}, {"timezone": "bad"}, {"stream_mode": "loud"}, {"config": {"tags": 1}}):
        assert (await wire.refused("PATCH", path, wrong))[0] == 422
    assert await wire.ok("GET", path) == made


async def test_what_is_not_there_is_404_and_what_is_no_id_422(wire: Wire, nowhere: str) -> None:
    for method, body in (("GET", None), ("PATCH", {"enabled": False}), ("DELETE", None)):
        assert (await wire.refused(method, f"/runs/crons/{nowhere}", body))[0] == 404
        assert (await wire.refused(method, "/runs/crons/xx", body))[0] == 422
    assert (await wire.refused("POST", f"/threads/{nowhere}/runs/crons", ASLEEP))[0] == 404
    assert (await wire.refused("POST", "/runs/crons", ASLEEP | {"assistant_id": nowhere}))[0] == 404
    assert (await wire.refused("POST", "/runs/crons/search", {"limit": 0}))[0] == 422
    assert (await wire.refused("POST", "/runs/crons/search", {"sort_by": "x"}))[0] == 422
    assert (await wire.refused("POST", "/runs/crons/search", {"assistant_id": "asks"}))[0] == 422


async def test_the_official_client_knows_our_crons(wire: Wire) -> None:
    client = LangGraphClient(wire.http)
    thread = await wire.thread()
    made: Any = await client.crons.create("asks", schedule="0 9 * * *", timezone="America/New_York")
    of_thread: Any = await client.crons.create_for_thread(
        thread, "asks", schedule="0 9 * * *", input={}, end_time=datetime(2030, 1, 1, tzinfo=UTC)
    )
    assert await client.crons.count() == 2
    changed = await client.crons.update(of_thread["cron_id"], end_time=None, enabled=False)
    assert (changed["end_time"], changed["enabled"]) == (None, False)
    found = await client.crons.search(thread_id=thread, select=["cron_id"], sort_by="created_at")
    assert found == [{"cron_id": of_thread["cron_id"]}]
    await client.crons.delete(made["cron_id"])
    assert await client.crons.count() == 1


async def test_the_server_says_that_it_has_crons(wire: Wire) -> None:
    assert (await wire.ok("GET", "/info"))["flags"]["crons"] is True


async def test_a_cron_belongs_to_who_made_it_and_so_do_the_threads_of_its_runs(wire: Wire) -> None:
    policy = OwnOnly()
    ann, bob = (Wire(wire.app, called_by(wire.app, name, policy)) for name in ("ann", "bob"))
    made = await ann.ok(
        "POST",
        "/runs/crons",
        {"assistant_id": "asked_by", "schedule": SOON, "input": {"out": 0}, "on_run_completed": "keep"},
    )
    path = f"/runs/crons/{made['cron_id']}"
    assert (made["user_id"], made["metadata"]) == ("ann", {"who": "ann"})
    for method, body in (("GET", None), ("PATCH", {"enabled": False}), ("DELETE", None)):
        assert (await bob.refused(method, path, body))[0] == 404
    assert await bob.ok("POST", "/runs/crons/search", {}) == []
    assert await bob.ok("POST", "/runs/crons/count", {}) == 0
    assert await ann.ok("POST", "/runs/crons/count", {}) == 1
    async with asyncio.timeout(8):
        while True:
            kept = await ann.ok("POST", "/threads/search", {"status": "idle"})
            if kept and kept[0]["values"]:
                break
            await asyncio.sleep(0.05)
    assert kept[0]["values"]["out"]["user_id"] == "ann"
    assert await bob.ok("POST", "/threads/search", {}) == []
    await ann.ok("DELETE", path)
    assert {"crons.create", "crons.read", "crons.update", "crons.delete", "crons.search"} <= set(policy.asked)


async def test_on_a_thread_of_somebody_else_nothing_is_scheduled(wire: Wire) -> None:
    policy = OwnOnly()
    ann, bob = (Wire(wire.app, called_by(wire.app, name, policy)) for name in ("ann", "bob"))
    thread = await ann.thread(metadata={})
    assert (await bob.refused("POST", f"/threads/{thread}/runs/crons", ASLEEP))[0] == 404
    assert (await ann.ok("POST", f"/threads/{thread}/runs/crons", ASLEEP))["thread_id"] == thread


async def test_who_may_not_schedule_is_refused(wire: Wire) -> None:
    for refused in ("crons.create", "threads.create_run"):
        ann = Wire(wire.app, called_by(wire.app, "ann", OwnOnly((refused,))))
        assert (await ann.refused("POST", "/runs/crons", ASLEEP))[0] == 403
