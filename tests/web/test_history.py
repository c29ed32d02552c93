"""The past of a conversation: messages said otherwise, answers given anew, states one goes on from."""

import pytest
from playwright.sync_api import Locator, expect

from .conftest import Server, Visit, Visiting

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

EXPLAIN = "Explain the file README.md"
WHERE = "Where is tick defined?"
PROJECT = "A small project."


def asked(tab: Visit, words: str, told: str) -> None:
    """Say something, and wait for the whole answer."""
    tab.say(words)
    expect(tab.answer).to_contain_text(told)
    expect(again(tab)).to_be_enabled()


def again(tab: Visit) -> Locator:
    return tab.page.get_by_role("button", name="Answer again")


def reworded(tab: Visit) -> Locator:
    return tab.page.get_by_role("textbox", name="Your message")


def way(tab: Visit, n: int, of: int) -> Locator:
    return tab.log.get_by_role("status", name=f"Branch {n} of {of}")


def banner(tab: Visit) -> Locator:
    return tab.page.get_by_role("status", name="An earlier state is on screen")


def moments(tab: Visit) -> Locator:
    """The states in the history, newest first; opens it."""
    if not tab.page.get_by_role("tab", name="History").is_visible():
        tab.press("Beside the conversation")
    tab.page.get_by_role("tab", name="History").click()
    found = tab.page.get_by_role("list", name="States of this conversation").get_by_role("button")
    expect(found.first).to_be_visible()
    return tab.page.locator("button[data-moment]")


def test_a_message_said_otherwise_is_a_branch_and_the_old_one_goes_on(
    offline: Server, visit: Visiting
) -> None:
    tab = visit(offline).open()
    asked(tab, EXPLAIN, PROJECT)
    tab.log.get_by_text(EXPLAIN).hover()
    tab.press("Edit the message")
    reworded(tab).fill(WHERE)
    tab.press("Send", inside=tab.page.get_by_role("group", name="Edit the message"))
    expect(tab.answer).to_contain_text("clock.py")
    expect(way(tab, 2, 2)).to_be_visible()
    expect(tab.log.get_by_text(EXPLAIN)).to_have_count(0)
    assert tab.broken_rules() == []
    tab.press("Earlier branch")
    expect(way(tab, 1, 2)).to_be_visible()
    expect(tab.answer).to_contain_text(PROJECT)
    expect(banner(tab)).to_contain_text("goes on from here")
    asked(tab, "Explain the file clock.py", "def tick")
    expect(banner(tab)).to_have_count(0)
    expect(tab.log.get_by_text(EXPLAIN)).to_be_visible()
    other = visit(offline)
    other.open(tab.page.url.removeprefix(offline.url))
    expect(other.log.get_by_text(EXPLAIN)).to_be_visible()
    other.press("Later branch")
    expect(other.answer).to_contain_text("clock.py")
    expect(other.log.get_by_text(WHERE)).to_be_visible()


def test_an_answer_given_anew_stands_beside_the_old_one_after_a_reload_too(
    offline: Server, visit: Visiting
) -> None:
    tab = visit(offline).open()
    asked(tab, EXPLAIN, PROJECT)
    again(tab).click()
    expect(way(tab, 2, 2)).to_be_visible()
    expect(tab.log.get_by_text(EXPLAIN)).to_have_count(1)
    tab.press("Earlier branch")
    expect(way(tab, 1, 2)).to_be_visible()
    tab.page.reload()
    expect(way(tab, 1, 2)).to_be_visible()
    expect(banner(tab)).to_be_visible()
    tab.press("Back to now")
    expect(way(tab, 2, 2)).to_be_visible()
    expect(banner(tab)).to_have_count(0)


def test_by_keyboard_up_edits_the_last_message_and_esc_leaves_it(offline: Server, visit: Visiting) -> None:
    tab = visit(offline).open()
    asked(tab, EXPLAIN, PROJECT)
    tab.field.focus()
    tab.page.keyboard.press("ArrowUp")
    expect(reworded(tab)).to_be_focused()
    expect(reworded(tab)).to_have_value(EXPLAIN)
    tab.page.keyboard.press("Escape")
    expect(reworded(tab)).to_have_count(0)
    expect(tab.field).to_be_focused()
    tab.page.keyboard.press("ArrowUp")
    reworded(tab).press("ControlOrMeta+a")
    tab.page.keyboard.type(WHERE)
    tab.page.keyboard.press("Enter")
    expect(way(tab, 2, 2)).to_be_visible()
    expect(tab.field).to_be_focused()
    tab.page.get_by_role("button", name="Earlier branch").focus()
    tab.page.keyboard.press("Enter")
    expect(way(tab, 1, 2)).to_be_visible()
    expect(tab.page.get_by_role("button", name="Later branch")).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(way(tab, 2, 2)).to_be_visible()
    expect(tab.log.get_by_text(WHERE)).to_be_visible()


def test_by_keyboard_a_past_state_is_looked_at_compared_and_left_again(
    offline: Server, visit: Visiting
) -> None:
    tab = visit(offline).open()
    asked(tab, EXPLAIN, PROJECT)
    asked(tab, WHERE, "clock.py")
    all_ = moments(tab)
    expect(all_.first).to_contain_text("now")
    all_.first.focus()
    tab.page.keyboard.press("End")
    expect(all_.last).to_be_focused()
    expect(all_.last).to_contain_text(EXPLAIN)
    tab.page.keyboard.press("ArrowUp")
    tab.page.keyboard.press("End")
    tab.page.keyboard.press("Enter")
    expect(banner(tab)).to_contain_text("Past state")
    expect(tab.log.get_by_text(WHERE)).to_have_count(0)
    expect(tab.log).not_to_contain_text(PROJECT)
    expect(tab.field).to_be_hidden()
    expect(again(tab)).to_have_count(0)
    tab.page.get_by_label("Compare with").select_option(index=1)
    compared = tab.page.get_by_test_id("compared")
    expect(compared).to_contain_text("only in the later one")
    expect(compared).to_contain_text(WHERE)
    assert tab.broken_rules() == []
    tab.page.get_by_role("button", name="Back to now").focus()
    tab.page.keyboard.press("Enter")
    expect(tab.log.get_by_text(WHERE)).to_be_visible()
    expect(tab.field).to_be_visible()


def test_a_fork_goes_on_from_a_past_state_with_its_files(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "forked.md"
    target.write_text("# Demo\n")
    tab = visit(offline).open()
    asked(tab, EXPLAIN, PROJECT)
    tab.say("Add a line 'Hello from Artel' to file forked.md")
    tab.press("Approve", inside=tab.card)
    expect(again(tab)).to_be_enabled()
    assert "Hello" in target.read_text()
    moments(tab).filter(has_text=PROJECT).first.click()
    expect(banner(tab)).to_be_visible()
    tab.press("Put the files back")
    expect(tab.page.get_by_text("Put back: forked.md")).to_be_visible()
    assert target.read_text() == "# Demo\n"
    tab.press("Fork here", inside=banner(tab))
    expect(banner(tab)).to_contain_text("Tools run again")
    asked(tab, WHERE, "clock.py")
    expect(tab.log.get_by_text(EXPLAIN)).to_be_visible()
    expect(tab.log).not_to_contain_text("Hello from Artel")
    tab.press("Earlier branch")
    expect(tab.log).to_contain_text("Hello from Artel")


def test_an_edited_state_is_the_one_that_is_gone_on_from(offline: Server, visit: Visiting) -> None:
    tab = visit(offline).open()
    asked(tab, EXPLAIN, PROJECT)
    head = moments(tab).first
    tab.press("Edit state and fork")
    dialog = tab.page.get_by_role("dialog", name="Edit state and fork")
    text = dialog.get_by_role("textbox", name="Last message")
    expect(text).not_to_have_value("Loading…")
    told = text.input_value()
    text.fill(told[:-1])
    expect(dialog.get_by_text("This is not valid JSON")).to_be_visible()
    expect(dialog.get_by_role("button", name="Save and fork")).to_be_disabled()
    text.fill(told.replace(PROJECT, "An edited project."))
    assert tab.broken_rules() == []
    tab.press("Save and fork", inside=dialog)
    expect(dialog).to_have_count(0)
    expect(head).to_contain_text("State edited")
    expect(tab.answer).to_contain_text("An edited project.")
    tab.page.reload()
    expect(tab.answer).to_contain_text("An edited project.")


def test_an_open_question_is_set_aside_and_that_is_said_before(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "aside.md"
    target.write_text("# Demo\n")
    tab = visit(offline).open()
    tab.say("Add a line 'never' to file aside.md")
    expect(tab.card).to_be_visible()
    edit = tab.page.get_by_role("button", name="Edit the message")
    expect(edit).to_be_enabled()
    edit.click()
    expect(tab.page.get_by_text("A question waits for your answer")).to_be_visible()
    reworded(tab).fill(EXPLAIN)
    reworded(tab).press("Enter")
    expect(tab.answer).to_contain_text(PROJECT)
    expect(tab.card).to_have_count(0)
    assert target.read_text() == "# Demo\n"
    tab.press("Earlier branch")
    expect(tab.log.get_by_text("Add a line 'never'")).to_be_visible()
