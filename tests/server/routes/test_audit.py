"""The audit log over the product's own API: one's own entries, page by page, or all to take along."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from langgraph_sdk.client import LangGraphClient
from tests.fakes.served import calling, serving
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

from artel.storage.chains import Walk, read_line

YES = {"type": "approve"}


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


async def ask(wire: Wire) -> dict[str, Any]:
    """Let a run ask; the question."""
    thread = await wire.thread()
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "gated", "input": {"n": 1}})
    (question,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={thread}&status=pending")
    return dict(question)


async def test_an_answer_over_rest_says_who_gave_it_whence_and_how_soon(wire: Wire) -> None:
    question = await ask(wire)
    await asyncio.sleep(0.05)
    await wire.ok("POST", f"/api/v1/approvals/{question['approval_id']}", {"decision": YES})
    (entry,) = await wire.ok("GET", f"/api/v1/audit?thread_id={question['thread_id']}")
    known = ("kind", "decision", "user", "surface", "ip", "tool", "approval_id")
    assert {name: entry[name] for name in known} == {
        "kind": "decision",
        "decision": "approve",
        "user": "local",
        "surface": "api",
        "ip": "127.0.0.1",
        "tool": "write_file",
        "approval_id": question["approval_id"],
    }
    assert 0.05 <= entry["response_s"] < 10
    assert entry["said"]["args"] == {"path": "x"}


async def test_an_answer_over_the_sdk_says_so_too(wire: Wire) -> None:
    question = await ask(wire)
    command: Any = {"resume": {question["interrupt_id"]: YES}}
    await LangGraphClient(wire.http).runs.wait(question["thread_id"], "gated", command=command)
    (entry,) = await wire.ok("GET", "/api/v1/audit?kind=decision")
    assert (entry["surface"], entry["ip"], entry["by"]) == ("wire", "127.0.0.1", "wire")
    assert entry["response_s"] >= 0


async def test_entries_come_newest_first_and_page_by_page(wire: Wire) -> None:
    for _ in range(3):
        question = await ask(wire)
        await wire.ok("POST", f"/api/v1/approvals/{question['approval_id']}", {"decision": YES})
    first = await wire.ok("GET", "/api/v1/audit?limit=2")
    assert [one["seq"] for one in first] == [3, 2]
    rest = await wire.ok("GET", f"/api/v1/audit?limit=2&before={first[-1]['seq']}")
    assert [one["seq"] for one in rest] == [1]
    assert first[1]["prev_hash"] == rest[0]["hash"]
    assert await wire.ok("GET", "/api/v1/audit?tool=nothing") == []
    assert await wire.ok("GET", f"/api/v1/audit?thread_id={uuid4()}") == []
    moment = first[0]["written_at"]
    assert [one["seq"] for one in await wire.ok("GET", f"/api/v1/audit?since={moment}")] == [3]
    assert [one["seq"] for one in await wire.ok("GET", f"/api/v1/audit?until={moment}")] == [2, 1]


@pytest.mark.parametrize("query", ["kind=odd", "before=0", "limit=0", "since=yesterday", "thread_id=1"])
async def test_what_makes_no_sense_is_refused(wire: Wire, query: str) -> None:
    status, sentence = await wire.refused("GET", f"/api/v1/audit?{query}")
    assert (status, query.partition("=")[0] in sentence) == (422, True)


async def test_an_export_is_a_chain_that_holds(wire: Wire) -> None:
    for _ in range(2):
        question = await ask(wire)
        await wire.ok("POST", f"/api/v1/approvals/{question['approval_id']}", {"decision": YES})
    answer = await wire("GET", "/api/v1/audit/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    way = Walk("local")
    for line in answer.content.splitlines():
        link = read_line(line)
        assert link is not None
        assert way.step(link) is None
    assert way.seq == 2
    assert json.loads(answer.content.splitlines()[0])["entry"]["kind"] == "decision"


async def test_what_is_somebody_else_s_is_not_seen(folder: Open) -> None:
    async with folder({"auth.py": AUTH}, auth={"path": "./auth.py:auth"}) as wire:
        ada, bob = As(wire, "ada"), As(wire, "bob")
        question = await ask(ada)
        await ada.ok("POST", f"/api/v1/approvals/{question['approval_id']}", {"decision": YES})
        (entry,) = await ada.ok("GET", "/api/v1/audit")
        assert entry["user"] == "ada"
        assert await bob.ok("GET", "/api/v1/audit") == []
        assert await bob.ok("GET", f"/api/v1/audit?thread_id={question['thread_id']}") == []
        assert (await bob("GET", "/api/v1/audit/export")).content == b""
        assert len((await ada("GET", "/api/v1/audit/export")).content.splitlines()) == 1
        assert (await wire("GET", "/api/v1/audit")).status_code == 401
        assert (await As(wire, "banned")("GET", "/api/v1/audit")).status_code == 403


async def test_nobody_adds_or_changes_anything_from_outside(wire: Wire) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await wire(method, "/api/v1/audit", {})).status_code == 405
