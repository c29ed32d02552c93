"""Colours for a terminal, and none for anything else."""

import sys

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_DIFF = {"+": "green", "-": "red", "@": "cyan"}


def write(text: str, colour: str = "") -> None:
    """Write to standard output at once, coloured when it is a terminal.

    What a model or a file says cannot move the cursor or change the title: control characters are shown as
    their Unicode pictures.
    """
    safe = "".join(char if char in "\n\t" or char.isprintable() else _picture(char) for char in text)
    painted = f"\x1b[{_CODES[colour]}m{safe}\x1b[0m" if colour and sys.stdout.isatty() else safe
    sys.stdout.write(painted)
    sys.stdout.flush()


def write_diff(diff: str) -> None:
    """Write a unified diff, a colour a kind of line."""
    for line in diff.splitlines():
        heading = line.startswith(("+++", "---"))
        write(f"    {line}\n", "bold" if heading else _DIFF.get(line[:1], ""))


def _picture(char: str) -> str:
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\N{REPLACEMENT CHARACTER}"
