"""What checkers print, read as findings."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from artel.tools.gate.report import Finding
from artel.tools.sandbox.output import legible

MAX_FINDINGS = 200  # of one check
MAX_CHARS = 500  # of one message

Reads = Literal["ruff", "eslint", "lines", "paths", "reformat", "none"]

_AT = re.compile(
    r"(?P<path>[^\s:(][^:(]*?)(?::(?P<line>\d+)(?::\d+)?|\((?P<row>\d+)(?:,\d+)?\)): ?(?P<said>.*)"
)
_NOISE = re.compile(r".*: note: |Found \d+ errors?|Success: |All checks passed")
_RULE = re.compile(r"(?P<said>.*?)\s*\[(?P<rule>[\w-]+)\]$|error (?P<code>TS\d+): (?P<text>.*)", re.DOTALL)
# How ruff names a file that it would format: until 0.14, and since
_REFORMAT = re.compile(r"Would reformat: (.+)|\s*--> (.+?)(?::\d+){0,2}")


class Unreadable(ValueError):
    """The output is not what the checker was asked for."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the output of one check that ran in one folder."""

    check: str
    root: Path
    home: str
    "The folder it ran in, from the workspace; empty: the workspace itself."

    def read(self, kind: Reads, out: bytes) -> list[Finding]:
        """Return what a checker found.

        Raises:
            Unreadable: it printed something else.
        """
        match kind:
            case "ruff":
                found = self._of_ruff(_loaded(out))
            case "eslint":
                found = self._of_eslint(_loaded(out))
            case "lines":
                found = self._of_lines(legible(out).splitlines())
            case "paths":
                found = map(self._unformatted, filter(str.strip, legible(out).splitlines()))
            case "reformat":
                found = map(self._unformatted, _reformatted(legible(out).splitlines()))
            case "none":
                found = iter(())
        return [one for one, _ in zip(found, range(MAX_FINDINGS), strict=False)]

    def _of_ruff(self, said: object) -> Iterator[Finding]:
        for one in _tables(said):
            at = one.get("location")
            row = at.get("row") if isinstance(at, dict) else 0
            yield self._finding(one.get("filename"), row, one.get("code") or "syntax", one.get("message"))

    def _of_eslint(self, said: object) -> Iterator[Finding]:
        for file in _tables(said):
            for one in _tables(file.get("messages")):
                if one.get("severity") != 1:
                    rule = one.get("ruleId") or "syntax"
                    yield self._finding(file.get("filePath"), one.get("line"), rule, one.get("message"))

    def _unformatted(self, path: str) -> Finding:
        return self._finding(path.strip(), 0, "format", "is not formatted")

    def _of_lines(self, lines: Iterable[str]) -> Iterator[Finding]:
        for line in lines:
            if not line.strip() or _NOISE.match(line):
                continue
            if match := _AT.fullmatch(line.strip()):
                said, rule = _ruled(match["said"])
                yield self._finding(match["path"], int(match["line"] or match["row"]), rule, said)
            else:
                said, rule = _ruled(line.strip())
                yield self._finding("", 0, rule, said)

    def _finding(self, path: object, line: object, rule: object, message: object) -> Finding:
        return Finding(
            check=self.check,
            path=self._path(str(path)) if path else "",
            line=line if isinstance(line, int) and 0 < line < 1 << 31 else 0,
            rule=str(rule or "")[:80],
            message=str(message)[:MAX_CHARS],
        )

    def _path(self, said: str) -> str:
        full = os.path.normpath(self.root / self.home / said)
        inside = full.startswith(f"{self.root}/")
        return os.path.relpath(full, self.root) if inside else full


def _reformatted(lines: Iterable[str]) -> Iterator[str]:
    found = (match for line in lines if (match := _REFORMAT.fullmatch(line)))
    yield from dict.fromkeys(match[1] or match[2] for match in found)


def _ruled(said: str) -> tuple[str, str]:
    said = said.removeprefix("error: ")
    if not (match := _RULE.fullmatch(said)):
        return said, ""
    return (match["text"], match["code"]) if match["code"] else (match["said"], match["rule"])


def _loaded(out: bytes) -> object:
    try:
        return json.loads(out)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"its output is not the JSON that it was asked for: {str(error)[:100]}") from None


def _tables(said: object) -> Iterator[Mapping[str, Any]]:
    if not isinstance(said, list):
        raise Unreadable("its output is JSON, but no list of findings")
    return (one for one in said if isinstance(one, dict))
