"""What callers may do: what is theirs, on every route of the wire."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

HI = {"assistant_id": "tells", "input": {"out": 1}}

PLACES = """
from langgraph_sdk import Auth

auth = Auth()
asked = []

@auth.authenticate
async def authenticate(authorization):
    return authorization.removeprefix("Bearer ")

@auth.on
async def everything(ctx, value):
    asked.append("all")

@auth.on(actions="delete")
async def deleting(ctx, value):
    asked.append("delete")
    return False

@auth.on.threads
async def threads(ctx, value):
    asked.append("threads")

@auth.on.threads.create
async def making(ctx, value):
    asked.append("threads.create")
    if ctx.user.identity == "told":
        raise Auth.exceptions.HTTPException(409, "not now")
    if ctx.user.identity == "odd":
        return {"owner": {"$near": "x"}}
    if ctx.user.identity == "bug":
        return 7
"""


@pytest.fixture
async def of_ada(ada: As) -> dict[str, str]:
    """A thread with a run, an assistant, a cron, and an item, all Ada's."""
    thread = await ada.thread()
    run = await ada.ok("POST", f"/threads/{thread}/runs", HI)
    await ada.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join")
    assistant = await ada.ok("POST", "/assistants", {"graph_id": "tells"})
    cron = await ada.ok("POST", "/runs/crons", {"assistant_id": "tells", "schedule": "0 0 1 1 *"})
    await ada.ok("PUT", "/store/items", {"namespace": ["notes"], "key": "k", "value": {"a": 1}})
    return {
        "thread": thread,
        "run": run["run_id"],
        "assistant": assistant["assistant_id"],
        "cron": cron["cron_id"],
    }


THREAD: list[tuple[str, str, Any]] = [
    ("GET", "/threads/{thread}", None),
    ("PATCH", "/threads/{thread}", {"metadata": {"x": 1}}),
    ("POST", "/threads/{thread}/copy", None),
    ("GET", "/threads/{thread}/state", None),
    ("POST", "/threads/{thread}/state", {"values": {"out": 2}}),
    ("GET", "/threads/{thread}/history", None),
    ("POST", "/threads/{thread}/history", {}),
    ("GET", "/threads/{thread}/storage", None),
    ("GET", "/threads/{thread}/stream", None),
    ("GET", "/threads/{thread}/runs", None),
    ("POST", "/threads/{thread}/runs", HI),
    ("POST", "/threads/{thread}/runs/wait", HI),
    ("POST", "/threads/{thread}/runs/stream", HI),
    ("GET", "/threads/{thread}/runs/{run}", None),
    ("GET", "/threads/{thread}/runs/{run}/join", None),
    ("GET", "/threads/{thread}/runs/{run}/stream", None),
    ("POST", "/threads/{thread}/runs/{run}/cancel", None),
    ("POST", "/threads/{thread}/runs/crons", {"assistant_id": "tells", "schedule": "0 0 1 1 *"}),
    ("POST", "/runs/cancel", {"thread_id": "{thread}", "run_ids": ["{run}"]}),
    ("DELETE", "/threads/{thread}/runs/{run}", None),
    ("DELETE", "/threads/{thread}", None),
]
OTHERS: list[tuple[str, str, Any]] = [
    ("GET", "/assistants/{assistant}", None),
    ("GET", "/assistants/{assistant}/graph", None),
    ("GET", "/assistants/{assistant}/schemas", None),
    ("GET", "/assistants/{assistant}/subgraphs", None),
    ("POST", "/assistants/{assistant}/versions", {}),
    ("POST", "/assistants/{assistant}/latest", {"version": 1}),
    ("PATCH", "/assistants/{assistant}", {"name": "mine"}),
    ("POST", "/runs/wait", {"assistant_id": "{assistant}", "input": {"out": 1}}),
    ("DELETE", "/assistants/{assistant}", None),
    ("GET", "/runs/crons/{cron}", None),
    ("PATCH", "/runs/crons/{cron}", {"enabled": False}),
    ("DELETE", "/runs/crons/{cron}", None),
]


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, one in ids.items():
            value = value.replace("{" + name + "}", one)
        return value
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    return [filled(one, ids) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("method", "path", "body"), THREAD + OTHERS)
async def test_what_is_anothers_is_not_there(
    of_ada: dict[str, str], bob: As, method: str, path: str, body: Any
) -> None:
    told = await bob(method, filled(path, of_ada), filled(body, of_ada))
    assert (told.status_code, "detail" in told.json() or "error" in told.json()) == (404, True), told.text


async def test_a_call_of_anothers_agent_is_refused(of_ada: dict[str, str], bob: As) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {}}
    assert (await bob.ok("POST", f"/a2a/{of_ada['assistant']}", call))["error"]["data"]["code"] == "not_found"


async def test_events_of_anothers_thread_are_not_heard(of_ada: dict[str, str], bob: As) -> None:
    told = await bob("POST", f"/threads/{of_ada['thread']}/stream/events", {"channels": ["values"]})
    assert (told.status_code, told.json()["code"]) == (404, "not_found")


async def test_a_command_to_anothers_thread_changes_nothing(of_ada: dict[str, str], ada: As, bob: As) -> None:
    body = {"id": 1, "method": "run.start", "params": {"assistant_id": "tells", "input": {"out": 2}}}
    told = await bob("POST", f"/threads/{of_ada['thread']}/commands", body)
    assert told.status_code == 404 or told.json()["type"] == "error"
    assert len(await ada.ok("GET", f"/threads/{of_ada['thread']}/runs")) == 1


async def test_lists_have_what_is_ones_own(of_ada: dict[str, str], ada: As, bob: As) -> None:
    for path, body in [
        ("/threads/search", {}),
        ("/runs/crons/search", {}),
        ("/assistants/search", {"graph_id": "tells"}),
    ]:
        assert (path, len(await ada.ok("POST", path, body)), await bob.ok("POST", path, body)) == (
            path,
            1,
            [],
        )
    for path in ("/threads/count", "/runs/crons/count"):
        assert (await ada.ok("POST", path, {}), await bob.ok("POST", path, {})) == (1, 0)
    assert await bob.ok("POST", "/threads/prune", {"thread_ids": [of_ada["thread"]]}) == {"pruned_count": 0}
    assert (await ada("GET", f"/threads/{of_ada['thread']}")).status_code == 200


async def test_items_are_kept_apart(of_ada: dict[str, str], ada: As, bob: As) -> None:
    assert (await ada.ok("GET", "/store/items?key=k&namespace=notes"))["value"] == {"a": 1}
    assert await bob.ok("GET", "/store/items?key=k&namespace=notes") is None
    found = await bob.ok("POST", "/store/items/search", {"namespace_prefix": []})
    assert found["items"] == []
    assert (await bob.ok("POST", "/store/namespaces", {}))["namespaces"] == []
    assert (await bob("DELETE", "/store/items", {"namespace": ["notes"], "key": "k"})).status_code == 204
    assert (await ada.ok("GET", "/store/items?key=k&namespace=notes"))["value"] == {"a": 1}


async def test_a_handler_stamps_what_is_made(of_ada: dict[str, str], ada: As) -> None:
    thread = await ada.ok("GET", f"/threads/{of_ada['thread']}")
    assert thread["metadata"]["owner"] == "ada"
    spoofed = await ada.ok("POST", "/threads", {"metadata": {"owner": "bob", "x": 1}})
    assert (spoofed["metadata"]["owner"], spoofed["metadata"]["x"]) == ("ada", 1)
    moved = await ada.ok("PATCH", f"/threads/{of_ada['thread']}", {"metadata": {"owner": "bob"}})
    assert moved["metadata"]["owner"] == "ada"
    run = await ada.ok("POST", "/runs", HI)
    assert run["metadata"]["owner"] == "ada"
    assert (await ada.ok("GET", f"/assistants/{of_ada['assistant']}"))["metadata"]["owner"] == "ada"
    assert (await ada.ok("GET", f"/runs/crons/{of_ada['cron']}"))["metadata"]["owner"] == "ada"


async def test_a_thread_that_is_there_is_not_given_to_another(of_ada: dict[str, str], bob: As) -> None:
    again = await bob("POST", "/threads", {"thread_id": of_ada["thread"], "if_exists": "do_nothing"})
    assert again.status_code in (404, 409)
    taken = {**HI, "if_not_exists": "create"}
    assert (await bob("POST", f"/threads/{of_ada['thread']}/runs", taken)).status_code in (404, 409)


async def test_a_question_is_for_whoever_has_its_thread(ada: As, bob: As) -> None:
    thread = await ada.thread()
    await ada.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "gated", "input": {"n": 1}})
    asked = await ada.ok("GET", "/api/v1/approvals")
    assert len(asked) == 1
    approval = asked[0]["approval_id"]
    assert await bob.ok("GET", "/api/v1/approvals") == []
    yes = {"decision": {"type": "approve"}}
    assert (await bob("GET", f"/api/v1/approvals/{approval}")).status_code == 404
    assert (await bob("POST", f"/api/v1/approvals/{approval}", yes)).status_code == 404
    assert (await As(bob, "timeout")("POST", f"/api/v1/approvals/{approval}", yes)).status_code == 404
    await ada.ok("POST", f"/api/v1/approvals/{approval}", yes)
    assert (await ada.ok("GET", f"/api/v1/approvals/{approval}"))["decided_by"] == "ada"


async def test_a_question_that_was_escalated_is_for_whom_it_names_too(
    ada: As, bob: As, fresh_dsn: str
) -> None:
    thread = await ada.thread()
    await ada.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "gated", "input": {"n": 1}})
    (asked,) = await ada.ok("GET", "/api/v1/hitl/requests")
    path = f"/api/v1/hitl/requests/{asked['approval_id']}"
    assert (await bob("PUT", f"{path}/approve", None)).status_code == 404
    named = "update approvals set on_timeout = 'escalate', escalate_to = '{bob}', escalated_at = now()"
    with psycopg.connect(fresh_dsn, autocommit=True) as conn:
        conn.execute(named)
    assert [one["escalate_to"] for one in await bob.ok("GET", "/api/v1/approvals")] == [["bob"]]
    assert (await As(bob, "eve")("GET", path)).status_code == 404
    await bob.ok("PUT", f"{path}/approve", None)
    assert (await ada.ok("GET", path))["decided_by"] == "bob"
    assert (await bob.ok("GET", "/api/v1/hitl/stats"))["groups"] == []
    assert (await ada.ok("GET", "/api/v1/hitl/stats"))["groups"][0]["approved"] == 1


async def test_whoever_is_refused_hears_403_everywhere(guarded: Wire, of_ada: dict[str, str]) -> None:
    banned = As(guarded, "banned")
    for method, path, body in [
        *THREAD,
        *OTHERS,
        ("POST", "/threads", {}),
        ("POST", "/threads/search", {}),
        ("POST", "/threads/count", {}),
        ("POST", "/assistants", {"graph_id": "tells"}),
        ("POST", "/assistants/search", {}),
        ("POST", "/runs/wait", HI),
        ("POST", "/runs/batch", [HI]),
        ("POST", "/runs/crons/search", {}),
        ("PUT", "/store/items", {"namespace": ["n"], "key": "k", "value": {}}),
        ("GET", "/store/items?key=k&namespace=n", None),
        ("POST", "/store/items/search", {"namespace_prefix": []}),
        ("POST", "/store/namespaces", {}),
        ("GET", "/api/v1/approvals", None),
        ("GET", "/api/v1/hitl/requests", None),
        ("GET", "/api/v1/hitl/stats", None),
        ("GET", "/api/v1/webhooks", None),
        ("POST", "/api/v1/policy/explain", {"agent": "coder", "tool": "ls"}),
        ("POST", "/api/v1/policy/simulate", {"policy": {}}),
    ]:
        told = await banned(method, filled(path, of_ada), filled(body, of_ada))
        assert (method, path, told.status_code) == (method, path, 403)
        assert told.json()["code"] == "forbidden"


async def test_the_handler_that_fits_best_is_asked(folder: Open, tmp_path: Any) -> None:
    async with folder({"places.py": PLACES}, auth={"path": "./places.py:auth"}) as wire:
        from tests.server.auth.test_authentication import said  # noqa: PLC0415

        eve, asked = As(wire, "eve"), said(wire, "places.py", "asked")
        thread = await eve.thread()
        await eve.ok("POST", "/threads/search", {})
        await eve.ok("POST", "/assistants/search", {})
        await eve.ok("DELETE", f"/threads/{thread}")  # of the resource goes before of the action
        assert (await eve("DELETE", f"/runs/crons/{uuid4()}")).status_code == 403
        assert asked == ["threads.create", "threads", "all", "threads", "delete"]
        assert await As(wire, "told").refused("POST", "/threads", {}) == (409, "not now")
        for name in ("odd", "bug"):
            told = await As(wire, name)("POST", "/threads", {})
            assert (told.status_code, told.json()["code"]) == (500, "filter_wrong")


async def test_without_handlers_whoever_is_known_may_do_all(folder: Open) -> None:
    text = AUTH[: AUTH.index("@auth.on")]
    async with folder({"known.py": text}, auth={"path": "./known.py:auth"}) as wire:
        thread = await As(wire, "ada").thread()
        assert (await As(wire, "bob")("GET", f"/threads/{thread}")).status_code == 200
