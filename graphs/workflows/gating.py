"""The gate over a workspace, as a run and a route have it."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import cast

from artel.graphs.context import Handles
from artel.tools.gate.report import Report
from artel.tools.tool import Work


async def check(given: Handles, root: Path, thread_id: str) -> Report:
    """Return what the gate says of all that differs from the last commit; nothing is changed.

    Raises:
        ToolRefused, ToolFailed: it cannot be told.
    """
    work = Work(root, thread_id, "", roots=given.roots, sandbox=given.sandbox, git=given.git)
    return await run(work, base="HEAD", paths=None)


async def run(work: Work, *, base: str, paths: Sequence[str] | None) -> Report:
    """Return what the gate says of `paths`, or of all that differs from `base`.

    Raises:
        ToolRefused, ToolFailed: it cannot be told.
    """
    running = import_module("artel.tools.gate.running")  # its linters are for those who publish only
    return cast("Report", await running.run(work, base=base, paths=paths))
