"""Files beside the conversation: looked at, changed, compared and taken away in a real browser."""

import re
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from playwright.sync_api import Locator, expect

from .conftest import Server, Visit, Visiting

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

THREE = "one\ntwo\nthree\n"


def beside(server: Server, visit: Visiting, *, file: str = "", **look: object) -> Visit:
    """Open a new conversation with the files beside it, and one of them."""
    made = httpx.post(f"{server.url}/threads", json={"metadata": {"workspace": str(server.workspace)}})
    tab: Visit = visit(server, **look)
    tab.page.add_init_script("localStorage.setItem('artel.panel', 'files')")
    tab.open(f"/t/{made.json()['thread_id']}")
    expect(tab.page.get_by_role("tree")).to_be_visible()
    if file:
        row(tab, file).click()
        expect(text(tab)).to_be_visible()
    return tab


def row(tab: Visit, name: str) -> Locator:
    return tab.page.get_by_role("treeitem", name=re.compile(rf"^{re.escape(name)}(,|$)"))


def text(tab: Visit) -> Locator:
    return tab.page.get_by_role("textbox", name=re.compile("^(Text of|Текст файла)"))


def edit(tab: Visit, added: str) -> None:
    """Begin to edit the open file, and write something at its beginning."""
    begin = tab.page.locator("#panel").get_by_role("button", name="Edit", exact=True)
    if begin.count():
        begin.click()
    else:  # it is being edited already
        text(tab).focus()
    expect(text(tab)).to_be_focused()
    tab.page.keyboard.press("Control+Home")
    tab.page.keyboard.type(added)
    expect(tab.page.get_by_text("not saved", exact=True)).to_be_visible()


def test_files_are_browsed_and_opened_by_keyboard_alone(offline: Server, visit: Visiting) -> None:
    (offline.workspace / "keys/inner").mkdir(parents=True, exist_ok=True)
    (offline.workspace / "keys/inner/leaf.txt").write_text("a leaf\n")
    (offline.workspace / ".env").write_text("KEY=1\n")
    tab = beside(offline, visit)
    row(tab, "keys").focus()
    keys = tab.page.keyboard
    for shown in ("inner", "inner", "leaf.txt"):
        keys.press("ArrowRight")
        expect(row(tab, shown)).to_be_visible()
    keys.press("l")
    expect(row(tab, "leaf.txt")).to_be_focused()
    keys.press("Home")
    expect(row(tab, "keys")).to_be_focused()
    keys.type("lea")
    keys.press("Enter")
    expect(text(tab)).to_contain_text("a leaf")
    expect(tab.page.get_by_role("button", name="Back to the files")).to_be_focused()
    keys.press("Enter")
    expect(row(tab, "leaf.txt")).to_be_focused()
    for _ in range(2):
        keys.press("ArrowLeft")
    expect(row(tab, "leaf.txt")).to_have_count(0)
    secret = row(tab, ".env")
    secret.click(force=True)
    expect(secret).to_have_attribute("aria-disabled", "true")
    expect(secret).to_be_visible()
    tab.page.get_by_role("searchbox", name="Filter by name").fill("INNER le")
    expect(row(tab, "leaf.txt")).to_be_visible()
    expect(row(tab, "README.md")).to_have_count(0)


def test_an_edit_is_saved_and_given_back(offline: Server, visit: Visiting) -> None:
    file = offline.workspace / "edit.txt"
    file.write_text(THREE)
    tab = beside(offline, visit, file="edit.txt")
    edit(tab, "zero\n")
    tab.page.keyboard.press("Control+s")
    expect(tab.page.get_by_text("Saved.")).to_be_visible()
    assert file.read_text() == f"zero\n{THREE}"
    tab.press("Changes")
    expect(tab.page.get_by_text("1 change", exact=True)).to_be_visible()
    expect(tab.page.locator(".cm-changedLine, .cm-insertedLine").first).to_contain_text("zero")
    tab.press("Give back this state")
    expect(tab.page.get_by_text("Given back.")).to_be_visible()
    assert file.read_text() == THREE


def test_what_somebody_else_wrote_is_shown_before_anything_is_lost(offline: Server, visit: Visiting) -> None:
    file = offline.workspace / "clash.txt"
    file.write_text(THREE)
    tab = beside(offline, visit, file="clash.txt")
    edit(tab, "mine\n")
    file.write_text(f"theirs\n{THREE}")
    tab.press("Save", inside=tab.page.locator("#panel"))
    clash = tab.page.get_by_role("alert").filter(has_text="Somebody else")
    expect(clash).to_be_visible()
    assert file.read_text() == f"theirs\n{THREE}"
    tab.press("Compare")
    expect(tab.page.locator(".cm-deletedChunk")).to_contain_text("theirs")
    tab.press("Overwrite with mine")
    expect(tab.page.get_by_text("Saved.")).to_be_visible()
    assert file.read_text() == f"mine\n{THREE}"
    edit(tab, "again\n")
    file.write_text("theirs again\n")
    tab.page.keyboard.press("Control+s")
    tab.press("Take theirs")
    expect(text(tab)).to_contain_text("theirs again")
    expect(clash).to_have_count(0)
    assert file.read_text() == "theirs again\n"


def test_what_is_not_saved_is_kept_and_asked_about(offline: Server, visit: Visiting) -> None:
    file = offline.workspace / "draft.txt"
    file.write_text(THREE)
    tab = beside(offline, visit, file="draft.txt")
    edit(tab, "draft\n")
    tab.page.get_by_role("tab", name="Plan").click()
    expect(text(tab)).to_have_count(0)
    tab.page.get_by_role("tab", name="Files").click()
    expect(text(tab)).to_contain_text("draft")
    tab.press("Back to the files")
    tab.press("Keep editing")
    expect(text(tab)).to_contain_text("draft")
    tab.press("Back to the files")
    tab.press("Discard")
    row(tab, "draft.txt").click()
    expect(text(tab)).to_contain_text("one")
    expect(text(tab)).not_to_contain_text("draft")
    assert file.read_text() == THREE


def test_an_agents_change_is_marked_and_compared_as_it_happens(offline: Server, visit: Visiting) -> None:
    (offline.workspace / "agent.md").write_text("# Agent\n")
    tab = beside(offline, visit)
    tab.say("Add a line 'Hello from Artel' to file agent.md")
    tab.press("Approve", inside=tab.card)
    tab.until("idle")
    changed = tab.page.get_by_role("treeitem", name="agent.md, changed")
    expect(changed).to_be_visible()
    tab.page.get_by_role("switch", name=re.compile("^Changed only")).check()
    expect(tab.page.get_by_role("treeitem")).to_have_count(1)
    changed.click()
    tab.press("Changes")
    expect(tab.page.locator(".cm-changedLine, .cm-insertedLine").first).to_contain_text("Hello from Artel")
    base = tab.page.get_by_role("combobox", name="Compare with")
    expect(base.get_by_role("option", name=re.compile("^before edit_file"))).to_have_count(1)
    tab.press("Show it large")
    expect(tab.page.locator(".cm-merge-a")).to_contain_text("# Agent")
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator(".cm-merge-a")).to_have_count(0)


def test_a_file_a_folder_and_the_patch_are_downloaded(offline: Server, visit: Visiting) -> None:
    (offline.workspace / "take").mkdir(exist_ok=True)
    (offline.workspace / "take/away.txt").write_text(THREE)
    tab = beside(offline, visit)
    row(tab, "take").click()
    row(tab, "away.txt").click()
    expect(text(tab)).to_be_visible()
    with tab.page.expect_download() as one:
        tab.page.get_by_role("link", name="Download").click()
    assert (one.value.suggested_filename, Path(one.value.path()).read_text()) == ("away.txt", THREE)
    edit(tab, "zero\n")
    tab.page.keyboard.press("Control+s")
    expect(tab.page.get_by_text("Saved.")).to_be_visible()
    tab.press("Back to the files")
    expect(row(tab, "away.txt")).to_be_focused()
    tab.press("Download files")
    with tab.page.expect_download() as folder:
        tab.page.get_by_role("menuitem", name="The folder take as a zip").click()
    with ZipFile(BytesIO(Path(folder.value.path()).read_bytes())) as archive:
        assert archive.namelist() == ["away.txt"]
    tab.press("Download files")
    with tab.page.expect_download() as patch:
        tab.page.get_by_role("menuitem", name="All changes as a patch").click()
    assert "+zero" in Path(patch.value.path()).read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_files_fit_a_phone_and_break_no_rule(offline: Server, visit: Visiting, scheme: str) -> None:
    (offline.workspace / "phone.py").write_text(f'"""A module."""\n\nLONG = "{"x" * 300}"  # a comment\n')
    tab = beside(offline, visit, width=360, scheme=scheme, language="ru-RU")
    assert tab.broken_rules() == []
    row(tab, "phone.py").click()
    expect(text(tab)).to_contain_text("A module")
    tab.press("Изменить", inside=tab.page.locator("#panel"))
    tab.page.keyboard.type("# ")
    tab.press("Сохранить")
    expect(tab.page.get_by_text("Сохранено.")).to_be_visible()
    tab.press("Изменения")
    expect(tab.page.get_by_text("1 изменение", exact=True)).to_be_visible()
    assert tab.broken_rules() == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
