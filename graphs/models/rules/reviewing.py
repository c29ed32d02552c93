"""Reviewing a change by checks that need no understanding, on the lines that it adds."""

import re
from collections.abc import Generator
from typing import TypeAlias

from artel.graphs.models.rules import files
from artel.graphs.models.rules.checks import ORDER, Found, every
from artel.graphs.models.rules.files import File
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import bullets, not_done
from artel.graphs.models.rules.turn import Call, Rule, Steps, Undone
from artel.graphs.models.rules.words import paths

MAX_FILES = 30  # that are read; the others are named
MAX_FINDINGS = 60

SINCE = re.compile(
    r"(?:since|against|from|с|от|относительно)\s+`?([\w./-]*\w(?:\.{2,3}[\w./-]*\w)?)`?", re.IGNORECASE
)
COMMIT = re.compile(r"(?:commit|коммит\w*)\s+`?([0-9a-f]{7,40}|HEAD[~^\d]*)`?", re.IGNORECASE)
HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")
TESTS = re.compile(r"(?:^|/)(?:tests?|__tests__|spec)/|(?:^|/)test_|_test\.|\.(?:spec|test)\.|conftest\.py$")
CODE = re.compile(r"\.(?:py|js|jsx|ts|tsx|mjs|cjs|go|rs|rb|java|kt|c|cc|cpp|cs|php)$")

Added: TypeAlias = dict[str, set[int] | None]
"""The lines that a change adds, by file; None: all."""


def review(request: str, say: Phrases) -> Rule:
    """Look at the named files, else at a named span of commits, else at what is not committed, else the "
    "last commit."""
    named = paths(request)
    if named:
        return (yield from _of_files(named, say))
    read = yield from _changed(request, say)
    if isinstance(read, Undone):
        return read
    what, added = read
    if not added:
        return say(
            "Nothing differs from the last commit, and there is none before it. Name files to look at: "
            "review src/x.py.",
            "Отличий от последнего коммита нет, и до него ничего нет. Назовите файлы: проверь src/x.py.",
        )
    return (yield from _judged(what, added, say))


def added_lines(diff: str) -> dict[str, set[int]]:
    """Return the lines that a unified diff adds, by file.

    >>> added_lines("--- a/x\\n+++ b/x\\n@@ -1 +1,2 @@\\n one\\n+two")
    {'x': {2}}
    """
    found: dict[str, set[int]] = {}
    path, line = "", 0
    for text in diff.split("\n"):
        if text.startswith("+++ b/") and not line:
            path = text[6:].rstrip("\t")
            found[path] = set()
        elif hunk := HUNK.match(text):
            line = int(hunk[1])
        elif text.startswith("diff --git "):
            path, line = "", 0
        elif line and path:
            if text.startswith("+"):
                found[path].add(line)
            line += not text.startswith("-")
    return found


def _changed(request: str, say: Phrases) -> Generator[list[Call], Steps, tuple[str, Added] | Undone]:
    span = COMMIT.search(request) or SINCE.search(request)
    if span:
        ref = f"{span[1]}~1..{span[1]}" if COMMIT.search(request) else span[1]
        (step,) = yield [Call("git_diff", {"ref": ref})]
        if not step.ok:
            return not_done(step, f"git diff {ref}", say)
        return f"git diff {ref}{_cut([step], say)}", {**added_lines(step.text)}
    status, diff, staged = yield [
        Call("git_status", {}),
        Call("git_diff", {}),
        Call("git_diff", {"staged": True}),
    ]
    if not status.ok:
        why = not_done(status, "git status", say)
        more = say("Name the files to look at: review src/x.py.", "Назовите файлы: проверь src/x.py.")
        return Undone(f"{why}\n\n{more}")
    added: Added = {}
    for each in (diff, staged):
        for path, lines in (added_lines(each.text) if each.ok else {}).items():
            added[path] = (added.get(path) or set()) | lines
    new = [line[3:] for line in status.text.split("\n")[1:] if line.startswith("??")]
    if folders := [path for path in new if path.endswith("/")]:
        below = yield [Call("ls", {"path": path, "recursive": True}) for path in folders[:10]]
        new = [path for path in new if not path.endswith("/")] + [
            p for step in below if step.ok for p in step.lines
        ]
    added.update(dict.fromkeys(new))
    if added:
        return say("what is not committed", "незакоммиченное") + _cut([diff, staged], say), added
    (last,) = yield [Call("git_diff", {"ref": "HEAD~1..HEAD"})]
    what = say("the last commit; nothing is uncommitted", "последний коммит; незакоммиченного нет")
    return what + _cut([last], say), {**added_lines(last.text)} if last.ok else {}


def _cut(steps: Steps, say: Phrases) -> str:
    if not any(files.is_cut(step) for step in steps):
        return ""
    return say(
        "; the diff was cut, and what came after is not looked at", "; дифф обрезан, дальше я не смотрел"
    )


def _of_files(named: list[str], say: Phrases) -> Rule:
    wanted: Added = {}
    for name in named[:MAX_FILES]:
        found = yield from files.find(name)
        if not found:
            return Undone(say.not_found_file.format(file=name))
        wanted.update(dict.fromkeys(found[:MAX_FILES]))
    return (yield from _judged(", ".join(f"`{path}`" for path in wanted), wanted, say))


def _judged(what: str, added: Added, say: Phrases) -> Rule:
    looked = sorted(added)[:MAX_FILES]
    steps = yield [Call("read_file", {"file_path": path}) for path in looked]
    found: list[Found] = []
    unread = [f"`{path}`" for path in sorted(added)[MAX_FILES:]]
    for path, step in zip(looked, steps, strict=True):
        if not step.ok:
            unread.append(f"`{path}`: {step.text.strip()[:120]}")
            continue
        if files.is_cut(step):
            unread.append(f"`{path}`: " + say("only its beginning was read", "прочитано только начало"))
        lines = added[path]
        text = File(path, [line for _, line in files.numbered(step)]).text
        found += [one for one in every(path, text, say) if lines is None or one.line in lines or not one.line]
    code = [path for path in added if CODE.search(path) and not TESTS.search(path)]
    if code and not any(TESTS.search(path) for path in added):
        says = say("code is changed, and no test with it", "код изменён, а тесты нет")
        found.append(Found("major", code[0], 0, says))
    found.sort(key=lambda one: (ORDER.index(one.severity), one.path, one.line))
    whole = sum(lines is None for lines in added.values())
    count = sum(len(lines or ()) for lines in added.values())
    size = say(
        f"files: {len(added)}; lines added: {count}, and all of {whole} that are new or were named",
        f"файлов: {len(added)}; добавлено строк: {count}, целиком новых или названных файлов: {whole}",
    )
    none = say("No rule found anything.", "Правила ничего не нашли.")
    told = [
        say(f"I looked at {what} ({size}).", f"Я посмотрел: {what} ({size})."),
        say("## Findings", "## Находки"),
        bullets([one.told() for one in found], MAX_FINDINGS) if found else none,
    ]
    if unread:
        told += [say("Not read:", "Не прочитано:"), bullets(unread, 20)]
    return "\n\n".join([*told, say("## Verdict", "## Вывод"), _verdict(found, say)])


def _verdict(found: list[Found], say: Phrases) -> str:
    blockers = sum(one.severity == "blocker" for one in found)
    if blockers:
        return say(f"Not ready: blockers {blockers}.", f"Не готово: блокирующих замечаний {blockers}.")
    if any(one.severity == "major" for one in found):
        return say(
            "Not ready before somebody looked at the major ones.",
            "Не готово, пока не разобраны замечания major.",
        )
    return say(
        "Nothing that rules know stands against it; whether it is right, nobody has looked.",
        "По правилам возражений нет; верно ли это по сути, никто не смотрел.",
    )
