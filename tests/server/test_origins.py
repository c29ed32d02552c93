"""Only our names are answered to, and only our pages, localhost's and configured ones may call."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from artel.server.origins import STUDIO, Admission, ForeignHost, ForeignOrigin, Gate

OURS = Admission.of((), ())


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8123",
        "LOCALHOST:1",
        "127.0.0.1:8123",
        "127.9.9.9",
        "[::1]:8123",
        "a.localhost",
    ],
)
def test_loopback_names_are_ours(host: str) -> None:
    OURS.check(Headers({"host": host}))


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8123", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"],
)
def test_other_names_are_refused_so_that_rebound_dns_leads_nowhere(host: str) -> None:
    with pytest.raises(ForeignHost, match="ARTEL_WEB__HOSTS"):
        OURS.check(Headers({"host": host}))


def test_a_configured_name_is_ours() -> None:
    Admission.of(("Artel.example",), ()).check(Headers({"host": "artel.example:443"}))


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1:5173", "https://localhost", "http://[::1]:9"]
)
def test_pages_on_localhost_may_call(origin: str) -> None:
    OURS.check(Headers({"host": "localhost:8123", "origin": origin}))


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "http://localhost.evil.example",
        "file://",
        "chrome-extension://x",
        STUDIO,
        "http://localhost@evil.example",
    ],
)
def test_pages_of_others_may_not(origin: str) -> None:
    with pytest.raises(ForeignOrigin):
        OURS.check(Headers({"host": "localhost:8123", "origin": origin}))


def test_our_own_page_and_configured_ones_may_call() -> None:
    wide = Admission.of(("artel.example",), ("https://ui.example/",), studio=True)
    for origin in ("https://artel.example", "https://ui.example", STUDIO):
        wide.check(Headers({"host": "artel.example", "origin": origin}))


def test_another_site_may_link_here_but_not_load_from_here() -> None:
    cross = {"host": "localhost", "sec-fetch-site": "cross-site"}
    OURS.check(Headers({**cross, "sec-fetch-dest": "document"}))
    for loaded_as in ("image", "script", "iframe", "empty"):
        with pytest.raises(ForeignOrigin):
            OURS.check(Headers({**cross, "sec-fetch-dest": loaded_as}))


@pytest.fixture
def http() -> httpx.AsyncClient:
    async def told(request: Request) -> JSONResponse:
        return JSONResponse({"method": request.method})

    app = Starlette(
        routes=[Route("/", told, methods=["GET", "POST"])], middleware=[Middleware(Gate, admission=OURS)]
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")


async def test_an_allowed_page_reads_the_headers_it_needs(http: httpx.AsyncClient) -> None:
    told = await http.get("/", headers={"Origin": "http://localhost:3000"})

    assert told.headers["access-control-allow-origin"] == "http://localhost:3000"
    for name in ("Content-Location", "Location", "X-Pagination-Total", "X-Pagination-Next"):
        assert name in told.headers["access-control-expose-headers"]
    assert told.headers["vary"] == "Origin"


async def test_a_preflight_is_answered_also_from_the_public_network(http: httpx.AsyncClient) -> None:
    asked = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key",
        "Access-Control-Request-Private-Network": "true",
    }
    told = await http.options("/", headers=asked)

    assert told.status_code == 200
    assert told.headers["access-control-allow-private-network"] == "true"
    assert told.headers["access-control-allow-headers"] == "content-type,x-api-key"
    assert "POST" in told.headers["access-control-allow-methods"]


async def test_a_foreign_page_is_refused_before_anything_is_done(http: httpx.AsyncClient) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        told = await http.request(method, "/", headers={"Origin": "https://evil.example"})
        assert (told.status_code, told.json()["code"]) == (403, "foreign_origin")
        assert "access-control-allow-origin" not in told.headers
