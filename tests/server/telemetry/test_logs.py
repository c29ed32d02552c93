"""What is logged: an object a line, with the ids that are known, and never a secret."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog
from tests.fakes.served import HI
from tests.server.protocol.conftest import Wire

from artel.server.settings import Settings
from artel.server.telemetry import logs
from artel.server.telemetry.secrets import HIDDEN, Hiding
from artel.server.telemetry.settings import LogSettings

SECRET = "s3cr3t-p4ssw0rd"


class Lines(io.StringIO):
    """A stream that is, or is not, a terminal."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def told(self) -> list[dict[str, Any]]:
        """Every line as the object it has to be."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Log into a list as a process does, and as before when the test is over."""
    root = logging.getLogger()
    kept, level, before = list(root.handlers), root.level, structlog.get_config()
    yield Lines()
    structlog.configure(**before)
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in kept:
        root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(False)


def log_to(settings: LogSettings, *, to: Lines, secrets: Sequence[str] = ()) -> None:
    """Log as a process does; loggers that are kept would log into the lines of this test for ever."""
    logs.configure(settings, secrets=secrets, to=to)
    structlog.configure(cache_logger_on_first_use=False)


def test_elsewhere_than_on_a_terminal_each_line_is_an_object(lines: Lines) -> None:
    log_to(LogSettings(), to=lines)
    structlog.get_logger().info("it began", n=1, odd="half \ud800", big=2**70, nul="\x00\n")
    logging.getLogger("library").warning("mind %s", "this")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    ours, theirs, warned = lines.told
    assert (ours["event"], ours["level"], ours["n"]) == ("it began", "info", 1)
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("mind this", "warning", "library")
    assert warned["logger"] == "py.warnings"


def test_on_a_terminal_lines_are_for_people(lines: Lines) -> None:
    terminal = Lines(terminal=True)
    log_to(LogSettings(), to=terminal)
    structlog.get_logger().info("it began")
    assert "it began" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


def test_a_setting_says_otherwise(lines: Lines) -> None:
    log_to(LogSettings(format="console"), to=lines)
    structlog.get_logger().info("plain")
    assert not lines.getvalue().startswith("{")
    terminal = Lines(terminal=True)
    log_to(LogSettings(format="JSON", level="WARNING"), to=terminal)
    log = structlog.get_logger()
    log.info("too little")
    log.warning("enough")
    assert [one["event"] for one in terminal.told] == ["enough"]


def test_values_from_outside_draw_no_lines_of_their_own(lines: Lines) -> None:
    log_to(LogSettings(format="console"), to=lines)
    structlog.get_logger().info("asked", path="/x\n2026-01-01 [error] forged\x1b[31m")
    assert len(lines.getvalue().splitlines()) == 1
    assert "\x1b[31m" not in lines.getvalue()


def test_an_exception_is_one_field(lines: Lines) -> None:
    log_to(LogSettings(), to=lines)
    try:
        raise ValueError(f"could not connect to postgresql://me:{SECRET}@db/artel")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed too")
    for line in lines.told:
        assert "ValueError" in line["exception"]
        assert "Traceback" in line["exception"]
    assert SECRET not in lines.getvalue()


@pytest.mark.parametrize(
    "said",
    [
        f"postgresql://me:{SECRET}@db.example/artel",
        f"redis://:{SECRET}@cache:6379/0",
        f"host=db user=me password={SECRET} dbname=artel",
        f"host=db password='{SECRET}'",
        f"Authorization: Bearer {SECRET}",
        f"{{'authorization': 'Bearer {SECRET}'}}",
        f"[(b'x-api-key', b'{SECRET}')]",
        f'{{"api_key": "{SECRET}"}}',
        f"https://host/path?api_key={SECRET}&x=1",
        f"Cookie: session={SECRET}",
        f"Incorrect API key provided: sk-{SECRET}",
    ],
)
def test_secrets_are_hidden_by_their_shape(said: str) -> None:
    assert SECRET not in Hiding().text(said)
    assert HIDDEN in Hiding().text(said)


def test_secrets_are_hidden_by_name_and_by_value(lines: Lines) -> None:
    log_to(LogSettings(), secrets=[SECRET, "abc"], to=lines)

    class Odd:
        def __repr__(self) -> str:
            return f"Odd({SECRET})"

    structlog.get_logger().warning(
        f"it was {SECRET}",
        headers={"Authorization": "x", "X-Api-Key": "y", "Accept": "*/*", "nested": [{"password": "z"}]},
        odd=Odd(),
        token="t",
        input_tokens=7,
        word="abcdef",
    )
    assert SECRET not in lines.getvalue()
    (line,) = lines.told
    assert line["headers"] == {
        "Authorization": HIDDEN,
        "X-Api-Key": HIDDEN,
        "Accept": "*/*",
        "nested": [{"password": HIDDEN}],
    }
    assert (line["token"], line["input_tokens"], line["word"]) == (HIDDEN, 7, "abcdef")


def test_the_secrets_of_the_settings_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTEL_STORAGE__POSTGRES", "host=db password='one word' user=me")
    monkeypatch.setenv("ARTEL_STORAGE__REDIS", "redis://:two-words@cache/0")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-three")
    monkeypatch.setenv("ARTEL_WEBHOOKS__SECRET", "four-words")
    assert set(Settings().secrets) == {"one word", "two-words", "sk-three", "four-words"}


async def test_a_finished_run_is_one_line_with_all_its_ids(lines: Lines, wire: Wire) -> None:
    log_to(LogSettings(), to=lines)
    answer = await wire(
        "POST",
        "/threads/" + await wire.thread() + "/runs/wait",
        {"assistant_id": "flow", "input": HI},
        headers={"X-Request-Id": "r-1", "Authorization": f"Bearer {SECRET}"},
    )
    assert answer.is_success
    await asyncio.sleep(0.05)
    (line,) = (one for one in lines.told if one["event"] == "a run has ended")
    assert (line["status"], line["attempt"], line["graph_id"]) == ("success", 1, "flow")
    assert line["took_s"] > 0
    assert {"thread_id", "run_id", "worker_id", "input_tokens", "output_tokens"} <= set(line)
    assert (line["request_id"], line["level"]) == ("r-1", "info")
    assert not [one for one in lines.told if one["event"] != "a run has ended"], "no line a request"
    assert SECRET not in lines.getvalue()


async def test_a_failure_names_the_request_and_the_run(lines: Lines, wire: Wire) -> None:
    log_to(LogSettings(), to=lines)
    await wire("POST", "/runs/wait", {"assistant_id": "fails", "input": {}}, headers={"X-Request-Id": "r-2"})
    await asyncio.sleep(0.05)
    failed, ended = lines.told
    assert (failed["event"], failed["request_id"], failed["run_id"]) == (
        "a run failed",
        "r-2",
        ended["run_id"],
    )
    assert "ValueError: boom" in failed["exception"]
    assert ended["status"] == "error"


async def test_a_request_leaves_nothing_behind_for_the_next(wire: Wire) -> None:
    await wire("GET", "/ok", headers={"X-Request-Id": "r-3"})
    assert "request_id" not in structlog.contextvars.get_contextvars()
