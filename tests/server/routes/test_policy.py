"""Anybody can ask why a call is allowed or not, and try another policy on what they were asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.fakes.served import calling, serving

from artel.graphs.context import Handles
from artel.graphs.models import Models, ModelSettings
from artel.storage import approvals
from artel.storage.postgres import Database

DENY_ENV = {"id": "env", "effect": "deny", "action": "fs.*", "path": [".env*"]}
ALLOW = {"rules": [{"id": "all", "effect": "allow"}, DENY_ENV]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "link").symlink_to(".env")
    return tmp_path.resolve()


@pytest.fixture
async def http(fresh_dsn: str, project: Path) -> AsyncIterator[httpx.AsyncClient]:
    models = Models(ModelSettings(model="offline"))
    handles = Handles(models=models, roots=(project,), default_workspace=project)
    async with serving(fresh_dsn, handles=handles) as app, calling(app) as client:
        client.db = app.state.engine.db  # type: ignore[attr-defined]
        yield client


async def post(http: httpx.AsyncClient, path: str, body: Any) -> Any:
    told = await http.post(f"/api/v1/policy/{path}", json=body)
    assert told.status_code == 200, told.text
    return told.json()


async def test_a_verdict_comes_with_its_rule_and_its_parts(http: httpx.AsyncClient) -> None:
    call = {"agent": "coder", "tool": "read_file", "args": {"file_path": "link"}}
    told = await post(http, "explain", call)
    assert (told["verdict"], told["rule"]) == ("ask", "secrets")
    (part,) = told["calls"]
    assert (part["action"], part["path"], part["argv"], part["effect"]) == ("fs.read", ".env", [], "ask")


async def test_a_path_that_leads_out_is_denied_and_a_workspace_that_does_refused(
    http: httpx.AsyncClient,
) -> None:
    call = {"agent": "coder", "tool": "read_file", "args": {"file_path": "../x"}}
    assert (await post(http, "explain", call))["rule"] == "refused"
    told = await http.post("/api/v1/policy/explain", json={**call, "workspace": "/etc"})
    assert (told.status_code, told.json()["code"]) == (403, "outside_workspace")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tool": "nope"}, "tool must be one of ls, read_file"),
        ({"args": {}}, "file_path: Field required"),
        ({"agent": ""}, "agent: Value should have at least 1 item"),
        ({"args": []}, "args: Input should be"),
    ],
)
async def test_what_is_wrong_with_a_call_is_said(
    http: httpx.AsyncClient, change: dict[str, Any], says: str
) -> None:
    call = {"agent": "coder", "tool": "read_file", "args": {"file_path": "x"}, **change}
    told = await http.post("/api/v1/policy/explain", json=call)
    assert told.status_code == 422
    assert says in told.json()["detail"]


async def test_another_policy_is_tried_on_given_calls(http: httpx.AsyncClient) -> None:
    write = {"agent": "coder", "tool": "write_file", "args": {"file_path": "b.py", "content": ""}}
    calls = [write, {"agent": "coder", "tool": "read_file", "args": {"file_path": "a.py"}}]
    told = await post(http, "simulate", {"policy": ALLOW, "calls": calls})
    (changed,) = told["changed"]
    assert (told["judged"], told["skipped"], changed["tool"], changed["approval_id"]) == (
        2,
        0,
        "write_file",
        None,
    )
    assert (changed["before"]["verdict"], changed["after"]["verdict"]) == ("ask", "allow")
    assert changed["after"]["rule"] == "all"


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"rules": [{"id": "x", "effect": "maybe"}]}, "Input should be 'allow', 'ask' or 'deny'"),
        ({"rules": [{"id": "x", "effect": "ask", "path": ["../x"]}]}, "cannot leave its folder"),
        ({"rules": [{"id": "x", "effect": "ask", "pth": ["x"]}]}, "Extra inputs are not permitted"),
        ({"rules": [{"id": "x", "effect": "ask"}] * 2_001}, "at most 2000 are tried"),
        (None, "policy is required"),
    ],
)
async def test_a_policy_with_a_slip_is_not_tried(http: httpx.AsyncClient, policy: Any, says: str) -> None:
    told = await http.post("/api/v1/policy/simulate", json={"policy": policy, "calls": []})
    assert told.status_code == 422
    assert says in told.json()["detail"]


async def asked(http: httpx.AsyncClient, value: dict[str, Any], owner: str = "local") -> UUID:
    """Write a question to an owner, as a run that asks writes it."""
    body = {"assistant_id": "tells", "input": {"out": 1}, "if_not_exists": "create"}
    thread = uuid4()
    await http.post(f"/threads/{thread}/runs/wait", json=body)
    (run,) = (await http.get(f"/threads/{thread}/runs")).json()
    db: Database = http.db  # type: ignore[attr-defined]
    async with db.transaction() as conn:
        (made,) = await approvals.ask(
            conn,
            thread_id=thread,
            run_id=UUID(run["run_id"]),
            interrupt_id=str(uuid4()),
            value=value,
            owner=owner,
        )
    return made.approval_id


def about(name: str, args: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "tool_approval",
        "tool_call_id": "c1",
        "name": name,
        "args": args,
        "artel": {"kind": "tool_call", "agent": "coder"},
    }


async def test_another_policy_is_tried_on_what_one_was_asked(http: httpx.AsyncClient) -> None:
    args = {"file_path": "b.py", "content": "x"}
    one = await asked(http, about("write_file", args))
    await asked(http, about("their_tool", {"x": 1}))
    await asked(http, about("write_file", {"old": 1}))
    await asked(http, {"question": "ok?"})
    calls = [{"tool_call_id": str(n), "name": "edit_file", "args": {"file_path": n}} for n in (".env", 1)]
    for call in calls:
        call["args"] |= {"old_string": "a", "new_string": "b"}  # type: ignore[operator]
    many = await asked(
        http, {"action_requests": [], "artel": {"kind": "tool_call", "agent": "coder", "calls": calls}}
    )
    await asked(http, about("write_file", args), owner="somebody else")

    told = await post(http, "simulate", {"policy": ALLOW})
    assert (told["judged"], told["skipped"]) == (2, 3)
    changed = {(each["approval_id"], each["tool"], each["after"]["verdict"]) for each in told["changed"]}
    assert changed == {(str(one), "write_file", "allow"), (str(many), "edit_file", "deny")}


async def test_a_server_without_agents_of_ours_has_no_policy(fresh_dsn: str) -> None:
    async with serving(fresh_dsn) as app, calling(app) as client:
        for path, body in (
            ("explain", {"agent": "a", "tool": "ls"}),
            ("simulate", {"policy": ALLOW}),
        ):
            told = await client.post(f"/api/v1/policy/{path}", json=body)
            assert (told.status_code, told.json()["code"]) == (404, "no_agents")
