"""Shell patterns for paths: `*.py` at any depth, `src/**/test_*.{py,ts}` from the top."""

import re
from collections.abc import Callable

from artel.tools.errors import ToolRefused
from artel.tools.workspace import wildcards
from artel.tools.workspace.wildcards import Unmatchable

MAX_PATTERN = 500  # characters
MAX_BRACES = 64  # patterns that {a,b}{c,d}… may stand for

Matcher = Callable[[str], bool]


def matcher(pattern: str, *, ignore_case: bool = False) -> Matcher:
    """Return a test for paths written with `/`.

    `*` and `?` stay within one component, `**` spans any number of them, `[a-z]`, `[!a-z]` and `{a,b}` work
    as in a shell, names that begin with a dot are names like others. A pattern without `/` is about the last
    component. A backslash makes the next character an ordinary one.

    Raises:
        ToolRefused: the pattern is empty, too long, or leaves the folder (`..`).
    """
    if not pattern or len(pattern) > MAX_PATTERN:
        raise ToolRefused(f"a glob pattern has 1 to {MAX_PATTERN} characters, got {len(pattern)}")
    if ".." in pattern.split("/"):
        raise ToolRefused(f"{pattern!r}: a glob pattern cannot leave its folder with ..")
    tests = [_one(each, ignore_case) for each in _expand(pattern)]
    return tests[0] if len(tests) == 1 else lambda path: any(test(path) for test in tests)


def _one(pattern: str, ignore_case: bool) -> Matcher:
    bare = "/".join(part for part in pattern.split("/") if part not in ("", "."))
    if not bare:
        raise ToolRefused(f"{pattern!r} is no glob pattern")
    try:
        steps = wildcards.steps(bare, ignore_case=ignore_case)
    except Unmatchable:  # a shell takes an open bracket for a character
        steps = wildcards.steps(re.sub(r"[\[\\]", r"\\\g<0>", bare), ignore_case=ignore_case)
    if "/" not in pattern.rstrip("/"):
        return lambda path: wildcards.matches(steps, (path.rpartition("/")[2],))
    return lambda path: wildcards.matches(steps, path.split("/"))


def _expand(pattern: str) -> list[str]:
    done, waiting = [], [pattern]
    while waiting:
        current = waiting.pop()
        braces = re.search(r"\{([^{}]*,[^{}]*)\}", current)
        if braces is None:
            done.append(current)
        else:
            waiting += [
                current[: braces.start()] + each + current[braces.end() :] for each in braces[1].split(",")
            ]
        if len(done) + len(waiting) > MAX_BRACES:
            raise ToolRefused(f"{pattern!r} stands for more than {MAX_BRACES} patterns")
    return [each for each in done if each] or [pattern]
