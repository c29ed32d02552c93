"""The page reaches people; programs get JSON; nothing else of the disk reaches anybody."""

import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from artel.server import errors
from artel.server.routes import page

PEOPLE = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    monkeypatch.setattr(page, "STATIC", tmp_path / "static")
    app = FastAPI()
    errors.install(app)
    app.include_router(page.router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>Artel</title>")
    (static / "favicon.svg").write_text("<svg/>")
    (static / "assets" / "main-abc.js").write_text("1;")
    (static / "assets" / "main-abc.js.gz").write_bytes(gzip.compress(b"1;"))
    (tmp_path / "secret.txt").write_text("secret")
    return static


@pytest.mark.usefixtures("built")
async def test_people_get_the_page_for_every_view(http: httpx.AsyncClient) -> None:
    for path in ("/", "/t/0192", "/t/0192/run/3", "/settings"):
        told = await http.get(path, headers=PEOPLE)
        assert (path, told.status_code, told.text) == (path, 200, "<title>Artel</title>")
        assert told.headers["cache-control"] == "no-cache"
        policy = told.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "script-src 'self';" in policy
        assert told.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("built")
async def test_programs_get_json(http: httpx.AsyncClient) -> None:
    assert (await http.get("/")).json() == {"ok": True, "services": {}}
    assert (await http.get("/settings")).json() == {"detail": "Not Found", "code": "not_found"}


@pytest.mark.usefixtures("built")
async def test_built_files_are_kept_for_ever_and_sent_packed(http: httpx.AsyncClient) -> None:
    told = await http.get("/assets/main-abc.js", headers={"Accept-Encoding": "gzip"})

    assert told.text == "1;"
    assert told.headers["content-encoding"] == "gzip"
    assert "immutable" in told.headers["cache-control"]
    assert told.headers["content-type"].startswith("text/javascript")
    plain = await http.get("/assets/main-abc.js", headers={"Accept-Encoding": "identity"})
    assert (plain.text, "content-encoding" in plain.headers) == ("1;", False)
    assert (await http.get("/favicon.svg")).headers["content-type"] == "image/svg+xml"


async def test_only_files_of_the_page_are_given(http: httpx.AsyncClient, built: Path, tmp_path: Path) -> None:
    (built / "assets" / "link.txt").symlink_to(tmp_path / "secret.txt")
    for path in ("/assets/none.js", "/assets/..%2f..%2fsecret.txt", "/..%2fsecret.txt", "/assets/link.txt"):
        told = await http.get(path)
        assert (told.status_code, "secret" in told.text) == (404, False)


async def test_a_page_that_is_not_built_says_how_to_build_it(http: httpx.AsyncClient) -> None:
    told = await http.get("/", headers=PEOPLE)
    assert (told.status_code, "make run" in told.text) == (503, True)
