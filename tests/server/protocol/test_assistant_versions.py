"""Assistants change by versions, seen from outside; a policy says who sees what."""

import asyncio
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from artel.server.auth.caller import Action, Caller, Resource
from artel.storage.errors import Forbidden
from artel.storage.ids import system_assistant_id

from .conftest import Wire

TELLS = f"/assistants/{system_assistant_id('tells')}"


async def made(wire: Wire, **body: Any) -> str:
    return (
        f"/assistants/{(await wire.ok('POST', '/assistants', {'graph_id': 'tells', **body}))['assistant_id']}"
    )


async def test_config_and_context_stand_for_each_other(wire: Wire) -> None:
    path = await made(wire)
    for body, config, context in [
        ({"context": {"a": 1}}, {"configurable": {"a": 1}}, {"a": 1}),
        ({"config": {"tags": ["t"], "later": 1}}, {"tags": ["t"], "later": 1}, {"a": 1}),
        ({"config": {"configurable": {"b": 1}}}, {"configurable": {"b": 1}}, {"b": 1}),
        (
            {"config": {"tags": ["t"]}, "context": {"c": 1}},
            {"tags": ["t"], "configurable": {"c": 1}},
            {"c": 1},
        ),
        ({}, {"tags": ["t"], "configurable": {"c": 1}}, {"c": 1}),
        ({"context": {}}, {"tags": ["t"]}, {}),
    ]:
        now = await wire.ok("PATCH", path, body)
        assert (now["config"], now["context"]) == (config, context), body
    both = {"context": {"a": 1}, "config": {"configurable": {"a": 1}}}
    status, detail = await wire.refused("PATCH", path, both)
    assert (status, "not both" in detail) == (400, True)
    assert (await wire.ok("GET", path))["version"] == 7


async def test_a_version_comes_back_and_its_runs_with_it(wire: Wire) -> None:
    path = await made(wire, name="one", context={"who": "me"}, metadata={"k": 1})
    await wire.ok("PATCH", path, {"name": "two", "context": {"who": "you"}, "metadata": {"l": 2}})
    assistant_id = path.rsplit("/", 1)[1]

    async def who() -> str:
        said = await wire.ok("POST", "/runs/wait", {"assistant_id": assistant_id, "input": {"out": 0}})
        return str(said["out"]["who"])

    assert await who() == "you"
    back = await wire.ok("POST", f"{path}/latest", {"version": 1})
    assert (back["version"], back["name"], back["metadata"], await who()) == (1, "one", {"k": 1}, "me")
    assert (await wire.ok("PATCH", path, {}))["version"] == 3
    told = await wire.ok("POST", f"{path}/versions", {})
    assert [(one["version"], one["name"]) for one in told] == [(3, "one"), (2, "two"), (1, "one")]
    assert set(told[0]) == set(back) - {"updated_at"}
    page = await wire.ok("POST", f"{path}/versions", {"limit": 1, "offset": 1, "metadata": {"k": 1}})
    assert [one["version"] for one in page] == [2]


async def test_changes_at_once_are_all_versions(wire: Wire) -> None:
    path = await made(wire)
    told = await asyncio.gather(*(wire.ok("PATCH", path, {"metadata": {f"k{i}": i}}) for i in range(8)))
    assert sorted(one["version"] for one in told) == list(range(2, 10))
    assert len((await wire.ok("GET", path))["metadata"]) == 8


async def test_what_is_not_there_or_makes_no_sense_is_refused(wire: Wire, nowhere: str) -> None:
    path = await made(wire)
    for way in ("latest", "versions"):
        assert (await wire.refused("POST", f"/assistants/{nowhere}/{way}", {"version": 1}))[0] == 404
        assert (await wire.refused("POST", f"/assistants/tells/{way}", {"version": 1}))[0] == 422
    assert (await wire.refused("PATCH", f"/assistants/{nowhere}", {}))[0] == 404
    assert (await wire.refused("PATCH", "/assistants/tells", {}))[0] == 422
    for version in (0, -1, 2, 2**40, 2**64 - 1):
        status, detail = await wire.refused("POST", f"{path}/latest", {"version": version})
        assert (status, str(version) in detail) == (404, True)
    wrong: list[tuple[str, Any, int, str]] = [
        ("latest", {"version": "1"}, 422, "version"),
        ("latest", {"version": True}, 422, "version"),
        ("latest", {}, 422, "version"),
        ("versions", {"limit": 0}, 422, "limit"),
        ("versions", {"offset": -1}, 422, "offset"),
        ("versions", {"metadata": []}, 422, "metadata"),
    ]
    for way, body, status, named in wrong:
        refused = await wire.refused("POST", f"{path}/{way}", body)
        assert (refused[0], named in refused[1]) == (status, True), body
    for patch, status, named in [
        ({"graph_id": "none"}, 404, '"none"'),
        ({"name": 5}, 422, "name"),
        ({"name": "a\0b"}, 422, "NUL"),
        ({"config": {"recursion_limit": "x"}}, 422, "config.recursion_limit"),
        ([], 422, "body"),
    ]:
        refused = await wire.refused("PATCH", path, patch)
        assert (refused[0], named in refused[1]) == (status, True), patch
    assert (await wire.ok("GET", path))["version"] == 1


async def test_the_assistant_of_a_graph_may_change_but_not_its_graph(wire: Wire) -> None:
    now = await wire.ok("PATCH", TELLS, {"name": "renamed", "metadata": {"created_by": "me"}})
    assert (now["version"], now["name"], now["metadata"]) == (2, "renamed", {"created_by": "system"})
    status, detail = await wire.refused("PATCH", TELLS, {"graph_id": "flow"})
    assert (status, '"tells"' in detail) == (409, True)
    assert (await wire.ok("POST", f"{TELLS}/latest", {"version": 1}))["name"] == "tells"
    assert (await wire.refused("DELETE", f"{TELLS}?delete_threads=true"))[0] == 409


class Own:
    """Everybody has what they made; `nobody` may do nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def decide(
        self, caller: Caller, resource: Resource, action: Action, value: dict[str, Any]
    ) -> str | None:
        self.asked.append(f"{resource}.{action}")
        name = (caller.user or {})["identity"]
        if name == "nobody":
            raise Forbidden(f"nobody may not {action} {resource}")
        if action == "create":
            value["metadata"] = {**value["metadata"], "owner": name}
        return f'strict ($."owner" == "{name}")'


def known_as(wire: Wire, name: str, policy: Own) -> Wire:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        caller = Caller(user={"identity": name}, policy=policy)
        await wire.app({**scope, "artel.caller": caller}, receive, send)

    return Wire(wire.app, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost"))


async def test_what_the_policy_hides_is_not_there(wire: Wire) -> None:
    policy = Own()
    ann, bob = known_as(wire, "ann", policy), known_as(wire, "bob", policy)
    path = await made(ann, metadata={"k": 1})
    body = {"graph_id": "tells", "assistant_id": path.rsplit("/", 1)[1], "if_exists": "do_nothing"}

    assert (await ann.ok("GET", path))["metadata"] == {"k": 1, "owner": "ann"}
    assert (await ann.ok("PATCH", path, {"name": "x"}))["version"] == 2
    assert len(await ann.ok("POST", "/assistants/search", {})) == 1
    assert await bob.ok("POST", "/assistants/search", {}) == []
    assert await bob.ok("POST", "/assistants/count", {}) == 0
    assert (await bob.refused("POST", "/assistants", body))[0] == 409
    for method, way, sent in [
        ("GET", "", None),
        ("GET", "/graph", None),
        ("GET", "/schemas", None),
        ("GET", "/subgraphs", None),
        ("PATCH", "", {}),
        ("POST", "/versions", {}),
        ("POST", "/latest", {"version": 1}),
        ("DELETE", "?delete_threads=true", None),
    ]:
        assert (await bob.refused(method, path + way, sent))[0] == 404, (method, way)
    assert (await bob.refused("GET", "/assistants/tells/graph"))[0] == 404
    actions = {"create", "read", "update", "search", "delete"}
    assert {one for one in policy.asked if one.startswith("assistants")} == {
        f"assistants.{action}" for action in actions
    }


async def test_only_threads_that_the_caller_may_remove_go_with_an_assistant(wire: Wire) -> None:
    policy = Own()
    ann = known_as(wire, "ann", policy)
    path = await made(ann)
    mine = {"assistant_id": path.rsplit("/", 1)[1]}
    hers = await ann.thread(metadata=mine)
    others = await wire.thread(metadata=mine)

    assert (await ann("DELETE", f"{path}?delete_threads=true")).status_code == 204
    assert (await wire("GET", f"/threads/{hers}")).status_code == 404
    assert (await wire("GET", f"/threads/{others}")).status_code == 200


async def test_who_may_not_is_refused(wire: Wire) -> None:
    nobody = known_as(wire, "nobody", Own())
    for method, way in [("GET", TELLS), ("GET", f"{TELLS}/graph"), ("DELETE", TELLS)]:
        assert (await nobody.refused(method, way))[0] == 403
    for method, way in [("POST", "/assistants/search"), ("PATCH", TELLS), ("POST", f"{TELLS}/versions")]:
        assert (await nobody.refused(method, way, {}))[0] == 403
