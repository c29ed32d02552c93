"""Whatever is sent, the answer is a reason: never a bug, never silence."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.fakes.served import calling, serving

ID = "e4cbeadf-24cf-41fd-881f-14bfc78aaec9"
BODIES = [
    ("POST", "/threads"),
    ("POST", "/threads/search"),
    ("POST", "/threads/count"),
    ("POST", "/threads/prune"),
    ("PATCH", f"/threads/{ID}"),
    ("POST", f"/threads/{ID}/state"),
    ("POST", f"/threads/{ID}/history"),
    ("POST", f"/threads/{ID}/runs"),
    ("POST", f"/threads/{ID}/commands"),
    ("POST", f"/threads/{ID}/stream/events"),
    ("POST", "/runs"),
    ("POST", "/runs/batch"),
    ("POST", "/runs/cancel"),
    ("POST", "/runs/crons"),
    ("POST", "/runs/crons/search"),
    ("POST", "/assistants"),
    ("POST", "/assistants/search"),
    ("PATCH", f"/assistants/{ID}"),
    ("PUT", "/store/items"),
    ("POST", "/store/items/search"),
    ("POST", "/store/namespaces"),
    ("POST", "/mcp"),
    ("POST", "/a2a/flow"),
    ("POST", f"/api/v1/approvals/{ID}"),
    ("POST", "/api/v1/policy/explain"),
    ("POST", "/api/v1/policy/simulate"),
]
NO_JSON = [
    b"",
    b"{",
    b"\xff\xfe",
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    b"nul\x00",
    b"NaN",
    b'{"a": NaN}',
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b'{"metadata":' * 300 + b"1" + b"}" * 300,
]
ODD = [b"null", b"7", b'"x"', b"true", b"[]", b"[[1]]", b"1e999", b"1" * 400]


@pytest.fixture
async def http(fresh_dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(fresh_dsn) as app, calling(app) as client:
        yield client


def sane(told: httpx.Response, *, rpc: bool = False) -> bool:
    if told.headers["x-request-id"] and told.status_code < 400:
        return True
    said: Any = told.json()
    if rpc and "error" in said:
        return bool(told.status_code < 500)
    return told.status_code < 500 and isinstance(said["detail"], str) and isinstance(said["code"], str)


@pytest.mark.parametrize(("method", "path"), BODIES)
async def test_a_body_that_is_no_json_is_refused(http: httpx.AsyncClient, method: str, path: str) -> None:
    for body in NO_JSON + ODD:
        told = await http.request(method, path, content=body)
        rpc = path.startswith(("/mcp", "/a2a")) or path.endswith("/commands")
        assert sane(told, rpc=rpc), (body[:40], told.status_code, told.text[:300])
        if body in NO_JSON[1:-1] and not rpc:
            assert told.status_code in (400, 404, 422), (body[:40], told.status_code, told.text[:300])


FIELDS: list[Any] = [
    None,
    7,
    -1,
    1.5,
    2**63,
    2**200,
    "",
    "x",
    "a\0b",
    "\ud83d",
    "👍" * 1000,
    [],
    {},
    [None],
    {"": None},
    {"a\0": "b\0"},
    {"$or": 1},
    [[[[]]]],
    True,
]
KNOWN = [
    ("POST", "/threads", ["thread_id", "metadata", "if_exists", "ttl", "supersteps"]),
    (
        "POST",
        "/threads/search",
        [
            "ids",
            "metadata",
            "values",
            "status",
            "limit",
            "offset",
            "sort_by",
            "sort_order",
            "select",
            "extract",
        ],
    ),
    (
        "POST",
        "/runs",
        [
            "input",
            "command",
            "metadata",
            "config",
            "context",
            "checkpoint",
            "checkpoint_id",
            "webhook",
            "interrupt_before",
            "stream_mode",
            "feedback_keys",
            "multitask_strategy",
            "if_not_exists",
            "after_seconds",
            "durability",
            "on_disconnect",
            "on_completion",
            "priority",
        ],
    ),
    ("POST", "/runs/crons", ["schedule", "timezone", "end_time", "metadata", "input", "enabled"]),
    (
        "POST",
        "/assistants",
        ["assistant_id", "graph_id", "config", "context", "metadata", "name", "description", "if_exists"],
    ),
    ("POST", "/assistants/search", ["graph_id", "metadata", "name", "limit", "offset", "select"]),
    ("PUT", "/store/items", ["namespace", "key", "value", "index", "ttl"]),
    ("POST", "/store/items/search", ["namespace_prefix", "filter", "query", "limit", "offset"]),
    ("POST", "/store/namespaces", ["prefix", "suffix", "max_depth", "limit", "offset"]),
]
BASE: dict[str, dict[str, Any]] = {
    "/runs": {"assistant_id": "tells", "input": {"out": 1}},
    "/runs/crons": {"assistant_id": "tells", "schedule": "0 0 1 1 *", "input": {"out": 1}},
    "/assistants": {"graph_id": "tells"},
    "/store/items": {"namespace": ["a"], "key": "k", "value": {"a": 1}},
    "/store/items/search": {"namespace_prefix": ["a"]},
}


@pytest.mark.parametrize(("method", "path", "fields"), KNOWN)
async def test_a_field_of_another_kind_is_taken_or_refused(
    http: httpx.AsyncClient, method: str, path: str, fields: list[str]
) -> None:
    for field in fields:
        for value in FIELDS:
            body = json.dumps({**BASE.get(path, {}), field: value})
            told = await http.request(method, path, content=body)
            assert sane(told), (field, value, told.status_code, told.text[:300])


QUERIES = [
    "a%00b",
    "%ff",
    "%ed%a0%80",
    "9" * 400,
    "-1",
    "1e9",
    "",
    "null",
    "%7B",
    "👍",
    "[",
    '["x"',
    "a&limit=2",
]
GETS = [
    (f"/threads/{ID}", "include"),
    (f"/threads/{ID}/history", "limit"),
    (f"/threads/{ID}/history", "before"),
    (f"/threads/{ID}/state", "subgraphs"),
    (f"/threads/{ID}/state/x", "subgraphs"),
    (f"/threads/{ID}/stream", "stream_modes"),
    (f"/threads/{ID}/runs", "limit"),
    (f"/threads/{ID}/runs", "status"),
    (f"/threads/{ID}/runs/{ID}/stream", "stream_mode"),
    ("/assistants/tells/graph", "xray"),
    ("/assistants/tells/subgraphs", "recurse"),
    ("/store/items", "namespace"),
    ("/store/items?namespace=a", "key"),
    ("/api/v1/approvals", "status"),
    ("/api/v1/approvals", "offset"),
    ("/ok", "check_db"),
]


@pytest.mark.parametrize(("path", "name"), GETS)
async def test_a_query_of_any_characters_is_taken_or_refused(
    http: httpx.AsyncClient, path: str, name: str
) -> None:
    for value in QUERIES:
        told = await http.get(f"{path}{'&' if '?' in path else '?'}{name}={value}")
        assert sane(told), (value, told.status_code, told.text[:300])


async def test_a_path_of_any_characters_is_taken_or_refused(http: httpx.AsyncClient) -> None:
    for part in ("%00", "%ff", "%ed%a0%80", "..", "%2e%2e", "x" * 5000, "👍", "%0d%0aX-A:1", "-", "null"):
        for path in (
            f"/threads/{part}",
            f"/threads/{ID}/runs/{part}",
            f"/threads/{ID}/state/{part}",
            f"/assistants/{part}",
            f"/assistants/{part}/graph",
            f"/assistants/tells/subgraphs/{part}",
            f"/runs/crons/{part}",
            f"/assets/{part}",
            f"/t/{part}",
            f"/{part}",
            f"/a2a/{part}",
            f"/ui/{part}",
            f"/api/v1/approvals/{part}",
        ):
            told = await http.get(path)
            assert told.status_code in (200, 404, 405, 422, 503), (path, told.status_code, told.text[:200])
            if told.status_code not in (200, 503):
                assert told.json()["code"], path


async def test_the_last_of_two_equal_keys_counts(http: httpx.AsyncClient) -> None:
    told = await http.post("/threads", content=b'{"metadata": {"a": 1}, "metadata": {"b": 2}}')
    assert told.json()["metadata"] == {"b": 2}


async def test_headers_of_any_characters_do_no_harm(http: httpx.AsyncClient) -> None:
    run = {"assistant_id": "tells", "input": {"out": 1}}
    for name in ("Idempotency-Key", "Last-Event-ID", "Prefer", "X-Request-Id", "Content-Type", "Accept"):
        for value in (b"\xff\xfe", b"", b"a" * 5000, b"\xe2\x80\xa8", b"'; drop table runs"):
            for method, path, body in (
                ("POST", "/runs", run),
                ("GET", f"/threads/{ID}/runs/{ID}/stream", None),
            ):
                told = await http.request(method, path, json=body, headers=[(name.encode(), value)])
                assert sane(told), (name, value, told.status_code, told.text[:300])
