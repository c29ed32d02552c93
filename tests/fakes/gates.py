"""A gate without linters: red while a file holds a forbidden word."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from artel.tools.gate.report import CheckResult, Finding, Report
from artel.tools.tool import Work

FORBIDDEN = "FORBIDDEN"


@dataclass
class Gate:
    """What was checked, and a hook that runs while it is."""

    asked: list[tuple[str, ...]] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)

    def meanwhile(self) -> None:
        """Do nothing while files are checked; a test may put something else here."""

    async def run(self, work: Work, *, base: str = "HEAD", paths: Sequence[str] | None = None) -> Report:
        files = tuple(paths if paths is not None else ())
        self.asked.append(files)
        self.bases.append(base)
        found = tuple(
            Finding(check="words", path=path, line=1, rule="forbidden", message="holds a forbidden word")
            for path in files
            if (work.root / path).is_file() and FORBIDDEN in (work.root / path).read_text()
        )
        self.meanwhile()
        result = CheckResult(check="words", status="failed" if found else "passed", findings=found)
        return Report(passed=not found, checks=(result,), files=files, base=base, tree="", config="fake")


def put_up(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Put a fake in the place of the gate."""
    gate, module = Gate(), ModuleType("artel.tools.gate.running")
    module.run = gate.run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return gate
