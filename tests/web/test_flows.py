"""What a person comes for: with the mouse and by keys alone, in both languages, at four widths."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect
from tests.fakes.driver import call, calls
from tests.fakes.plans import on

from .conftest import IN_CHARGE, LONG, Server, Visit, Visiting, home
from .hands import Keyboard, Mouse, words

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

Hand = Mouse | Keyboard
WIDTHS = (360, 390, 768, 1280)
LANGUAGES = {"en": "en-US", "ru": "ru-RU"}
HANDS = (Mouse, Keyboard)
EVERY = [(hand, language, width) for hand in HANDS for language in LANGUAGES for width in WIDTHS]
FLOWS = ("approval", "question", "todos", "stream", "branch", "past", "away")
FORMAT = {"id": "format", "question": "Which format?", "options": ["CSV", "JSON"]}
TODOS = [
    {"id": "read", "content": "Read the code", "status": "in_progress"},
    {"id": "write", "content": "Write the client", "status": "pending"},
]
SCRIPT = [
    on("write it", calls(call("write_file", file_path="flow.txt", content="written\n"))),
    on("ask me", calls(call("question", questions=[FORMAT]))),
    on("note it", calls(call("write_todos", todos=TODOS))),
    on("at length", {"text": LONG, "delay_s": 0.02}),
    on("first words", {"text": "The first answer."}),
    on("other words", {"text": "Another answer."}),
    *["All right."] * 4,
]


def _cases() -> list[object]:
    """Return every flow in every way; two of each belong to every run, the others to the long one."""
    found: list[object] = []
    for number, flow in enumerate(FLOWS):
        first = (number * 5) % len(EVERY)
        chosen = {first, first ^ 0b1110}  # the other hand, the other language, another width
        for place, (hand, language, width) in enumerate(EVERY):
            marks = () if place in chosen else (pytest.mark.soak,)
            found.append(
                pytest.param(
                    flow, hand, language, width, marks=marks, id=f"{flow}-{hand.name}-{language}-{width}"
                )
            )
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose model does what a flow needs."""
    folder = home(tmp_path_factory, "flows")
    script = folder / "script.json"
    script.write_text(json.dumps({"per_turn": True, "replies": SCRIPT}))
    server = Server(folder, f"scripted:{script}")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize(("flow", "hand", "language", "width"), _cases())
def test_a_flow_goes_to_its_end(
    flow: str, hand: type[Hand], language: str, width: int, server: Server, visit: Visiting
) -> None:
    agent = "ask" if flow in ("branch", "past", "stream", "away") else "coder"
    with httpx.Client(base_url=server.url) as wire:
        made = {"metadata": {"graph_id": agent, "title": flow, "workspace": str(server.workspace)}}
        thread = wire.post("/threads", json=made).raise_for_status().json()["thread_id"]
    (server.workspace / "flow.txt").unlink(missing_ok=True)
    tab = visit(server, language=LANGUAGES[language], width=width).open(f"/t/{thread}")
    globals()[f"_{flow}"](tab, hand(tab.page), words(language), server)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width


def _say(tab: Visit, hand: Hand, text: str) -> None:
    hand.write(tab.field, text)
    tab.page.keyboard.press("Enter")


def _approval(tab: Visit, hand: Hand, word: dict[str, str], server: Server) -> None:
    _say(tab, hand, "write it")
    expect(tab.card).to_contain_text("flow.txt")
    assert not (server.workspace / "flow.txt").exists()
    tab.page.reload()
    hand.press(tab.card.get_by_role("button", name=word["approve"], exact=True))
    tab.until("idle")
    assert (server.workspace / "flow.txt").read_text() == "written\n"


def _question(tab: Visit, hand: Hand, word: dict[str, str], server: Server) -> None:
    _say(tab, hand, "ask me")
    choice = tab.card.get_by_role("radio", name="CSV")
    expect(choice).to_be_visible()
    if isinstance(hand, Mouse):
        choice.check()
    else:
        hand.reach(choice)
        tab.page.keyboard.press("Space")
    expect(choice).to_be_checked()
    hand.press(tab.card.get_by_role("button", name=word["answer"], exact=True))
    tab.until("idle")
    expect(tab.log).to_contain_text("CSV")


def _todos(tab: Visit, hand: Hand, word: dict[str, str], server: Server) -> None:
    _say(tab, hand, "note it")
    tab.until("idle")
    strip = tab.page.get_by_test_id("todos")
    expect(strip).to_contain_text("Read the code")
    hand.press(strip.locator("summary, button").first)
    expect(strip).to_contain_text("Write the client")


def _stream(tab: Visit, hand: Hand, word: dict[str, str], server: Server) -> None:
    _say(tab, hand, "speak at length")
    expect(tab.answer).to_contain_text("word20 ")
    tab.page.reload()
    expect(tab.answer).to_contain_text("word20 ")
    hand.press(tab.page.get_by_role("button", name=word["stop"], exact=True))
    tab.until("idle")
    expect(tab.answer).to_contain_text("word20 ")
    expect(tab.log).to_contain_text(word["chatCut"])


def _branch(tab: Visit, hand: Hand, word: dict[str, str], server: Server) -> None:
    _say(tab, hand, "first words")
    expect(tab.answer).to_have_text("The first answer.")
    tab.until("idle")
    hand.press(tab.log.get_by_role("button", name=word["historyEdit"]))
    hand.write(tab.page.get_by_role("textbox", name=word["historyWords"]), "other words")
    tab.page.keyboard.press("Enter")
    expect(tab.answer).to_have_text("Another answer.")
    tab.until("idle")
    hand.press(tab.log.get_by_role("button", name=word["historyEarlierWay"]))
    expect(tab.answer).to_have_text("The first answer.")


def _past(tab: Visit, hand: Hand, word: dict[str, str], server: Server) -> None:
    _say(tab, hand, "first words")
    expect(tab.answer).to_have_text("The first answer.")
    tab.until("idle")
    hand.press(tab.page.get_by_role("button", name=word["panel"], exact=True))
    hand.turn_to(tab.page.get_by_role("tab", name=word["tabHistory"]))
    moments = tab.page.locator("button[data-moment]")
    expect(moments.first).to_be_visible()
    hand.press(moments.last)
    banner = tab.page.get_by_role("status", name=word["historyBanner"])
    expect(banner).to_have_count(1)
    if tab.page.viewport_size and tab.page.viewport_size["width"] < 1024:
        hand.press(tab.page.get_by_role("button", name=word["closePanel"], exact=True))
    hand.press(banner.get_by_role("button", name=word["historyNow"], exact=True))
    expect(banner).to_have_count(0)


def _away(tab: Visit, hand: Hand, word: dict[str, str], server: Server) -> None:
    tab.page.wait_for_function(IN_CHARGE)
    _say(tab, hand, "first words")
    expect(tab.answer).to_have_text("The first answer.")
    tab.until("idle")
    server.stop(hard=True)
    tab.page.reload()
    expect(tab.answer).to_have_text("The first answer.")
    away = tab.page.get_by_text(word["offlineSince"].split("{")[0].strip())
    expect(away).to_be_visible()
    _say(tab, hand, "other words")
    expect(tab.field).to_have_value("other words")
    server.start()
    expect(away).to_have_count(0)
    hand.reach(tab.field) if isinstance(hand, Keyboard) else tab.field.click()
    tab.page.keyboard.press("Enter")
    expect(tab.answer).to_have_text("Another answer.")
    tab.until("idle")
