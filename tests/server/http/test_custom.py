"""The served folder's own application: its middleware around our routes, its routes before ours."""

from typing import Any

import pytest
import structlog
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open

from artel.server.served import ConfigWrong

APP = """
from contextlib import asynccontextmanager
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

lived = []
seen = []

class RunBody(BaseModel):
    mine: int

@asynccontextmanager
async def lifespan(app):
    lived.append("up")
    app.state.x = 1
    yield {"y": 2}
    lived.append("down")

app = FastAPI(lifespan=lifespan, title="Mine", version="7")

@app.middleware("http")
async def mark(request, call_next):
    user = request.scope.get("user")
    seen.append((request.url.path, getattr(user, "identity", None)))
    response = await call_next(request)
    response.headers["X-Mine"] = "1"
    return response

@app.get("/hello")
async def hello(request: Request):
    user = request.scope.get("user")
    return {"x": request.app.state.x, "y": request.state.y, "user": getattr(user, "identity", None)}

@app.get("/ok")
@app.get("/info")
@app.get("/threads/{thread_id}")
async def over():
    return {"mine": True}

@app.post("/typed")
async def typed(body: RunBody):
    return body

@app.get("/bug")
async def bug():
    raise RuntimeError("nobody thought of this")

@app.get("/teapot")
async def teapot():
    raise HTTPException(418, "short")

@app.get("/valid")
async def valid(n: int):
    return n
"""
STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

async def plain(request):
    return PlainTextResponse("plain")

async def files(scope, receive, send):
    await PlainTextResponse("file " + scope["path"])(scope, receive, send)

app = Starlette(routes=[Route("/plain", plain), Mount("/", files)])
"""
MINE: dict[str, Any] = {"app": "./app.py:app"}


async def test_it_lives_once_and_around_everything(folder: Open) -> None:
    async with folder({"app.py": APP}, http=MINE) as wire:
        config = wire.app.state.catalog.config
        from tests.server.auth.test_authentication import said  # noqa: PLC0415

        lived = said(wire, "app.py", "lived")
        assert (config.folder.name, lived) == (config.folder.name, ["up"])
        assert await wire.ok("GET", "/hello") == {"x": 1, "y": 2, "user": None}
        thread = await wire("POST", "/threads", {})
        assert (thread.status_code, thread.headers["x-mine"]) == (200, "1")
    assert lived == ["up", "down"]


async def test_its_routes_win_but_not_over_ok_nor_over_other_methods(folder: Open) -> None:
    async with folder({"app.py": APP}, http=MINE) as wire:
        assert await wire.ok("GET", "/ok") == {"ok": True, "services": {}}
        assert await wire.ok("GET", "/info") == {"mine": True}
        thread = await wire.thread()
        assert await wire.ok("GET", f"/threads/{thread}") == {"mine": True}
        assert (await wire.ok("PATCH", f"/threads/{thread}", {"metadata": {"a": 1}}))["metadata"] == {"a": 1}
        assert (await wire("DELETE", "/hello")).status_code == 405
        assert (await wire("GET", "/nope")).status_code == 404


async def test_runs_stream_through_its_middleware(folder: Open) -> None:
    async with folder({"app.py": APP}, http=MINE) as wire:
        body = {"assistant_id": "tells", "input": {"out": 1}}
        told = await wire("POST", "/runs/stream", body)
        assert told.text.startswith("event: metadata")
        assert told.headers["x-mine"] == "1"
        assert "content-location" in told.headers


async def test_its_errors_have_codes_too(folder: Open) -> None:
    async with folder({"app.py": APP}, http=MINE) as wire:
        assert (await wire("GET", "/teapot")).json() == {"detail": "short", "code": "im_a_teapot"}
        valid = (await wire("GET", "/valid?n=x")).json()
        assert (valid["detail"][0]["type"], valid["code"]) == ("int_parsing", "invalid")
        with structlog.testing.capture_logs() as logs:
            bug = await wire("GET", "/bug")
        assert (bug.status_code, bug.json()["code"]) == (500, "internal")
        assert bug.headers["x-request-id"] == bug.json()["request_id"]
        assert len(logs) == 1
        large = await wire("POST", "/typed", content=b'{"mine": "' + b"x" * (65 * 1024 * 1024) + b'"}')
        assert (large.status_code, large.json()["code"]) == (413, "body_too_large")


async def test_one_document_has_its_routes_and_ours(folder: Open) -> None:
    async with folder({"app.py": APP}, http=MINE) as wire:
        document = await wire.ok("GET", "/openapi.json")
        docs = await wire("GET", "/docs")
    assert (document["info"]["title"], document["info"]["version"]) == ("Mine", "7")
    assert {"/hello", "/typed", "/threads", "/runs/stream"} < set(document["paths"])
    schemas = document["components"]["schemas"]
    assert list(schemas["CustomRunBody"]["properties"]) == ["mine"]
    assert "assistant_id" in schemas["RunBody"]["properties"]
    body = document["paths"]["/typed"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/CustomRunBody"}
    assert set(document["paths"]["/threads/{thread_id}"]) >= {"get", "patch", "delete"}
    assert docs.status_code == 200


@pytest.mark.parametrize("order", [None, "middleware_first", "auth_first"])
async def test_keys_are_asked_for_before_or_after_its_middleware(folder: Open, order: str | None) -> None:
    http = {**MINE, "middleware_order": order}
    files = {"app.py": APP, "auth.py": AUTH}
    async with folder(files, http=http, auth={"path": "./auth.py:auth"}) as wire:
        from tests.server.auth.test_authentication import said  # noqa: PLC0415

        refused = await wire("POST", "/threads", {})
        assert refused.status_code == 401
        assert ("x-mine" in refused.headers) is (order != "auth_first")
        await As(wire, "ada").ok("POST", "/threads", {})
        assert said(wire, "app.py", "seen")[-1] == ("/threads", "ada" if order == "auth_first" else None)
        assert (await wire.ok("GET", "/hello"))["user"] is None


@pytest.mark.parametrize("order", ["middleware_first", "auth_first"])
async def test_its_routes_ask_for_keys_where_that_is_wanted(folder: Open, order: str) -> None:
    http = {**MINE, "enable_custom_route_auth": True, "middleware_order": order}
    files = {"app.py": APP, "auth.py": AUTH}
    async with folder(files, http=http, auth={"path": "./auth.py:auth"}) as wire:
        for path in ("/hello", "/info", "/docs", "/openapi.json"):
            assert (path, (await wire("GET", path)).status_code) == (path, 401)
        assert (await wire("GET", "/ok")).status_code == 200
        assert (await As(wire, "ada").ok("GET", "/hello"))["user"] == "ada"


async def test_a_starlette_with_files_at_the_root_leaves_our_routes(folder: Open) -> None:
    async with folder({"app.py": STARLETTE}, http=MINE) as wire:
        assert (await wire("GET", "/plain")).text == "plain"
        assert (await wire("GET", "/a/b.css")).text == "file /a/b.css"
        assert (await wire("GET", "/nope")).text == "file /nope"
        assert await wire.ok("POST", "/threads/search", {}) == []
        assert (await wire("GET", "/info")).json()["host"]["kind"] == "self-hosted"
        assert "/threads" in (await wire.ok("GET", "/openapi.json"))["paths"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("app = 7", r'http\.app: "app" in \./app\.py must be a FastAPI or Starlette, not int'),
        ("1 / 0", r"http\.app: \./app\.py cannot be imported: ZeroDivisionError"),
        (
            "from fastapi import FastAPI\nasync def up(app):\n    1 / 0\n    yield\n"
            "from contextlib import asynccontextmanager\napp = FastAPI(lifespan=asynccontextmanager(up))",
            r"http\.app: its lifespan failed: ZeroDivisionError: .*app\.py, line 3",
        ),
    ],
)
async def test_what_is_wrong_with_it_is_said_at_start(folder: Open, text: str, sentence: str) -> None:
    with pytest.raises(ConfigWrong, match=sentence):
        async with folder({"app.py": text}, http=MINE):
            pass
