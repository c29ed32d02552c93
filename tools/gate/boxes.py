"""Running checkers: in the sandbox, without network, over a workspace that they cannot write."""

import asyncio
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.gate.changes import Change
from artel.tools.gate.checkers import FILES, Checker, overlaid
from artel.tools.gate.parsing import Reader, Unreadable
from artel.tools.gate.report import CheckResult, Finding
from artel.tools.sandbox.job import Job, Order
from artel.tools.sandbox.output import legible
from artel.tools.tool import Work
from artel.tools.workspace.paths import printable

MAX_BATCH = 60_000  # bytes of names in one command; the kernel takes 131,072 in one argument
MAX_OUTPUT = 8_000_000  # bytes that are read
MAX_SAID = 400  # characters of what a program complains of
MAX_OVERLAID = 200  # files shown as they were; each is a descriptor
AT_ONCE = 2
NO_SANDBOX = (
    "commands of the gate run in a box only, and this server has none (ARTEL_SANDBOX__MODE={mode}); "
    "the operator has to set it to bubblewrap"
)
# What a program says besides its result comes after a NUL, and of that only the beginning
_COMMAND = "{argv} 2>/tmp/.said; code=$?; printf '\\0'; head -c 4000 /tmp/.said | tr -d '\\0'; exit $code"


class Broken(Exception):
    """A checker could not run to its end."""


class Boxes:
    """Runs the checkers of one change."""

    def __init__(self, work: Work, change: Change) -> None:
        self._work = work
        self._change = change
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._modified = [one for one in change.entries if one.kind == "file" and one.before is not None]
        self._fresh = {one.shown for one in change.entries if one.before is None}
        self._has_deleted = any(one.kind == "gone" for one in change.entries)

    async def result(self, checker: Checker) -> CheckResult:
        """Run a checker, and if it finds something once more over the files as they were."""
        async with self._turn:
            began = time.monotonic()
            try:
                found = await self._judged(checker)
            except Broken as why:
                status, reason, found = "broken", str(why), []
            else:
                status, reason = "failed" if any(not one.is_old for one in found) else "passed", ""
            return CheckResult(
                check=checker.check,
                language=checker.language,
                status=status,
                findings=tuple(sorted(found, key=lambda one: one.is_old)),
                reason=reason,
                took_s=round(time.monotonic() - began, 3),
            )

    async def _judged(self, checker: Checker) -> list[Finding]:
        found = await self._found(checker, {})
        compared = [one for one in found if one.path and one.path not in self._fresh]
        if not compared or not self._can_compare(checker):
            return found
        before = compared  # where no file is other than it was
        if self._modified:
            try:
                before = await self._found(checker, overlaid(self._change, self._modified))
            except Broken:
                return found
        known = Counter(_key(one) for one in before if one.path and one.path not in self._fresh)
        return [self._marked(one, known) for one in found]

    def _can_compare(self, checker: Checker) -> bool:
        """Whether the files as they were tell what was wrong before: a deleted one cannot be shown again."""
        if not self._change.base or (checker.is_wide and self._has_deleted):
            return False
        return len(self._modified) <= MAX_OVERLAID

    def _marked(self, finding: Finding, known: Counter[tuple[str, str, str]]) -> Finding:
        if not known[_key(finding)]:
            return finding
        known[_key(finding)] -= 1
        return finding.as_old()

    async def _found(self, checker: Checker, instead: Mapping[Path, bytes]) -> list[Finding]:
        found: list[Finding] = []
        for argv in _batches(checker):
            found += await self._run(checker, argv, instead)
        return found

    async def _run(self, checker: Checker, argv: list[str], instead: Mapping[Path, bytes]) -> list[Finding]:
        job = await self._ended(checker, argv, instead)
        try:
            out, _, said = job.output.read(0, MAX_OUTPUT)[1].rpartition(b"\0")
            is_cut = job.output.total > MAX_OUTPUT
        finally:
            job.output.close()
        if job.stopped:
            raise Broken(f"it was stopped by {job.stopped}")
        code = job.code or 0
        complaint = printable(legible(said or out).strip()[:MAX_SAID])
        if code and code not in checker.found_codes:
            raise Broken(
                f"{printable(checker.program.path)} ended with {code}: {complaint}{_hint(checker, code)}"
            )
        if is_cut:
            raise Broken(f"it said {job.output.total} bytes, and at most {MAX_OUTPUT} are read")
        return self._read(checker, code, out, complaint)

    def _read(self, checker: Checker, code: int, out: bytes, complaint: str) -> list[Finding]:
        if not code and checker.reads != "ruff":
            return []  # warnings at most
        reader = Reader(checker.check, self._work.root, checker.home)
        try:
            found = reader.read(checker.reads, out)
        except Unreadable as why:
            raise Broken(f"{why}. It ended with {code}: {complaint}") from None
        if code and not found:
            if checker.language:
                raise Broken(f"it ended with {code} and named nothing: {complaint}")
            said = complaint or printable(legible(out).strip()[-MAX_SAID:]) or "it said nothing"
            return [Finding(check=checker.check, message=f"ended with {code}: {said}")]
        return found if code else []

    async def _ended(self, checker: Checker, argv: list[str], instead: Mapping[Path, bytes]) -> Job:
        sandbox, root = self._work.sandbox, self._work.root
        if sandbox.settings.mode != "bubblewrap":
            raise Broken(NO_SANDBOX.format(mode=sandbox.settings.mode))
        place = replace(
            sandbox.place(root, root / checker.home),
            read_only=True,
            readable=checker.program.readable,
            instead=instead,
        )
        order = Order(
            command=_COMMAND.format(argv=shlex.join(argv)),
            place=place,
            thread_id=f"{self._work.thread_id}/gate",  # no job of the agent's
            limit_s=checker.timeout_s,
        )
        try:
            return await sandbox.run(order)
        except (ToolRefused, ToolFailed) as error:
            raise Broken(str(error)) from None


def _batches(checker: Checker) -> Iterator[list[str]]:
    """Yield the command lines: the files in as many parts as they need."""
    command = [checker.program.path, *checker.args]
    if FILES not in command:
        yield command
        return
    home = f"{checker.home}/" if checker.home else ""
    part: list[str] = []
    size = 0
    for path in checker.files:
        named = f"./{path.removeprefix(home)}"
        size += len(shlex.quote(named).encode(errors="surrogateescape")) + 1
        if part and size > MAX_BATCH:
            yield _filled(command, part)
            part, size = [], len(named)
        part.append(named)
    yield _filled(command, part)


def _filled(command: list[str], files: list[str]) -> list[str]:
    return [word for one in command for word in (files if one == FILES else [one])]


def _hint(checker: Checker, code: int) -> str:
    if code not in (126, 127):
        return ""
    if checker.program.is_own:
        return (
            ". It could not be started in the sandbox: what it needs must lie in the workspace, below /usr, "
            "or in ARTEL_SANDBOX__READABLE"
        )
    return ". It could not be started in the sandbox; ARTEL_SANDBOX__READABLE shows it more folders"


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.path, finding.rule, finding.message
