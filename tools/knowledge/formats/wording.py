"""Text as everything behind expects it, whatever it came from."""

import re
import unicodedata

from artel.tools.knowledge.formats.records import Place

MAX_NAME = 500  # characters of a title, a heading or a value shown

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\ufeff\ufffe\uffff]")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_EMPTY_LINES = re.compile(r"\n{4,}")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*(?:(?<=[ \t])#+[ \t]*)?$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")


def clean(text: str) -> str:
    """Return text with line feeds only, in NFC, without control characters and halves of characters.

    >>> clean("a\\r\\nи\\u0306\\x00\\ud83d")
    'a\\nй\ufffd'
    """
    text = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    if not text.isascii():
        text = unicodedata.normalize(
            "NFC", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    return text


def tidy(text: str) -> str:
    """Return clean text without the blanks of a layout: at line ends, and more than two empty lines."""
    lines = "\n".join(line.rstrip() for line in clean(text).split("\n"))
    return _EMPTY_LINES.sub("\n\n\n", lines).strip("\n")


def spelled(text: str) -> str:
    """Return text whose ligatures are letters again, so that a word is found however it was set."""
    return text.translate(_LIGATURES)


def one_line(text: str) -> str:
    """Return text as one line, with single blanks."""
    return " ".join(clean(text).split())


def line(value: object) -> str:
    """Return something as one line of at most MAX_NAME characters."""
    text = one_line(str(value))
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 1]}…"


def shown(name: str) -> str:
    """Return a name from outside so that it can stand in a message."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line(name))


def headings(text: str, *, at_most: int = 20_000) -> tuple[Place, ...]:
    """Return a place for each heading of a Markdown text, up to the next one; `#` in code is none."""
    found: list[tuple[int, str]] = []
    fence, at = "", 0
    for row in text.split("\n"):
        if mark := _FENCE.match(row):
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence) and not row.strip().strip(fence[0]):
                fence = ""
        elif not fence and (named := _HEADING.match(row)) and named[2]:
            found.append((at, line(named[2])))
        at += len(row) + 1
    found = found[:at_most]
    ends = [start for start, _ in found[1:]] + [len(text)][: len(found)]
    return tuple(
        Place(start, end, heading=heading) for (start, heading), end in zip(found, ends, strict=True)
    )
