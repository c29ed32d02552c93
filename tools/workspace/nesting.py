"""Whether a text is nested so deeply that a parser should not see it."""

import re

DEEPEST_ANGLES = 200  # `a<a<a<…` 20,000 times took a grammar 3 GB, 50,000 times crashed the process
MARKS = re.compile(r"[<>;{}()]")


def too_deep(text: str) -> bool:
    """Whether more than DEEPEST_ANGLES `<` are open at once, within one statement.

    >>> too_deep("a < b; " * 1_000), too_deep("<b>" * 1_000), too_deep("a<" * 1_000)
    (False, False, True)
    """
    if text.count("<") <= DEEPEST_ANGLES:
        return False
    depth = 0
    for mark in MARKS.finditer(text):
        match mark[0]:
            case "<":
                depth += 1
            case ">":
                depth -= 1
            case _:
                depth = 0
        if depth > DEEPEST_ANGLES:
            return True
    return False
