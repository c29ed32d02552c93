"""A parsed regular expression, said again for `regex` and for ripgrep."""

import importlib
import re
from typing import Any

from artel.tools.errors import ToolRefused

BLANKS = r"\t\x0b\x0c\x0d\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # \s without \n
FEED = 10
NEVER = "(?!)"
NEWER = r"\p{Cn}"  # what ripgrep's Unicode does not know yet
_parser: Any = importlib.import_module("re._parser")


class BadPattern(ToolRefused):
    """The pattern is no regular expression."""

    code = "bad_pattern"


class ForRegex:
    """Says a parsed pattern so that it cannot match a line feed."""

    def __init__(self) -> None:
        self.folds = False

    def say(self, parsed: Any) -> str:
        """Return the pattern."""
        return "".join(self.one(op.name, value) for op, value in parsed.data)

    def one(self, op: str, value: Any) -> str:
        """Return one node of the pattern."""
        match op:
            case "LITERAL":
                return NEVER if value == FEED else self.char(value)
            case "NOT_LITERAL":
                return self.negative([("LITERAL", value)])
            case "ANY":
                return "."
            case "IN":
                items = [(kind.name, item) for kind, item in value]
                return self.negative(items[1:]) if items[0][0] == "NEGATE" else self.positive(items)
            case "BRANCH":
                return f"(?:{'|'.join(self.say(branch) for branch in value[1])})"
            case "SUBPATTERN":
                return self.group(*value)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self.repeat(op, *value)
            case "AT":
                return self.at(value.name)
            case _:
                return self.special(op, value)

    def char(self, code: int) -> str:
        """Return a character that stands for itself, in a set or out of it."""
        if chr(code).isascii() and chr(code).isalnum():
            return chr(code)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    def positive(self, items: list[tuple[str, Any]]) -> str:
        """Return a set; what a negated class adds stands beside it, as it must leave out the line feed."""
        others = {
            "CATEGORY_NOT_DIGIT": r"[^\d\n]",
            "CATEGORY_NOT_SPACE": r"[^\s\n]",
            "CATEGORY_NOT_WORD": r"[^\w\n]",
        }
        inside = "".join(self.item(kind, value) for kind, value in items if str(value) not in others)
        beside = [others[str(value)] for _, value in items if str(value) in others]
        options = ([f"[{inside}]"] if inside else []) + beside
        return f"(?:{'|'.join(options)})" if options else NEVER

    def negative(self, items: list[tuple[str, Any]]) -> str:
        """Return all characters of a line but those of the set."""
        names = {"CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_NOT_SPACE": r"\S", "CATEGORY_NOT_WORD": r"\W"}
        inside = "".join(names.get(str(value)) or self.item(kind, value) for kind, value in items)
        return f"[^{inside}\\n]"

    def item(self, kind: str, value: Any) -> str:
        """Return one item of a set, the line feed taken out."""
        if kind == "CATEGORY":
            return {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": BLANKS, "CATEGORY_WORD": r"\w"}[value.name]
        first, last = (value, value) if kind == "LITERAL" else value
        parts = (
            [(first, min(last, FEED - 1)), (max(first, FEED + 1), last)]
            if first <= FEED <= last
            else [(first, last)]
        )
        return "".join(
            self.char(a) if a == b else f"{self.char(a)}-{self.char(b)}" for a, b in parts if a <= b
        )

    def group(self, number: int | None, added: int, removed: int, inner: Any) -> str:
        """Return a group, with the flags that hold in it."""
        if (added | removed) & (re.ASCII | re.UNICODE):
            raise BadPattern("(?a:…) and (?u:…) are not supported; put (?a) at the start")
        self.folds |= bool(added & re.IGNORECASE)
        flags = "i" * bool(added & re.IGNORECASE) + "-i" * bool(removed & re.IGNORECASE)
        return f"({self.say(inner)})" if number is not None else f"(?{flags}:{self.say(inner)})"

    def repeat(self, op: str, least: int, most: Any, inner: Any) -> str:
        """Return a repetition."""
        end = "" if most is _parser.MAXREPEAT else int(most)
        greed = {"MAX_REPEAT": "", "MIN_REPEAT": "?", "POSSESSIVE_REPEAT": "+"}[op]
        return f"(?:{self.say(inner)}){{{least},{end}}}{greed}"

    def at(self, where: str) -> str:
        """Return a place between characters."""
        return {
            "AT_BEGINNING": "^",
            "AT_BEGINNING_STRING": "^",
            "AT_END": "$",
            "AT_END_STRING": "$",
            "AT_BOUNDARY": r"\b",
            "AT_NON_BOUNDARY": r"\B",
        }[where]

    def special(self, op: str, value: Any) -> str:
        """Return what only engines that go back know."""
        match op:
            case "ASSERT" | "ASSERT_NOT":
                ahead = "" if value[0] > 0 else "<"
                return f"(?{ahead}{'=' if op == 'ASSERT' else '!'}{self.say(value[1])})"
            case "ATOMIC_GROUP":
                return f"(?>{self.say(value)})"
            case "GROUPREF":
                return f"(?:\\g<{value}>)"
            case "GROUPREF_EXISTS":
                number, yes, no = value
                return f"(?({number}){self.say(yes)}|{self.say(no) if no else ''})"
            case _:  # FAILURE
                return NEVER


class ForRust(ForRegex):
    """Says it so that it matches at least what the other matches."""

    CLASSES = {  # noqa: RUF012 - never changed
        "CATEGORY_DIGIT": r"\d" + NEWER,
        "CATEGORY_NOT_DIGIT": r"\D",
        "CATEGORY_SPACE": r"\s",
        "CATEGORY_NOT_SPACE": r"\S",
        "CATEGORY_WORD": r"\w" + NEWER,
        "CATEGORY_NOT_WORD": r"\W",
    }

    def __init__(self, *, folded: bool) -> None:
        super().__init__()
        self.folded = folded

    def char(self, code: int) -> str:
        """Return a character that stands for itself."""
        return chr(code) if chr(code).isascii() and chr(code).isalnum() else f"\\x{{{code:x}}}"

    def one(self, op: str, value: Any) -> str:
        """Return one node; Python's folded `i` also matches the Turkish ones."""
        if op == "LITERAL" and self.folded and chr(value) in "iI":
            return r"[i\x{130}\x{131}]"
        return "(?:)" if (op, value) == ("LITERAL", FEED) else super().one(op, value)

    def positive(self, items: list[tuple[str, Any]]) -> str:
        """Return a set, or more."""
        turkish = r"\x{130}\x{131}" if self.folded else ""
        return f"[{''.join(self.item(kind, value) for kind, value in items)}{turkish}\\x{{1}}]"

    def negative(self, items: list[tuple[str, Any]]) -> str:
        """Return all characters of a line but those of the set, or more."""
        if any(kind == "CATEGORY" and value.name.startswith("CATEGORY_NOT") for kind, value in items):
            return r"[^\n]"
        inside = "".join(self.item(kind, value) for kind, value in items)
        return f"[^{inside.replace(NEWER, '')}\\n]"

    def item(self, kind: str, value: Any) -> str:
        """Return one item of a set."""
        return self.CLASSES[value.name] if kind == "CATEGORY" else super().item(kind, value)

    def group(self, number: int | None, added: int, removed: int, inner: Any) -> str:
        """Return a group; nothing refers to it."""
        return super().group(None, added, removed, inner)

    def repeat(self, op: str, least: int, most: Any, inner: Any) -> str:
        """Return a repetition."""
        return super().repeat("MAX_REPEAT", least, most, inner)

    def at(self, where: str) -> str:
        """Return a place, or nothing: words end elsewhere in Rust."""
        return {"AT_BEGINNING": "^", "AT_BEGINNING_STRING": "^"}.get(
            where, r"(?:\r?$)" if where.startswith("AT_END") else "(?:)"
        )

    def special(self, op: str, value: Any) -> str:
        """Return what may stand there."""
        match op:
            case "ATOMIC_GROUP":
                return f"(?:{self.say(value)})"
            case "GROUPREF":
                return "(?:.*)"
            case "GROUPREF_EXISTS":
                return f"(?:{self.say(value[1])}|{self.say(value[2]) if value[2] else ''})"
            case _:  # looking around; failure
                return "(?:)"
