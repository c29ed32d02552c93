"""The documentation of the API in a real browser that reaches this server and nothing else."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.server.auth.conftest import AUTH

from .conftest import FOREIGN, Server, Visiting, home

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server below a path, that asks for keys and says how one signs in."""
    folder = home(tmp_path_factory, "guarded")
    (folder / "workspace/auth.py").write_text(AUTH)
    schemes = {"key": {"type": "http", "scheme": "bearer"}}
    served = {
        "graphs": {"ticks": str(FOREIGN.parent / "ticks.py") + ":graph"},
        "http": {"mount_prefix": "/be low"},
        "auth": {
            "path": "./auth.py:auth",
            "openapi": {"securitySchemes": schemes, "security": [{"key": []}]},
        },
    }
    config = folder / "workspace/langgraph.json"
    config.write_text(json.dumps(served))
    server = Server(folder, "offline", config)
    server.start()
    yield server
    server.stop()


def opened(server: Server, visit: Visiting, path: str) -> tuple[Page, list[str]]:
    """Open the documentation, and collect what the browser complains of."""
    tab = visit(server)
    said: list[str] = []
    tab.page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    tab.page.goto(server.url + path)
    expect(tab.page.get_by_role("heading", name="Artel")).to_be_visible()
    return tab.page, said


def tried(page: Page, operation: str) -> str:
    """Unfold an operation, try it out, and return what came."""
    block = page.locator(".opblock", has=page.locator(f'[data-path="{operation}"]')).first
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    status = block.locator(".live-responses-table .response-col_status").last
    expect(status).to_be_visible()
    return status.inner_text()


def test_the_documentation_shows_and_tries_operations_offline(offline: Server, visit: Visiting) -> None:
    page, said = opened(offline, visit, "/docs")
    expect(page.locator('[data-path="/threads/search"]').first).to_be_visible()
    assert tried(page, "/info").startswith("200")
    assert said == []


def test_it_works_below_a_path_and_takes_a_key(guarded: Server, visit: Visiting) -> None:
    page, said = opened(guarded, visit, "/be%20low/docs")
    assert tried(page, "/threads/search").startswith("401")
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill("ada")
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert [line for line in said if "401" not in line] == []


def test_a_sign_in_comes_back_to_a_page_whose_script_may_run(offline: Server, visit: Visiting) -> None:
    tab = visit(offline)
    tab.page.goto(f"{offline.url}/docs")
    expect(tab.page.get_by_role("heading", name="Artel")).to_be_visible()
    with tab.page.expect_popup() as popup:
        tab.page.evaluate(
            """() => {
              window.swaggerUIRedirectOauth2 = {
                state: "s", redirectUrl: "x", errCb: (e) => { window.told = e.message },
                callback: (all) => { window.told = all.auth.code }, auth: {schema: {get: () => "accessCode"}},
              }
              window.open("/docs/oauth2-redirect?code=secret&state=s")
            }"""
        )
    tab.page.wait_for_function("window.told === 'secret'")
    assert popup.value.is_closed()


def test_only_the_two_scripts_that_stand_in_the_page_may_run(offline: Server) -> None:
    told = httpx.get(f"{offline.url}/docs")
    assert "http" not in told.text
    (scripts,) = [
        rule for rule in told.headers["content-security-policy"].split("; ") if rule.startswith("script-src")
    ]
    assert scripts.split()[:2] == ["script-src", "'self'"]
    assert [source[:8] for source in scripts.split()[2:]] == ["'sha256-"]
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert "immutable" in httpx.get(f"{offline.url}/docs/{name}").headers["cache-control"]
    assert httpx.get(f"{offline.url}/docs/redoc.standalone.js").status_code == 404
