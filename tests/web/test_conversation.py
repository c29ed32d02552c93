"""What a person sees of a conversation: long ones, what agents inside say, places in files, details."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import expect
from tests.fakes.driver import call, calls
from tests.fakes.plans import SILENT, on, plan, step, submits

from .conftest import LONG, Server, Visiting, home

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
RICH = (
    "Look at `clock.py:2` and at [the readme](README.md).\n\n"
    f"![far](http://example.invalid/x.png) ![near](data:image/png;base64,{PIXEL})\n\nשלום"
)
SCRIPT = [
    plan(
        step("a", "Look at the clock", agent="ask"),
        step("b", "Look at the readme", agent="ask"),
        goal="All is looked at",
    ),
    SILENT,
    on("Look at the readme", {"text": "A small readme.", **submits("it is small")}),
    on("Look at the clock", {"text": "It `ticks`.", **calls(call("read_file", file_path="clock.py"))}),
    on("def tick", submits("it ticks")),
    on("at length", {"text": LONG, "delay_s": 0.04}),
    on("cite", {"text": RICH}),
    "All right.",
]


@pytest.fixture(scope="module")
def one_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that does one run at a time, with a model that plans, cites, and speaks at length."""
    folder = home(tmp_path_factory, "conversation")
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT))
    server = Server(folder, f"scripted:{script}", env={"ARTEL_ENGINE__SLOTS": "1"})
    server.start()
    yield server
    server.stop()


def thread_of(server: Server, graph: str, **state: object) -> str:
    """Make a thread, with this state."""
    with httpx.Client(base_url=server.url, timeout=30) as wire:
        made = {"metadata": {"graph_id": graph, "workspace": str(server.workspace)}}
        thread: str = wire.post("/threads", json=made).json()["thread_id"]
        if state:
            node = {"talk": "say", "ask": "model"}[graph]
            written = {"values": state, "as_node": node}
            wire.post(f"/threads/{thread}/state", json=written).raise_for_status()
    return thread


def said(number: int, content: str = "") -> dict[str, str]:
    """Return a message of a person or, every second one, of an agent."""
    kind = "ai" if number % 2 else "human"
    return {"type": kind, "id": f"m{number}", "content": content or f"message {number} of many"}


def test_of_a_long_conversation_only_what_is_on_screen_is_drawn_and_all_of_it_is_found(
    foreign: Server, visit: Visiting
) -> None:
    thread = thread_of(foreign, "talk", messages=[said(n) for n in range(1000)])
    tab = visit(foreign).open(f"/t/{thread}")
    last = tab.log.get_by_role("article").last
    expect(last).to_contain_text("message 999 of many")
    expect(last).to_have_attribute("aria-posinset", "1000")
    assert tab.page.evaluate("document.querySelectorAll('*').length") < 900
    tab.log.focus()
    tab.page.keyboard.press("Control+f")
    search = tab.page.get_by_role("search")
    search.get_by_label("Search in this conversation").fill("message 12")
    expect(search).to_contain_text("1 of 11")  # 12 and 120 to 129
    expect(tab.log.get_by_text("message 12 of many")).to_be_in_viewport()
    tab.page.keyboard.press("Shift+Enter")
    expect(tab.log.get_by_text("message 129 of many")).to_be_in_viewport()
    expect(search).to_contain_text("11 of 11")
    tab.page.keyboard.press("Escape")
    expect(search).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Search in this conversation")).to_be_focused()
    tab.press("To the latest")
    expect(tab.log.get_by_text("message 999 of many")).to_be_in_viewport()


def test_what_agents_inside_say_stands_in_lanes_that_fold(one_at_a_time: Server, visit: Visiting) -> None:
    thread = thread_of(one_at_a_time, "orchestrator")
    tab = visit(one_at_a_time, width=360).open(f"/t/{thread}")
    tab.say("Make a plan and look at everything")
    tab.press("Approve", inside=tab.card)
    tab.until("idle")
    lanes = tab.page.get_by_test_id("lane")
    expect(lanes).to_have_count(2)
    first = lanes.first
    expect(first).to_have_attribute("data-state", "done")
    expect(first).to_contain_text("It ticks.")
    fold = first.get_by_role("button", expanded=True).first
    fold.focus()
    fold.press("Enter")
    expect(first).not_to_contain_text("It ticks.")
    expect(first).to_contain_text("done")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert tab.broken_rules() == []


def test_a_message_tells_when_it_was_said_what_it_cost_and_whether_it_was_read(
    one_at_a_time: Server, visit: Visiting
) -> None:
    tab = visit(one_at_a_time).open(f"/t/{thread_of(one_at_a_time, 'ask')}")
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.say("Hello")
    expect(tab.answer).to_have_text("All right.")
    tab.until("idle")
    today = datetime.now(UTC).date().isoformat()
    for role in ("person", "agent"):
        time = tab.log.locator(f'[data-role="{role}"] time')
        assert str(time.get_attribute("datetime")).startswith(today)
    expect(tab.page.get_by_test_id("fate")).to_have_attribute("data-fate", "read")
    tab.press("Details")
    details = tab.page.get_by_role("group", name="Details")
    expect(details).to_contain_text("Modelscripted")
    expect(details).to_contain_text("Tokens written2")
    expect(details).to_contain_text("1 call")
    tab.log.locator('[data-role="agent"]').get_by_role("button", name="Copy the message").click()
    assert tab.page.evaluate("navigator.clipboard.readText()") == "All right."
    assert tab.broken_rules() == []
    tab.page.reload()
    expect(tab.log.locator('[data-role="person"] time')).to_have_count(1)


def test_places_in_files_are_chips_and_pictures_wait_to_be_asked_for(
    one_at_a_time: Server, visit: Visiting
) -> None:
    tab = visit(one_at_a_time).open(f"/t/{thread_of(one_at_a_time, 'ask')}")
    tab.say("cite it")
    tab.until("idle")
    tab.press("clock.py:2", inside=tab.answer)
    expect(tab.page.get_by_role("tabpanel", name="Files")).to_contain_text("def tick")
    expect(tab.answer.get_by_role("button", name="README.md")).to_be_visible()
    expect(tab.answer.get_by_role("link", name="far")).to_be_visible()
    expect(tab.answer.locator("img")).to_have_count(0)
    tab.press("Load picture: near", inside=tab.answer)
    expect(tab.answer.locator("img")).to_have_count(1)
    right_to_left = "element => getComputedStyle(element).direction"
    assert tab.answer.get_by_text("שלום").evaluate(right_to_left) == "rtl"


def test_where_the_context_was_compressed_a_line_unfolds_to_what_the_model_is_given(
    one_at_a_time: Server, visit: Visiting
) -> None:
    chapter = {
        "words": ["message 0 of many"],
        "tools": {"glob": 3},
        "files": ["a.py"],
        "prose": "They talked.",
    }
    compacted = {"until": "m3", "kept": ["m1"], "chapters": [chapter]}
    thread = thread_of(one_at_a_time, "ask", messages=[said(n) for n in range(6)], compacted=compacted)
    tab = visit(one_at_a_time, language="ru-RU").open(f"/t/{thread}")
    line = tab.page.get_by_test_id("compressed")
    expect(line).to_contain_text("Контекст сжат, 3 сообщения")
    expect(line.get_by_text("They talked.")).to_be_hidden()
    line.locator("summary").click()
    expect(line.get_by_text("They talked.")).to_be_visible()
    expect(line).to_contain_text("glob × 3")
    rows = tab.log.get_by_role("article").all_inner_texts()
    assert [n for n, text in enumerate(rows) if "Контекст сжат" in text] == [4]
    assert tab.broken_rules() == []


def test_messages_and_results_of_megabytes_are_drawn_bit_by_bit(
    one_at_a_time: Server, visit: Visiting
) -> None:
    huge = "word " * 200_000
    ask = {**said(1, huge), "tool_calls": [{"name": "glob", "args": {"pattern": huge}, "id": "c"}]}
    result = {"type": "tool", "id": "t", "content": "x" * 5_000_000, "tool_call_id": "c", "name": "glob"}
    messages = [said(0, huge), ask, result, said(3, f"```\n{huge}\n```")]
    tab = visit(one_at_a_time).open(f"/t/{thread_of(one_at_a_time, 'ask', messages=messages)}")
    drawn = "() => document.querySelector('[role=log]').textContent.length"
    expect(tab.log.get_by_role("button", name="Show more")).to_have_count(3)
    before = tab.page.evaluate(drawn)
    assert before < 150_000
    tab.log.get_by_role("button", name="Show more").first.click()
    tab.page.wait_for_function(f"before => ({drawn})() > before + 15_000", arg=before)
    tool = tab.page.get_by_test_id("tool")
    tool.locator("summary").click()
    expect(tool.get_by_role("button", name="Show more")).to_have_count(2)
    assert tab.page.evaluate(drawn) < 250_000


def test_a_run_that_waits_for_its_turn_tells_its_place(one_at_a_time: Server, visit: Visiting) -> None:
    first = visit(one_at_a_time).open(f"/t/{thread_of(one_at_a_time, 'ask')}")
    first.say("speak at length")
    expect(first.answer).to_contain_text("word2 ")
    second = visit(one_at_a_time).open(f"/t/{thread_of(one_at_a_time, 'ask')}")
    second.say("Hello")
    second.until("queued")
    expect(second.page.get_by_test_id("status")).to_contain_text("place 1 in the queue")
    expect(second.page.get_by_test_id("fate")).to_have_attribute("data-fate", "sent")
    first.press("Stop")
    expect(second.answer).to_have_text("All right.")
    second.until("idle")
