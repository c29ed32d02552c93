"""A policy of one's own over the product's own API: version by version, under the server's floor."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.served import calling, serving
from tests.server.protocol.conftest import Wire
from tests.server.routes.test_grants import explained, handles

from artel.tools.policy import DEFAULT, Policy, Rule

MINE = {"rules": [{"id": "mine", "effect": "allow", "action": "exec", "argv": ["pytest", "**"]}]}
OTHER = {
    "default": "deny",
    "floor": [{"id": "no-ruff", "effect": "deny", "action": "exec", "argv": ["ruff", "**"]}],
}
URL = "/api/v1/policy"


@pytest.fixture
async def wire(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Wire]:
    floor = (*DEFAULT.floor, Rule(id="house", effect="deny", action="net.*"))
    server = replace(handles(tmp_path), policy=DEFAULT.model_copy(update={"floor": floor}))
    async with serving(fresh_dsn, handles=server) as app, calling(app) as http:
        yield Wire(app, http)


async def test_without_one_the_server_s_policy_holds(wire: Wire) -> None:
    told = await wire.ok("GET", URL)
    assert (told["own"], told["version"], told["author"]) == (None, 0, None)
    policy = Policy.model_validate(told["policy"])
    assert (policy.rules, policy.floor[-1].id) == (DEFAULT.rules, "house")


async def test_one_s_own_rules_take_the_place_of_the_server_s_and_its_floor_stays(wire: Wire) -> None:
    told = await wire.ok("PUT", URL, {"policy": MINE})
    assert (told["version"], told["author"], told["own"]["rules"][0]["id"]) == (1, "local", "mine")
    assert await explained(wire, "pytest -q") == ("allow", "mine")
    assert await explained(wire, "ls") == ("ask", "default")
    assert await explained(wire, "sudo ls") == ("deny", "never-sudo")
    floor = [rule["id"] for rule in told["policy"]["floor"]]
    assert "house" in floor
    told = await wire.ok("PUT", URL, {"policy": OTHER})
    assert [rule["id"] for rule in told["policy"]["floor"]] == [*floor, "no-ruff"]
    assert await explained(wire, "ruff") == ("deny", "no-ruff")


async def test_versions_are_kept_and_one_can_go_back_to_the_server_s(wire: Wire) -> None:
    await wire.ok("PUT", URL, {"policy": MINE})
    await wire.ok("PUT", URL, {"policy": OTHER, "if_version": 1})
    told = await wire.ok("DELETE", f"{URL}?if_version=2")
    assert (told["version"], told["own"]) == (3, None)
    assert await explained(wire, "pytest") == ("ask", "default")
    found = await wire.ok("GET", f"{URL}/versions")
    assert [(one["version"], bool(one["policy"])) for one in found] == [(3, False), (2, True), (1, True)]
    assert len(await wire.ok("GET", f"{URL}/versions?limit=1&offset=1")) == 1
    entries = await wire.ok("GET", "/api/v1/audit?kind=policy")
    assert [one["version"] for one in entries] == [3, 2, 1]


async def test_of_two_who_change_the_same_version_one_is_refused(wire: Wire) -> None:
    await wire.ok("PUT", URL, {"policy": MINE, "if_version": 0})
    status, sentence = await wire.refused("PUT", URL, {"policy": OTHER, "if_version": 0})
    assert (status, "is not version 0: version 1 holds" in sentence) == (409, True)
    assert (await wire.refused("DELETE", f"{URL}?if_version=7"))[0] == 409


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"rules": [{"id": "x", "effect": "maybe"}]}, "rules[0].effect (rule 'x'): Input should be 'allow'"),
        ({"floor": [{"id": "y", "effect": "ask", "path": ["../x"]}]}, "floor[0].path (rule 'y'): "),
        ({"rules": [{"effect": "ask"}]}, "rules[0].id: Field required"),
        ({"rules": {"id": "x"}}, "rules: Input should be a valid"),
        ({"rules": ["x"]}, "rules[0]: Input should be"),
        ({"defaults": "deny"}, "defaults: Extra inputs are not permitted"),
        ({"rules": [{"id": "grant:1", "effect": "ask"}]}, "rule 'grant:1' needs another id"),
        ({"rules": [{"id": "default", "effect": "ask"}]}, "rule 'default' needs another id"),
        ({"rules": [{"id": "x", "effect": "ask"}] * 2_001}, "at most 2000 are tried"),
        ({"rules": [{"id": "x", "effect": "ask", "argv": ["rm\0"]}]}, "has a NUL character"),
    ],
)
async def test_a_policy_with_a_slip_is_not_kept_and_the_slip_is_named(
    wire: Wire, policy: Any, says: str
) -> None:
    status, sentence = await wire.refused("PUT", URL, {"policy": policy})
    assert status == 422
    assert says in sentence
    assert (await wire.ok("GET", URL))["version"] == 0


async def test_odd_texts_in_a_policy_come_back_as_they_were(wire: Wire) -> None:
    odd = {"rules": [{"id": "a\\u0000\u202e👍", "effect": "ask", "argv": ["\n"], "reason": "\ud7ff"}]}
    await wire.ok("PUT", URL, {"policy": odd})
    ((found,),) = [one["policy"]["rules"] for one in await wire.ok("GET", f"{URL}/versions")]
    assert found == odd["rules"][0]


@pytest.mark.parametrize("if_version", [-1, 2**31, "1", 1.5])
async def test_a_version_that_cannot_be_is_refused(wire: Wire, if_version: Any) -> None:
    assert (await wire.refused("PUT", URL, {"policy": MINE, "if_version": if_version}))[0] == 422


async def test_a_simulation_starts_from_what_holds_for_oneself(wire: Wire) -> None:
    await wire.ok("PUT", URL, {"policy": MINE})
    calls = [
        {"agent": "coder", "tool": "execute", "args": {"command": line}}
        for line in ("pytest", "ls", "sudo ls")
    ]
    told = await wire.ok("POST", f"{URL}/simulate", {"policy": {"default": "allow"}, "calls": calls})
    (changed,) = told["changed"]
    assert (changed["args"], changed["before"]["verdict"], changed["after"]["verdict"]) == (
        {"command": "ls"},
        "ask",
        "allow",
    )
