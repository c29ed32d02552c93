"""The drawing of a graph, and the way that a run takes through it."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Server, Visit, Visiting

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.xdist_group("browser")]


def node(page: Page, name: str) -> Locator:
    """Return a node of the drawing."""
    return page.get_by_test_id("drawing").locator(f'[data-node="{name}"]')


def opened(tab: Visit, path: str) -> Page:
    """Open a page of graphs."""
    tab.page.goto(tab.home + path)
    return tab.page


def begun(server: Server, assistant: str, given: dict[str, object]) -> str:
    """Start a run on a thread of its own, and return the thread."""
    with httpx.Client(base_url=server.url) as client:
        thread = client.post("/threads", json={"metadata": {"graph_id": assistant}}).json()["thread_id"]
        order = {"assistant_id": assistant, "input": given, "stream_subgraphs": True}
        client.post(f"/threads/{thread}/runs", json=order).raise_for_status()
    return str(thread)


def test_the_orchestrator_is_drawn_and_said_in_words_with_the_graphs_inside_it(
    offline: Server, visit: Visiting
) -> None:
    page = opened(visit(offline), "/graph")
    page.get_by_role("searchbox", name="Find a graph").fill("orchestrator")
    page.get_by_role("link", name=re.compile("^orchestrator")).click()
    expect(node(page, "make_plan")).to_be_visible()
    listed = page.get_by_role("region", name="Nodes")
    expect(listed.get_by_role("button", name="architect then report")).to_be_visible()
    page.get_by_role("checkbox", name="Graphs inside").check()
    expect(node(page, "coder:tools")).to_be_visible()
    tools = listed.get_by_role("button", name=re.compile("^coder › tools"))
    tools.click()
    expect(tools).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.documentElement.scrollWidth") == 1280


def test_a_drawing_is_moved_by_keys_and_saved_as_a_file_that_stands_alone(
    foreign: Server, visit: Visiting, tmp_path: Path
) -> None:
    page = opened(visit(foreign), "/graph/steps")
    frame = page.get_by_role("group", name="Drawing")
    expect(node(page, "count")).to_be_visible()
    before = node(page, "count").bounding_box()
    frame.focus()
    frame.press("ArrowRight")
    frame.press("+")
    moved = node(page, "count").bounding_box()
    assert before
    assert moved
    assert moved["width"] > before["width"]
    frame.press("0")
    expect(page.get_by_test_id("drawing")).to_be_visible()
    assert node(page, "count").bounding_box() == before
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").click()
    download.value.save_as(tmp_path / "steps.svg")
    saved = (tmp_path / "steps.svg").read_text()
    assert ">count</text>" in saved
    assert "class=" not in saved
    assert "var(" not in saved


def test_the_node_that_runs_is_shown_until_it_is_done(
    foreign: Server, visit: Visiting, tmp_path: Path
) -> None:
    end = tmp_path / "end"
    given = {"n": 10_000, "pause_s": 0.5, "marks": str(tmp_path / "marks"), "until": str(end), "counted": []}
    thread = begun(foreign, "steps", given)
    page = opened(visit(foreign), f"/graph/steps?thread={thread}")
    expect(node(page, "count")).to_have_attribute("data-look", "running")
    expect(page.get_by_test_id("way")).to_contain_text("Runs now: count")
    end.touch()
    expect(page.get_by_test_id("way")).to_contain_text("The run is over: count")
    expect(node(page, "count")).to_have_attribute("data-look", "passed")
    page.reload()
    expect(page.get_by_test_id("way")).to_contain_text("The run is over: count")


def test_a_conversation_leads_to_its_graph_where_a_model_speaks_inside(
    scripted: Server, visit: Visiting
) -> None:
    tab = visit(scripted).open()
    tab.say("please explain it at length")
    expect(tab.answer).to_contain_text("word1")
    tab.page.get_by_role("link", name="Graph of this conversation").click()
    tab.page.get_by_role("checkbox", name="Graphs inside").check()
    expect(node(tab.page, "ask:model")).to_have_attribute("data-look", "running")
    expect(node(tab.page, "route")).to_have_attribute("data-look", "passed")
    tab.page.get_by_role("link", name="To the conversation").click()
    tab.press("Stop")
    tab.settled()
