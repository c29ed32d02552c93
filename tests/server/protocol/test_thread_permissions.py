"""Every route of threads and states asks whether the caller may, and shows them what they may see."""

from typing import Any

import httpx
import pytest
from tests.fakes.served import HI, calling

from artel.server.auth.caller import Allowed, Caller

from .conftest import Wire


class OwnOnly:
    """Lets everybody make threads, which are theirs, and see those; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def decide(self, caller: Caller, resource: Any, action: Any, value: dict[str, Any]) -> Allowed:
        self.asked.append((resource, action))
        assert caller.user
        if action == "create":
            value["metadata"] = {**value["metadata"], "who": caller.user["identity"]}
        return f'$.who == "{caller.user["identity"]}"'


@pytest.fixture
def policy() -> OwnOnly:
    return OwnOnly()


def as_user(wire: Wire, policy: OwnOnly, name: str) -> Wire:
    """The same application, called by somebody."""
    caller = Caller(user={"identity": name}, policy=policy)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await wire.app({**scope, "artel.caller": caller}, receive, send)

    http: httpx.AsyncClient = calling(app)  # type: ignore[arg-type]
    return Wire(wire.app, http)


async def test_what_belongs_to_others_is_not_there(wire: Wire, policy: OwnOnly) -> None:
    ann, bob = as_user(wire, policy, "ann"), as_user(wire, policy, "bob")
    thread = await ann.thread(metadata={"graph_id": "flow"})
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": HI})
    here = f"/threads/{thread}"
    place = {"checkpoint": (await ann.ok("GET", f"{here}/state"))["checkpoint"]}
    calls: list[tuple[str, str, Any]] = [
        ("GET", here, None),
        ("PATCH", here, {"metadata": {"mine": True}}),
        ("POST", f"{here}/copy", None),
        ("GET", f"{here}/storage", None),
        ("GET", f"{here}/state", None),
        ("POST", f"{here}/state", {"values": {"log": ["x"]}, "as_node": "first"}),
        ("POST", f"{here}/state/checkpoint", place),
        ("GET", f"{here}/state/{place['checkpoint']['checkpoint_id']}", None),
        ("GET", f"{here}/history", None),
        ("POST", f"{here}/history", {}),
        ("DELETE", here, None),
    ]

    for method, path, body in calls:
        assert (await bob.refused(method, path, body))[0] == 404, (method, path)
    assert await bob.ok("POST", "/threads/search", {}) == []
    assert await bob.ok("POST", "/threads/search", {"values": {"log": ["first"]}}) == []
    assert await bob.ok("POST", "/threads/count", {}) == 0
    for strategy in ("delete", "keep_latest"):
        body = {"thread_ids": [thread], "strategy": strategy}
        assert await bob.ok("POST", "/threads/prune", body) == {"pruned_count": 0}
    again = {"thread_id": thread, "if_exists": "do_nothing"}
    assert (await bob.refused("POST", "/threads", again))[0] == 409
    past = [{"updates": [{"values": {"log": ["x"]}, "as_node": "first"}]}]
    told = {**again, "metadata": {"graph_id": "flow"}, "supersteps": past}
    assert (await bob.refused("POST", "/threads", told))[0] == 409
    for method, path, body in calls:
        assert (await ann(method, path, body)).is_success, (method, path)
    (copied,) = await ann.ok("POST", "/threads/search", {})
    assert copied["metadata"]["who"] == "ann"


async def test_each_route_asks_for_what_it_does(wire: Wire, policy: OwnOnly) -> None:
    ann = as_user(wire, policy, "ann")
    thread = await ann.thread()
    here = f"/threads/{thread}"
    for method, path, body, action in [
        ("POST", "/threads", {}, "create"),
        ("POST", "/threads/search", {}, "search"),
        ("POST", "/threads/count", {}, "search"),
        ("GET", here, None, "read"),
        ("PATCH", here, {}, "update"),
        ("GET", f"{here}/state", None, "read"),
        ("GET", f"{here}/history", None, "read"),
        ("GET", f"{here}/storage", None, "read"),
        ("POST", f"{here}/state", {}, "update"),
        ("POST", "/threads/prune", {"thread_ids": [thread], "strategy": "keep_latest"}, "update"),
        ("POST", "/threads/prune", {"thread_ids": [thread]}, "delete"),
        ("DELETE", here, None, "delete"),
    ]:
        policy.asked.clear()
        await ann(method, path, body)
        assert policy.asked == [("threads", action)], (method, path)
