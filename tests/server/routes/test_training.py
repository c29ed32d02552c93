"""Consent over the product's own API, and what a user may take along of their own conversations."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any
from zipfile import ZipFile

import pytest
from tests.fakes.served import calling, serving
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

CONSENT = "/api/v1/training/consent"
EXPORT = "/api/v1/training/export?min_reward=0"


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


@pytest.fixture
async def people(folder: Open) -> AsyncIterator[tuple[As, As, As]]:
    async with folder({"auth.py": AUTH}, auth={"path": "./auth.py:auth"}) as wire:
        yield As(wire, "ada"), As(wire, "bob"), As(wire, "banned")


async def talk(wire: Wire, text: str) -> str:
    thread = await wire.thread()
    words = {"messages": [{"role": "user", "content": text}]}
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": words})
    return thread


async def taken(wire: Wire) -> tuple[list[str], dict[str, Any]]:
    """What was asked in the examples of an export, and its manifest."""
    response = await wire("GET", EXPORT)
    assert response.status_code == 200, response.text
    with ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        lines = archive.read("sft.jsonl").splitlines()
        manifest = json.loads(archive.read("manifest.json"))
    return [json.loads(line)["messages"][0]["content"] for line in lines], manifest


async def test_consent_is_off_until_it_is_given_and_is_written_down(wire: Wire) -> None:
    assert await wire.ok("GET", CONSENT) == {"allowed": False, "given_at": None}
    await talk(wire, "before")
    assert (await taken(wire))[0] == []
    given = await wire.ok("PUT", CONSENT, {"allowed": True})
    assert given["allowed"]
    assert await wire.ok("PUT", CONSENT, {"allowed": True}) == given
    await talk(wire, "after")
    asked, manifest = await taken(wire)
    assert (asked, manifest["counts"]["turns"]) == (["after"], 1)
    await wire.ok("PUT", CONSENT, {"allowed": False})
    assert (await taken(wire))[0] == []
    entries = await wire.ok("GET", "/api/v1/audit?kind=consent")
    assert [one["status"] for one in entries] == ["withdrawn", "given"]


async def test_everybody_decides_and_takes_along_for_themselves(people: tuple[As, As, As]) -> None:
    ada, bob, banned = people
    await ada.ok("PUT", CONSENT, {"allowed": True})
    assert (await bob.ok("GET", CONSENT))["allowed"] is False
    thread = await talk(ada, "of ada")
    await talk(bob, "of bob")
    assert (await taken(ada))[0] == ["of ada"]
    assert (await taken(bob))[0] == []
    await bob.ok("PUT", CONSENT, {"allowed": True})
    assert (await taken(bob))[0] == []
    place = f"/api/v1/threads/{thread}/training"
    assert (await bob.refused("PUT", place, {"excluded": True}))[0] == 404
    assert (await bob.refused("GET", place))[0] == 404
    await ada.ok("PUT", place, {"excluded": True})
    assert (await taken(ada))[0] == []
    for method, path, body in (
        ("GET", CONSENT, None),
        ("PUT", CONSENT, {"allowed": True}),
        ("GET", EXPORT, None),
        ("PUT", place, {"excluded": False}),
    ):
        assert (await banned(method, path, body)).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", CONSENT, {"allowed": "yes"}, 422),
        ("PUT", CONSENT, {}, 422),
        ("PUT", "/api/v1/threads/00000000-0000-4000-8000-000000000000/training", {"excluded": True}, 404),
        ("PUT", "/api/v1/threads/x/training", {"excluded": True}, 422),
        ("GET", "/api/v1/training/export?min_reward=2", None, 422),
        ("GET", "/api/v1/training/export?min_reward=nan", None, 422),
        ("GET", "/api/v1/training/export?since=1999-01-01", None, 422),
    ],
)
async def test_slips_are_refused(wire: Wire, method: str, path: str, body: Any, status: int) -> None:
    assert (await wire.refused(method, path, body))[0] == status
