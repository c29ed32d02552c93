"""What a language server finds wrong in a file, and which of it an edit brought in."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artel.tools.workspace.paths import printable

MAX_READ = 2_000  # of one file
MAX_MESSAGE = 200  # characters
WARNING = 2  # errors are 1; what is above is a hint

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning."""

    line: int
    "From 1."
    message: str
    source: str

    def said(self, path: str) -> str:
        """Return it in a line.

        >>> Diagnostic(3, "Undefined name `x`", "Ruff").said("a.py")
        'a.py:3: Undefined name `x` (Ruff)'
        """
        return f"{path}:{self.line}: {self.message}{f' ({self.source})' if self.source else ''}"


def read(items: Any) -> tuple[Diagnostic, ...]:
    """Return the errors and warnings of a protocol's list; what is none is left out."""
    found = (_one(item) for item in (items[:MAX_READ] if isinstance(items, list) else ()))
    return tuple(one for one in found if one)


def brought_in(
    before: Sequence[Diagnostic], after: Sequence[Diagnostic], old: str, new: str
) -> Iterator[Diagnostic]:
    """Yield those of `after` (in text `new`) that were not there `before` (in text `old`).

    One outside of what changed is the same if it moved with its line; inside, if it says the same.
    """
    lines, others = old.splitlines(), new.splitlines()
    head = _alike(lines, others)
    tail = _alike(lines[head:][::-1], others[head:][::-1])
    known = Counter(_key(one, head, len(lines) - tail, len(others) - len(lines)) for one in before)
    for one in after:
        key = _key(one, head, len(others) - tail, 0)
        if known[key]:
            known[key] -= 1
        else:
            yield one


def _key(one: Diagnostic, head: int, tail: int, moved: int) -> tuple[str, str, int]:
    """Return what two that are the same have in common; lines from `tail` on have `moved`."""
    if head < one.line <= tail:
        return one.message, one.source, 0
    said = _NUMBER.sub("#", one.message)  # it may name another line, which moved too
    return said, one.source, one.line + (moved if one.line > tail else 0)


def _alike(lines: Sequence[str], others: Sequence[str]) -> int:
    pairs = enumerate(zip(lines, others, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(lines), len(others)))


def _one(item: Any) -> Diagnostic | None:
    match item:
        case {"range": {"start": {"line": int(line)}}, "message": str(message)} if line >= 0:
            return _described(item, line, message) if _counts(item.get("severity")) else None
    return None


def _counts(severity: Any) -> bool:
    return not isinstance(severity, int) or severity <= WARNING


def _described(item: Mapping[str, Any], line: int, message: str) -> Diagnostic:
    first = next(iter(message.strip().splitlines()), "")
    said = printable(" ".join(first[:MAX_MESSAGE].split()))
    source = item.get("source")
    return Diagnostic(line + 1, said, printable(source[:40]) if isinstance(source, str) else "")
