"""Questions are seen and answered over the product's own API: the first answer stands."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.fakes.served import calling, serving


@pytest.fixture
async def http(fresh_dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(fresh_dsn) as app, calling(app) as client:
        yield client


async def asked(http: httpx.AsyncClient) -> dict[str, Any]:
    """Let a run ask; the question."""
    body = {"assistant_id": "gated", "input": {"n": 1}, "if_not_exists": "create"}
    thread = uuid4()
    await http.post(f"/threads/{thread}/runs/wait", json=body)
    (question,) = (await http.get(f"/api/v1/approvals?thread_id={thread}&status=pending")).json()
    return dict(question)


async def test_an_answer_lets_the_run_go_on(http: httpx.AsyncClient) -> None:
    question = await asked(http)
    path = f"/api/v1/approvals/{question['approval_id']}"
    assert (question["tool"], question["args"]) == ("write_file", {"path": "x"})
    accepted = await http.post(path, json={"decision": {"type": "approve"}})

    assert accepted.status_code == 202
    started = accepted.json()
    assert started["thread_id"] == question["thread_id"]
    join = f"/threads/{started['thread_id']}/runs/{started['run_id']}/join"
    assert (await http.get(join)).json()["answer"] == {"type": "approve"}
    told = (await http.get(path)).json()
    assert (told["status"], told["answer_run_id"]) == ("approved", started["run_id"])


async def test_of_two_answers_at_once_one_counts(http: httpx.AsyncClient) -> None:
    path = f"/api/v1/approvals/{(await asked(http))['approval_id']}"
    yes, no = {"decision": {"type": "approve"}}, {"decision": {"type": "reject"}}
    codes = [one.status_code for one in await asyncio.gather(*(http.post(path, json=b) for b in (yes, no)))]

    assert sorted(codes) == [202, 409]
    late = await http.post(path, json=no)
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")


async def test_a_malformed_answer_is_refused_and_nothing_is_saved(http: httpx.AsyncClient) -> None:
    path = f"/api/v1/approvals/{(await asked(http))['approval_id']}"
    wrongs: list[Any] = [
        {},
        {"decision": "approve"},
        {"decision": {"type": "perhaps"}},
        {"decision": {"type": "edit"}},
    ]
    for wrong in wrongs:
        told = await http.post(path, json=wrong)
        assert (wrong, told.status_code) == (wrong, 422)
        assert isinstance(told.json()["detail"], str)
    assert (await http.get(path)).json()["status"] == "pending"


async def test_what_nobody_asked_cannot_be_answered(http: httpx.AsyncClient) -> None:
    path = f"/api/v1/approvals/{uuid4()}"
    assert (await http.get(path)).status_code == 404
    assert (await http.post(path, json={"decision": {"type": "approve"}})).status_code == 404
    assert (await http.get("/api/v1/approvals?status=odd")).status_code == 422


async def test_a_server_without_agents_of_ours_says_so_little(http: httpx.AsyncClient) -> None:
    info = (await http.get("/api/v1/info")).json()
    assert info["version"]
    assert (info["model"], info["roots"]) == (None, [])
