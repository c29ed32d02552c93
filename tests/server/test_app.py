"""The application as a whole: what it says of itself, and what it says to nonsense."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.fakes.served import calling, serving

from artel.server.settings import Settings, WebSettings


@pytest.fixture
async def http(fresh_dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(web=WebSettings(origins=("https://ui.example",)))
    async with serving(fresh_dsn, settings) as app, calling(app) as client:
        yield client


async def test_it_is_up_and_says_what_it_is(http: httpx.AsyncClient) -> None:
    for path in ("/ok", "/ok?check_db=1", "/"):
        assert (await http.get(path)).json() == {"ok": True, "services": {}}
    info = (await http.get("/info")).json()
    assert info["flags"]["assistants"] is True
    assert info["host"]["kind"] == "self-hosted"
    assert info["langgraph_py_version"].startswith("1.2")
    assert info["model"] is None  # none of these graphs is ours


async def test_its_routes_are_documented_with_their_errors(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    stream = document["paths"]["/threads/{thread_id}/runs/stream"]["post"]

    assert "`thread_busy`" in stream["responses"]["409"]["description"]
    body = document["components"]["schemas"]["RunBody"]
    assert body["required"] == ["assistant_id"]
    assert "/api/v1/approvals/{approval_id}" in document["paths"]
    assert (await http.get("/docs")).status_code == 200


async def test_nonsense_is_refused_in_one_form(http: httpx.AsyncClient) -> None:
    for method, path, status in [
        ("GET", "/nope", 404),
        ("GET", "/api/v1/nope", 404),
        ("PUT", "/threads", 405),
        ("DELETE", "/threads", 405),
        ("POST", "/threads/x/runs", 422),
        ("GET", "/threads/%00", 422),
        ("GET", "/assets/../../app.py", 404),
        ("GET", "/assets/%2e%2e/%2e%2e/app.py", 404),
    ]:
        told = await http.request(method, path)
        assert (method, path, told.status_code) == (method, path, status)
        assert isinstance(told.json()["detail"], str)


async def test_settings_decide_which_pages_may_call(http: httpx.AsyncClient) -> None:
    allowed = await http.get("/info", headers={"Origin": "https://ui.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://ui.example"
    assert (await http.get("/info", headers={"Origin": "https://evil.example"})).status_code == 403
    assert (await http.get("/info", headers={"Host": "evil.example"})).status_code == 403
