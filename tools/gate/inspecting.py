"""The checks that need no program: each file of a change is read once, and judged by all of them."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from artel.tools.gate import silencing, source
from artel.tools.gate.calls import Calls
from artel.tools.gate.changes import Changed
from artel.tools.gate.configuration import BUILT_IN, Gate, any_fits
from artel.tools.gate.declared import Project
from artel.tools.gate.imports import Allowed
from artel.tools.gate.report import CheckResult, Finding
from artel.tools.gate.secrets import Leaks
from artel.tools.gate.source import Source
from artel.tools.workspace import syntax, text
from artel.tools.workspace.paths import WrongKind

MAX_FINDINGS = 200  # of one check
UNREAD_SHOWN = 10


class Inspection:
    """Judges the files of one change, one after the other."""

    def __init__(self, root: Path, gate: Gate) -> None:
        self._gate = gate
        self._calls = Calls(gate)
        self._imports = Allowed(gate, Project(root))
        self._leaks = Leaks(gate.secrets)
        self._found: dict[str, list[Finding]] = {}
        self._took: dict[str, float] = {}
        self._unread: list[str] = []
        self._unjudged: list[Finding] = []

    def judge(self, entries: Iterable[Changed]) -> list[CheckResult]:
        """Return the result of each check that is wanted. Takes long, so it belongs into a thread."""
        for one in entries:
            if not any_fits(one.path, self._gate.exclude):
                self._look(one)
        checks = [self._result(name) for name in BUILT_IN if self._gate.wants(name)]
        return [*checks, *self._rest()]

    def _look(self, one: Changed) -> None:
        match one.kind:
            case "gone":
                return
            case "submodule":
                self._unread.append(f"{one.shown} (a repository of its own)")
            case "link":
                self._secrets(one, one.data.decode(errors="replace"), "")
            case "file":
                self._file(one)
            case "large" if source.grammar_of(one.path, b"") in source.OF_GRAMMAR:
                self._refuse(one, "it is too large to be judged; split it")
            case "large":
                self._unread.append(f"{one.shown} (too large)")
            case "other":
                self._refuse(one, f"it cannot be read: {one.data.decode(errors='replace')}")

    def _file(self, one: Changed) -> None:
        try:
            code = source.read(one.path, one.data)
        except WrongKind as error:
            self._refuse(one, f"this is no code that can be judged: {error}")
            code = None
        try:
            now = code.text if code else text.decode(one.data, "it").text
        except WrongKind:
            if code is None and source.grammar_of(one.path, one.data) not in source.OF_GRAMMAR:
                self._unread.append(f"{one.shown} (binary)")
            return
        before = _text_before(one)
        self._secrets(one, now, before)
        if self._gate.wants("syntax"):
            with self._timed("syntax"):
                self._syntax(one, before, now)
        if code:
            self._code(one, code, before)

    def _code(self, one: Changed, code: Source, before: str) -> None:
        looks: dict[str, Callable[[Source], Iterable[Finding]]] = {
            "calls": self._calls.look,
            "imports": self._imports.look,
            "silencing": silencing.look,
        }
        for check, look in looks.items():
            if self._gate.wants(check):
                try:
                    with self._timed(check):
                        self._compare(check, look, one, code, before)
                except WrongKind as error:
                    self._refuse(one, f"it cannot be judged: {error}")
                    return

    def _compare(
        self,
        check: str,
        look: Callable[[Source], Iterable[Finding]],
        one: Changed,
        code: Source,
        before: str,
    ) -> None:
        found = list(look(code))
        if found and before:
            old = Source(code.path, code.grammar, code.language, before)
            known = Counter(_keys(look(old), before))
            found = _marked(found, _keys(found, code.text), known)
        self._add(check, one, found)

    def _secrets(self, one: Changed, now: str, before: str) -> None:
        if not self._gate.wants("secrets"):
            return
        with self._timed("secrets"):
            looked = self._leaks.look(one.path, now)
            before = before if looked else ""
            known = Counter(what for what, _ in self._leaks.look(one.path, before))
            found = [each for _, each in looked]
            self._add("secrets", one, _marked(found, [what for what, _ in looked], known))

    def _syntax(self, one: Changed, before: str, now: str) -> None:
        found = []
        for said in syntax.introduced(one.path, before, now):
            line, _, what = said.partition(": ")
            number = int(line.removeprefix("line "))
            found.append(Finding(check="syntax", line=number, rule="syntax", message=what))
        self._add("syntax", one, found)

    def _refuse(self, one: Changed, why: str) -> None:
        self._unjudged.append(Finding(check="unread", path=one.shown, rule="unread", message=why))

    def _add(self, check: str, one: Changed, found: Iterable[Finding]) -> None:
        self._found.setdefault(check, []).extend(
            each.model_copy(update={"path": one.shown}) for each in found
        )

    @contextmanager
    def _timed(self, check: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._took[check] = self._took.get(check, 0.0) + time.perf_counter() - began

    def _result(self, check: str) -> CheckResult:
        found = sorted(self._found.get(check, []), key=lambda one: (one.is_old, one.path, one.line))
        reason = ""
        if check == "imports" and self._imports.untold:
            languages = " and ".join(sorted(self._imports.untold))
            reason = f"nothing declares what {languages} files may import"
        failed = any(not one.is_old for one in found)
        status = "failed" if failed else "skipped" if reason and not found else "passed"
        return CheckResult(
            check=check,
            status=status,
            findings=tuple(found[:MAX_FINDINGS]),
            reason=reason,
            took_s=round(self._took.get(check, 0.0), 4),
        )

    def _rest(self) -> list[CheckResult]:
        if not self._unread and not self._unjudged:
            return []
        shown = ", ".join(self._unread[:UNREAD_SHOWN])
        more = f" and {len(self._unread) - UNREAD_SHOWN} more" if len(self._unread) > UNREAD_SHOWN else ""
        return [
            CheckResult(
                check="unread",
                status="failed" if self._unjudged else "skipped",
                findings=tuple(self._unjudged[:MAX_FINDINGS]),
                reason=f"not looked into: {shown}{more}" if shown else "",
            )
        ]


def _text_before(one: Changed) -> str:
    if not one.before:
        return ""
    try:
        return text.decode(one.before, "it").text.replace("\r\n", "\n")
    except WrongKind:
        return ""


def _keys(found: Iterable[Finding], content: str) -> list[str]:
    """Return what tells findings apart whatever lines were put before them: the rule and the line's text."""
    lines = content.split("\n")
    return [f"{one.rule}\0{lines[one.line - 1].strip() if one.line <= len(lines) else ''}" for one in found]


def _marked(found: Sequence[Finding], keys: Sequence[str], known: Counter[str]) -> list[Finding]:
    """Return findings, those that were there before marked as such: as many of each as there were."""
    marked = []
    for one, key in zip(found, keys, strict=True):
        old = known[key] > 0
        known[key] -= old
        marked.append(one.as_old() if old else one)
    return marked
