"""A real server, a real browser, and a folder to work in."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect, sync_playwright

FOREIGN = Path(__file__).parents[1] / "journeys/served/langgraph.json"
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
START_WITHIN_S = 40
WAIT_MS = 15_000
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "COVERAGE_PROCESS_START")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
SHOWN_ROUND = "localStorage.getItem('artel.toured') ?? localStorage.setItem('artel.toured', 'yes')"
SETTLED = ("idle", "waiting", "error")
# 300 words, 40 ms apart: time enough to reload, to stop, and to put words into the queue
LONG = " ".join(f"word{n}" for n in range(300))
ASK_TWO = [
    {"name": "write_file", "args": {"file_path": name, "content": f"{name}\n"}, "id": name}
    for name in ("one.txt", "two.txt")
]
MANY_LINES = "".join(f"line {number}\n" for number in range(40))
IN_PARTS = {
    "file_path": "parts.txt",
    "edits": [{"old_string": f"line {n}\n", "new_string": f"LINE {n}\n"} for n in (10, 20, 30)],
}
SCRIPT = {
    "per_turn": True,
    "replies": [
        {"match": "three places", "tool_calls": [{"name": "read_file", "args": {"file_path": "parts.txt"}}]},
        {"match": "line 39", "tool_calls": [{"name": "multi_edit", "args": IN_PARTS}]},
        {"match": "both", "text": "", "tool_calls": ASK_TWO},
        {"match": "break", "error": "the model fell over"},
        {"match": "explain", "text": LONG, "delay_s": 0.04},
        {"text": "All right."},
        {"text": "All right."},
        {"text": "All right."},
    ],
}

IN_CHARGE = "() => navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))"


@dataclass
class Server:
    """An `artel serve` process and the folder its agents work in."""

    home: Path
    model: str
    config: Path | None = None
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    env: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workspace(self) -> Path:
        """Where its agents work."""
        return self.home / "workspace"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.port = self.port or _free_port()
        arguments = ["serve", "--data", str(self.home / "data"), "--port", str(self.port)]
        if self.config:
            arguments += ["--config", str(self.config)]
        env = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "artel.server", *arguments],
                cwd=self.workspace,
                env={**env, "ARTEL_MODEL": self.model, **self.env},
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/ok").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail(f"the server did not start:\n{(self.home / 'log').read_text()}")

    def stop(self, *, hard: bool = False) -> None:
        """Stop it; `hard` with SIGKILL."""
        if self.process:
            (self.process.kill if hard else self.process.terminate)()
            self.process.wait(20)
            self.process = None


@dataclass
class Visit:
    """One tab on the page, and what a person sees and does in it."""

    page: Page
    home: str
    foreign: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> "Visit":
        """Go there."""
        self.page.goto(self.home + path)
        expect(self.field).to_be_visible()
        return self

    @property
    def field(self) -> Locator:
        """Where one writes."""
        return self.page.locator("form textarea.quiet")

    @property
    def card(self) -> Locator:
        """What waits for an answer."""
        return self.page.get_by_test_id("approval")

    @property
    def log(self) -> Locator:
        """The conversation."""
        return self.page.get_by_role("log")

    @property
    def answer(self) -> Locator:
        """The last thing an agent said."""
        return self.log.locator('[data-role="agent"] .prose').last

    def say(self, words: str) -> None:
        """Write and press Enter."""
        self.field.fill(words)
        self.field.press("Enter")

    def press(self, name: str, *, inside: Locator | None = None) -> None:
        """Press a button by its name."""
        (inside or self.page).get_by_role("button", name=name, exact=True).click()

    def talk_to(self, agent: str) -> None:
        """Choose who answers."""
        self.page.get_by_role("button", name="Agent:").click()
        self.page.get_by_role("option").filter(has=self.page.get_by_text(agent, exact=True)).click()
        expect(self.page.get_by_role("listbox")).to_have_count(0)

    def until(self, *phases: str) -> None:
        """Wait until the conversation is in one of these phases."""
        wanted = ", ".join(f'[data-testid="status"][data-phase="{phase}"]' for phase in phases)
        expect(self.page.locator(wanted)).to_be_visible()

    def settled(self) -> None:
        """Wait until nothing goes on."""
        self.until(*SETTLED)

    def broken_rules(self) -> list[str]:
        """Return what axe finds wrong with the page as it is now."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run()")
        return [
            f"{rule['id']} ({rule['impact']}): {node['html'][:150]}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]


Visiting = Callable[..., Visit]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium."""
    program = shutil.which("chromium") or "chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield opened
        opened.close()


def home(factory: pytest.TempPathFactory, name: str) -> Path:
    """Make a folder for a server, with two files to work on."""
    folder = factory.mktemp(name)
    folder.chmod(0o711)  # a database may live below
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "README.md").write_text("# Demo\n\nA small project.\n")
    (workspace / "clock.py").write_text(
        'def tick(n: int) -> str:\n    """Return a tick."""\n    return "tick" * n\n'
    )
    return folder


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose model is made of rules."""
    server = Server(home(tmp_path_factory, "offline"), "offline")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server whose model speaks slowly, asks twice at once, or fails, as it is told."""
    folder = home(tmp_path_factory, "scripted")
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT))
    server = Server(folder, f"scripted:{script}")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server of graphs that are not ours."""
    server = Server(home(tmp_path_factory, "foreign"), "offline", FOREIGN)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visiting]:
    """Return how to open a tab; each has its own storage, and all are checked at the end."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def open_tab(
        server: Server,
        *,
        language: str = "en-US",
        width: int = 1280,
        height: int = 800,
        scheme: str = "light",
        fresh: bool = False,
    ) -> Visit:
        context = browser.new_context(
            locale=language,
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.set_default_timeout(WAIT_MS)
        if not fresh:
            context.add_init_script(SHOWN_ROUND)
        contexts.append(context)
        page = context.new_page()
        tab = Visit(page, server.url)
        visits.append(tab)

        def note(request: Request) -> None:
            if urlsplit(request.url).netloc != urlsplit(server.url).netloc:
                tab.foreign.append(request.url)

        page.on("request", note)
        page.on("pageerror", lambda error: tab.problems.append(str(error)))
        return tab

    expect.set_options(timeout=WAIT_MS)
    yield open_tab
    for context in contexts:
        context.close()
    assert [url for tab in visits for url in tab.foreign] == []
    assert [problem for tab in visits for problem in tab.problems] == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
