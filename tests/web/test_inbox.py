"""What waits for a person: answered from one list, told of in time; and the plan and decisions beside it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, expect
from tests.fakes.driver import call, calls
from tests.fakes.plans import SUMS_UP, on, plan, step, submits

from .conftest import Server, Visit, Visiting, home

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

NOTE, LOOK = "Write down the decision", "Look at what was done"
BRIEF = "\n\nThis is one step of a plan"
WRITES = call("write_file", file_path="docs/note.md", content="# Discounts\n")
FORMAT = {"id": "format", "question": "Which format?", "options": ["CSV", "JSON"]}
SCRIPT = [
    on("You decide who works", {"text": "unclear"}),
    plan(
        step("note", NOTE, paths=["docs/**"], acceptance="It says why"),
        step("look", LOOK, agent="reviewer", depends_on=["note"]),
        goal="The shop has discounts",
    ),
    on(SUMS_UP, {"text": "Discounts are written down."}),
    on(NOTE + BRIEF, calls(WRITES)),
    on("Created docs/note.md", submits("The note is there")),
    on(LOOK + BRIEF, submits("Nothing to add")),
    on("report", calls(call("question", questions=[FORMAT]))),
    on("CSV", {"text": "CSV it is."}),
]
NOTED = """
window.noted = []
window.Notification = class {
  static permission = "default"
  static requestPermission = async () => (window.Notification.permission = window.answer ?? "granted")
  constructor(title, options) { window.noted.push({ title, options, shown: this }) }
  close() {}
}
"""
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true })
  document.dispatchEvent(new Event("visibilitychange"))
}"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose model plans two steps, and asks for a format."""
    folder = home(tmp_path_factory, "planned")
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT))
    server = Server(folder, f"scripted:{script}")
    server.start()
    yield server
    server.stop()


def ask(server: Server, title: str, words: str, agent: str = "coder") -> str:
    """Let an agent work until it asks or ends; its thread."""
    with httpx.Client(base_url=server.url, timeout=30) as wire:
        thread = wire.post("/threads", json={"metadata": {"title": title}}).json()["thread_id"]
        order = {
            "assistant_id": agent,
            "input": {"messages": [{"role": "user", "content": words}]},
            "context": {"workspace": str(server.workspace)},
        }
        wire.post(f"/threads/{thread}/runs/wait", json=order).raise_for_status()
    return str(thread)


def add_a_line(server: Server, name: str) -> str:
    (server.workspace / name).write_text("one\n")
    return ask(server, name, f"Add a line 'two' to file {name}")


def inbox(tab: Visit) -> Visit:
    tab.page.goto(tab.home + "/inbox")
    expect(tab.page.get_by_role("switch", name=re.compile("Tell me|Сообщать"))).to_be_visible()
    return tab


def asked(tab: Visit, title: str) -> Locator:
    """Return what a conversation asks."""
    return tab.page.get_by_role("group", name=title, exact=True).get_by_test_id("waiting")


def test_what_waits_is_answered_from_the_list_and_gone_in_another_tab(
    offline: Server, visit: Visiting
) -> None:
    add_a_line(offline, "listed.md")
    tab, other = inbox(visit(offline)), inbox(visit(offline))
    row = asked(tab, "listed.md")
    expect(row).to_contain_text("edit_file")
    expect(row).to_contain_text("left")
    expect(tab.page).to_have_title(re.compile(r"^\(1\) Inbox"))
    row.get_by_role("button").click()
    expect(tab.card).to_contain_text("two")
    expect(asked(other, "listed.md")).to_have_count(1)
    tab.press("Approve", inside=tab.card)
    expect(tab.page.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(tab.page.get_by_text("Still waiting: 0.")).to_be_visible()
    expect(asked(other, "listed.md")).to_have_count(0)
    expect(tab.page).to_have_title("Inbox · Artel")
    assert _until(offline, "listed.md") == "one\ntwo\n"


def test_the_list_is_walked_unfolded_and_answered_by_keys_alone(offline: Server, visit: Visiting) -> None:
    add_a_line(offline, "second.md")
    add_a_line(offline, "first.md")
    tab = inbox(visit(offline))
    keys = tab.page.keyboard
    expect(asked(tab, "first.md")).to_have_count(1)
    keys.press("j")
    keys.press("j")
    expect(asked(tab, "second.md").get_by_role("button")).to_be_focused()
    keys.press("k")
    expect(asked(tab, "first.md").get_by_role("button")).to_be_focused()
    keys.press("a")
    keys.press("Enter")
    expect(tab.card).to_be_visible()
    keys.press("a")
    assert (offline.workspace / "first.md").read_text() == "one\n"
    keys.press("Tab")
    expect(tab.card).to_be_focused()
    keys.press("a")
    expect(asked(tab, "first.md")).to_have_count(0)
    expect(asked(tab, "second.md").get_by_role("button")).to_be_focused()
    assert _until(offline, "first.md") == "one\ntwo\n"
    keys.press("Enter")
    expect(tab.card).to_be_visible()
    _answer_all(offline)
    expect(tab.page.get_by_text("This was answered elsewhere, or is no longer asked.")).to_be_visible()
    tab.press("Remove from the list")
    expect(tab.page.get_by_text("Nothing waits for you.")).to_be_visible()


def test_a_question_of_a_foreign_graph_is_answered_from_the_list(foreign: Server, visit: Visiting) -> None:
    marks = foreign.home / "inbox-marks"
    with httpx.Client(base_url=foreign.url) as wire:
        thread = wire.post("/threads", json={"metadata": {"title": "Gated"}}).json()["thread_id"]
        order = {"assistant_id": "gate", "input": {"marks": str(marks)}}
        wire.post(f"/threads/{thread}/runs/wait", json=order, timeout=20)
        tab = inbox(visit(foreign))
        row = asked(tab, "Gated")
        expect(row).to_contain_text("Shall I?")
        row.get_by_role("button").click()
        tab.card.get_by_label("Answer").fill("as you like")
        tab.press("Answer", inside=tab.card)
        expect(row).to_have_count(0)
        (run, *_) = wire.get(f"/threads/{thread}/runs").json()
        wire.get(f"/threads/{thread}/runs/{run['run_id']}/join", timeout=20)
    assert marks.read_text() == "as you like\n"


def test_a_plan_is_drawn_as_it_goes(planned: Server, visit: Visiting) -> None:
    tab = visit(planned).open()
    tab.say("Make a plan and do it: note, look")
    tab.press("Approve", inside=tab.card)
    tab.page.get_by_role("button", name="Beside the conversation").click()
    steps = tab.page.get_by_role("region", name="Beside the conversation").get_by_test_id("step")
    expect(tab.card).to_contain_text("docs/note.md")
    expect(steps.nth(0)).to_have_attribute("data-status", "in_progress")
    expect(steps.nth(1)).to_have_attribute("data-status", "pending")
    expect(steps.nth(1)).to_contain_text("after 1")
    strip = tab.page.get_by_test_id("todos")
    expect(strip).to_contain_text("0 of 2")
    expect(strip).to_contain_text(NOTE)
    tab.page.reload()
    expect(steps.nth(0)).to_have_attribute("data-status", "in_progress")
    tab.press("Approve", inside=tab.card)
    expect(steps.nth(1)).to_have_attribute("data-status", "completed")
    tab.until("idle")
    expect(tab.page.get_by_text(f"{LOOK}: completed")).to_have_count(1)
    steps.nth(0).locator("summary").click()
    expect(steps.nth(0)).to_contain_text("The note is there")
    expect(steps.nth(0)).to_contain_text("docs/note.md +1 −0")
    expect(strip).to_have_count(0)


def test_a_decision_is_changed_and_taken_back(planned: Server, visit: Visiting) -> None:
    thread = ask(planned, "Formats", "make the report")
    _answer_all(planned, {"type": "respond", "answers": {"format": ["CSV"]}})
    tab = visit(planned).open(f"/t/{thread}")
    tab.until("idle")
    tab.page.get_by_role("button", name="Beside the conversation").click()
    beside = tab.page.get_by_role("region", name="Beside the conversation")
    decision = beside.get_by_test_id("decision")
    expect(decision).to_contain_text("CSV")
    tab.press("Edit: Which format?", inside=decision)
    decision.get_by_role("radio", name="JSON").check()
    tab.press("Save", inside=decision)
    expect(decision).to_contain_text("changed by local")
    expect(decision.get_by_role("button", name="Edit: Which format?")).to_be_focused()
    assert [one["answer"] for one in _decisions(planned, thread)] == [["JSON"]]
    tab.press("Take back: Which format?", inside=decision)
    tab.press("Take back", inside=tab.page.get_by_role("dialog"))
    expect(decision).to_have_attribute("data-status", "revoked")
    assert [one["status"] for one in _decisions(planned, thread)] == ["revoked"]


def test_the_browser_tells_what_waits_once_it_is_asked_to(offline: Server, visit: Visiting) -> None:
    tab = visit(offline)
    tab.page.add_init_script(NOTED)
    inbox(tab)
    switch = tab.page.get_by_role("switch", name="Tell me when something waits")
    expect(switch).not_to_be_checked()
    tab.page.evaluate("window.answer = 'denied'")
    switch.click()
    expect(tab.page.get_by_text("The browser blocks notifications of this page.")).to_be_visible()
    tab.page.reload()
    switch.click()
    expect(switch).to_be_checked()
    tab.page.evaluate(HIDE, True)
    thread = add_a_line(offline, "told.md")
    tab.page.wait_for_function("() => window.noted.length === 1")
    told: Any = tab.page.evaluate("[window.noted[0].title, window.noted[0].options.body]")
    assert told == ["told.md", "coder asks you told.md"]
    tab.page.evaluate(HIDE, False)
    tab.page.evaluate("window.noted[0].shown.onclick()")
    expect(tab.page).to_have_url(f"{offline.url}/t/{thread}")
    expect(tab.card).to_be_visible()
    _answer_all(offline)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_inbox_and_plan_fit_a_phone_and_break_no_rule_in_russian(
    planned: Server, visit: Visiting, scheme: str
) -> None:
    thread = ask(planned, "Скидки", "Make a plan and do it: note, look", "orchestrator")
    tab = inbox(visit(planned, language="ru-RU", width=360, scheme=scheme))
    row = asked(tab, "Скидки")
    expect(row).to_contain_text("План")
    row.get_by_role("button").click()
    expect(tab.card).to_be_visible()
    assert tab.broken_rules() == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    tab.open(f"/t/{thread}")
    tab.page.get_by_role("button", name="Рядом с диалогом").click()
    panel = tab.page.get_by_role("region", name="Рядом с диалогом")
    expect(panel.get_by_test_id("step")).to_have_count(2)
    expect(panel.get_by_text("ждёт вашего слова")).to_be_visible()
    expect(panel.get_by_text("Здесь хранятся ваши ответы")).to_be_visible()
    assert tab.broken_rules() == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    _answer_all(planned, {"type": "reject"})


def _until(server: Server, name: str) -> str:
    """Return what a file holds once nothing runs."""
    with httpx.Client(base_url=server.url, timeout=30) as wire:
        for thread in wire.post("/threads/search", json={"status": "busy"}).json():
            for run in wire.get(f"/threads/{thread['thread_id']}/runs").json():
                wire.get(f"/threads/{thread['thread_id']}/runs/{run['run_id']}/join")
    return (server.workspace / name).read_text()


def _answer_all(server: Server, decision: Any = None) -> None:
    """Answer what waits, and wait for what follows."""
    with httpx.Client(base_url=server.url, timeout=30) as wire:
        for one in wire.get("/api/v1/approvals?status=pending").json():
            body = {"decision": decision or {"type": "approve"}}
            run = wire.post(f"/api/v1/approvals/{one['approval_id']}", json=body).json()
            wire.get(f"/threads/{run['thread_id']}/runs/{run['run_id']}/join")


def _decisions(server: Server, thread: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{server.url}/api/v1/threads/{thread}/decisions").json()
    return found
