"""The short way to routes answers as FastAPI does."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.fakes.served import calling, serving

from artel.server.http import direct

THREAD = str(uuid4())
UNKNOWN = str(uuid4())

ASKED: list[tuple[str, str, Any]] = [
    ("POST", "/threads", {"thread_id": THREAD, "if_exists": "do_nothing"}),
    ("POST", "/threads", {"thread_id": "no uuid"}),
    ("POST", "/threads", b"{not json"),
    ("POST", "/threads/search", b""),
    ("POST", "/threads", b"[1]"),
    ("POST", "/threads", b'"\xff"'),
    ("POST", "/threads", {"metadata": 1}),
    ("POST", "/threads/search", {"limit": "many", "offset": -1}),
    ("GET", f"/threads/{THREAD}", None),
    ("GET", f"/threads/{THREAD}?include=everything", None),
    ("GET", f"/threads/{UNKNOWN}", None),
    ("GET", "/threads/no-uuid", None),
    ("GET", f"/threads/{THREAD}/", None),
    ("PUT", f"/threads/{THREAD}", None),
    ("HEAD", f"/threads/{THREAD}", None),
    ("GET", f"/threads/{THREAD}/state", None),
    ("GET", f"/threads/{THREAD}/state?subgraphs=maybe", None),
    ("GET", f"/threads/{THREAD}/state?select=values&select=next", None),
    ("GET", f"/threads/{THREAD}/runs?limit=ten&offset=-1", None),
    ("GET", f"/threads/{THREAD}/runs?limit=3&status=success", None),
    ("PATCH", f"/threads/{THREAD}", {"metadata": {"a": 1}}),
    ("POST", f"/threads/{THREAD}/runs/wait", {"assistant_id": "nobody"}),
    ("POST", f"/threads/{THREAD}/runs", {}),
    ("POST", "/threads/count", {}),
    ("DELETE", f"/threads/{UNKNOWN}", None),
    ("GET", "/nowhere", None),
]
SAYS = ("content-type", "allow", "location", "x-pagination-total")


@pytest.mark.parametrize("key", ["", "k" * 300])
async def test_both_ways_answer_alike(fresh_dsn: str, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    asked = [*ASKED, ("DELETE", f"/threads/{THREAD}", None)]
    headers = {"Idempotency-Key": key} if key else {}
    async with serving(fresh_dsn) as app, calling(app) as http:
        short = [await _told(http, *one, headers) for one in asked]
    monkeypatch.setattr(direct, "handler_of", lambda _: None)
    async with serving(fresh_dsn) as app, calling(app) as http:
        long = [await _told(http, *one, headers) for one in asked]
    for one, ours, theirs in zip(asked, short, long, strict=True):
        assert ours == theirs, one


async def _told(
    http: httpx.AsyncClient, method: str, path: str, body: Any, headers: dict[str, str]
) -> tuple[int, Any, dict[str, str]]:
    given = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    answer = await http.request(method, path, headers=headers, **given)
    try:
        told = json.loads(answer.content)
    except ValueError:
        told = answer.text
    if isinstance(told, dict):
        told = {name: value for name, value in told.items() if not name.endswith("_at")}
    return answer.status_code, told, {name: answer.headers.get(name, "") for name in SAYS}


async def test_the_hot_routes_take_the_short_way(fresh_dsn: str) -> None:
    async with serving(fresh_dsn) as app:
        table = direct._table(app)
    short = {one.route.path for there in table.values() for one in there if one.handler}
    assert short >= {
        "/threads",
        "/threads/{thread_id}/state",
        "/threads/{thread_id}/history",
        "/threads/{thread_id}/runs",
        "/threads/{thread_id}/runs/stream",
        "/threads/{thread_id}/runs/wait",
        "/runs/wait",
        "/store/items",
    }
