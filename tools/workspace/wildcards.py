"""Wildcards of paths, as git has them: `*`, `?`, `[a-z]`, `**` between slashes, `\\` before a character.

No pattern is catastrophic: a star is tried again only if it is the last of its component or the last `**`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

Test = Callable[[str], bool]
Steps = Sequence[Test | None]
"""A test for each component of a path; None stands for any number of components."""

CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t-\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


class Unmatchable(ValueError):
    """The pattern has an open bracket or ends in a backslash: nothing matches it."""


@lru_cache(maxsize=4_096)
def steps(pattern: str, *, ignore_case: bool = False) -> Steps:
    """Return the tests for the components of `pattern`.

    Raises:
        Unmatchable: no path can match.
    """
    parts: list[list[str]] = [[]]
    for sign in _signs(pattern):
        if sign == "/":
            parts.append([])
        else:
            parts[-1].append(sign)
    found = [None if _is_any(part) else _component(tuple(part), ignore_case) for part in parts]
    # `src/**` means what is in src, not src itself
    return (*found, _anything) if found[-1] is None else tuple(found)


def matches(steps: Steps, names: Sequence[str]) -> bool:
    """Return whether the components `names` pass, going back only to the last None."""
    step = name = 0
    back: tuple[int, int] | None = None
    while name < len(names):
        test = steps[step] if step < len(steps) else _nothing
        if test is None:
            back = (step, name)
            step += 1
        elif test(names[name]):
            step, name = step + 1, name + 1
        elif back is not None:
            back = (back[0], back[1] + 1)
            step, name = back[0] + 1, back[1]
        else:
            return False
    return all(test is None for test in steps[step:])


def any_name(patterns: Iterable[str], *, ignore_case: bool = False) -> re.Pattern[str]:
    """Return one expression for all names that match one of the `patterns`, which have no slash.

    Raises:
        Unmatchable: one of them matches no name.
    """
    said = (f"(?:{_expression(tuple(_signs(pattern)))})" for pattern in patterns)
    return re.compile("|".join(said) or "(?!)", re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _anything(_name: str) -> bool:
    return True


def _nothing(_name: str) -> bool:
    return False


def _is_any(part: list[str]) -> bool:
    return len(part) > 1 and all(sign == "*" for sign in part)


def _signs(pattern: str) -> Iterator[str]:
    """Yield `/`, `*`, `?`, and regular expressions for single characters."""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "[":
            said, at = _bracket(pattern, at)
            yield said
        elif char == "\\":
            if at == len(pattern):
                raise Unmatchable(pattern)
            yield "/" if pattern[at] == "/" else re.escape(pattern[at])
            at += 1
        else:
            yield char if char in "/*?" else re.escape(char)


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    """Return a bracket expression as a set, and where it ends."""
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    items: list[str] = []
    before = ""  # the character a range may begin with
    first = True
    while first or pattern[at : at + 1] != "]":
        first = False
        char, after = _char(pattern, at)
        if char == "-" and after == at + 1 and before and pattern[after : after + 1] not in ("", "]"):
            last, at = _char(pattern, after)
            items.append(f"{re.escape(before)}-{re.escape(last)}" if before <= last else "")
            before = ""
        elif (
            char == "["
            and after == at + 1
            and pattern[after : after + 1] == ":"
            and ":]" in pattern[after + 1 :]
        ):
            end = pattern.index(":]", after + 1)
            if (name := pattern[after + 1 : end]) not in CLASSES:
                raise Unmatchable(pattern)
            items.append(CLASSES[name])
            before, at = "", end + 2
        else:
            items.append(re.escape(char))
            before, at = char, after
    inside = "".join(items)
    if negated:
        return f"[^/{inside}]", at + 1
    return (f"(?!/)[{inside}]" if inside else "(?!)"), at + 1


def _char(pattern: str, at: int) -> tuple[str, int]:
    at += pattern[at : at + 1] == "\\"
    if at >= len(pattern):
        raise Unmatchable(pattern)
    return pattern[at], at + 1


@lru_cache(maxsize=4_096)
def _component(part: tuple[str, ...], ignore_case: bool) -> Test:
    if all(sign not in "*?" and not sign.startswith(("[", "(")) for sign in part) and not ignore_case:
        literal = "".join(sign[-1] for sign in part)
        return literal.__eq__
    match = re.compile(_expression(part), re.DOTALL | (re.IGNORECASE if ignore_case else 0)).fullmatch
    return lambda name: match(name) is not None


def _expression(part: tuple[str, ...]) -> str:
    said: list[str] = []
    piece: list[str] = []
    for sign in part:
        if sign != "*":
            piece.append("." if sign == "?" else sign)
        elif not said or piece:
            said, piece = [*said, "".join(piece)], []
    # all stars but the last take the first fit and keep it: a later fit would leave less for the rest
    first, *rest = [*said, "".join(piece)]
    body = first
    for number, fixed in enumerate(rest, start=1):
        body += f".*{fixed}" if number == len(rest) else f"(?>.*?{fixed})"
    return body
