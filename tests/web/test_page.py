"""What a person does on the page, in a real browser on a real server."""

import re
import time

import httpx
import pytest
from playwright.sync_api import Route, expect

from .conftest import LONG, MANY_LINES, Server, Visiting

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

OPENS_WITHIN_S = 3.0  # the budget is 1 s on a quiet machine; tests share theirs
P95_FRAME_MS = 60  # likewise: 17 ms, and that is what a quiet machine shows
FRAMES = """() => {
  window.frames_ms = []
  let before = performance.now()
  const tick = (now) => { window.frames_ms.push(now - before); before = now; requestAnimationFrame(tick) }
  requestAnimationFrame(tick)
}"""
README = "# Demo\n\nA small project.\n"


def test_an_answer_cites_the_file_it_comes_from(offline: Server, visit: Visiting) -> None:
    tab = visit(offline).open()
    tab.say("Where is tick defined?")
    expect(tab.answer).to_contain_text("clock.py")
    tab.settled()
    expect(tab.page.get_by_test_id("agent").last).to_have_text("ask")
    expect(tab.page.get_by_test_id("tool").first).to_have_attribute("data-state", "done")
    expect(
        tab.page.get_by_role("navigation", name="Conversations").get_by_text("Where is tick defined?")
    ).to_be_visible()


def test_a_tool_line_unfolds_to_its_arguments_and_result(offline: Server, visit: Visiting) -> None:
    tab = visit(offline).open()
    tab.say("Explain the file README.md")
    tab.settled()
    line = tab.page.get_by_test_id("tool").filter(has_text="read_file").first
    line.locator("summary").click()
    expect(line).to_contain_text("A small project.")
    expect(line).to_contain_text("file_path")


def test_approve_changes_the_file(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "approved.md"
    target.write_text(README)
    tab = visit(offline).open()
    tab.say("Add a line 'Hello from Artel' to file approved.md")
    expect(tab.card).to_contain_text("Hello from Artel")
    expect(tab.card).to_contain_text("+1")
    assert target.read_text() == README
    tab.press("Approve", inside=tab.card)
    tab.until("idle")
    assert target.read_text() == README + "Hello from Artel\n"
    expect(tab.card).to_have_count(0)


def test_reject_leaves_the_file_and_tells_the_agent_why(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "rejected.md"
    target.write_text(README)
    tab = visit(offline).open()
    tab.say("Add a line 'Hello from Artel' to file rejected.md")
    tab.press("Reject", inside=tab.card)
    tab.card.get_by_role("textbox").fill("not this file")
    tab.press("Reject", inside=tab.card)
    tab.until("idle")
    assert target.read_text() == README
    line = tab.page.get_by_test_id("tool").filter(has_text="edit_file")
    expect(line).to_have_attribute("data-state", "failed")
    line.locator("summary").click()
    expect(line).to_contain_text("not this file")


def test_edit_changes_what_is_done(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "edited.md"
    target.write_text(README)
    tab = visit(offline).open()
    tab.say("Add a line 'Hello from Artel' to file edited.md")
    tab.press("Edit", inside=tab.card)
    new = tab.card.get_by_label("new_string")
    new.fill(new.input_value().replace("Hello from Artel", "Edited by hand"))
    tab.press("Send the change", inside=tab.card)
    tab.until("idle")
    assert target.read_text() == README + "Edited by hand\n"


def test_keys_answer_only_while_the_card_has_the_focus(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "keys.md"
    target.write_text(README)
    tab = visit(offline).open()
    tab.say("Add a line 'by key' to file keys.md")
    expect(tab.card).to_be_visible()
    tab.page.keyboard.type("a")
    tab.card.get_by_role("button", name="Reject").focus()
    tab.page.keyboard.type("a")
    expect(tab.field).to_have_value("a")
    tab.until("waiting")
    assert target.read_text() == README
    tab.card.focus()
    tab.page.keyboard.press("a")
    tab.until("idle")
    assert target.read_text() == README + "by key\n"


def test_a_question_waits_through_a_reload(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "waiting.md"
    target.write_text(README)
    tab = visit(offline).open()
    tab.say("Add a line 'later' to file waiting.md")
    expect(tab.card).to_be_visible()
    tab.page.reload()
    expect(tab.card).to_contain_text("later")
    tab.until("waiting")
    expect(tab.page.get_by_test_id("tool").filter(has_text="edit_file")).to_have_attribute(
        "data-state", "asked"
    )
    expect(
        tab.page.get_by_role("navigation", name="Conversations").get_by_text("waits for you").first
    ).to_be_visible()
    tab.press("Approve", inside=tab.card)
    tab.until("idle")
    assert target.read_text() == README + "later\n"


def test_of_two_tabs_the_second_is_told_that_it_came_late(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "twice.md"
    target.write_text(README)
    first = visit(offline).open()
    first.say("Add a line 'once' to file twice.md")
    expect(first.card).to_be_visible()
    second = visit(offline)
    second.open(first.page.url.removeprefix(offline.url))
    expect(second.card).to_be_visible()
    second.page.route("**/threads/search", lambda route: route.abort())  # it does not see the first answer
    first.press("Approve", inside=first.card)
    first.until("idle")
    second.press("Reject", inside=second.card)
    second.press("Reject", inside=second.card)
    expect(second.page.get_by_text("This was answered elsewhere")).to_be_visible()
    expect(second.card).to_have_count(0)
    second.until("idle")
    assert target.read_text() == README + "once\n"


def test_another_tab_follows_by_itself(offline: Server, visit: Visiting) -> None:
    (offline.workspace / "seen.md").write_text(README)
    first = visit(offline).open()
    first.say("Add a line 'seen' to file seen.md")
    expect(first.card).to_be_visible()
    second = visit(offline)
    second.open(first.page.url.removeprefix(offline.url))
    expect(second.card).to_be_visible()
    first.press("Approve", inside=first.card)
    expect(second.card).to_have_count(0)
    second.until("idle")
    assert second.answer.inner_text() == first.answer.inner_text()


def test_two_questions_at_once_are_answered_one_by_one(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("coder")
    tab.say("change both files")
    expect(tab.card).to_have_count(2)
    tab.press("Approve", inside=tab.card.filter(has_text="one.txt"))
    expect(tab.card).to_have_count(1)
    tab.press("Reject", inside=tab.card)
    tab.press("Reject", inside=tab.card)
    tab.until("idle")
    assert (scripted.workspace / "one.txt").read_text() == "one.txt\n"
    assert not (scripted.workspace / "two.txt").exists()


def test_parts_of_a_change_are_taken_and_others_left(scripted: Server, visit: Visiting) -> None:
    file = scripted.workspace / "parts.txt"
    file.write_text(MANY_LINES)
    tab = visit(scripted).open()
    tab.talk_to("coder")
    tab.say("change three places")
    boxes = tab.card.get_by_role("checkbox")
    expect(boxes).to_have_count(4)  # the file, and its three parts
    boxes.first.uncheck()
    expect(tab.card.get_by_role("button", name="Approve")).to_be_disabled()
    tab.card.get_by_label("Take the part @@ -8").check()
    tab.card.get_by_label("Take the part @@ -28").check()
    assert tab.broken_rules() == []
    tab.press("Approve 2 of 3 parts", inside=tab.card)
    tab.until("idle")
    assert file.read_text() == MANY_LINES.replace("line 10", "LINE 10").replace("line 30", "LINE 30")


def test_what_was_granted_is_not_asked_again(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "granted.md"
    target.write_text(README)
    tab = visit(offline).open()
    tab.say("Add a line 'First' to file granted.md")
    kept = tab.card.get_by_label("What need not be asked again")
    kept.select_option(label="In this conversation allow edit_file: granted.md")
    assert tab.broken_rules() == []
    tab.press("Approve", inside=tab.card)
    tab.until("idle")
    tab.say("Add a line 'Second' to file granted.md")
    expect(tab.page.get_by_test_id("tool").filter(has_text="edit_file")).to_have_count(2)
    tab.until("idle")
    assert target.read_text() == README + "First\nSecond\n"
    expect(tab.card).to_have_count(0)


def test_a_change_is_taken_back_where_it_is_shown(offline: Server, visit: Visiting) -> None:
    target = offline.workspace / "undone.md"
    target.write_text(README)
    tab = visit(offline).open()
    tab.say("Add a line 'Hello from Artel' to file undone.md")
    tab.press("Approve", inside=tab.card)
    tab.until("idle")
    target.write_text(target.read_text() + "mine\n")
    line = tab.page.get_by_test_id("tool").last
    line.locator("summary").click()
    tab.press("Undo", inside=line)
    expect(line).to_contain_text("undone.md: somebody else has changed it since")
    assert "mine" in target.read_text()
    tab.press("Undo all the same", inside=line)
    expect(line).to_contain_text("Taken back: undone.md")
    assert target.read_text() == README
    tab.page.reload()
    line.locator("summary").click()
    expect(line).to_contain_text("Undone")


def test_a_foreign_question_is_answered_with_json(foreign: Server, visit: Visiting) -> None:
    marks = foreign.home / "marks"
    with httpx.Client(base_url=foreign.url) as wire:
        thread = wire.post("/threads", json={}).json()["thread_id"]
        order = {"assistant_id": "gate", "input": {"marks": str(marks)}}
        wire.post(f"/threads/{thread}/runs/wait", json=order, timeout=20)
    tab = visit(foreign).open(f"/t/{thread}")
    expect(tab.card).to_contain_text("Shall I?")
    tab.card.get_by_role("radio", name="JSON").check()
    tab.card.get_by_label("Answer").fill("not json")
    tab.press("Answer", inside=tab.card)
    expect(tab.card).to_contain_text("This is not valid JSON.")
    tab.card.get_by_label("Answer").fill('"as you like"')
    tab.press("Answer", inside=tab.card)
    tab.until("idle")
    assert marks.read_text() == "as you like\n"
    expect(tab.card).to_have_count(0)


def test_a_run_that_stopped_at_a_breakpoint_goes_on(foreign: Server, visit: Visiting) -> None:
    with httpx.Client(base_url=foreign.url) as wire:
        thread = wire.post("/threads", json={}).json()["thread_id"]
        said = {"messages": [{"type": "human", "content": "3 0.01"}]}
        order = {"assistant_id": "talk", "input": said, "interrupt_before": ["say"]}
        wire.post(f"/threads/{thread}/runs/wait", json=order, timeout=20)
    tab = visit(foreign).open(f"/t/{thread}")
    expect(tab.page.get_by_text("Stopped before say")).to_be_visible()
    tab.press("Go on")
    expect(tab.answer).to_contain_text("word0 word1 word2")


@pytest.mark.soak  # a budget in milliseconds holds on a quiet machine only
def test_a_long_conversation_opens_at_once_and_streams_smoothly(foreign: Server, visit: Visiting) -> None:
    rich = "Found in `file.py:12`:\n\n- one\n- [two](https://example.org)\n\n```python\nx = 1\n```\n\nDone."
    messages = [
        {"type": "ai" if n % 2 else "human", "id": f"m{n}", "content": rich if n % 2 else f"question {n}"}
        for n in range(1000)
    ]
    with httpx.Client(base_url=foreign.url) as wire:
        thread = wire.post("/threads", json={"metadata": {"graph_id": "talk"}}).json()["thread_id"]
        state = {"values": {"messages": messages}, "as_node": "say"}
        wire.post(f"/threads/{thread}/state", json=state, timeout=30).raise_for_status()
    tab = visit(foreign).open()
    began = time.monotonic()
    tab.open(f"/t/{thread}")
    expect(tab.log).to_contain_text("question 998")
    assert time.monotonic() - began < OPENS_WITHIN_S
    tab.page.evaluate(FRAMES)
    tab.say("600 0.005")
    expect(tab.answer).to_contain_text("word599", timeout=30_000)
    frames = tab.page.evaluate("window.frames_ms.sort((a, b) => a - b)")
    assert frames[int(len(frames) * 0.95)] < P95_FRAME_MS
    tab.log.evaluate("log => log.scrollTo(0, 0)")
    expect(tab.log).to_contain_text("question 0")


def test_a_reload_in_mid_stream_goes_on_to_the_same_text(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("ask")
    tab.say("explain at length")
    expect(tab.answer).to_contain_text("word20 ")
    for _ in range(2):
        tab.page.reload()
        expect(tab.answer).to_contain_text("word20 ")
        tab.until("processing")
    tab.until("idle")
    assert tab.answer.inner_text() == LONG


def test_a_server_that_is_killed_and_comes_back_goes_on(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("ask")
    tab.say("explain through a crash")
    expect(tab.answer).to_contain_text("word20 ")
    scripted.stop(hard=True)
    scripted.start()
    tab.page.wait_for_timeout(3000)
    expect(tab.answer).to_contain_text("word299", timeout=60_000)
    tab.until("idle")
    assert tab.answer.inner_text() == LONG
    expect(tab.log.locator(".prose")).to_have_count(1)


def test_stop_stops_also_after_a_reload(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("ask")
    tab.say("explain until stopped")
    expect(tab.answer).to_contain_text("word9 ")
    tab.page.reload()
    expect(tab.answer).to_contain_text("word9 ")
    tab.press("Stop")
    tab.until("idle")
    expect(tab.page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect(tab.page.get_by_text("waits for you")).to_have_count(0)
    for _ in range(2):
        expect(tab.answer).to_contain_text("word9 ")
        expect(tab.log).to_contain_text("Stopped here. The agent does not remember these words.")
        tab.page.reload()


def test_words_queue_behind_a_run_and_can_be_taken_back(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("ask")
    tab.say("explain first")
    expect(tab.answer).to_contain_text("word9 ")
    tab.say("taken back")
    tab.say("then this")
    expect(tab.page.get_by_role("button", name="Take it back")).to_have_count(2)
    tab.page.get_by_role("button", name="Take it back").first.click()
    expect(tab.page.get_by_role("button", name="Take it back")).to_have_count(1)
    tab.press("Stop")
    expect(tab.log).to_contain_text("then this")
    expect(tab.answer).to_contain_text("All right.")
    tab.until("idle")
    expect(tab.page.get_by_text("taken back")).to_have_count(0)


def test_words_queue_in_the_order_they_were_said(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("ask")
    tab.say("explain first")
    expect(tab.answer).to_contain_text("word9 ")
    held: list[Route] = []
    tab.page.route("**/threads/*/runs", lambda route: held.append(route), times=1)
    tab.say("said second")
    tab.say("said third")
    tab.page.wait_for_timeout(300)  # a third that overtakes would have arrived by now
    assert len(held) == 1
    held[0].continue_()
    expect(tab.page.get_by_role("button", name="Take it back")).to_have_count(2)
    tab.press("Stop")
    tab.until("idle")
    expect(tab.log).to_contain_text(re.compile("said second.*said third", re.DOTALL))


def test_a_failure_is_shown_also_after_a_reload(scripted: Server, visit: Visiting) -> None:
    tab = visit(scripted).open()
    tab.talk_to("ask")
    tab.say("please break")
    expect(tab.page.get_by_role("alert")).to_contain_text("fell over")
    tab.page.reload()
    expect(tab.page.get_by_role("alert")).to_contain_text("fell over")
    expect(tab.log).to_contain_text("please break")


def test_a_draft_is_kept_and_given_back_when_sending_fails(offline: Server, visit: Visiting) -> None:
    tab = visit(offline).open()
    tab.field.fill("half a thought")
    tab.page.reload()
    expect(tab.field).to_have_value("half a thought")
    tab.page.route("**/threads", lambda route: route.abort())
    tab.field.press("Enter")
    expect(tab.page.get_by_role("alert")).to_be_visible()
    expect(tab.field).to_have_value("half a thought")


def test_conversations_are_renamed_searched_and_deleted(offline: Server, visit: Visiting) -> None:
    tab = visit(offline).open()
    tab.say("Which files are here?")
    tab.until("idle")
    side = tab.page.get_by_role("navigation", name="Conversations")
    side.get_by_role("button", name="More for Which files are here?").click()
    tab.page.get_by_role("menuitem", name="Rename").click()
    side.get_by_role("textbox", name="Rename").fill("A name of its own")
    side.get_by_role("textbox", name="Rename").press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("A name of its own")
    side.get_by_role("searchbox").fill("of its own")
    expect(side.get_by_role("listitem")).to_have_count(1)
    side.get_by_role("button", name="More for A name of its own").click()
    tab.page.get_by_role("menuitem", name="Delete").click()
    tab.press("Delete", inside=tab.page.get_by_role("dialog"))
    expect(side.get_by_text("Nothing found.")).to_be_visible()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("New conversation")


def test_the_page_speaks_russian_and_english(offline: Server, visit: Visiting) -> None:
    tab = visit(offline, language="ru-RU").open()
    expect(tab.page.get_by_role("heading", name="Над чем поработаем?")).to_be_visible()
    expect(tab.page.get_by_test_id("model")).to_contain_text("Офлайн-модель")
    tab.say("Что в файле clock.py?")
    tab.until("idle")
    expect(tab.answer).to_contain_text("clock.py")
    tab.press("English")
    expect(tab.field).to_have_attribute("placeholder", "Write a message")
    expect(tab.page.get_by_test_id("model")).to_contain_text("Offline model")
    tab.page.reload()
    expect(tab.page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_face_of_the_page_is_accessible_and_fits(
    offline: Server, visit: Visiting, width: int, scheme: str
) -> None:
    name = f"fits-{scheme}-{width}.md"
    (offline.workspace / name).write_text(README)
    tab = visit(offline, width=width, scheme=scheme).open()
    problems = {"welcome": tab.broken_rules()}
    tab.say("Where is tick defined?")
    tab.until("idle")
    problems["answer"] = tab.broken_rules()
    tab.say(f"Add a line '{'long ' * 60}' to file {name}")
    expect(tab.card).to_be_visible()
    tab.until("waiting")
    problems["question"] = tab.broken_rules()
    tab.press("Edit", inside=tab.card)
    problems["editing"] = tab.broken_rules()
    if width < 768:
        tab.press("Conversations")
        problems["list"] = tab.broken_rules()
    assert {face: found for face, found in problems.items() if found} == {}
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_list_that_cannot_be_loaded_says_so_and_tries_again(offline: Server, visit: Visiting) -> None:
    tab = visit(offline)
    tab.page.route("**/threads/search", lambda route: route.fulfill(status=500, json={"detail": "no disk"}))
    tab.open()
    side = tab.page.get_by_role("navigation", name="Conversations")
    expect(side.get_by_role("alert")).to_contain_text("no disk")
    tab.page.unroute("**/threads/search")
    tab.press("Try again", inside=side)
    expect(side.get_by_role("alert")).to_have_count(0)


def test_text_from_a_model_runs_no_script_and_loads_no_picture(offline: Server, visit: Visiting) -> None:
    (offline.workspace / "evil.md").write_text(
        '<script>window.hit = 1</script><img src="http://example.invalid/x.png" onerror="window.hit = 2">\n'
        "![picture](http://example.invalid/y.png) [link](javascript:window.hit=3)\n"
    )
    tab = visit(offline).open()
    tab.say('Say <img src="http://example.invalid/z.png"> and explain the file evil.md')
    tab.settled()
    assert tab.page.evaluate("window.hit ?? null") is None
    expect(tab.log.locator("img, script")).to_have_count(0)
    expect(tab.page.locator('a[href^="javascript:"]')).to_have_count(0)
    assert re.search("evil", tab.log.inner_text())
