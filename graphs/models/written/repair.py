"""JSON as models write it. What is missing around values is put right; a value that is not whole never is."""

import re
from json import JSONDecodeError, loads
from typing import Any

WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?(?=[\s,}\]:]|$)")
NAME = re.compile(r"[A-Za-z_][\w-]*")
SPACE = re.compile(r"\s*")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"', "'": "'"}
DEEPEST = 100


class Unreadable(ValueError):
    """What stands there is no whole value."""


def repaired(text: str, *, whole: bool = True) -> Any:
    r"""Return the value of a JSON text, also of one with mistakes that leave no doubt about its values.

    Those are: trailing commas, single or triple quotes, names without quotes, Python's True, False and None,
    line ends inside of strings, escapes that JSON does not know, brackets too many at the end, and missing
    ones at the end when the text is `whole`: not one that was cut off.

    >>> repaired("{'path': 'a.py', 'lines': [1, 2,], 'all': True")
    {'path': 'a.py', 'lines': [1, 2], 'all': True}

    Raises:
        Unreadable: a string does not end, a value is missing, or there is more than one.
    """
    try:
        return loads(text, strict=False)
    except (JSONDecodeError, RecursionError):
        pass
    reader = _Reader(text, whole)
    value = reader.value(0)
    if text[reader.at :].strip(" \t\r\n}];,"):
        raise Unreadable(f"after its end stands {text[reader.at :].strip()[:40]!r}")
    return value


class _Reader:
    def __init__(self, text: str, whole: bool) -> None:
        self.text, self.whole, self.at = text, whole, 0

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise Unreadable(f"it is nested deeper than {DEEPEST}")
        match self.next():
            case "{":
                return self.members(depth)
            case "[":
                return self.items(depth)
            case '"' | "'":
                return self.string()
            case _:
                return self.word()

    def next(self) -> str:
        """Return the next character that is no space; "" at the end."""
        found = SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def members(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        while not self.ends("}"):
            if self.next() in ('"', "'"):
                name = self.string()
            elif named := NAME.match(self.text, self.at):
                name, self.at = named.group(), named.end()
            else:
                raise Unreadable(f"a name is missing at character {self.at}")
            if self.next() != ":":
                raise Unreadable(f"{name!r} has no value at character {self.at}")
            self.at += 1
            found[name] = self.value(depth + 1)
            self.comma("}")
        return found

    def items(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        while not self.ends("]"):
            found.append(self.value(depth + 1))
            self.comma("]")
        return found

    def ends(self, bracket: str) -> bool:
        """Say whether here is the end; of a whole text its own end will do."""
        found = self.next()
        if found == bracket:
            self.at += 1
            return True
        if not found and not self.whole:
            raise Unreadable("it was cut off")
        return not found

    def comma(self, bracket: str) -> None:
        found = self.next()
        if found == ",":
            self.at += 1
        elif found not in ("", bracket):
            raise Unreadable(f"a comma is missing at character {self.at}")

    def word(self) -> Any:
        if number := NUMBER.match(self.text, self.at):
            if number.end() == len(self.text) and not self.whole:
                raise Unreadable("it was cut off")
            self.at = number.end()
            return loads(number.group())
        named = NAME.match(self.text, self.at)
        if named is None or named.group() not in WORDS:
            raise Unreadable(f"a value is missing at character {self.at}")
        self.at = named.end()
        return WORDS[named.group()]

    def string(self) -> str:
        mark = self.text[self.at]
        mark = mark * 3 if self.text.startswith(mark * 3, self.at) else mark
        self.at += len(mark)
        parts: list[str] = []
        while not self.text.startswith(mark, self.at):
            if self.at >= len(self.text):
                raise Unreadable("a string does not end")
            parts.append(self.character())
        self.at += len(mark)
        return "".join(parts)

    def character(self) -> str:
        found = self.text[self.at]
        if found != "\\":
            self.at += 1
            return found
        escaped = self.text[self.at + 1 : self.at + 2]
        if escaped == "u":
            return self.unicode()
        self.at += 1 + len(escaped)
        return ESCAPES.get(escaped, f"\\{escaped}")  # of a regular expression: `\d` means itself

    def unicode(self) -> str:
        found = re.compile(r"(\\u[0-9a-fA-F]{4})+").match(self.text, self.at)
        if found is None:
            raise Unreadable(f"an escape is not whole at character {self.at}")
        self.at = found.end()
        return str(loads(f'"{found.group()}"'))  # together: two make one character of an emoji
