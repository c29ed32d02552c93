"""Every response has a name, too much is refused, and a bug is one sentence and one line in the log."""

from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from artel.server.edge import Edge


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    if scope["path"] == "/bug":
        raise ValueError("nobody thought of this")
    await PlainTextResponse(str(len(await request.body())))(scope, receive, send)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Edge(app, max_body=10))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def test_a_request_keeps_its_id_or_gets_one(http: httpx.AsyncClient) -> None:
    assert (await http.get("/", headers={"X-Request-Id": "mine-1"})).headers["x-request-id"] == "mine-1"
    assert len((await http.get("/")).headers["x-request-id"]) == 32
    odd = {"X-Request-Id": "x" * 65}
    assert (await http.get("/", headers=odd)).headers["x-request-id"] != odd["X-Request-Id"]


async def test_a_body_that_is_too_large_is_refused_also_when_it_does_not_say_so(
    http: httpx.AsyncClient,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"12345"

    assert (await http.post("/", content=b"1234567890")).text == "10"
    for content in (b"12345678901", pieces()):
        told = await http.post("/", content=content)
        assert (told.status_code, told.json()["code"]) == (413, "body_too_large")


async def test_a_bug_is_told_by_its_request_id_and_logged_once(http: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        told = await http.get("/bug")

    request_id = told.headers["x-request-id"]
    assert told.status_code == 500
    assert request_id in told.json()["detail"]
    assert "nobody thought" not in told.text
    assert [line["request_id"] for line in logs] == [request_id]
