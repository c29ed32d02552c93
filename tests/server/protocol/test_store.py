"""/store over the wire: as the reference answers, where that is right."""

from typing import Any

import pytest
from tests.server.protocol.conftest import Wire

from artel.server.auth.caller import OWNER, Allowed, Caller
from artel.storage.errors import Forbidden

ITEMS = "/store/items"
SEARCH = "/store/items/search"
NAMESPACES = "/store/namespaces"


async def put(wire: Wire, namespace: list[str], key: str, value: dict[str, Any], **more: Any) -> None:
    response = await wire("PUT", ITEMS, {"namespace": namespace, "key": key, "value": value, **more})
    assert (response.status_code, response.content) == (204, b"")


async def get(wire: Wire, namespace: str, key: str) -> Any:
    return await wire.ok("GET", ITEMS, params={"namespace": namespace, "key": key})


async def search(wire: Wire, *namespace: str, **more: Any) -> list[Any]:
    items: list[Any] = (await wire.ok("POST", SEARCH, {"namespace_prefix": list(namespace), **more}))["items"]
    return items


async def test_an_item_is_put_read_found_and_removed(wire: Wire) -> None:
    await put(wire, ["users", "1"], "k", {"text": "hi"})
    item = await get(wire, "users.1", "k")
    assert list(item) == ["namespace", "key", "value", "created_at", "updated_at"]
    assert (item["namespace"], item["key"], item["value"]) == (["users", "1"], "k", {"text": "hi"})
    assert item["created_at"].endswith("+00:00")
    assert await search(wire, "users") == [{**item, "score": None}]
    assert await search(wire) == [{**item, "score": None}]
    assert await wire.ok("POST", NAMESPACES, {}) == {"namespaces": [["users", "1"]]}
    for _ in range(2):
        response = await wire("DELETE", ITEMS, {"namespace": ["users", "1"], "key": "k"})
        assert (response.status_code, response.content) == (204, b"")
    assert await get(wire, "users.1", "k") is None


async def test_what_is_not_there_is_null(wire: Wire) -> None:
    response = await wire("GET", ITEMS, params={"namespace": "no.where", "key": "k"})
    assert (response.status_code, response.text) == (200, "null")


async def test_putting_again_keeps_created_at(wire: Wire) -> None:
    await put(wire, ["u"], "k", {"n": 1})
    first = await get(wire, "u", "k")
    await put(wire, ["u"], "k", {"n": 2})
    second = await get(wire, "u", "k")
    assert second["created_at"] == first["created_at"]
    assert second["updated_at"] > first["updated_at"]


async def test_filters_and_pages(wire: Wire) -> None:
    for n in (9, 10, 11):
        await put(wire, ["u"], str(n), {"n": n, "deep": {"even": n % 2 == 0}})
    assert [item["key"] for item in await search(wire, "u", filter={"n": {"$gt": 9}})] == ["11", "10"]
    assert [item["key"] for item in await search(wire, "u", filter={"deep": {"even": True}})] == ["10"]
    assert [item["key"] for item in await search(wire, "u", limit=1, offset=1)] == ["10"]


async def test_namespaces_by_prefix_suffix_depth_and_page(wire: Wire) -> None:
    for namespace in (["a", "b", "c"], ["a", "x", "c"], ["ab", "c"]):
        await put(wire, namespace, "k", {})
    answers = {
        '{"prefix": ["a"]}': [["a", "b", "c"], ["a", "x", "c"]],
        '{"prefix": ["a", "*", "c"], "suffix": ["x", "c"]}': [["a", "x", "c"]],
        '{"max_depth": 1}': [["a"], ["ab"]],
        '{"limit": 1, "offset": 1}': [["a", "x", "c"]],
        '{"prefix": [], "suffix": null}': [["a", "b", "c"], ["a", "x", "c"], ["ab", "c"]],
    }
    for body, namespaces in answers.items():
        response = await wire.http.post(NAMESPACES, content=body)
        assert response.json() == {"namespaces": namespaces}


async def test_an_item_with_a_life_ends(wire: Wire) -> None:
    await put(wire, ["u"], "k", {}, ttl=0.5)
    await put(wire, ["u"], "stays", {})
    async with wire.app.state.engine.db.connection() as conn:
        await conn.execute("update store set expires_at = expires_at - interval '1 minute'")
    assert await get(wire, "u", "k") is None
    assert [item["key"] for item in await search(wire, "u")] == ["stays"]


KEY = {"namespace": ["u"], "key": "k"}
ITEM = {**KEY, "value": {}}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("PUT", ITEMS, {**ITEM, "namespace": []}, 400, "namespace may not be empty"),
        ("PUT", ITEMS, {**ITEM, "namespace": ["langgraph", "x"]}, 400, 'may not begin with "langgraph"'),
        ("PUT", ITEMS, {**ITEM, "namespace": ["a.b"]}, 422, "namespace[0]: a label"),
        ("PUT", ITEMS, {**ITEM, "namespace": [""]}, 422, "namespace[0]: a label"),
        ("PUT", ITEMS, {**ITEM, "namespace": ["u", 5]}, 422, "namespace[1]"),
        ("PUT", ITEMS, {**ITEM, "namespace": "u"}, 422, "namespace"),
        ("PUT", ITEMS, {**ITEM, "namespace": ["u\0"]}, 422, "NUL"),
        ("PUT", ITEMS, {**ITEM, "namespace": ["n" * 1001]}, 422, "namespace may take 1000 bytes, got 1001"),
        ("PUT", ITEMS, {**ITEM, "key": "k" * 1001}, 422, "key may take 1000 bytes, got 1001"),
        ("PUT", ITEMS, {**ITEM, "key": "a\0"}, 422, "NUL"),
        ("PUT", ITEMS, {**ITEM, "key": ""}, 422, "key"),
        ("PUT", ITEMS, {**ITEM, "key": 5}, 422, "key"),
        ("PUT", ITEMS, {"namespace": ["u"], "value": {}}, 422, "key is required"),
        ("PUT", ITEMS, KEY, 422, "value is required"),
        ("PUT", ITEMS, {**KEY, "value": None}, 422, "value is required"),
        ("PUT", ITEMS, {**KEY, "value": [1]}, 422, "value"),
        ("PUT", ITEMS, {**KEY, "value": "s"}, 422, "value"),
        ("PUT", ITEMS, {**ITEM, "ttl": 0}, 422, "ttl"),
        ("PUT", ITEMS, {**ITEM, "ttl": -5}, 422, "ttl"),
        ("PUT", ITEMS, {**ITEM, "ttl": "x"}, 422, "ttl"),
        ("PUT", ITEMS, {**ITEM, "ttl": 1e300}, 422, "ttl"),
        ("PUT", ITEMS, {**ITEM, "index": True}, 422, "index"),
        ("DELETE", ITEMS, {"namespace": ["u"]}, 422, "key is required"),
        ("DELETE", ITEMS, {"namespace": ["a.b"], "key": "k"}, 422, "namespace[0]"),
        ("GET", ITEMS + "?key=k", None, 422, "namespace is required"),
        ("GET", ITEMS + "?namespace=&key=k", None, 422, "namespace must be labels joined by dots, got ''"),
        ("GET", ITEMS + "?namespace=a..b&key=k", None, 422, "got 'a..b'"),
        ("GET", ITEMS + "?namespace=a%00b&key=k", None, 422, "NUL"),
        ("GET", ITEMS + "?namespace=u", None, 400, "key is required"),
        ("GET", ITEMS + "?namespace=u&key=k&refresh_ttl=maybe", None, 422, "refresh_ttl"),
        ("POST", SEARCH, {"limit": 0}, 422, "limit"),
        ("POST", SEARCH, {"limit": 1001}, 422, "limit"),
        ("POST", SEARCH, {"offset": -1}, 422, "offset"),
        ("POST", SEARCH, {"namespace_prefix": ["a.b"]}, 422, "namespace_prefix[0]"),
        ("POST", SEARCH, {"filter": [1]}, 422, "filter"),
        ("POST", SEARCH, {"filter": {"n": {"$near": 1}}}, 400, "there is no operator '$near'"),
        ("POST", SEARCH, {"filter": {"a\0": 1}}, 422, "NUL"),
        ("POST", SEARCH, {"query": 5}, 422, "query"),
        ("POST", NAMESPACES, {"max_depth": 0}, 422, "max_depth"),
        ("POST", NAMESPACES, {"prefix": ["a.b"]}, 422, "prefix[0]"),
        ("POST", NAMESPACES, {"limit": "x"}, 422, "limit"),
    ],
)
async def test_what_is_wrong_is_named(
    wire: Wire, method: str, path: str, body: Any, status: int, said: str
) -> None:
    refused = await wire(method, path, body)
    assert refused.status_code == status, refused.text
    told = refused.json()
    assert said in told["detail"]
    assert told["code"]


async def test_odd_bodies_do_no_harm(wire: Wire) -> None:
    for content, status in (
        (b'{"namespace":["u"],"key":"k","value":{"a":"\\ud800"}}', 422),
        (b'{"namespace":["u"]', 422),
        (b"", 422),
        (b"[]", 422),
        ('{"namespace":["ü ✓"],"key":"\U0001f600","value":{"a":"x\\u0000y"}}'.encode(), 204),
    ):
        assert (await wire.http.put(ITEMS, content=content)).status_code == status
    assert (await get(wire, "ü ✓", "\U0001f600"))["value"] == {"a": "xy"}


class Tenant:
    """Re-roots every namespace under the caller's own label, and lets nobody delete."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def decide(self, caller: Caller, resource: str, action: str, value: dict[str, Any]) -> Allowed:
        assert resource == "store"
        self.asked.append((action, dict(value)))
        if action == "delete":
            raise Forbidden("nothing may be removed")
        value["namespace"] = ("tenant", *(value["namespace"] or ()))
        return None


async def test_who_decides_may_rewrite_the_namespace_or_refuse(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Tenant()
    await put(wire, ["other"], "k", {"n": 0})
    monkeypatch.setattr("artel.server.auth.caller.OWNER", Caller(policy=policy))
    await put(wire, ["u"], "k", {"n": 1})
    assert (await get(wire, "u", "k"))["namespace"] == ["tenant", "u"]
    assert [item["value"] for item in await search(wire)] == [{"n": 1}]
    assert await wire.ok("POST", NAMESPACES, {}) == {"namespaces": [["tenant", "u"]]}
    assert (await wire.refused("DELETE", ITEMS, KEY))[0] == 403
    assert [action for action, _ in policy.asked] == ["put", "get", "search", "list_namespaces", "delete"]
    assert policy.asked[0][1] == {
        "namespace": ("u",),
        "key": "k",
        "value": {"n": 1},
        "index": None,
        "ttl": None,
    }
    assert policy.asked[3][1]["namespace"] is None
    monkeypatch.setattr("artel.server.auth.caller.OWNER", OWNER)
    assert (await get(wire, "tenant.u", "k"))["value"] == {"n": 1}
