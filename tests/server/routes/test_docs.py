"""GET /docs without a browser: what is given, to whom, and what it may run."""

from base64 import b64encode
from hashlib import sha256

import httpx
import pytest
from fastapi import FastAPI

from artel.server.routes import docs, page

PATHS = sorted(docs.OPEN)


def asking(root_path: str = "") -> httpx.AsyncClient:
    app = FastAPI(docs_url=None)
    app.include_router(docs.router)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, root_path=root_path), base_url="http://localhost"
    )


@pytest.mark.parametrize("path", PATHS)
async def test_each_file_comes_from_here_with_the_pages_guards(path: str) -> None:
    async with asking() as http:
        told = await http.get(path)
        assert (told.status_code, len(told.content) > 500) == (200, True)
        assert {name: told.headers[name] for name in page.GUARDED if name != "Content-Security-Policy"} == {
            name: value for name, value in page.GUARDED.items() if name != "Content-Security-Policy"
        }
        assert "default-src 'self'" in told.headers["content-security-policy"]
        assert (await http.head(path)).status_code == 200
        assert (await http.post(path)).status_code == 405


async def test_inline_scripts_run_by_their_hashes_and_no_others() -> None:
    async with asking() as http:
        for path in (docs.PATH, docs.SIGNED_IN):
            told = await http.get(path)
            scripts = docs.INLINE.findall(told.text)
            assert scripts
            for script in scripts:
                wanted = b64encode(sha256(script.encode()).digest()).decode()
                assert f"'sha256-{wanted}'" in told.headers["content-security-policy"]
            assert "'unsafe-inline'" not in told.headers["content-security-policy"].partition("style-src")[0]


async def test_a_path_in_front_cannot_break_out_of_the_script() -> None:
    async with asking("/it's </script><script>alert(1)") as http:
        told = await http.get("/docs")
        assert "alert(1)</script>" not in told.text
        assert "it%27s%20%3C/script%3E" in told.text
