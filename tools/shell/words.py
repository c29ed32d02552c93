"""The words of a command: what it is given, as far as that can be known without running anything."""

import re
from functools import reduce
from typing import Any, Literal, NamedTuple

Kind = Literal["plain", "pattern", "made"]

PLACEHOLDER = "{}"  # of find and xargs; the shell leaves it as it is
SUBSTITUTIONS = ("command_substitution", "process_substitution")
EXPANSIONS = (*SUBSTITUTIONS, "simple_expansion", "expansion", "arithmetic_expansion")

_SIMPLE = re.compile(r"\$(?:\w+|[@*#?$!-]|\{\w+\})")
_UNREAD = re.compile(r"(?<!\\)(?:\\\\)*[$`]")  # what an expansion begins with
_SPECIAL = frozenset(" \t\n;&|<>()'\"$`")
_PATTERN = frozenset("*?[]")
_IN_QUOTES = re.compile(r'\\([$`"\\\n])')
_ESCAPE = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|[uU]([0-9a-fA-F]{1,8})|(.))", re.DOTALL
)
_ORDINARY = re.compile(r"[^\s;&|<>()'\"$`\\{}~*?\[\]#]+")
_LETTERS = dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True))


class Word(NamedTuple):
    """One word of a command."""

    text: str
    "As the command gets it; as it is written where only the running shell knows."
    kind: Kind = "plain"
    "A pattern becomes names of files; what is made may become anything, also several words or none."
    doubt: str = ""
    "Why nobody can say what it does."

    @property
    def may_be_an_option(self) -> bool:
        """Whether it may become an option that is not written there."""
        return self.kind == "made" or (self.kind == "pattern" and self.text[0] in "*?[-")

    def joined(self, other: "Word") -> "Word":
        """Return the word that both are without a space between them."""
        kinds = (self.kind, other.kind)
        kind: Kind = "made" if "made" in kinds else "pattern" if "pattern" in kinds else "plain"
        return Word(self.text + other.text, kind, self.doubt or other.doubt)


_OPENING, _CLOSING = Word("{", "made"), Word("}", "made")


def word(node: Any, source: bytes) -> Word:
    """Return the word that a node of the tree stands for."""
    raw = source[node.start_byte : node.end_byte].decode()
    if raw == PLACEHOLDER:
        return Word(raw)
    return _joined(node, source, raw) if node.type == "concatenation" else _part(node, source, raw)


def inner(node: Any) -> list[Any]:
    """Return the substitutions in a word, outermost only."""
    if not node.child_count and node.type not in SUBSTITUTIONS:
        return []
    found, waiting = [], [node]
    while waiting:
        each = waiting.pop()
        if each.type in SUBSTITUTIONS:
            found.append(each)
        else:
            waiting.extend(reversed(each.children))
    return found


def _joined(node: Any, source: bytes, raw: str) -> Word:
    parts: list[Word] = []
    end = node.start_byte
    for child in node.children:
        if child.start_byte != end:  # the tree joins words that stand apart, the shell does not
            return Word(raw, "made", "the tree and the shell part the words differently")
        part = _part(child, source, _text(child, source))
        if part == _CLOSING and parts and parts[-1] == _OPENING:
            parts[-1:], part = [], Word(PLACEHOLDER)
        parts.append(part)
        end = child.end_byte
    whole = reduce(Word.joined, parts)
    return whole._replace(text=raw) if whole.kind == "made" else whole


def _part(node: Any, source: bytes, raw: str) -> Word:
    match node.type:
        case "word" | "number" | "extglob_pattern" if not node.children:
            return _bare(raw)
        case "raw_string" if re.fullmatch(r"'[^']*'", raw):
            return Word(raw[1:-1])
        case "ansi_c_string":
            return _ansi_c(raw)
        case "string":
            return _quoted(node, source, raw)
        case "simple_expansion" | "expansion" if _SIMPLE.fullmatch(raw):
            return Word(raw, "made")
        case "command_substitution" | "process_substitution":
            escaped = raw.startswith("`") and re.search(r"[\\#]", raw)
            return Word(raw, "made", "an escape or a # in backticks" if escaped else "")
    return Word(raw, "made", f"{raw[:40]!r} is worked out by the running shell")


def _bare(raw: str) -> Word:
    if _ORDINARY.fullmatch(raw):  # nearly all words
        return Word(raw)
    return _signed(raw)


def _signed(raw: str) -> Word:
    text, kind, at = [], "plain", 0
    while at < len(raw):
        char = raw[at]
        if char == "\\":
            at += 1
            char = raw[at : at + 1]
            if char in ("", "\n"):
                return Word(raw, "made", "a backslash at the end of a line joins words")
        elif char in _SPECIAL or (char == "#" and not at):
            return Word(raw, "made", f"{char!r} in a word")
        elif char in "{}" or (char == "~" and raw[at - 1 : at] in ("", "=", ":")):
            kind = "made"  # words, or somebody's home
        elif char in _PATTERN and kind == "plain":
            kind = "pattern"
        text.append(char)
        at += 1
    if kind == "made":
        return Word(raw, "made")
    return Word("".join(text), "pattern" if kind == "pattern" else "plain")


def _quoted(node: Any, source: bytes, raw: str) -> Word:
    if not re.fullmatch(r'".*"', raw, re.DOTALL) or len(raw) < 2:
        return Word(raw, "made", f"{raw[:40]!r} is no plain string")
    made = [child for child in node.children if child.type in EXPANSIONS]
    rest, at = b"", node.start_byte + 1
    for child in made:
        rest += source[at : child.start_byte] + b"_"
        at = child.end_byte
    written = (rest + source[at : node.end_byte - 1]).decode()
    if _UNREAD.search(written) or re.search(r'(?<!\\)(?:\\\\)*"', written):
        return Word(raw, "made", f"{raw[:40]!r} holds what the tree does not show")
    if made:
        doubts = (_part(child, source, _text(child, source)).doubt for child in made)
        return Word(raw, "made", next(filter(None, doubts), ""))
    return Word(_IN_QUOTES.sub(lambda hit: hit[1].strip("\n"), raw[1:-1]))


def _ansi_c(raw: str) -> Word:
    doubt = f"{raw[:40]!r} is worked out by the running shell"
    if "\\'" in raw:  # ends there for a shell that does not know this kind of quote
        return Word(raw, "made", doubt)
    try:
        text = _ESCAPE.sub(_unescaped, raw[2:-1])
    except ValueError:
        return Word(raw, "made", doubt)
    return Word(raw, "made", doubt) if "\0" in text else Word(text)


def _unescaped(hit: re.Match[str]) -> str:
    letter, byte, octal, point, other = hit.groups()
    if letter:
        return _LETTERS.get(letter, letter)
    if other:
        raise ValueError(other)
    code = int(byte or point, 16) if byte or point else int(octal, 8)
    if code > 0x7F and not point:
        raise ValueError("one byte of a character")
    return chr(code) if not 0xD800 <= code < 0xE000 else _no_character()


def _no_character() -> str:
    raise ValueError("half a character")


def _text(node: Any, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode()
