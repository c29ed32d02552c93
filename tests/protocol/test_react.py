"""The official React hooks, classic and current, on a page in a real browser against a real server."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.web.conftest import QUIET

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]

HOOKS = ("classic", "current", "current over a WebSocket")
WAIT_MS = 15_000
Opening = Callable[[str, Any], Page]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pages(js: Path) -> Iterator[str]:
    """Where the two pages are served: another origin than the server's, for its port is another."""
    assert (js / "dist/current.html").exists(), "cd tests/protocol/js && npm run build"
    handler = partial(Quiet, directory=str(js / "dist"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(params=HOOKS)
def opened(request: pytest.FixtureRequest, chromium: Browser, pages: str, url: str) -> Iterator[Opening]:
    """Open the page of a hook for an assistant; what it sends is given."""
    context = chromium.new_context()
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    problems: list[str] = []

    def open_page(assistant: str, given: Any) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        hook, _, over = request.param.partition(" over a ")
        query = {"api": url, "assistant": assistant, "input": json.dumps(given)}
        if over:
            query["transport"] = "websocket"
        page.goto(f"{pages}/{hook}.html?{urlencode(query)}")
        expect(page.locator("#state")).to_have_text("quiet")
        return page

    yield open_page
    context.close()
    assert problems == []


def said(text: str) -> dict[str, Any]:
    """Return a message of a person as input."""
    return {"messages": [{"role": "user", "content": text}]}


def test_a_message_is_sent_and_the_answer_grows_on_the_page(opened: Opening) -> None:
    page = opened("chat", said("slowly one two three four five six"))
    page.click("#send")
    expect(page.locator("#messages li").nth(1)).to_contain_text("You said")
    expect(page.locator("#state")).to_have_text("quiet")
    expect(page.locator("#messages li")).to_have_text(
        ["human: slowly one two three four five six", "ai: You said: slowly one two three four five six"]
    )
    assert page.locator("#error").inner_text() == ""


def test_a_reload_in_the_middle_of_an_answer_loses_nothing(opened: Opening) -> None:
    words = " ".join(f"word{n}" for n in range(40))
    page = opened("chat", said(f"slowly {words}"))
    page.click("#send")
    expect(page.locator("#messages li").nth(1)).to_contain_text("word3")
    page.reload()
    expect(page.locator("#messages li").nth(1)).to_have_text(f"ai: You said: slowly {words}")
    expect(page.locator("#state")).to_have_text("quiet")


def test_a_tool_is_called_and_its_result_shown(opened: Opening) -> None:
    page = opened("looker", said("look"))
    page.click("#send")
    expect(page.locator("#messages")).to_contain_text("tool: the door is red")
    expect(page.locator("#messages")).to_contain_text("ai: The door is red.")


def test_a_question_is_shown_and_answered_also_after_a_reload(opened: Opening) -> None:
    page = opened("asks", {})
    page.click("#send")
    expect(page.locator("#interrupt")).to_have_text('{"question":"first?"}')
    page.reload()
    expect(page.locator("#interrupt")).to_have_text('{"question":"first?"}')
    page.click("#answer")
    expect(page.locator("#values")).to_contain_text('"answers":["yes"]')
    expect(page.locator("#interrupt")).to_have_text("")


def test_stop_stops_the_run(opened: Opening) -> None:
    page = opened("chat", said("slowly " + "word " * 200))
    page.click("#send")
    expect(page.locator("#messages li").nth(1)).to_contain_text("word")
    page.click("#stop")
    expect(page.locator("#state")).to_have_text("quiet", timeout=5_000)


def test_a_failure_reaches_the_page(opened: Opening) -> None:
    page = opened("steps", {"n": 2, "fail_at": 1})
    page.click("#send")
    expect(page.locator("#error")).to_contain_text("1 is too many")
