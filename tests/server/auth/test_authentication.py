"""Who calls: the handler of the served folder is asked before any route, and told what it asks for."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

from artel.server.served import ConfigWrong
from artel.server.settings import Settings, WebSettings

HEAD = "from langgraph_sdk import Auth\nauth = Auth()\n"
ECHO = (
    HEAD
    + """
seen = []
@auth.authenticate
def authenticate(
    request, scope, method, path, path_params, query_params, headers, authorization, body, more=1
):
    seen.append((method, path, query_params, headers.get(b"x-who"), authorization, body, request.url.path))
    return headers[b"x-who"].decode()
"""
)
RETURNS = (
    HEAD
    + """
from dataclasses import dataclass

@dataclass
class Plain:
    identity: str
    team: str = "red"

class Rich:
    __slots__ = ("name",)
    def __init__(self, name):
        self.name = name
    @property
    def identity(self):
        return self.name
    @property
    def permissions(self):
        return ("read",)
    def shout(self):
        return self.name.upper()

GIVEN = {
    "text": "ada", "dict": {"identity": "ada", "display_name": "Ada", "permissions": ["x"], "odd": {1, 2}},
    "object": Plain("ada"), "rich": Rich("ada"),
    "none": None, "empty": "", "nameless": {"name": "ada"}, "number": 7,
}

@auth.authenticate
async def authenticate(headers):
    kind = headers[b"x-kind"].decode()
    if kind == "value":
        raise ValueError("the key is no key")
    if kind == "bug":
        raise RuntimeError("oh")
    if kind == "teapot":
        raise Auth.exceptions.HTTPException(418, "short and stout", headers={"X-Tea": "1"})
    return GIVEN[kind]

shouts = []

@auth.on
async def all(ctx, value):
    shouts.append([ctx.user.identity, list(ctx.permissions), ctx.user["identity"], "identity" in ctx.user])
    if hasattr(ctx.user, "shout"):
        shouts[-1].append(ctx.user.shout())
"""
)


def said(wire: Wire, file: str, name: str) -> Any:
    """Return a variable of a file of the folder."""
    import sys  # noqa: PLC0415 - only these tests look into loaded folders

    folder = wire.app.state.catalog.config.folder
    return next(
        getattr(module, name)
        for module in list(sys.modules.values())
        if getattr(module, "__file__", None) == str(folder / file)
    )


async def test_whoever_does_not_say_who_they_are_gets_in_nowhere(guarded: Wire) -> None:
    nowhere = str(uuid4())
    for method, path in [
        ("POST", "/threads"),
        ("POST", "/threads/search"),
        ("GET", f"/threads/{nowhere}"),
        ("GET", f"/threads/{nowhere}/state"),
        ("POST", f"/threads/{nowhere}/runs/stream"),
        ("GET", f"/threads/{nowhere}/stream"),
        ("POST", f"/threads/{nowhere}/commands"),
        ("POST", "/runs/wait"),
        ("POST", "/runs/crons/search"),
        ("POST", "/assistants/search"),
        ("GET", "/store/items?key=x&namespace=y"),
        ("POST", "/mcp"),
        ("POST", "/a2a/flow"),
        ("GET", "/.well-known/agent-card.json"),
        ("GET", "/api/v1/info"),
        ("GET", "/api/v1/approvals"),
        ("GET", "/api/v1/nope"),
        ("PUT", "/nope"),
        ("POST", "/ok2"),
    ]:
        told = await guarded(method, path, headers={"Accept": "text/html"})
        assert (method, path, told.status_code) == (method, path, 401)
        assert told.json() == {"detail": "say who you are", "code": "unauthenticated"}
        assert told.headers["www-authenticate"] == "Bearer"
        assert told.headers["x-request-id"]


async def test_what_it_is_and_whether_it_is_up_is_told_to_all(guarded: Wire) -> None:
    for path in ("/ok", "/info", "/docs", "/openapi.json", "/", "/icon.svg", "/t/x"):
        assert (path, (await guarded("GET", path)).status_code in (200, 503)) == (path, True)


async def test_with_a_key_they_are_let_in_and_their_runs_know_them(ada: As) -> None:
    thread = await ada.thread()
    told = await ada.ok(
        "POST", f"/threads/{thread}/runs/wait", {"assistant_id": "asked_by", "input": {"out": 1}}
    )
    assert told["out"]["id"] == told["out"]["known"] == "ada"
    assert told["out"]["user"]["email"] == "ada@example"
    assert told["out"]["may"] == ["use"]


async def test_a_handler_is_told_what_it_asks_for_and_the_route_still_reads_the_body(folder: Open) -> None:
    async with folder({"echo_auth.py": ECHO}, auth={"path": "./echo_auth.py:auth"}) as wire:
        body = {"metadata": {"a": 1}}
        made = await wire.ok("POST", "/threads?x=1&y=2", body, headers={"x-who": "eve", "authorization": "k"})
        assert made["metadata"] == {"a": 1}
        assert said(wire, "echo_auth.py", "seen") == [
            ("POST", "/threads", {"x": "1", "y": "2"}, b"eve", "k", body, "/threads")
        ]
        broken = await wire("POST", "/threads", content=b"{", headers={"x-who": "eve"})
        assert broken.status_code == 422


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("text", 200, None),
        ("dict", 200, None),
        ("object", 200, None),
        ("rich", 200, None),
        ("none", 500, "nobody_returned"),
        ("empty", 500, "nobody_returned"),
        ("nameless", 500, "nobody_returned"),
        ("number", 500, "nobody_returned"),
        ("value", 400, "bad_request"),
        ("bug", 500, "internal"),
        ("teapot", 418, "im_a_teapot"),
    ],
)
async def test_a_handler_returns_a_name_a_dict_or_an_object(
    folder: Open, kind: str, status: int, code: str | None
) -> None:
    async with folder({"returns.py": RETURNS}, auth={"path": "./returns.py:auth"}) as wire:
        told = await wire("POST", "/threads", {}, headers={"x-kind": kind})
        assert told.status_code == status
        if code:
            assert told.json()["code"] == code
            return
        user = said(wire, "returns.py", "shouts")[-1]
        assert (user[0], user[2], user[3]) == ("ada", "ada", True)
        assert user[1] == {"dict": ["x"], "rich": ["read"]}.get(kind, [])
        assert user[4:] == (["ADA"] if kind == "rich" else [])
        run = await wire.ok(
            "POST", "/runs/wait", {"assistant_id": "asked_by", "input": {"out": 1}}, headers={"x-kind": kind}
        )
        assert run["out"]["id"] == "ada"


async def test_a_missing_header_that_a_handler_falls_over_is_no_bug(folder: Open) -> None:
    text = (
        HEAD + "@auth.authenticate\nasync def who(authorization: str):\n    return authorization.split()[1]\n"
    )
    async with folder({"falls.py": text}, auth={"path": "./falls.py:auth"}) as wire:
        assert await wire.refused("POST", "/threads", {}) == (401, "the request has no Authorization header")
        assert (await wire("POST", "/threads", {}, headers={"Authorization": "Bearer x"})).status_code == 200


async def test_a_user_is_remembered_by_the_headers_that_let_them_in(
    folder: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SimpleNamespace(s=1000.0)
    monkeypatch.setattr("artel.server.auth.cache.time", SimpleNamespace(monotonic=lambda: now.s))
    text = AUTH.replace(
        "    name = authorization", "    told.append(authorization)\n    name = authorization"
    )
    cache = {"cache_keys": ["Authorization"], "ttl_seconds": 60, "max_size": 2}
    async with folder({"cached.py": text}, auth={"path": "./cached.py:auth", "cache": cache}) as wire:
        ada, asked = As(wire, "ada"), said(wire, "cached.py", "told")
        for _ in range(3):
            await ada.ok("POST", "/threads/search", {})
        assert asked.count("Bearer ada") == 1
        assert (await wire("POST", "/threads/search", {})).status_code == 401
        for name in ("bob", "cyd", "ada"):  # the third one pushes the first one out
            await As(wire, name).ok("POST", "/threads/search", {})
        assert asked.count("Bearer ada") == 2
        now.s += 60.1
        await ada.ok("POST", "/threads/search", {})
        assert asked.count("Bearer ada") == 3


async def test_studio_comes_in_by_the_key_of_the_server_and_by_no_other(folder: Open) -> None:
    text = AUTH.replace(
        "    if ctx.user.identity ==", "    told.append(type(ctx.user).__name__)\n    if ctx.user.identity =="
    )
    settings = Settings(web=WebSettings(studio_key="ls-key"))
    for off in (False, True):
        section = {"path": "./studio.py:auth", "disable_studio_auth": off}
        async with folder({"studio.py": text}, settings, auth=section) as wire:
            for key, status in (("ls-key", 401 if off else 200), ("other", 401), ("", 401)):
                headers = {"x-auth-scheme": "langsmith", "x-api-key": key}
                told = await wire("POST", "/threads/search", {}, headers=headers)
                assert (off, key, told.status_code) == (off, key, status)
            assert said(wire, "studio.py", "told").count("StudioUser") == 1


async def test_without_a_key_of_the_server_studio_has_to_log_in(guarded: Wire) -> None:
    headers = {"x-auth-scheme": "langsmith", "x-api-key": ""}
    assert (await guarded("POST", "/threads/search", {}, headers=headers)).status_code == 401


async def test_the_document_tells_about_keys(folder: Open) -> None:
    openapi = {
        "securitySchemes": {"Key": {"type": "http", "scheme": "bearer"}},
        "security": [{"Key": []}],
        "paths": {"/ok": {"GET": []}},
    }
    async with folder({"doc.py": AUTH}, auth={"path": "./doc.py:auth", "openapi": openapi}) as wire:
        document = await wire.ok("GET", "/openapi.json")
    assert document["components"]["securitySchemes"]["Key"]["scheme"] == "bearer"
    assert (document["security"], document["paths"]["/ok"]["get"]["security"]) == ([{"Key": []}], [])
    assert "RunBody" in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("section", "text", "sentence"),
    [
        ({}, "", r"auth\.path is required"),
        ([], "", r"auth must be an object"),
        ({"path": "./a.py"}, "", r'auth\.path must be "\./file\.py:name"'),
        ({"path": "./nope.py:auth"}, "", r"auth\.path: there is no file"),
        ({"path": "./a.py:auth"}, "auth = 7", r'auth\.path: "auth" in \./a\.py must be an Auth, not int'),
        ({"path": "./a.py:auth"}, HEAD, r"has no @auth\.authenticate"),
        (
            {"path": "./a.py:auth"},
            HEAD + "@auth.authenticate\nasync def a(token): ...\n",
            r"@authenticate may take .*; it asks for 'token'",
        ),
        ({"path": "./a.py:auth", "disable_studio_auth": "yes"}, AUTH, r"auth\.disable_studio_auth .*'yes'"),
        ({"path": "./a.py:auth", "cache": {"cache_keys": []}}, AUTH, r"auth\.cache\.cache_keys"),
        ({"path": "./a.py:auth", "cache": {}}, AUTH, r"auth\.cache\.cache_keys is required"),
    ],
)
async def test_what_is_wrong_in_auth_is_said_at_start(
    folder: Open, section: Any, text: str, sentence: str
) -> None:
    with pytest.raises(ConfigWrong, match=sentence) as refused:
        async with folder({"a.py": text}, auth=section):
            pass
    assert "langgraph.json" in str(refused.value)
