"""Settings, keys and the tour."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect
from tests.server.auth.conftest import AUTH

from .conftest import FOREIGN, Server, Visiting, home

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

SECTIONS = ("general", "models", "keys", "permissions", "memories", "tools", "usage", "about")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that lets nobody in without a key."""
    folder = home(tmp_path_factory, "guarded")
    (folder / "workspace/auth.py").write_text(AUTH)
    config = folder / "workspace/langgraph.json"
    graphs = {"ticks": f"{FOREIGN.parent / 'ticks.py'}:graph"}
    config.write_text(json.dumps({"graphs": graphs, "auth": {"path": "./auth.py:auth"}}))
    server = Server(folder, "offline", config)
    server.start()
    yield server
    server.stop()


def test_language_and_colours_are_chosen_and_stay(offline: Server, visit: Visiting) -> None:
    page = visit(offline).page
    page.goto(f"{offline.url}/settings")
    page.get_by_role("radio", name="Dark").check()
    page.get_by_role("radio", name="Русский").check()
    expect(page.get_by_role("heading", name="Общие")).to_be_visible()
    page.reload()
    expect(page.get_by_role("radio", name="Тёмная")).to_be_checked()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("lang", "ru")


def test_a_grant_is_revoked_and_what_it_covered_asks_again(offline: Server, visit: Visiting) -> None:
    covers = [{"action": "exec", "argv": ["make", "tea"]}]
    given = {"scope": "always", "tool": "execute", "covers": covers}
    httpx.post(f"{offline.url}/api/v1/grants", json=given).raise_for_status()
    page = visit(offline).page
    page.goto(f"{offline.url}/settings/permissions")
    page.get_by_role("textbox", name="Command, file or address").fill("make tea")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_test_id("verdict")).to_contain_text("allowed")
    page.get_by_role("button", name="Revoke: exactly `make tea`").click()
    expect(page.get_by_text("Nothing: agents ask each time.")).to_be_visible()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_test_id("verdict")).to_contain_text("asks you first")
    assert httpx.get(f"{offline.url}/api/v1/grants").json() == []


def test_a_server_that_wants_a_key_is_let_know_it(guarded: Server, visit: Visiting) -> None:
    page = visit(guarded).page
    page.goto(guarded.url)
    expect(page.get_by_text("This server wants a key")).to_be_visible()
    page.get_by_role("link", name="Enter a key").click()
    page.get_by_label("Key", exact=True).fill("ada")
    page.get_by_role("button", name="Try it and keep it").click()
    expect(page.get_by_text("The key was not taken: say who you are")).to_be_visible()
    page.get_by_role("combobox", name="Sent as").select_option("bearer")
    page.get_by_role("button", name="Try it and keep it").click()
    expect(page.get_by_text("The server takes your key.")).to_be_visible()
    expect(page.get_by_text("This server wants a key")).to_have_count(0)
    page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_text("This server wants a key")).to_be_visible()


def test_the_tour_goes_by_keyboard_does_a_real_thing_and_is_remembered(
    tmp_path_factory: pytest.TempPathFactory, visit: Visiting
) -> None:
    server = Server(home(tmp_path_factory, "fresh"), "offline")
    server.start()
    try:
        tab = visit(server, fresh=True).open()
        tour = tab.page.get_by_role("dialog", name="Tour")
        tour.get_by_role("button", name="Try it: ask about this folder").press("Enter")
        expect(tab.answer).to_contain_text("README.md")
        for title in ("Who answers", "Where it asks you"):
            tour.get_by_role("button", name="Next").press("Enter")
            expect(tour.get_by_role("heading", name=title)).to_be_visible()
        picker = tab.page.get_by_role("button", name="Agent:").bounding_box()
        tour.get_by_role("button", name="Back").press("Enter")
        expect(tour.get_by_role("heading", name="Who answers")).to_be_visible()
        ring = tab.page.locator(".ring-accent").bounding_box()
        assert picker
        assert ring
        assert ring["width"] == pytest.approx(picker["width"] + 8, abs=1)
        tour.get_by_role("button", name="Next").press("Enter")
        tour.get_by_role("button", name="Try it: a change that asks").press("Enter")
        expect(tab.card).to_contain_text("Hello from Artel")
        tab.press("Reject", inside=tab.card)
        tour.get_by_role("button", name="Next").press("Enter")
        assert tab.broken_rules() == []
        tour.get_by_role("button", name="Done").press("Enter")
        expect(tour).to_have_count(0)
        tab.open()
        expect(tour).to_have_count(0)
        tab.page.goto(f"{server.url}/settings")
        tab.page.get_by_role("link", name="Show it again").click()
        expect(tour).to_be_visible()
        tour.get_by_role("button", name="End the tour").press("Escape")
        expect(tour).to_have_count(0)
    finally:
        server.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_settings_and_graphs_fit_a_phone_in_russian_and_break_no_rule(
    offline: Server, visit: Visiting, scheme: str
) -> None:
    tab = visit(offline, language="ru-RU", width=360, scheme=scheme)
    paths = [*(f"/settings/{section}" for section in SECTIONS), "/graph", "/graph/orchestrator"]
    for path in paths:
        tab.page.goto(offline.url + path, wait_until="networkidle")
        expect(tab.page.get_by_text("Рисую…")).to_have_count(0)
        assert tab.page.evaluate("document.documentElement.scrollWidth") == 360, path
        assert tab.broken_rules() == [], path
