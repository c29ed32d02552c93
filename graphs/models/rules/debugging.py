"""Finding where something fails: run it, read its last frames, show the code there and what changed of it."""

import re
from collections.abc import Generator
from difflib import get_close_matches
from shlex import quote

from artel.graphs.models.rules import files
from artel.graphs.models.rules.commands import execute, python, run_tests
from artel.graphs.models.rules.commands import told as told_of
from artel.graphs.models.rules.outline import quoted
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import block
from artel.graphs.models.rules.turn import Call, Rule, Step, Steps, Undone
from artel.graphs.models.rules.words import QUOTE, paths, unquoted

FRAMES = 3
AROUND = 4  # lines before and after the one that failed

FRAME = re.compile(
    r'File "(?P<file>[^"<>]+)", line (?P<at>\d+)'
    r"|(?<![\w/])(?P<path>(?:/|\./)?(?:[\w.-]+/)*[\w-]+\.\w{1,4}):(?P<line>\d+)"
)
FOREIGN = re.compile(r"site-packages|node_modules|/lib/python3|/usr/lib/|dist-packages|<frozen")
ERROR = re.compile(
    r"^(?:E\s+)?((?:[\w.]+(?:Error|Exception|Warning|Failure|Exit)|AssertionError|panic)\b:?.*)$",
    re.MULTILINE,
)
UNKNOWN = re.compile(r"(?:name '(\w+)' is not defined|has no attribute '(\w+)'|cannot import name '(\w+)')")
CHECK = re.compile(r"^\$ (.+)$", re.MULTILINE)


def debug(request: str, failing: str, say: Phrases) -> Rule:
    """Run what fails and show where; `failing` is what a check said that failed before."""
    step = yield from _reproduced(request, failing, say)
    if isinstance(step, Undone):
        return step
    command = step.call.args["command"]
    if not step.ok or step.exit_code is None:
        return told_of(step, say)
    if step.exit_code == 0:
        words = told_of(step, say)
        if isinstance(words, Undone):
            return words
        return "\n\n".join(
            [
                say("## Cause", "## Причина"),
                say(
                    "None to look for: what I ran does not fail. Name a command that does: debug "
                    "`python3 app.py`.",
                    "Искать нечего: то, что я запустил, не падает. Назовите команду, которая падает: "
                    "отладь `python3 app.py`.",
                ),
                say("## Proof", "## Доказательство"),
                words,
            ]
        )
    output = step.text
    errors = list(dict.fromkeys(found.strip() for found in ERROR.findall(output)))
    places = yield from _places(output)
    told = [
        say("## Cause", "## Причина"),
        say(
            f"`{command}` fails. By rules I know the place, not the cause:",
            f"`{command}` падает. По правилам известно место, а не причина:",
        ),
    ]
    told += [f"`{errors[-1][:300]}`"] if errors else []
    for path, line, lines in places:
        told += [f"`{path}:{line}`", quoted(path, lines)]
    if errors and (hint := (yield from _likely(errors[-1], places, say))):
        told.append(hint)
    if places:
        (log,) = yield [Call("git_log", {"path": places[0][0], "limit": 3})]
        if log.ok and log.text.strip():
            told += [
                say(f"Last commits of `{places[0][0]}`:", f"Последние коммиты `{places[0][0]}`:"),
                block(log.text),
            ]
    told += [
        say("## Proof", "## Доказательство"),
        str(told_of(step, say)),
        say("Nothing is repaired.", "Ничего не исправлено."),
    ]
    return Undone("\n\n".join(told))


def frames(output: str) -> list[tuple[str, int]]:
    """Return the places that an output names outside of libraries, the last first, each once.

    >>> frames('File "/srv/a.py", line 3, in f')
    [('/srv/a.py', 3)]
    """
    found = [(one["file"] or one["path"], int(one["at"] or one["line"])) for one in FRAME.finditer(output)]
    return list(dict.fromkeys(one for one in reversed(found) if not FOREIGN.search(one[0])))


def _reproduced(request: str, failing: str, say: Phrases) -> Generator[list[Call], Steps, Step | Undone]:
    if failing and (check := CHECK.search(failing)):
        return (yield from execute(check[1], say("Reproduce it", "Воспроизвести")))
    quoted_ = [unquoted(found).strip() for found in re.findall(QUOTE, request)]
    if command := next((one for one in quoted_ if " " in one), ""):
        return (yield from execute(command, say("Reproduce it", "Воспроизвести")))
    for name in paths(request):
        found = yield from files.find(name)
        if len(found) == 1 and re.search(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$", found[0]):
            return (yield from run_tests(found[0], say))
        if len(found) == 1 and found[0].endswith(".py"):
            home = yield from python()
            return (yield from execute(f"{home} {quote(found[0])}", say("Reproduce it", "Воспроизвести")))
    return (yield from run_tests("", say))


def _places(output: str) -> Generator[list[Call], Steps, list[tuple[str, int, list[str]]]]:
    """Return path, line and the lines around it of the last places that are files here."""
    named = frames(output)[:12]
    if not named:
        return []
    (listed,) = yield [Call("ls", {"path": ".", "recursive": True})]
    here = [(path, line) for name, line in named if (path := _here(name, listed.lines if listed.ok else []))]
    here = list(dict.fromkeys(here))[:FRAMES]
    if not here:
        return []
    steps = yield [
        Call("read_file", {"file_path": path, "offset": max(0, line - 1 - AROUND), "limit": 2 * AROUND + 1})
        for path, line in here
    ]
    return [
        (path, line, [f"{'>' if n == line else ' '} {n:4} {text}" for n, text in files.numbered(step)])
        for (path, line), step in zip(here, steps, strict=True)
        if step.ok
    ]


def _here(name: str, listed: list[str]) -> str:
    """Return the file of the workspace that an absolute or relative path of an output is."""
    clean = name.removeprefix("./")
    if clean in listed:
        return clean
    fitting = [path for path in listed if clean.endswith(f"/{path}")]
    return max(fitting, key=len, default="")


def _likely(
    error: str, places: list[tuple[str, int, list[str]]], say: Phrases
) -> Generator[list[Call], Steps, str]:
    """Return a name that looks like the unknown one, and where it is defined."""
    found = UNKNOWN.search(error)
    if not found or not places:
        return ""
    wanted = next(group for group in found.groups() if group)
    (step,) = yield [
        Call(
            "grep",
            {
                "pattern": r"^\s*(?:(?:async )?def|class)\s+\w+|^\w+\s*=",
                "glob": "*.py",
                "output_mode": "content",
            },
        )
    ]
    named = {
        m[1]: f"{path}:{line}"
        for path, line, text in files.hits(step)
        if (m := re.search(r"(?:def|class)\s+(\w+)|^(\w+)\s*=", text)) and m[1]
    }
    near = get_close_matches(wanted, named, n=1)
    if not near or near[0] == wanted:
        return ""
    return say(
        f"`{wanted}` is unknown there; `{near[0]}` is defined in `{named[near[0]]}`.",
        f"Имя `{wanted}` там неизвестно; `{near[0]}` определено в `{named[near[0]]}`.",
    )
