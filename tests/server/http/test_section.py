"""What `http` of a configuration turns off, admits and passes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from starlette.datastructures import Headers
from tests.server.conftest import Open

from artel.server.edge import Edge
from artel.server.http.section import HeadersSection, HttpSection, read
from artel.server.served import ConfigWrong, Served
from artel.server.served import read as read_file


def of(http: Any) -> HttpSection:
    return read(Served(Path("langgraph.json"), (), (), {}, {"http": http}))


@pytest.mark.parametrize(
    ("name", "off", "on"),
    [
        ("assistants", ["POST /assistants/search"], ["POST /threads/search"]),
        ("threads", ["POST /threads/search", "POST /threads"], ["POST /runs/batch"]),
        ("runs", ["POST /runs/batch", "POST /runs/crons/search"], ["POST /threads/search"]),
        ("store", ["POST /store/items/search"], ["POST /threads/search"]),
        ("mcp", ["POST /mcp"], ["POST /threads/search"]),
        ("a2a", ["POST /a2a/flow", "GET /.well-known/agent-card.json"], ["POST /threads/search"]),
        ("meta", ["GET /info", "GET /openapi.json", "GET /docs", "GET /metrics"], ["GET /ok"]),
        ("ui", ["POST /ui/flow"], ["POST /threads/search"]),
    ],
)
async def test_routes_can_be_turned_off(folder: Open, name: str, off: list[str], on: list[str]) -> None:
    async with folder({}, http={f"disable_{name}": True}) as wire:
        for line in off:
            method, path = line.split()
            assert (line, (await wire(method, path, {})).status_code in (404, 405)) == (line, True)
        for line in on:
            method, path = line.split()
            assert (line, (await wire(method, path, {})).status_code in (200, 422)) == (line, True)


async def test_webhooks_can_be_turned_off_and_runs_go_on(folder: Open) -> None:
    async with folder({}, http={"disable_webhooks": True}) as wire:
        body = {"assistant_id": "tells", "input": {"out": 1}, "webhook": "https://127.0.0.1/x"}
        assert (await wire.ok("POST", "/runs", body))["kwargs"]["webhook"] is None
        assert (await wire.ok("POST", "/runs/wait", body))["out"]


async def test_runs_on_threads_are_runs(folder: Open) -> None:
    nowhere = "0" * 32
    async with folder({}, http={"disable_runs": True}) as wire:
        assert await wire.refused("GET", f"/threads/{nowhere}/runs") == (404, "Not Found")
    async with folder({}, http={"disable_threads": True}) as wire:
        assert (await wire.refused("GET", f"/threads/{nowhere}/runs"))[1] != "Not Found"
        assert await wire.refused("GET", f"/threads/{nowhere}") == (404, "Not Found")


async def test_everything_lies_below_a_prefix_and_links_lead_on_from_there(folder: Open) -> None:
    async with folder({}, http={"mount_prefix": "api/"}) as wire:
        assert (await wire("GET", "/ok")).json()["ok"] is True
        assert (await wire("GET", "/api/ok")).json()["ok"] is True
        told = await wire("POST", "/threads", {})
        assert (told.status_code, told.json()["code"]) == (404, "not_found")
        assert told.headers["x-request-id"]
        thread = (await wire.ok("POST", "/api/threads", {}))["thread_id"]
        run = {"assistant_id": "tells", "input": {"out": 1}}
        waited = await wire("POST", f"/api/threads/{thread}/runs/wait", run)
        location = waited.headers["location"]  # both SDKs put it behind their base URL, which ends in /api
        assert location.startswith(f"/threads/{thread}/runs/")
        assert await wire.ok("GET", f"/api{location}") == waited.json()
        assert (await wire.ok("GET", "/api/openapi.json"))["servers"] == [{"url": "/api"}]
        assert (await wire("GET", "/apithreads")).status_code == 404


async def test_pages_of_others_may_call_as_the_configuration_says(folder: Open) -> None:
    cors = {
        "allow_origins": ["https://a.example"],
        "allow_origin_regex": r"https://.*\.b\.example",
        "allow_credentials": True,
        "allow_methods": ["GET", "POST"],
        "allow_headers": ["X-Api-Key"],
        "expose_headers": ["X-Mine"],
        "max_age": 7,
    }
    async with folder({}, http={"cors": cors}) as wire:
        for origin in ("https://a.example", "https://x.b.example"):
            told = await wire("GET", "/ok", headers={"Origin": origin})
            assert told.headers["access-control-allow-origin"] == origin
            assert told.headers["access-control-allow-credentials"] == "true"
            assert told.headers["access-control-expose-headers"].endswith("X-Request-Id, X-Mine")
        for origin in ("https://c.example", "https://b.example", "https://x.b.example.evil"):
            refused = await wire("GET", "/ok", headers={"Origin": origin})
            assert (refused.status_code, refused.json()["code"]) == (403, "foreign_origin")
        asked = {
            "Origin": "https://a.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-other",
            "Access-Control-Request-Private-Network": "true",
        }
        preflight = await wire("OPTIONS", "/threads", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-methods"] == "GET, POST"
        assert preflight.headers["access-control-allow-headers"] == "X-Api-Key"
        assert preflight.headers["access-control-max-age"] == "7"
        assert preflight.headers["access-control-allow-private-network"] == "true"


async def test_any_page_may_call_but_not_with_cookies(folder: Open) -> None:
    async with folder({}, http={"cors": {"allow_origins": ["*"], "allow_credentials": True}}) as wire:
        told = await wire("GET", "/ok", headers={"Origin": "https://any.example"})
        assert told.headers["access-control-allow-origin"] == "https://any.example"
        assert "access-control-allow-credentials" not in told.headers


@pytest.mark.parametrize("plural", ["", "s"])
async def test_headers_reach_the_graph_and_win_over_the_body(folder: Open, plural: str) -> None:
    passed = {f"include{plural}": ["X-*", "authorization", "cookie"], f"exclude{plural}": ["x-no*"]}
    async with folder({}, http={"configurable_headers": passed}) as wire:
        headers = {"X": "0", "x-no-thing": "1", "x-api-key": "k", "Authorization": "a", "Cookie": "c"}
        config = {"configurable": {"x": "body"}}
        body = {"assistant_id": "tells", "input": {"out": 1}, "config": config}
        run = await wire.ok("POST", "/runs", body, headers={**headers, "X-Team": "red"})
        kept = run["kwargs"]["config"]["configurable"]
        assert kept["x-team"] == "red"
        assert not {"x-no-thing", "x-api-key", "authorization", "cookie"} & set(kept)
        assert kept["x"] == "body"
        body["config"] = {"configurable": {"x-team": "blue"}}
        run = await wire.ok("POST", "/runs", body, headers={"X-Team": "red"})
        assert run["kwargs"]["config"]["configurable"]["x-team"] == "red"


def test_no_header_is_passed_on_unasked_and_no_key_ever() -> None:
    headers = Headers({"x-a": "1", "authorization": "2", "x-api-key": "3", "cookie": "4"})
    assert HeadersSection().chosen(headers) == {}
    assert HeadersSection(include=["*"]).chosen(headers) == {"x-a": "1"}
    assert HeadersSection(include=["*"], exclude=["X-A"]).chosen(headers) == {}


async def test_headers_are_logged_with_bugs_where_that_is_wanted() -> None:
    async def app(*_: Any) -> None:
        raise RuntimeError("oh")

    @asynccontextmanager
    async def calling() -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=Edge(app, logged=HeadersSection(include=["x-*"])))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client

    with structlog.testing.capture_logs() as logs:
        async with calling() as client:
            await client.get("/", headers={"X-A": "1", "Authorization": "2"})
    assert logs[0]["headers"] == {"x-a": "1"}


@pytest.mark.parametrize(
    ("http", "sentence"),
    [
        ([], r"http must be an object"),
        ({"disable_runs": "yes"}, r"http\.disable_runs .*got 'yes'"),
        ({"app": "./app.py"}, r"http\.app must be"),
        ({"middleware_order": "last"}, r"http\.middleware_order .*'last'"),
        ({"mount_prefix": "/"}, r"http\.mount_prefix must be a path"),
        ({"mount_prefix": "/a//b"}, r"http\.mount_prefix must be a path"),
        ({"cors": {"max_age": "long"}}, r"http\.cors\.max_age"),
        ({"cors": {"max_age": -1}}, r"http\.cors\.max_age"),
        ({"cors": {"allow_origin_regex": "("}}, r"http\.cors\.allow_origin_regex is no regular expression"),
        ({"cors": {"allow_origins": "*"}}, r"http\.cors\.allow_origins"),
        ({"configurable_headers": {"include": [1]}}, r"http\.configurable_headers\.include\[0\]"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(http: Any, sentence: str) -> None:
    with pytest.raises(ConfigWrong, match=rf"langgraph\.json: {sentence}"):
        of(http)


def test_an_unknown_key_is_said_and_ignored() -> None:
    with structlog.testing.capture_logs() as logs:
        assert of({"disable_run": True, "cors": {"origins": []}}) == of(
            {"disable_run": True, "cors": {"origins": []}}
        )
    assert [line["event"] for line in logs][:2] == [
        "langgraph.json: http.disable_run is not known here, and ignored",
        "langgraph.json: http.cors.origins is not known here, and ignored",
    ]


def test_keys_of_images_are_known_and_others_are_said(tmp_path: Path) -> None:
    file = tmp_path / "langgraph.json"
    file.write_text(
        '{"graphs": {"a": "./a.py:g"}, "python_version": "3.12", "node_version": "20", "api_version": "1",'
        ' "dockerfile_lines": [], "image_distro": "wolfi", "source": {"kind": "uv"}, "grahps": {}}'
    )
    assert read_file(file).unknown == ("grahps",)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ('"python_version": 3.11', r"python_version must be"),
        ('"dockerfile_lines": "RUN x"', r"dockerfile_lines must be"),
    ],
)
def test_what_cannot_be_kept_is_not_accepted(tmp_path: Path, more: str, sentence: str) -> None:
    file = tmp_path / "langgraph.json"
    file.write_text('{"graphs": {"a": "./a.py:g"}, ' + more + "}")
    with pytest.raises(ConfigWrong, match=sentence):
        read_file(file)
