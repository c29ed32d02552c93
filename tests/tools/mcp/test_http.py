"""A server over HTTP: the SDK's own, in this process."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.fakes.mcp_configured import configured, over_http
from tests.fakes.mcp_server import build
from tests.fakes.waiting import eventually
from tests.tools.mcp.test_connection import do

from artel.tools.errors import ToolFailed
from artel.tools.mcp import connection as connecting
from artel.tools.mcp import limits
from artel.tools.mcp.connection import Connection
from artel.tools.sandbox.sandbox import Sandbox


def to(folder: Path, port: int, **more: object) -> Connection:
    entry = {"type": "http", "url": f"http://127.0.0.1:{port}/mcp", "trusted": True, "timeout_s": 5, **more}
    return Connection(configured(folder, entry, {"KEY": "s3cret-key"}), Sandbox())


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with over_http(build().streamable_http_app()) as port:
        yield port


async def test_tools_are_listed_and_called(port: int, tmp_path: Path) -> None:
    one = to(tmp_path, port)
    try:
        assert "mcp__fake__add" in await one.listed()
        told = await asyncio.gather(do(one, "add", a=1, b=2), do(one, "add", a=3, b=4))
        assert [one.text for one in told] == ["3", "7"]
        assert one.tools["mcp__fake__add"].risk.value == "network"
    finally:
        await one.aclose()


async def test_a_list_that_changed_is_asked_for_again(port: int, tmp_path: Path) -> None:
    one = to(tmp_path, port)
    try:
        await one.listed()
        await do(one, "change")
        await eventually(lambda: one._is_stale)
        assert "evil.example" in (await one.listed())["mcp__fake__add"].description
    finally:
        await one.aclose()


async def test_a_call_that_takes_too_long_is_given_up(port: int, tmp_path: Path) -> None:
    one = to(tmp_path, port, timeout_s=0.3)
    try:
        await one.listed()
        with pytest.raises(ToolFailed, match=r"within 0\.3 s"):
            await do(one, "slow", seconds=2)
        assert (await do(one, "add", a=1, b=2)).text == "3"
    finally:
        await one.aclose()


async def test_a_server_that_was_away_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "REST_S", 0.0)
    async with over_http(build().streamable_http_app()) as port:
        one = to(tmp_path, port)
        await one.listed()
    try:
        with pytest.raises(ToolFailed, match=r"lost in the middle|cannot be reached"):
            await do(one, "add", a=1, b=2)
        assert one.state == "failed"
        async with over_http(build().streamable_http_app(), port):
            await one.listed()
            assert (await do(one, "add", a=1, b=2)).text == "3"
            await one.aclose()
    finally:
        await one.aclose()


async def test_headers_carry_what_the_environment_holds_and_nobody_is_told(tmp_path: Path) -> None:
    asked: list[str] = []

    async def refuse(request: Request) -> Response:
        asked.append(request.headers["authorization"])
        return JSONResponse({"error": f"no: {request.headers['authorization']}"}, status_code=401)

    async with over_http(
        Starlette(routes=[Route("/mcp", refuse, methods=["POST", "GET", "DELETE"])])
    ) as port:
        one = to(tmp_path, port, headers={"Authorization": "Bearer ${KEY}"})
        with pytest.raises(ToolFailed, match="cannot be reached"):
            await one.listed()
        assert "Bearer s3cret-key" in asked
        assert "s3cret" not in one.error + repr(one.server) + str(one.server)
        await one.aclose()


async def test_an_answer_that_never_ends_is_broken_off(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 50_000)
    async with over_http(build().streamable_http_app(json_response=True)) as port:
        one = to(tmp_path, port)
        await one.listed()
        with pytest.raises(ToolFailed, match="lost in the middle"):
            await do(one, "much", size=100_000)
        assert (await do(one, "add", a=1, b=2)).text == "3"
        await one.aclose()
