"""Grants over the product's own API: given, listed, taken back; everybody has their own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.served import calling, serving
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

from artel.graphs.context import Handles
from artel.graphs.models import Models, ModelSettings

PYTEST = {"tool": "execute", "covers": [{"action": "exec", "argv": ["pytest"], "rest": True}]}


def handles(project: Path) -> Handles:
    return Handles(models=Models(ModelSettings(model="offline")), roots=(project,), default_workspace=project)


@pytest.fixture
async def wire(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn, handles=handles(tmp_path)) as app, calling(app) as http:
        yield Wire(app, http)


async def explained(wire: Wire, command: str, **more: Any) -> tuple[str, str]:
    call = {"agent": "coder", "tool": "execute", "args": {"command": command}, **more}
    told = await wire.ok("POST", "/api/v1/policy/explain", call)
    return told["verdict"], told["rule"]


async def test_what_is_granted_is_listed_and_explained_until_it_is_revoked(wire: Wire) -> None:
    made = await wire.ok("POST", "/api/v1/grants", {"scope": "always", **PYTEST})
    assert (made["label"], made["used"], made["expires_at"]) == ("`pytest`, whatever follows", 0, None)
    assert await wire.ok("GET", "/api/v1/grants") == [made]
    assert await explained(wire, "pytest -q") == ("allow", f"grant:{made['grant_id']}")
    assert await explained(wire, "pytest -q && sudo ls") == ("deny", "never-sudo")
    await wire.ok("DELETE", f"/api/v1/grants/{made['grant_id']}")
    await wire.ok("DELETE", f"/api/v1/grants/{made['grant_id']}")
    assert await explained(wire, "pytest -q") == ("ask", "default")
    assert await wire.ok("GET", "/api/v1/grants") == []
    (ended,) = await wire.ok("GET", "/api/v1/grants?ended=true")
    assert ended["revoked_at"] is not None
    entries = await wire.ok("GET", "/api/v1/audit?kind=grant")
    assert [(one["status"], one["grant_id"]) for one in entries] == [
        ("revoked", made["grant_id"]),
        ("granted", made["grant_id"]),
    ]


async def test_a_grant_holds_in_its_thread_or_its_project(wire: Wire, tmp_path: Path) -> None:
    thread, other = await wire.thread(), await wire.thread()
    of_thread = {"scope": "thread", "thread_id": thread, **PYTEST}
    made = await wire.ok("POST", "/api/v1/grants", of_thread)
    assert await wire.ok("GET", f"/api/v1/grants?thread_id={thread}") == [made]
    assert await wire.ok("GET", f"/api/v1/grants?thread_id={other}") == []
    assert (await explained(wire, "pytest", thread_id=thread))[0] == "allow"
    assert (await explained(wire, "pytest", thread_id=other))[0] == "ask"
    assert (await explained(wire, "pytest"))[0] == "ask"
    sub = tmp_path / "sub"
    sub.mkdir()
    ruff = {"tool": "execute", "covers": [{"action": "exec", "argv": ["ruff"]}]}
    made = await wire.ok("POST", "/api/v1/grants", {"scope": "project", "workspace": str(sub), **ruff})
    assert made["workspace"] == str(sub)
    assert (await explained(wire, "ruff", workspace=str(sub)))[0] == "allow"
    assert (await explained(wire, "ruff"))[0] == "ask"


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"scope": "ever"}, 422, "scope: Input should be"),
        ({"scope": "once"}, 422, "scope: Input should be"),
        ({"covers": []}, 422, "covers: List should have at least 1 item"),
        ({"covers": [{"action": "exec", "argv": "pytest"}]}, 422, "argv"),
        ({"covers": [{"argv": ["pytest"]}]}, 422, "action"),
        ({"tool": ""}, 422, "tool: "),
        ({"tool": "a\0"}, 422, "NUL"),
        ({"covers": [{"action": "exec", "argv": ["\0"]}]}, 422, "NUL"),
        ({"expires_in_s": 0}, 422, "expires_in_s: Input should be greater"),
        ({"expires_in_s": 1e300}, 422, "expires_in_s: Input should be less"),
        ({"scope": "thread"}, 422, "thread_id is for the scope `thread`, which needs it"),
        ({"thread_id": str(uuid4())}, 422, "thread_id is for the scope `thread`"),
        ({"scope": "thread", "thread_id": str(uuid4())}, 404, "no thread"),
        ({"scope": "project", "workspace": "/etc"}, 403, ""),
        ({"scope": "project", "workspace": "relative"}, 422, ""),
    ],
)
async def test_a_grant_with_a_slip_is_not_given(
    wire: Wire, change: dict[str, Any], status: int, says: str
) -> None:
    told = await wire.refused("POST", "/api/v1/grants", {"scope": "always", **PYTEST, **change})
    assert told[0] == status, told
    assert says in told[1]
    assert await wire.ok("GET", "/api/v1/grants") == []


async def test_everybody_has_their_own(open_guarded: tuple[As, As, As]) -> None:
    ada, bob, banned = open_guarded
    made = await ada.ok("POST", "/api/v1/grants", {"scope": "always", **PYTEST})
    assert await bob.ok("GET", "/api/v1/grants") == []
    assert (await bob.refused("DELETE", f"/api/v1/grants/{made['grant_id']}"))[0] == 404
    assert await explained(ada, "pytest") == ("allow", f"grant:{made['grant_id']}")
    assert (await explained(bob, "pytest"))[0] == "ask"
    theirs = {"scope": "thread", "thread_id": await ada.thread(), **PYTEST}
    assert (await bob.refused("POST", "/api/v1/grants", theirs))[0] == 404
    assert (await banned("GET", "/api/v1/grants")).status_code == 403
    assert (await banned("POST", "/api/v1/grants", theirs)).status_code == 403
    assert (await banned("DELETE", f"/api/v1/grants/{made['grant_id']}")).status_code == 403


async def test_policies_too_are_everybody_s_own(open_guarded: tuple[As, As, As]) -> None:
    ada, bob, banned = open_guarded
    rules = {"rules": [{"id": "mine", "effect": "allow", "action": "exec"}]}
    await ada.ok("PUT", "/api/v1/policy", {"policy": rules})
    assert await explained(ada, "pytest") == ("allow", "mine")
    assert await explained(bob, "pytest") == ("ask", "default")
    assert (await bob.ok("GET", "/api/v1/policy"))["version"] == 0
    assert await bob.ok("GET", "/api/v1/policy/versions") == []
    assert (await banned("PUT", "/api/v1/policy", {"policy": rules})).status_code == 403
    assert (await banned("GET", "/api/v1/policy")).status_code == 403


@pytest.fixture
async def open_guarded(folder: Open, tmp_path: Path) -> AsyncIterator[tuple[As, As, As]]:
    async with folder({"auth.py": AUTH}, auth={"path": "./auth.py:auth"}) as wire:
        wire.app.state.engine.handles = handles(tmp_path)
        yield As(wire, "ada"), As(wire, "bob"), As(wire, "banned")


async def test_a_server_without_agents_of_ours_grants_nothing(fresh_dsn: str) -> None:
    async with serving(fresh_dsn) as app, calling(app) as client:
        told = await client.post("/api/v1/grants", json={"scope": "always", **PYTEST})
        assert (told.status_code, told.json()["code"]) == (404, "no_agents")
