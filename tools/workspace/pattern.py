"""Regular expressions: Python's syntax and Unicode's classes, said again for two engines.

A pattern is matched within single lines. The `regex` engine searches a whole text at once under a time limit
(`re` has none and would hold the interpreter for ever on `(a+)+$`), so what is said to it must not match line
feeds. ripgrep, where installed, only picks the files worth a look, so what is said to it matches whenever
`regex` would, and may match more: looking around, going back and word ends are left out.
"""

import importlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

from artel.tools.workspace.dialects import FEED, BadPattern, ForRegex, ForRust

MAX_PATTERN = 1_000  # characters
MAX_SIZE = 20_000  # pieces, half a kilobyte each; `((a+)+)+…` forty deep took 20 GB

_parser: Any = importlib.import_module("re._parser")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready for use."""

    compiled: "regex.Pattern[str]"
    literal: str
    "Text that every match contains, or nothing; looking for it first is a hundred times faster."
    plain: bool
    "Whether the literal is all there is."
    rust: str | None
    "For ripgrep; None if it cannot be said there."


@lru_cache(maxsize=64)
def compiled(pattern: str, *, ignore_case: bool = False, literal: bool = False) -> Pattern:
    """Return a pattern ready for use.

    Raises:
        BadPattern: it is none; the message names the position.
    """
    if not pattern or len(pattern) > MAX_PATTERN:
        raise BadPattern(f"a pattern has 1 to {MAX_PATTERN} characters, got {len(pattern)}")
    parsed = _parsed(pattern, re.escape(pattern) if literal else pattern, re.IGNORECASE if ignore_case else 0)
    try:
        return _ready(parsed, pattern)
    except (regex.error, RecursionError) as error:
        raise BadPattern(f"{pattern[:80]!r} cannot be searched for: {error}") from None


def _ready(parsed: Any, asked: str) -> Pattern:
    if (size := _size(parsed)) > MAX_SIZE:
        raise BadPattern(
            f"{asked[:80]!r} repeats too much: written out it has {size:.0e} pieces, over {MAX_SIZE}"
        )
    flags = parsed.state.flags
    theirs = (regex.IGNORECASE if flags & re.IGNORECASE else 0) | (regex.ASCII if flags & re.ASCII else 0)
    mine = ForRegex()
    ready = regex.compile(mine.say(parsed), regex.VERSION0 | regex.MULTILINE | theirs)
    folded = mine.folds or bool(flags & re.IGNORECASE)
    return Pattern(
        compiled=ready,
        literal="" if folded else max(_literals(parsed), key=len, default=""),
        plain=not folded and all(op.name == "LITERAL" for op, _ in parsed.data),
        rust=_rust(parsed, folded),
    )


def _parsed(asked: str, pattern: str, flags: int) -> Any:
    try:
        pattern.encode()
        with warnings.catch_warnings(action="ignore"):  # `[[]` makes `re` warn of nested sets to come
            re.compile(pattern, flags)
            parsed = _parser.parse(pattern, flags)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise BadPattern(f"{asked[:80]!r} is no regular expression: {error.msg}{where}") from None
    except (OverflowError, RecursionError, UnicodeEncodeError) as error:
        raise BadPattern(f"{asked[:80]!r} is no regular expression: {error}") from None
    return parsed


def _size(parsed: Any) -> float:
    """Return how long the pattern gets when repetitions are written out, as engines do: `a{9}{9}` has 100."""
    return sum(_size_of(op.name, value) for op, value in parsed.data)


def _size_of(op: str, value: Any) -> float:
    match op:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return (int(value[0]) + 1) * _size(value[2])
        case "SUBPATTERN":
            return 1 + _size(value[3])
        case "BRANCH":
            return 1 + sum(map(_size, value[1]))
        case "ASSERT" | "ASSERT_NOT":
            return 1 + _size(value[1])
        case "ATOMIC_GROUP":
            return 1 + _size(value)
        case "GROUPREF_EXISTS":
            return 1 + _size(value[1]) + (_size(value[2]) if value[2] else 0)
        case "IN":
            return float(len(value))
        case _:
            return 1


def _rust(parsed: Any, folded: bool) -> str | None:
    flags = parsed.state.flags
    said = ForRust(folded=folded).say(parsed)
    if flags & re.ASCII or (folded and re.search(r"x\{(?!130|131)[89a-f][0-9a-f]|x\{\w{3,}", said)):
        return None
    # bytes that are no UTF-8 become U+FFFD: such files are always worth a look
    return f"(?{'i' if flags & re.IGNORECASE else '-i'}:{said})|\\x{{fffd}}"


def _literals(parsed: Any) -> Iterator[str]:
    """Yield texts that every match contains."""
    run = ""
    for op, value in parsed.data:
        if op.name == "LITERAL" and value != FEED:
            run += chr(value)
            continue
        yield run
        run = ""
        if op.name == "SUBPATTERN":
            yield from _literals(value[3])
        elif op.name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and value[0] > 0:
            yield from _literals(value[2])
    yield run
