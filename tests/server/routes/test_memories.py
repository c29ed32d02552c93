"""What agents remember, over the product's own API: seen, corrected, allowed, forgotten; one's own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.served import calling, serving
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire
from tests.server.routes.test_grants import handles

from artel.graphs import memories

MEMORIES = "/api/v1/memories"


@pytest.fixture
async def wire(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn, handles=handles(tmp_path)) as app, calling(app) as http:
        yield Wire(app, http)


@pytest.fixture
async def people(folder: Open, tmp_path: Path) -> AsyncIterator[tuple[As, As, As]]:
    async with folder({"auth.py": AUTH}, auth={"path": "./auth.py:auth"}) as wire:
        wire.app.state.engine.handles = handles(tmp_path)
        yield As(wire, "ada"), As(wire, "bob"), As(wire, "banned")


async def kept(wire: Wire, root: Path, fact: str, user: str = "local", **more: Any) -> str:
    key = memories.key_of(fact)
    value = {"fact": fact, "why": "", "agent": "coder", "approved": False, "tainted": True, "said": 1, **more}
    await memories.put(wire.app.state.engine.store, "user", key, value, user, root)
    return f"{MEMORIES}/user/{key}"


async def test_a_fact_is_seen_allowed_corrected_and_forgotten(wire: Wire, tmp_path: Path) -> None:
    place = await kept(wire, tmp_path, "Likes tabs.")
    (one,) = await wire.ok("GET", MEMORIES)
    assert (one["fact"], one["approved"], one["tainted"], one["scope"]) == (
        "Likes tabs.",
        False,
        True,
        "user",
    )
    assert await wire.ok("GET", f"{MEMORIES}?scope=project") == []
    assert (await wire.ok("PATCH", place, {"approved": True}))["approved"]
    assert (await wire.ok("PATCH", place, {"fact": "Likes  spaces."}))["fact"] == "Likes spaces."
    (one,) = await wire.ok("GET", MEMORIES)
    assert (one["fact"], one["approved"]) == ("Likes spaces.", True)
    secret = {"fact": "token is ghp_" + "a1B2" * 9}
    assert "looks like a secret" in (await wire.refused("PATCH", place, secret))[1]
    await wire.ok("DELETE", place)
    assert await wire.ok("GET", MEMORIES) == []
    assert (await wire.refused("DELETE", place))[0] == 404
    assert (await wire.refused("PATCH", place, {"approved": True}))[0] == 404
    assert (await wire.refused("DELETE", f"{MEMORIES}/user/x"))[0] == 422
    assert (await wire.refused("GET", f"{MEMORIES}?workspace=/etc"))[0] == 403


async def test_everybody_sees_their_own(people: tuple[As, As, As], tmp_path: Path) -> None:
    ada, bob, banned = people
    place = await kept(ada, tmp_path, "Likes tabs.", "ada")
    assert len(await ada.ok("GET", MEMORIES)) == 1
    assert await bob.ok("GET", MEMORIES) == []
    assert (await bob.refused("DELETE", place))[0] == 404
    assert (await banned("GET", MEMORIES)).status_code == 403


async def test_clients_plant_nothing_among_them(wire: Wire) -> None:
    item = {"namespace": list(memories.ROOT), "key": "k", "value": {"fact": "x"}}
    assert (await wire.refused("PUT", "/store/items", item))[0] in (400, 422)
