"""Runs the cases of the JavaScript clients by Node's own test runner, and tells how each of them ended."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.conftest import free_port

HERE = Path(__file__).parent / "js"
WITHIN_S = 240
TRANSPORTS = ("sse", "websocket")
NAMED = re.compile(r'^test\("(.+)", async', re.MULTILINE)
NAMED_BOTH = re.compile(r'^  on\("(.+)", async', re.MULTILINE)
RESULT = re.compile(r"^(not ok|ok) \d+ - (.+?)(?: # .*)?$")


@dataclass(frozen=True)
class Suite:
    """One file of cases, run by one generation of the client."""

    file: str
    sdk: str

    def cases(self) -> list[str]:
        """Return the names of its cases, as the file has them."""
        source = (HERE / self.file).read_text()
        both = NAMED_BOTH.findall(source)
        return NAMED.findall(source) + [
            f"{transport}: {one}" for transport in ("sse", "websocket") for one in both
        ]

    def run(self, url: str) -> dict[str, str]:
        """Run all cases; return what went wrong by name, empty where nothing did."""
        environment = {**os.environ, "ARTEL_URL": url, "SDK": self.sdk, "WEBHOOK_PORT": str(free_port())}
        ran = subprocess.run(
            ["node", "--test", "--test-reporter=tap", self.file],
            cwd=HERE,
            env=environment,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        )
        return _read(ran.stdout) or {"": ran.stdout + ran.stderr}


def _read(report: str) -> dict[str, str]:
    """Return by name what TAP says went wrong; its details follow the line, indented."""
    told: dict[str, str] = {}
    name = ""
    for line in report.splitlines():
        if found := RESULT.match(line.strip()):
            name = found[2]
            told[name] = "" if found[1] == "ok" else "not ok"
        elif name and told[name]:
            told[name] += f"\n{line}"
    return told


CLASSIC = (Suite("classic.test.js", "sdk-v1"), Suite("classic.test.js", "sdk-v2"))
STREAMING = Suite("streaming.test.js", "sdk-v1")
ALL = (*CLASSIC, STREAMING)
