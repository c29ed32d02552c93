"""Comments that switch a checker off for a whole file: each is the gate made weaker for that file."""

import re
from collections.abc import Iterator

from artel.tools.gate.report import Finding
from artel.tools.gate.source import Source

CHECK = "silencing"

_OF_FILE = {
    "python": re.compile(
        r"^\s*#\s*(?:(?P<ruff>ruff\s*:\s*noqa|ruff\s*:\s*disable|flake8\s*[:=]\s*noqa)|(?P<mypy>mypy\s*:\s*(?!strict|disallow|warn)\S+)"
        r"|(?P<types>type\s*:\s*ignore)\s*(?:\[.*\]\s*)?$|(?P<fmt>fmt\s*:\s*off|yapf\s*:\s*disable))",
        re.IGNORECASE,
    ),
    "typescript": re.compile(
        r"(?P<eslint>/\*\s*eslint-disable(?!-(?:next-)?line)\b|/\*\s*eslint\s+[\w@/-]+\s*:)"
        r"|(?P<ts>(?://|/\*)\s*@ts-nocheck\b)"
    ),
}


def look(source: Source) -> Iterator[Finding]:
    """Yield the comments of a file that switch a checker off from there to its end."""
    expression = _OF_FILE[source.language]
    for number, line in enumerate(source.lines, start=1):
        if match := expression.search(line):
            yield Finding(
                check=CHECK,
                path=source.path,
                line=number,
                rule=match.lastgroup or "",
                message=f"{match[0].strip()!r} silences a checker for the whole file; mend what it found, or "
                "silence the one line and say why",
            )
