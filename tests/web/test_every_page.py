"""Every page as everybody can use it: no rule of axe is broken, and nothing is wider than a phone."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect
from tests.fakes.driver import call, calls
from tests.fakes.plans import on

from .conftest import Server, Visit, Visiting, home
from .hands import words

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

FORMAT = {"id": "format", "question": "Which format?", "options": ["CSV", "JSON"]}
TODOS = [{"id": "read", "content": "Read the code", "status": "in_progress"}]
ANSWER = "It is in `clock.py:1`:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n\nDone."
SCRIPT = [
    on("write it", calls(call("write_file", file_path="page.txt", content="written\n"))),
    on("ask me", calls(call("question", questions=[FORMAT]))),
    on("note it", calls(call("write_todos", todos=TODOS))),
    on("tell me", {"text": ANSWER}),
    *["All right."] * 4,
]
SECTIONS = ("general", "models", "keys", "permissions", "memories", "tools", "usage", "about")
TABS = ("Plan", "Files", "History")
PHONE = 390


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with a conversation that is over, and two that wait."""
    folder = home(tmp_path_factory, "every")
    script = folder / "script.json"
    script.write_text(json.dumps({"per_turn": True, "replies": SCRIPT}))
    server = Server(folder, f"scripted:{script}")
    server.start()
    yield server
    server.stop()


def said(server: Server, words: str) -> str:
    """Say something to the coder and wait until it is over or asks; its thread."""
    with httpx.Client(base_url=server.url, timeout=60) as wire:
        made = {"metadata": {"graph_id": "coder", "title": words, "workspace": str(server.workspace)}}
        thread = str(wire.post("/threads", json=made).raise_for_status().json()["thread_id"])
        run = {
            "assistant_id": "coder",
            "input": {"messages": [{"role": "user", "content": words}]},
            "context": {"workspace": str(server.workspace)},
        }
        wire.post(f"/threads/{thread}/runs/wait", json=run).raise_for_status()
    return thread


def looked_at(tab: Visit, where: str) -> list[str]:
    """Return what is wrong with the page as it is now."""
    wide = tab.page.evaluate("document.documentElement.scrollWidth")
    seen = tab.page.viewport_size or {"width": 0}
    return [f"{where}: {rule}" for rule in tab.broken_rules()] + (
        [f"{where}: {wide} px wide"] if wide > seen["width"] else []
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1280])
def test_every_page_breaks_no_rule(server: Server, visit: Visiting, scheme: str, width: int) -> None:
    over, asks, wonders = (said(server, line) for line in ("tell me", "write it", "ask me"))
    noted = said(server, "note it")
    tab = visit(server, scheme=scheme, width=width)
    problems: list[str] = []
    tab.open("/")
    problems += looked_at(tab, "welcome")
    tab.open(f"/t/{over}")
    expect(tab.answer).to_contain_text("Done.")
    problems += looked_at(tab, "conversation")
    for thread, where in ((asks, "a change that waits"), (wonders, "a question that waits")):
        tab.open(f"/t/{thread}")
        expect(tab.card).to_be_visible()
        problems += looked_at(tab, where)
    tab.open(f"/t/{noted}")
    tab.press(words("en")["panel"])
    for name in TABS:
        tab.page.get_by_role("tab", name=name).click()
        expect(tab.page.get_by_role("tabpanel")).to_be_visible()
        tab.page.wait_for_load_state("networkidle")
        problems += looked_at(tab, name)
    tab.page.goto(f"{server.url}/inbox")
    expect(tab.page.get_by_role("group", name="write it").first).to_be_visible()
    problems += looked_at(tab, "inbox")
    tab.page.goto(f"{server.url}/graph/coder?thread={over}")
    expect(tab.page.get_by_role("heading", name="Coder").first).to_be_visible()
    tab.page.wait_for_load_state("networkidle")
    problems += looked_at(tab, "graph")
    for section in SECTIONS:
        tab.page.goto(f"{server.url}/settings/{section}")
        expect(tab.page.get_by_role("main").get_by_role("heading", level=2).first).to_be_visible()
        tab.page.wait_for_load_state("networkidle")
        problems += looked_at(tab, section)
    tab.open("/")
    tab.page.keyboard.press("ControlOrMeta+k")
    expect(tab.page.get_by_role("combobox")).to_be_visible()
    problems += looked_at(tab, "palette")
    assert problems == []
