"""Judging a change: what differs from a base, by the gate that the base configures."""

import asyncio
from collections.abc import Sequence

from artel.tools.gate import settings, weakening
from artel.tools.gate.boxes import Boxes
from artel.tools.gate.changes import Change, collect
from artel.tools.gate.checkers import Checker, Plan
from artel.tools.gate.configuration import Gate
from artel.tools.gate.inspecting import Inspection
from artel.tools.gate.report import CheckResult, Report
from artel.tools.tool import Work

GOOD = ("passed", "skipped")


async def run(
    work: Work, *, base: str = "HEAD", paths: Sequence[str] | None = None, head: str | None = None
) -> Report:
    """Judge what differs between `base` and the working tree, or the commit `head`; only `paths`, when given.

    `head` has to be what the working tree holds: checkers that are programs run over that.

    Raises:
        GateMisconfigured: the base's configuration of the gate cannot be used.
        BadName: `base` is no commit.
        UnsafeRepository, GitFailed: git cannot be asked.
        ToolRefused: more has changed than can be judged.
    """
    whole = await collect(work.root, base, head)
    configured = await settings.of(whole.repository, whole.base)
    change = whole if paths is None else whole.only(paths)
    checks = await _results(work, whole, change, configured.gate)
    if head is None and await _moved(work, base, paths, change):
        why = "files changed while they were judged: run it again"
        checks.append(CheckResult(check="unread", status="broken", reason=why))
    return Report(
        passed=all(one.status in GOOD for one in checks),
        checks=tuple(checks),
        files=tuple(one.shown for one in change.entries),
        base=change.base,
        tree=change.digest(),
        config=configured.source,
    )


async def _results(work: Work, whole: Change, change: Change, gate: Gate) -> list[CheckResult]:
    inspection = Inspection(work.root, gate)
    found = [await weakening.look(work.root, whole, gate)]
    found += await asyncio.to_thread(inspection.judge, change.entries)
    boxes = Boxes(work, change)
    steps = await asyncio.to_thread(lambda: list(Plan(change, gate, work.sandbox.settings).steps()))
    ran = await asyncio.gather(*(boxes.result(one) for one in steps if isinstance(one, Checker)))
    return [*found, *ran, *(one for one in steps if isinstance(one, CheckResult))]


async def _moved(work: Work, base: str, paths: Sequence[str] | None, change: Change) -> bool:
    """Whether the working tree is not any more what was judged."""
    again = await collect(work.root, base)
    return (again if paths is None else again.only(paths)).digest() != change.digest()
