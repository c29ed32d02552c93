"""What the gate found: as data for programs, as text for a model and a person."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from artel.tools.workspace.paths import printable

Status = Literal["passed", "failed", "skipped", "broken"]
WORDS: dict[Status, str] = {"passed": "ok", "failed": "FAILED", "skipped": "NOT RUN", "broken": "BROKEN"}
MAX_MESSAGE = 300  # characters of one finding
WAS_THERE = "was there before: "


class Finding(BaseModel):
    """One thing that is wrong, or was before."""

    model_config = ConfigDict(frozen=True)

    check: str
    path: str = Field(default="", description="From the workspace; empty: it is about no file.")
    line: int = Field(default=0, description="From 1; 0: about the whole file.")
    rule: str = ""
    message: str

    @property
    def is_old(self) -> bool:
        """Whether it was so before the change: it is told, and fails nothing."""
        return self.message.startswith(WAS_THERE)

    def as_old(self) -> "Finding":
        """Return it as one that was there before."""
        return self.model_copy(update={"message": WAS_THERE + self.message})


class CheckResult(BaseModel):
    """How one check went."""

    model_config = ConfigDict(frozen=True)

    check: str
    language: str = ""
    status: Status = Field(description="broken: it could not run, which is not a pass.")
    findings: tuple[Finding, ...] = ()
    reason: str = Field(default="", description="Why it was skipped or is broken.")
    took_s: float = 0.0


class Report(BaseModel):
    """The verdict on a change."""

    model_config = ConfigDict(frozen=True)

    passed: bool
    checks: tuple[CheckResult, ...]
    files: tuple[str, ...] = Field(description="What differs from the base, deleted files too.")
    base: str = Field(description="The commit it was compared with; empty: nothing, all files are new.")
    tree: str = Field(description="A digest of the contents that were judged.")
    config: str = Field(description="Where the configuration came from, and its digest.")

    def text(self, limit: int = 6000) -> str:
        """Return the report for a model and a person, worst first, in at most `limit` characters."""
        lines = [*self._heading(), *self._results(), *self._findings()]
        return _fitting(lines, limit)

    def _heading(self) -> Iterator[str]:
        word = "green" if self.passed else "RED"
        since = f"since {self.base[:10]}" if self.base else "against nothing"
        yield f"Gate: {word}. {len(self.files)} files changed {since}; configuration: {self.config}."

    def _results(self) -> Iterator[str]:
        for each in self.checks:
            fresh = sum(not finding.is_old for finding in each.findings)
            old = len(each.findings) - fresh
            name = f"{each.check} ({each.language})" if each.language else each.check
            counts = [f"{fresh} found"] if fresh else []
            counts += [f"{old} from before"] if old else []
            told = "; ".join([*([printable(each.reason)] if each.reason else []), *counts])
            yield f"- {name}: {WORDS[each.status]}{f' ({told})' if told else ''}"

    def _findings(self) -> Iterator[str]:
        every = [finding for each in self.checks if each.status != "passed" for finding in each.findings]
        for finding in (one for one in every if not one.is_old):
            where = printable(finding.path) + (f":{finding.line}" if finding.line else "")
            rule = f" [{printable(finding.rule)}]" if finding.rule else ""
            said = printable(finding.message[:MAX_MESSAGE])
            yield f"{where}: {said}{rule}" if where else f"{said}{rule}"


def _fitting(lines: list[str], limit: int) -> str:
    kept: list[str] = []
    room = limit - 40  # for the word about the rest
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return "\n".join([*kept, f"… and {left} more lines"] if left else kept)[:limit]
