"""The same questions with a verb for each answer: whatever way it comes, the first one counts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from langgraph.types import interrupt
from tests.fakes.engines import chain
from tests.fakes.served import calling, graphs, serving

from artel.server.catalog import Catalog, Entry

HUNKS = [{"id": "h1", "header": "@@ -1 +1 @@"}, {"id": "h2", "header": "@@ -9 +9 @@"}]
OFFER = {
    "id": "exact",
    "scopes": ["thread"],
    "label": "their_tool: a.py",
    "covers": [{"action": "x", "path": "a.py"}],
}
GRANT = {"scope": "thread", "covers": "exact"}
OURS = {
    "kind": "tool_call",
    "grants": [OFFER],
    "agent": "coder",
    "risk": "write",
    "reason": "changes a file",
    "rule": "write",
    "diff": "-a\n+b\n",
    "expires_in_s": 300,
    "on_timeout": "reject",
    "files": [{"path": "a.py", "before_sha": None, "diff": "", "hunks": HUNKS}],
}
CALL = {
    "type": "tool_approval",
    "tool_call_id": "c1",
    "name": "their_tool",
    "args": {"path": "a.py"},
    "description": "Change a.py",
    "artel": OURS,
}
PART = {"tool_call_id": "c1", "name": "their_tool", "args": {"x": 1}, "risk": "write", "rule": "write"}
BATCH = {
    "action_requests": [{"name": "their_tool", "args": {"x": n}} for n in (1, 2)],
    "review_configs": [],
    "artel": {"kind": "tool_call", "agent": "ask", "calls": [PART, {**PART, "tool_call_id": "c2"}]},
}
INBOX = [
    {
        "action_request": {"action": "send_mail", "args": {"to": "eve"}},
        "config": {"allow_accept": True, "allow_edit": True, "allow_respond": True, "allow_ignore": False},
        "description": "Send a mail to eve",
    }
]
PLAIN = {"question": "which?"}


def asks(value: Any) -> Any:
    async def ask(state: Any) -> dict[str, Any]:
        return {"answer": interrupt(value)}

    return chain({"ask": ask})


@pytest.fixture
async def http(fresh_dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    own = {"call": CALL, "batch": BATCH, "inbox": INBOX, "plain": PLAIN}
    known = graphs() | {name: asks(value) for name, value in own.items()}
    catalog = Catalog({name: Entry(None, graph) for name, graph in known.items()})
    async with serving(fresh_dsn, catalog=catalog) as app, calling(app) as client:
        yield client


async def asked(http: httpx.AsyncClient, graph: str) -> dict[str, Any]:
    """Let a run ask; the question."""
    body = {"assistant_id": graph, "input": {}, "if_not_exists": "create"}
    thread = uuid4()
    await http.post(f"/threads/{thread}/runs/wait", json=body)
    (question,) = (await http.get(f"/api/v1/hitl/requests?thread_id={thread}&status=pending")).json()
    return dict(question)


async def answer(http: httpx.AsyncClient, question: dict[str, Any], verb: str, body: Any = None) -> Any:
    """Answer a question; what the graph was told."""
    method = "POST" if verb == "respond" else "PUT"
    path = f"/api/v1/hitl/requests/{question['approval_id']}/{verb}"
    told = (
        await http.request(method, path, json=body) if body is not None else await http.request(method, path)
    )
    if told.status_code != 202:
        return told.status_code, told.json()["detail"]
    started = told.json()
    joined = await http.get(f"/threads/{started['thread_id']}/runs/{started['run_id']}/join")
    return joined.json()["answer"]


async def test_a_request_shows_what_it_is_about_and_how_long_it_waits(http: httpx.AsyncClient) -> None:
    question = await asked(http, "call")
    shown = {
        name: question[name] for name in ("tool", "risk", "reason", "rule", "agent", "diff", "description")
    }
    assert shown == {
        "tool": "their_tool",
        "risk": "write",
        "reason": "changes a file",
        "rule": "write",
        "agent": "coder",
        "diff": "-a\n+b\n",
        "description": "Change a.py",
    }
    assert (question["status"], question["parked"], question["on_timeout"]) == ("pending", False, "reject")
    assert 0 <= question["waited_s"] < 20
    one = await http.get(f"/api/v1/hitl/requests/{question['approval_id']}")
    assert one.json()["value"] == CALL
    batch = await asked(http, "batch")
    assert [(one["tool_call_id"], one["rule"]) for one in batch["calls"]] == [
        ("c1", "write"),
        ("c2", "write"),
    ]


@pytest.mark.parametrize(
    ("graph", "verb", "body", "told"),
    [
        ("call", "approve", None, {"type": "approve"}),
        ("call", "approve", {}, {"type": "approve"}),
        ("call", "approve", {"hunks": ["h2"]}, {"type": "approve", "hunks": ["h2"]}),
        ("call", "approve", {"grant": GRANT}, {"type": "approve", "grant": GRANT}),
        (
            "call",
            "approve",
            {"args": {"path": "b.py"}},
            {"type": "edit", "edited_action": {"name": "their_tool", "args": {"path": "b.py"}}},
        ),
        ("call", "reject", None, {"type": "reject"}),
        ("call", "reject", {"message": "no"}, {"type": "reject", "message": "no"}),
        ("call", "respond", {"message": "later"}, {"type": "respond", "message": "later"}),
        ("call", "respond", {"answer": {"type": "approve"}}, {"type": "approve"}),
        ("batch", "approve", None, {"decisions": [{"type": "approve"}] * 2}),
        ("batch", "reject", {"message": "no"}, {"decisions": [{"type": "reject", "message": "no"}] * 2}),
        (
            "batch",
            "respond",
            {"answer": {"decisions": [{"type": "approve"}, {"type": "reject"}]}},
            {"decisions": [{"type": "approve"}, {"type": "reject"}]},
        ),
        ("inbox", "approve", None, [{"type": "accept", "args": None}]),
        (
            "inbox",
            "approve",
            {"args": {"to": "bob"}},
            [{"type": "edit", "args": {"action": "send_mail", "args": {"to": "bob"}}}],
        ),
        ("inbox", "respond", {"message": "later"}, [{"type": "response", "args": "later"}]),
        (
            "inbox",
            "respond",
            {"answer": [{"type": "accept", "args": None}]},
            [{"type": "accept", "args": None}],
        ),
        ("plain", "respond", {"answer": "that one"}, "that one"),
    ],
)
async def test_each_verb_reaches_the_graph_in_the_form_it_asked_in(
    http: httpx.AsyncClient, graph: str, verb: str, body: Any, told: Any
) -> None:
    assert await answer(http, await asked(http, graph), verb, body) == told


@pytest.mark.parametrize(
    ("graph", "verb", "body", "said"),
    [
        ("call", "approve", {"hunks": ["h9"]}, "must be of"),
        ("call", "approve", {"hunks": []}, "one or more ids"),
        ("call", "approve", {"hunks": ["h1"], "args": {}}, "not both"),
        ("batch", "approve", {"args": {}}, "those of one call"),
        ("batch", "approve", {"hunks": ["h1"]}, "about 2 calls"),
        ("batch", "respond", {"answer": {"decisions": []}}, "2 entries"),
        ("inbox", "reject", None, "one of approve, edit, respond"),
        ("inbox", "respond", {"answer": [{"type": "ignore"}]}, "one of approve, edit, respond"),
        ("plain", "respond", {}, "one of message and answer"),
        ("plain", "respond", {"message": "a", "answer": "b"}, "one of message and answer"),
        ("call", "reject", {"message": "a\0"}, "NUL"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_and_nothing_is_saved(
    http: httpx.AsyncClient, graph: str, verb: str, body: Any, said: str
) -> None:
    question = await asked(http, graph)
    status, detail = await answer(http, question, verb, body)
    assert (status, said in detail) == (422, True), detail
    path = f"/api/v1/hitl/requests/{question['approval_id']}"
    assert (await http.get(path)).json()["status"] == "pending"


async def test_whichever_way_it_comes_the_first_answer_counts(http: httpx.AsyncClient) -> None:
    question = await asked(http, "call")
    ours = f"/api/v1/approvals/{question['approval_id']}"
    theirs = f"/api/v1/hitl/requests/{question['approval_id']}/approve"
    both = (http.post(ours, json={"decision": {"type": "reject"}}), http.put(theirs))
    assert sorted(one.status_code for one in await asyncio.gather(*both)) == [202, 409]
    assert (await http.put(theirs)).json()["code"] == "already_decided"


async def test_a_request_of_an_inbox_is_answered_over_the_wire_too(http: httpx.AsyncClient) -> None:
    question = await asked(http, "inbox")
    assert (question["tool"], question["args"]) == ("send_mail", {"to": "eve"})
    assert (question["kind"], question["description"]) == ("tool_call", "Send a mail to eve")
    path = f"/threads/{question['thread_id']}/runs/wait"
    wrong = await http.post(path, json={"assistant_id": "inbox", "command": {"resume": [{"type": "maybe"}]}})
    assert wrong.status_code == 422
    sent = [{"type": "accept", "args": None}]
    done = await http.post(path, json={"assistant_id": "inbox", "command": {"resume": sent}})
    assert done.json()["answer"] == sent
    told = (await http.get(f"/api/v1/hitl/requests/{question['approval_id']}")).json()
    assert (told["status"], told["decision"]) == ("approved", {"type": "approve"})


async def test_requests_are_found_by_tool_agent_and_status(http: httpx.AsyncClient) -> None:
    for graph in ("call", "batch", "inbox"):
        await asked(http, graph)

    async def found(query: str) -> int:
        return len((await http.get(f"/api/v1/hitl/requests?{query}")).json())

    assert (await found("tool=their_tool"), await found("tool=send_mail"), await found("tool=x")) == (2, 1, 0)
    assert (await found("agent=coder"), await found("agent=ask"), await found("agent=x")) == (1, 1, 0)
    assert (await found("status=pending&limit=2"), await found("offset=2"), await found("")) == (2, 1, 3)
    assert (await http.get("/api/v1/hitl/requests?tool=%00")).status_code == 422
    assert (await http.get("/api/v1/hitl/requests?status=odd")).status_code == 422


async def test_statistics_say_how_often_it_was_a_yes_and_how_long_it_took(http: httpx.AsyncClient) -> None:
    for verb in ("approve", "approve", "reject"):
        await answer(http, await asked(http, "call"), verb)
    told = (await http.get("/api/v1/hitl/stats")).json()
    (write,) = told["groups"]
    assert (told["by"], write["name"], write["asked"], write["approved"]) == ("rule", "write", 3, 2)
    assert write["approve_rate"] == pytest.approx(2 / 3)
    assert 0 <= write["waited_p50_s"] <= write["waited_p95_s"] < 20
    assert told["suggestions"] == []
    (tool,) = (await http.get("/api/v1/hitl/stats?by=tool&since=2020-01-01T00:00:00Z")).json()["groups"]
    assert tool["name"] == "their_tool"
    assert (await http.get("/api/v1/hitl/stats?since=9999-12-31T00:00:00Z")).json()["groups"] == []


@pytest.mark.parametrize("query", ["by=day", "since=yesterday", "since=2020-01-01T00:00:00"])
async def test_statistics_of_nothing_are_refused(http: httpx.AsyncClient, query: str) -> None:
    assert (await http.get(f"/api/v1/hitl/stats?{query}")).status_code == 422


@pytest.mark.parametrize(
    "since", ["0001-01-01T00:00:00%2B14:00", "1e300", "-1e300", "9999-12-31T23:59:59-14:00"]
)
async def test_a_moment_at_the_end_of_time_breaks_nothing(http: httpx.AsyncClient, since: str) -> None:
    assert (await http.get(f"/api/v1/hitl/stats?since={since}")).status_code in (200, 422)


async def test_what_nobody_asked_cannot_be_answered(http: httpx.AsyncClient) -> None:
    nobody = {"approval_id": uuid4()}
    for verb, body in (("approve", None), ("reject", None), ("respond", {"message": "x"})):
        assert (await answer(http, nobody, verb, body))[0] == 404
