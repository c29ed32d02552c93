"""A page that is reloaded, cut off and left by its server while an answer streams into it."""

import json
import random
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import Server, Visiting, home

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fault,
    pytest.mark.needs("chromium"),
    pytest.mark.xdist_group("browser"),
]

RELOADS, SEED = 20, 20261122
CUT_S = 5
WORDS = " ".join(f"word{n}" for n in range(2_000))  # 25 ms apart: 50 s of an undisturbed run
SCRIPT = {"per_turn": True, "replies": [{"match": "tell", "text": WORDS, "delay_s": 0.025}]}


@pytest.fixture
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose model speaks for a long time."""
    folder = home(tmp_path_factory, "chaos")
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT))
    server = Server(folder, f"scripted:{script}")
    server.start()
    yield server
    server.stop()


def test_after_twenty_reloads_a_restart_and_a_cut_the_text_is_the_same(slow: Server, visit: Visiting) -> None:
    moments = random.Random(SEED)
    tab, other = visit(slow).open(), visit(slow)
    tab.say("tell")
    tab.until("processing")
    expect(tab.answer).to_contain_text("word5 ")
    other.open(tab.page.url.removeprefix(slow.url))
    for number in range(RELOADS):
        time.sleep(moments.uniform(0.1, 1.5))
        if number == RELOADS // 3:
            slow.stop()
            slow.start()
        elif number == RELOADS // 2:
            tab.page.context.set_offline(True)
            time.sleep(CUT_S)
            tab.page.context.set_offline(False)
            continue
        tab.page.reload()
    for one in (tab, other):
        expect(one.answer).to_contain_text("word1999", timeout=240_000)
        one.until("idle")
        assert one.log.locator('[data-role="agent"] .prose').all_inner_texts() == [WORDS]
