"""The page while its server is away: it opens, shows what was kept, and goes on by itself."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import IN_CHARGE, Server, Visit, Visiting, home

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

KEPT = """() => new Promise((done) => {
  const opened = indexedDB.open("artel")
  opened.onsuccess = () => {
    const asked = opened.result.transaction("kept").objectStore("kept").getAllKeys()
    asked.onsuccess = () => { opened.result.close(); done(asked.result) }
  }
})"""


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that a test may stop."""
    server = Server(home(tmp_path_factory, "away"), "offline")
    server.start()
    yield server
    server.stop()


def talked(tab: Visit) -> str:
    """Talk once with the page in charge of itself, and return the thread."""
    tab.open()
    tab.page.wait_for_function(IN_CHARGE)
    tab.say("Where is tick defined?")
    expect(tab.answer).to_contain_text("clock.py")
    tab.settled()
    return tab.page.url.rsplit("/", 1)[-1]


def kept(tab: Visit) -> list[str]:
    """Return the names of what this browser keeps."""
    return list(tab.page.evaluate(KEPT))


def test_a_conversation_is_read_without_a_server_and_goes_on_when_it_is_back(
    server: Server, visit: Visiting
) -> None:
    tab = visit(server)
    talked(tab)
    server.stop(hard=True)
    tab.page.reload()
    expect(tab.answer).to_contain_text("clock.py")
    expect(
        tab.page.get_by_text("No connection to the server. This is the conversation as it was at")
    ).to_be_visible()
    expect(
        tab.page.get_by_role("navigation", name="Conversations").get_by_text("Where is tick defined?")
    ).to_be_visible()
    assert tab.broken_rules() == []
    tab.say("And what does it return?")
    expect(tab.field).to_have_value("And what does it return?")
    server.start()
    expect(tab.page.get_by_text("No connection to the server. This is")).to_have_count(0)
    tab.field.press("Enter")
    tab.settled()
    expect(tab.log).to_contain_text("And what does it return?")


def test_another_page_opens_without_a_server(server: Server, visit: Visiting) -> None:
    tab = visit(server)
    talked(tab)
    server.stop(hard=True)
    tab.page.goto(f"{server.url}/")
    expect(tab.field).to_be_visible()
    expect(
        tab.page.get_by_role("navigation", name="Conversations").get_by_text("Where is tick defined?")
    ).to_be_visible()


def test_a_deleted_conversation_is_not_kept(server: Server, visit: Visiting) -> None:
    tab = visit(server)
    thread = talked(tab)
    expect.set_options(timeout=5_000)
    assert f"thread:{thread}" in kept(tab)
    row = tab.page.get_by_role("listitem").filter(has_text="Where is tick defined?")
    row.get_by_role("button", name="More for").click()
    tab.page.get_by_role("menuitem", name="Delete").click()
    tab.press("Delete", inside=tab.page.get_by_role("dialog"))
    expect(row).to_have_count(0)
    assert f"thread:{thread}" not in kept(tab)


def test_all_that_is_kept_is_forgotten_from_the_settings(server: Server, visit: Visiting) -> None:
    tab = visit(server)
    thread = talked(tab)
    tab.page.goto(f"{server.url}/settings/general")
    assert f"thread:{thread}" in kept(tab)
    tab.press("Forget what this browser keeps")
    expect(tab.page.get_by_text("It is forgotten.")).to_be_visible()
    assert not [name for name in kept(tab) if name.startswith("thread:")]
    assert tab.page.evaluate("caches.keys()") == []
