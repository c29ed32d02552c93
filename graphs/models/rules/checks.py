"""What can be found wrong with a text without understanding it; secrets and calls as the gate finds them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.python import long_functions, parsed
from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.gate import source
from artel.tools.gate.calls import Calls
from artel.tools.gate.configuration import Gate, Secrets
from artel.tools.gate.secrets import Leaks

Severity = Literal["blocker", "major", "minor"]
ORDER: tuple[Severity, ...] = ("blocker", "major", "minor")

CONFLICT = re.compile(r"^(?:<{7} |>{7} |={7}$)")
MARK = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
LEFT_IN = re.compile(
    r"^\s*(?:breakpoint\(\)|import i?pdb|i?pdb\.set_trace\(|debugger;?$|console\.(?:log|debug)\()"
)
SWALLOWED = re.compile(
    r"^\s*except(?:\s+(?:Base)?Exception(?:\s+as\s+\w+)?)?\s*:\s*(?:pass|\.\.\.)?\s*(?:#.*)?$"
)
PASSED = re.compile(r"^\s*(?:pass|\.\.\.)\s*(?:#.*)?$")
BARE = re.compile(r"^\s*except\s*:")


@dataclass(frozen=True, slots=True)
class Found:
    """Something wrong, and where."""

    severity: Severity
    path: str
    line: int
    says: str

    def told(self) -> str:
        """Return it as a line of a list."""
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"**{self.severity}** `{where}`: {self.says}"


def every(path: str, text: str, say: Phrases) -> list[Found]:
    """Return all that rules find in a file, by line."""
    found = [*weaknesses(path, text, say), *_by_line(path, text, say), *_by_tree(path, text, say)]
    return sorted(found, key=lambda one: one.line)


def weaknesses(path: str, text: str, say: Phrases) -> list[Found]:
    """Return secrets and calls that run what they are given, as the gate finds them."""
    leaks = [one for _, one in Leaks(Secrets()).look(path, text)]
    found = [Found("blocker", path, one.line, one.message) for one in leaks]
    try:
        code = source.read(path, text.encode("utf-8", "replace"))
        calls = Calls(Gate()).look(code) if code else []
    except (ToolRefused, ToolFailed) as error:
        why = say(f"could not be judged: {error}", f"не удалось разобрать: {error}")
        return [*found, Found("minor", path, 0, why)]
    return [*found, *(Found("major", path, one.line, one.message) for one in calls)]


def _by_line(path: str, text: str, say: Phrases) -> Iterator[Found]:
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        after = lines[number] if number < len(lines) else ""
        if CONFLICT.match(line) and not path.endswith((".md", ".rst", ".txt")):
            yield Found(
                "blocker",
                path,
                number,
                say("a conflict of a merge is left", "осталась метка конфликта слияния"),
            )
        elif BARE.match(line) or (
            SWALLOWED.match(line) and (line.rstrip().endswith("pass") or PASSED.match(after))
        ):
            yield Found(
                "major",
                path,
                number,
                say("errors of every kind are swallowed", "проглатываются любые ошибки"),
            )
        elif LEFT_IN.match(line):
            yield Found(
                "minor",
                path,
                number,
                say(
                    f"left in for debugging: `{line.strip()[:60]}`",
                    f"осталось от отладки: `{line.strip()[:60]}`",
                ),
            )
        elif mark := MARK.search(line):
            yield Found(
                "minor",
                path,
                number,
                say(
                    f"{mark[0]} is open: `{line.strip()[:80]}`",
                    f"не сделано, {mark[0]}: `{line.strip()[:80]}`",
                ),
            )


def _by_tree(path: str, text: str, say: Phrases) -> Iterator[Found]:
    if not path.endswith(".py"):
        return
    tree = parsed(text)
    if isinstance(tree, SyntaxError):
        yield Found(
            "blocker", path, tree.lineno or 0, say(f"no Python: {tree.msg}", f"это не Python: {tree.msg}")
        )
    for one in long_functions(text):
        count = one.end - one.line + 1
        yield Found(
            "minor", path, one.line, say(f"`{one.name}` has {count} lines", f"в `{one.name}` строк: {count}")
        )
