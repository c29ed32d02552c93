"""Finding conversations, choosing who works and where, attaching files, and doing it all by keys."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import FilePayload, Route, expect

from .conftest import Server, Visiting, home

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

SCRIPT = {
    "per_turn": True,
    "replies": [
        {"match": "read_file reads them", "text": "I see what you attached."},
        *({"text": "All right."} for _ in range(5)),
    ],
}
TABLE: FilePayload = {"name": "../my table.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
NOTES: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"}
MANY = 130  # more than are fetched at once


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that answers at once, with many old conversations."""
    folder = home(tmp_path_factory, "composer")
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT))
    server = Server(folder, f"scripted:{script}")
    try:
        server.start()
        with httpx.Client(base_url=server.url, timeout=60) as http:
            for number in range(MANY):
                body: dict[str, object] = {"metadata": {"title": f"Old talk {number:03}.", "graph_id": "ask"}}
                http.post("/threads", json=body).raise_for_status()
            body = {"graph_id": "ask", "name": "Careful", "description": "Asks twice"}
            http.post("/assistants", json=body).raise_for_status()
        yield server
    finally:
        server.stop()


def test_files_come_before_the_first_words_and_are_shown_with_them(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("ask")
    tab.page.get_by_test_id("chooser").set_input_files([TABLE, NOTES])
    tab.page.get_by_role("button", name="Take notes.txt away").click()
    tab.say("look at this")
    expect(tab.answer).to_contain_text("I see what you attached.")
    tab.until("idle")
    for _ in range(2):
        shown = tab.log.get_by_role("list", name="Attached files")
        expect(shown.get_by_role("listitem")).to_have_count(1)
        expect(shown).to_contain_text("my-table.csv")
        expect(tab.log).not_to_contain_text("read_file reads them")
        tab.page.reload()
    (kept,) = (scripted.workspace / ".attachments").glob("*/*")
    assert (kept.name, kept.read_bytes()) == ("my-table.csv", TABLE["buffer"])
    assert tab.broken_rules() == []


def test_a_file_that_does_not_arrive_says_why_and_is_tried_again(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("ask")
    tab.say("begin")
    tab.until("idle")

    def refuse(route: Route) -> None:
        route.fulfill(status=409, json={"detail": "no room on the disk"})

    tab.page.route("**/attachments?*", refuse)
    tab.page.get_by_test_id("chooser").set_input_files([NOTES])
    expect(tab.page.get_by_role("alert")).to_contain_text("no room on the disk")
    tab.field.fill("look")
    expect(tab.page.get_by_role("button", name="Send")).to_be_disabled()
    tab.page.unroute("**/attachments?*")
    tab.press("Try again: notes.txt")
    expect(tab.page.get_by_role("alert")).to_have_count(0)
    tab.page.reload()
    expect(tab.field).to_have_value("look")
    expect(tab.page.get_by_role("list", name="Attached files")).to_contain_text("notes.txt")
    tab.field.press("Enter")
    expect(tab.answer).to_contain_text("I see what you attached.")


def test_a_long_paste_becomes_a_file_and_nothing_is_cut(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    paste = """(text) => {
      const data = new DataTransfer()
      data.setData("text/plain", text)
      const pasted = new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
      document.activeElement.dispatchEvent(pasted)
      document.execCommand("insertText", false, text)
    }"""
    tab.field.fill("Read: ")
    tab.field.press("End")
    tab.page.evaluate(paste, "x" * 100_001)
    expect(tab.page.get_by_text("7 characters too long: at most 100,000 can be sent")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Send")).to_be_disabled()
    assert len(tab.field.input_value()) == 100_007
    tab.press("Attach it as a file")
    expect(tab.field).to_have_value("Read: ")
    expect(tab.page.get_by_role("list", name="Attached files")).to_contain_text("pasted.txt")
    expect(tab.page.get_by_role("button", name="Send")).to_be_enabled()


def test_an_assistant_of_yours_answers_in_place_of_its_graph(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    button = tab.page.get_by_role("button", name="Agent:")
    button.press("Enter")
    expect(tab.page.get_by_role("group", name="Your assistants")).to_contain_text("Asks twice")
    assert tab.broken_rules() == []
    tab.page.keyboard.type("careful")
    expect(tab.page.get_by_role("option")).to_have_count(1)
    tab.page.keyboard.press("Enter")
    expect(button).to_be_focused()
    tab.say("hello")
    tab.until("idle")
    tab.page.reload()
    expect(button).to_have_accessible_name("Agent: Careful")
    button.click()
    tab.page.get_by_role("link", name="See how Careful works").click()
    expect(tab.page).to_have_url(re.compile("/graph/"))


def test_a_folder_that_no_agent_may_use_is_refused_where_it_is_chosen(
    scripted: Server, visit: Visiting
) -> None:
    (scripted.workspace / "inner").mkdir(exist_ok=True)
    tab = visit(scripted).open()
    button = tab.page.get_by_role("button", name="Folder:")
    button.click()
    field = tab.page.get_by_role("combobox")
    field.fill("/etc")
    field.press("Enter")
    expect(tab.page.get_by_role("alert")).to_contain_text("/etc is not below an allowed workspace root")
    field.fill(str(scripted.workspace / "inner"))
    field.press("Enter")
    expect(field).to_have_count(0)
    expect(button).to_have_accessible_name("Folder: …/workspace/inner")
    tab.page.reload()
    button.click()
    expect(tab.page.get_by_role("option").filter(has_text="inner")).to_have_count(1)


def test_conversations_are_kept_by_keys_alone(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    side = tab.page.get_by_role("navigation", name="Conversations")
    expect(side.get_by_role("listitem").first).to_be_visible()
    side.get_by_role("searchbox").fill("talk 000")  # the oldest, beyond what is fetched at first
    found = side.get_by_role("button", name="Old talk 000.", exact=False).first
    expect(side.get_by_role("status")).to_have_text("1 conversation found")
    side.get_by_role("searchbox").press("ArrowDown")
    expect(found).to_be_focused()
    tab.page.keyboard.press("F2")
    tab.page.keyboard.type("A new name")
    tab.page.keyboard.press("Enter")
    side.get_by_role("searchbox").fill("new name")
    side.get_by_role("searchbox").press("ArrowDown")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("menuitem", name="Pin").press("Enter")
    expect(side.get_by_role("region", name="Pinned").get_by_role("listitem")).to_have_count(1)
    expect(side.get_by_role("button", name="A new name", exact=False).first).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("A new name")
    side.get_by_role("button", name="A new name", exact=False).first.press("Delete")
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete").press("Enter")
    expect(side.get_by_text("Nothing found.")).to_be_visible()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("New conversation")


def test_a_list_outlives_the_server_and_is_drawn_in_parts(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    side = tab.page.get_by_role("navigation", name="Conversations")
    rows = side.get_by_role("listitem")
    expect(rows).to_have_count(100)
    side.get_by_role("button", name="Show more").scroll_into_view_if_needed()
    expect(rows.nth(125)).to_be_attached()
    tab.page.route("**/threads/search", lambda route: route.abort())
    expect(side.get_by_role("status")).to_contain_text("No connection: as of")
    expect(side.get_by_role("alert")).to_have_count(0)
    expect(rows.nth(125)).to_be_attached()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_found_and_done_by_a_few_letters(
    scripted: Server, visit: Visiting, scheme: str
) -> None:
    tab = visit(scripted, scheme=scheme).open()
    tab.field.fill("a draft")
    tab.page.keyboard.press("Control+k")
    sought = tab.page.get_by_role("combobox")
    expect(sought).to_be_focused()
    assert tab.broken_rules() == []
    sought.fill("colours dark")
    sought.press("Enter")
    expect(tab.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(tab.field).to_be_focused()
    tab.page.keyboard.press("Control+k")
    sought.fill("old talk 129")
    sought.press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Old talk 129.")
    tab.log.focus()
    tab.page.keyboard.press("?")
    keys = tab.page.get_by_role("dialog", name="Keys")
    expect(keys.get_by_text("Ctrl+Shift+O")).to_be_visible()
    assert tab.broken_rules() == []
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("Control+Shift+o")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("New conversation")
    expect(tab.field).to_have_value("a draft")
