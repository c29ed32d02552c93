"""The two ways a person works on the page, and its words in both languages."""

import json
import re
from functools import cache
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

WORDS = Path(__file__).parents[2] / "web/src/i18n/words"
MOST_TABS = 150
FOCUSED = "(one) => one === document.activeElement"
_RECORD = re.compile(r"export const (english|russian)[^=]*= \{\n(.*?)\n\}", re.DOTALL)
_WORD = re.compile(r'^  (\w+):\s*("(?:[^"\\]|\\.)*")', re.MULTILINE)


@cache
def words(language: str) -> dict[str, str]:
    """Return the words of the page by their names, in `en` or `ru`."""
    wanted = {"en": "english", "ru": "russian"}[language]
    found: dict[str, str] = {}
    for file in sorted(WORDS.glob("*.ts")):
        for record, body in _RECORD.findall(file.read_text()):
            if record == wanted:
                found |= {name: json.loads(text) for name, text in _WORD.findall(body)}
    return found


class Mouse:
    """Points and clicks."""

    name = "mouse"

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, target: Locator) -> None:
        """Press a button, follow a link, unfold a line."""
        target.click()

    def turn_to(self, tab: Locator) -> None:
        """Turn to one of several tabs."""
        tab.click()

    def write(self, target: Locator, text: str) -> None:
        """Replace what stands in a field."""
        target.click()
        target.fill(text)


class Keyboard:
    """Comes to everything by Tab, as one without a pointer does: what cannot be reached cannot be used."""

    name = "keyboard"

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, target: Locator) -> None:
        """Come to it and press Enter."""
        self.reach(target)
        self.page.keyboard.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        """Come to a field and type."""
        self.reach(target)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def turn_to(self, tab: Locator) -> None:
        """Come to the tabs, and by arrows to this one."""
        tabs = self.page.get_by_role("tab")
        self.reach(self.page.locator('[role="tab"][aria-selected="true"]'))
        for _ in range(tabs.count()):
            if tab.evaluate(FOCUSED):
                return
            left = self.page.locator(":focus").element_handle()
            self.page.keyboard.press("ArrowRight")
            self.page.wait_for_function("(left) => left !== document.activeElement", arg=left)
        raise AssertionError(f"{tab} cannot be reached by arrows")

    def reach(self, target: Locator) -> None:
        """Come to it by Tab."""
        expect(target).to_be_visible()
        for _ in range(MOST_TABS):
            if target.evaluate(FOCUSED):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached by {MOST_TABS} times Tab")
