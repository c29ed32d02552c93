"""Shell patterns for paths: `*.py` at any depth, `src/**/test_*.{py,ts}` from the top."""

import fnmatch
import re
from collections.abc import Callable
from functools import lru_cache

from artel.tools.errors import ToolRefused

MAX_PATTERN = 500  # characters
MAX_BRACES = 64  # patterns that {a,b}{c,d}… may stand for

Matcher = Callable[[str], bool]


def matcher(pattern: str, *, ignore_case: bool = False) -> Matcher:
    """Return a test for paths written with `/`.

    `*` and `?` stay within one component, `**` spans any number of them, `[a-z]`, `[!a-z]` and `{a,b}` work
    as in a shell, names that begin with a dot are names like others. A pattern without `/` is about the last
    component. No pattern is catastrophic: only the last `**` and the last `*` are ever tried again.

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
    anchored = "/" in pattern.rstrip("/")
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if not parts:
        raise ToolRefused(f"{pattern!r} is no glob pattern")
    if not anchored:
        name = _component(parts[0] if parts[0] != "**" else "*", ignore_case)
        return lambda path: name(path.rpartition("/")[2])
    steps = [None if part == "**" else _component(part, ignore_case) for part in parts]
    if steps[-1] is None:
        steps.append(_component("*", ignore_case))  # `src/**` means what is in src, at any depth
    return lambda path: _walk(steps, path.split("/"))


def _walk(steps: list[Matcher | None], names: list[str]) -> bool:
    """Match greedily, going back only to the last `**`."""
    step = name = 0
    back: tuple[int, int] | None = None
    while name < len(names):
        test = steps[step] if step < len(steps) else _never
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


def _never(_name: str) -> bool:
    return False


@lru_cache(maxsize=512)
def _component(pattern: str, ignore_case: bool) -> Matcher:
    # fnmatch puts atomic groups around all stars but the last, so it does not backtrack without bound
    match = re.compile(fnmatch.translate(pattern), re.IGNORECASE if ignore_case else 0).match
    return lambda name: match(name) is not None


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
