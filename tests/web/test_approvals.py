"""How a person answers what agents ask, in every form that graphs ask in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Route, expect

from .conftest import Server, Visit, Visiting, home

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

SERVED = Path(__file__).parent / "served/langgraph.json"
LINES = 50_000  # of each side of a change
DECISIONS = ("approve", "edit", "reject", "respond")
BATCH = {
    "action_requests": [
        {"name": "send", "args": {"to": "ann", "count": 2}, "description": "Send to Ann"},
        {"name": "send", "args": {"to": "bob"}, "description": "Send to Bob"},
        {"name": "drop", "args": {"table": "users"}, "description": "Drop users"},
    ],
    "review_configs": [
        {"action_name": "send", "allowed_decisions": ["approve", "edit", "snooze"]},
        {"action_name": "drop", "allowed_decisions": ["reject"]},
    ],
}
INBOX = [
    {
        "action_request": {"action": "mail", "args": {"to": name}},
        "config": {"allow_accept": name == "eve", "allow_ignore": True, "allow_edit": False},
        "description": f"Mail {name}",
    }
    for name in ("eve", "dan")
]
TRIP = {
    "type": "object",
    "required": ["to", "nights"],
    "properties": {
        "to": {"type": "string"},
        "nights": {"type": "integer", "minimum": 1},
        "sea": {"type": "boolean"},
    },
}
QUESTIONS = {
    "type": "question",
    "questions": [
        {
            "id": "db",
            "question": "Which database?",
            "options": ["A", "B"],
            "multiple": False,
            "required": True,
        },
        {"id": "more", "question": "What else?", "options": ["X", "Y"], "multiple": False, "required": False},
        {"id": "name", "question": "Which name?", "options": [], "multiple": False, "required": True},
    ],
    "artel": {"kind": "question", "agent": "architect"},
}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server of a graph that asks whatever it is told to ask."""
    server = Server(home(tmp_path_factory, "asking"), "offline", SERVED)
    server.start()
    yield server
    server.stop()


def call(name: str, **more: Any) -> dict[str, Any]:
    """Return a question about one call."""
    return {
        "type": "tool_approval",
        "tool_call_id": f"call-{name}",
        "name": name,
        "args": {"n": 1},
        "description": f"Call {name}",
        **more,
    }


def asked(server: Server, *asks: Any, schema: dict[str, Any] | None = None) -> str:
    """Start a thread that asks all of these at once; the last answer has this schema."""
    with httpx.Client(base_url=server.url, timeout=30) as wire:
        thread: str = wire.post("/threads", json={}).json()["thread_id"]
        told = [{"value": value, "schema": schema if value is asks[-1] else None} for value in asks]
        order = {"assistant_id": "asking", "input": {"asks": told}}
        assert wire.post(f"/threads/{thread}/runs/wait", json=order).status_code == 200
    return thread


def answers(server: Server, thread: str) -> list[Any]:
    """Return what the graph was answered, in the order of its questions."""
    state = httpx.get(f"{server.url}/threads/{thread}/state").json()
    return [one["answer"] for one in sorted(state["values"]["answers"], key=lambda one: one["place"])]


def shown(tab: Visit) -> Locator:
    """Return the card that can be seen."""
    return tab.page.locator('[data-testid="approval"]:not([hidden])')


def test_several_actions_are_decided_one_by_one_and_sent_as_one(asking: Server, visit: Visiting) -> None:
    thread = asked(asking, BATCH)
    tab = visit(asking).open(f"/t/{thread}")
    card = shown(tab)
    expect(card).to_contain_text("1 of 3")
    expect(card).to_contain_text("not known to this page: snooze")
    expect(card.get_by_role("button", name="Reject")).to_have_count(0)
    expect(card.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    tab.press("Edit", inside=card)
    card.get_by_label("count").fill("3")
    tab.press("Send the change", inside=card)
    expect(card).to_contain_text("Send to Bob")
    expect(card).to_contain_text("1 of 3 decided")
    tab.press("Approve", inside=card)
    expect(card).to_contain_text("Drop users")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    tab.press("Reject", inside=card)
    card.get_by_label("Why not? (optional)").fill("keep them")
    tab.press("Reject", inside=card)
    expect(card).to_contain_text("3 of 3 decided")
    assert asked_still(asking, thread)
    tab.press("Send", inside=card)
    tab.until("idle")
    edited = {"type": "edit", "edited_action": {"name": "send", "args": {"to": "ann", "count": 3}}}
    decisions = [edited, {"type": "approve"}, {"type": "reject", "message": "keep them"}]
    assert answers(asking, thread) == [{"decisions": decisions}]
    kinds = tab.page.get_by_test_id("verdict")
    tab.page.reload()
    expect(kinds).to_have_count(3)
    expect(tab.log).to_contain_text("Rejected by you: keep them")


def asked_still(server: Server, thread: str) -> bool:
    """Whether nothing was answered yet."""
    return bool(httpx.get(f"{server.url}/threads/{thread}/state").json()["next"])


def test_open_questions_of_other_forms_are_answered_each_by_its_own(asking: Server, visit: Visiting) -> None:
    thread = asked(asking, INBOX, "Shall I?", {"question": "Where to?"}, schema=TRIP)
    tab = visit(asking).open(f"/t/{thread}")
    card = shown(tab)
    expect(card).to_contain_text("1 of 4")
    for _ in range(4):
        if card.get_by_role("heading", name="Where to?").count():
            tab.press("Send", inside=card)
            expect(card).to_contain_text("2 fields need another look")
            card.get_by_label("to", exact=True).fill("Rome")
            card.get_by_label("nights").fill("two")
            expect(card).to_contain_text("This is not a number.")
            card.get_by_label("nights").fill("2")
            card.get_by_label("sea").check()
            tab.press("Send", inside=card)
            expect(card.get_by_role("heading", name="Where to?")).to_have_count(0)
        elif card.get_by_role("heading", name="Shall I?").count():
            card.get_by_label("Answer").fill("as you like")
            tab.press("Answer", inside=card)
            expect(card.get_by_role("heading", name="Shall I?")).to_have_count(0)
        elif card.get_by_role("heading", name="Mail eve").count():
            tab.press("Approve", inside=card)
            expect(card).to_contain_text("Mail dan")
        else:
            tab.press("Reject", inside=card)
            tab.press("Reject", inside=card)
            tab.press("Send", inside=card)
            expect(card.get_by_role("heading", name="Mail dan")).to_have_count(0)
    tab.until("idle")
    inbox = [{"type": "accept", "args": None}, {"type": "ignore", "args": None}]
    assert answers(asking, thread) == [inbox, "as you like", {"to": "Rome", "nights": 2, "sea": True}]


def test_two_calls_are_answered_without_a_mouse(asking: Server, visit: Visiting) -> None:
    thread = asked(asking, call("first"), call("second"))
    tab = visit(asking).open(f"/t/{thread}")
    card = shown(tab)
    expect(card).to_contain_text("Call first")
    tab.page.keyboard.press("a")
    tab.page.keyboard.press("Alt+a")
    expect(card).to_be_focused()
    tab.page.keyboard.press("ArrowRight")
    expect(card).to_contain_text("Call second")
    expect(card).to_be_focused()
    tab.page.keyboard.press("r")
    tab.page.keyboard.type("not this")
    tab.page.keyboard.press("Enter")
    expect(card).to_contain_text("Call first")
    expect(card).to_be_focused()
    tab.page.keyboard.press("e")
    card.get_by_label("n", exact=True).fill("7")
    tab.page.keyboard.press("Enter")
    tab.until("idle")
    expect(tab.field).to_be_focused()
    edited = {"type": "edit", "edited_action": {"name": "first", "args": {"n": 7}}}
    assert answers(asking, thread) == [edited, {"type": "reject", "message": "not this"}]


def test_all_are_approved_at_once_and_what_failed_stays(asking: Server, visit: Visiting) -> None:
    thread = asked(asking, call("first"), call("second"))
    tab = visit(asking).open(f"/t/{thread}")
    rows = httpx.get(f"{asking.url}/api/v1/approvals", params={"thread_id": thread}).json()
    second = next(row["approval_id"] for row in rows if row["tool"] == "second")

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"detail": "no room"})

    tab.page.route(f"**/api/v1/approvals/{second}", refuse)
    tab.press("Approve all 2", inside=shown(tab))
    expect(tab.page.get_by_role("alert")).to_have_text("Not sent: Call second. no room")
    tab.until("waiting")
    expect(shown(tab)).to_contain_text("Call second")
    tab.page.unroute(f"**/api/v1/approvals/{second}")
    tab.press("Approve", inside=shown(tab))
    tab.until("idle")
    assert answers(asking, thread) == [{"type": "approve"}, {"type": "approve"}]


def test_questions_say_what_is_missing_and_their_answers_stay(asking: Server, visit: Visiting) -> None:
    thread = asked(asking, QUESTIONS)
    tab = visit(asking).open(f"/t/{thread}")
    card = shown(tab)
    tab.press("Answer", inside=card)
    expect(card).to_contain_text("2 answers missing")
    first = card.get_by_role("group", name="Which database?")
    expect(first.get_by_role("radio", name="A")).to_be_focused()
    tab.page.keyboard.press("ArrowUp")
    expect(first.get_by_role("radio", name="Other…")).to_be_checked()
    first.get_by_label("What else").fill("in memory")
    card.get_by_role("group", name="What else?").get_by_label("Decide for me").check()
    expect(card).to_contain_text("1 answer missing")
    card.get_by_label("Which name?").last.fill("Artel")
    tab.press("Answer", inside=card)
    tab.until("idle")
    tab.page.reload()
    chips = tab.page.get_by_test_id("decision")
    expect(chips).to_have_text(
        ["Which database? in memory", "What else? the agent decides", "Which name? Artel"]
    )
    given = {"options": [], "words": "in memory"}
    said = {"db": given, "more": None, "name": {"options": [], "words": "Artel"}}
    assert answers(asking, thread) == [{"type": "respond", "answers": said}]


def test_a_huge_change_opens_at_once_in_one_column_or_two(asking: Server, visit: Visiting) -> None:
    changed = "".join(f"-line {n}\n+LINE {n}\n" for n in range(LINES))
    shown_as = {
        "path": "big.txt",
        "diff": f"--- a/big.txt\n+++ b/big.txt\n@@ -1,{LINES} +1,{LINES} @@\n{changed}",
    }
    thread = asked(asking, call("edit_file", artel=shown_as))
    tab = visit(asking).open(f"/t/{thread}")
    card = shown(tab)
    expect(card).to_contain_text("+50000")
    rows = card.get_by_role("group", name="big.txt")
    assert rows.locator("[data-changed]").count() < 4_000
    tab.press("Show side by side", inside=card)
    tab.press("Show the whole change: big.txt", inside=card)
    dialog = tab.page.get_by_role("dialog", name="big.txt")
    whole = dialog.get_by_role("group", name="big.txt")
    whole.evaluate("box => box.scrollTo({top: box.scrollHeight})")
    expect(whole).to_contain_text(f"LINE {LINES - 1}")
    tab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    tab.page.reload()
    expect(card.get_by_role("button", name="Show in one column")).to_be_visible()


def test_a_late_answer_is_told_who_was_first(asking: Server, visit: Visiting) -> None:
    thread = asked(asking, call("once"))
    first, second = visit(asking).open(f"/t/{thread}"), visit(asking).open(f"/t/{thread}")
    expect(shown(second)).to_be_visible()
    second.page.route("**/threads/search", lambda route: route.abort())  # it does not see the first answer
    first.press("Approve", inside=shown(first))
    first.until("idle")
    second.press("Approve", inside=shown(second))
    expect(second.page.get_by_text("This was answered elsewhere by you. Nothing was sent.")).to_be_visible()
    second.until("idle")
    second.press("Hide this message")
    expect(second.page.get_by_text("answered elsewhere")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_form_fits_a_phone_and_is_accessible_in_russian(
    asking: Server, visit: Visiting, scheme: str
) -> None:
    diff = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two = 2  \n+two = 2\n"
    edit = call("edit_file", artel={"path": "x", "diff": diff, "agent": "coder", "risk": "write"})
    thread = asked(asking, edit, BATCH, QUESTIONS, {"question": "Куда?"}, schema=TRIP)
    tab = visit(asking, language="ru-RU", width=360, height=740, scheme=scheme).open(f"/t/{thread}")
    card = shown(tab)
    expect(card).to_contain_text("1 из 6")
    problems = {}
    for place in range(6):
        problems[place] = tab.broken_rules()
        buttons = card.get_by_role("button")
        inside = card.evaluate("box => box.scrollWidth <= box.clientWidth")
        assert inside, card.inner_text()
        assert buttons.count()
        tab.press("Следующий вопрос", inside=card)
    assert {place: found for place, found in problems.items() if found} == {}
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
