"""What a file says of itself: its first words, and what it defines."""

import re
from pathlib import PurePosixPath

from artel.graphs.models.rules.files import File

MAX_ENTRIES = 40
LANGUAGES = {
    "py": "python",
    "md": "markdown",
    "ts": "ts",
    "tsx": "tsx",
    "js": "js",
    "sql": "sql",
    "toml": "toml",
}

ENTRY = re.compile(
    r"^(\s{0,4})(?:(?:export|async|public|private|static|pub|default|abstract)\s+)*"
    r"(?:def|class|function|func|fn|interface|type|struct|enum|create table|create function)\s+\w+.*",
    re.IGNORECASE,
)
HEADING = re.compile(r"^(#{1,3})\s+(.*)")
FIRST_WORDS = re.compile(r'^[rRbBuU]*"""(.*?)(?:"""|$)|^\s*(?:#(?!!)|//|--|/\*+|<!--)\s*(.+?)(?:\*/|-->)?$')


def summary(file: File) -> str:
    """Return the first sentence a file says of itself: docstring, comment, or paragraph."""
    if _suffix(file) in ("md", "rst", "txt"):
        return next((line.strip() for line in file.lines if line.strip() and not HEADING.match(line)), "")[
            :300
        ]
    for line in file.lines[:5]:
        if found := FIRST_WORDS.match(line):
            return (found[1] or found[2] or "").strip()[:300]
    return ""


def outline(file: File) -> str:
    """Return what a file defines, or its headings, each with its line; its first lines if it has neither."""
    if _suffix(file) == "md":
        found = [(n, HEADING.match(line)) for n, line in enumerate(file.lines, 1)]
        entries = [f"- `{n}` {'  ' * (len(m[1]) - 1)}{m[2]}" for n, m in found if m]
    else:
        entries = [
            f"- `{n}` {'  ' if line.startswith(' ') else ''}`{_signature(line)}`{_says(file.lines, n)}"
            for n, line in enumerate(file.lines, 1)
            if ENTRY.match(line)
        ]
    if not entries:
        return quoted(file.path, file.lines[:30])
    more = len(entries) - MAX_ENTRIES
    return "\n".join([*entries[:MAX_ENTRIES], *([f"- … {more}"] if more > 0 else [])])


def quoted(path: str, lines: list[str]) -> str:
    """Return lines as a block of code."""
    language = LANGUAGES.get(path.rsplit(".", 1)[-1], "")
    fence = "````" if any("```" in line for line in lines) else "```"
    return "\n".join([f"{fence}{language}", *lines, fence])


def _suffix(file: File) -> str:
    return PurePosixPath(file.path).suffix.lstrip(".").lower()


def _signature(line: str) -> str:
    return line.strip().rstrip(":{").strip()[:120].replace("`", "'")


def _says(lines: list[str], number: int) -> str:
    """Return the first words of the docstring below a definition."""
    for line in lines[number : number + 8]:
        if found := re.match(r'^\s+[rR]?"""(.+?)(?:"""|$)', line):
            return f": {found[1].strip()}"
        if ENTRY.match(line):
            break
    return ""
