"""`artel gate`: judge what has changed in a folder, as the gate before publishing does."""

import asyncio
import sys
from argparse import Namespace

from artel.server.settings import load_settings
from artel.storage.errors import ArtelError
from artel.tools.gate.report import Report
from artel.tools.gate.running import run as judge
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.tool import Work

GREEN, RED, CANNOT_RUN = 0, 1, 2
MAX_TEXT = 200_000  # characters: a person can scroll


def run(arguments: Namespace) -> int:
    """Judge and report; 0 when it passes, 1 when not, 2 when it cannot be judged."""
    try:
        report = asyncio.run(_judged(arguments))
    except ArtelError as error:
        sys.stderr.write(f"artel gate: {error}\n")
        return CANNOT_RUN
    text = report.model_dump_json(indent=2) if arguments.json else report.text(MAX_TEXT)
    sys.stdout.write(f"{text}\n")
    return GREEN if report.passed else RED


async def _judged(arguments: Namespace) -> Report:
    settings = load_settings()
    root = arguments.workspace.expanduser().resolve()
    sandbox = Sandbox(settings.sandbox, data=settings.data.resolve())
    work = Work(root, thread_id="gate", tool_call_id="gate", roots=(root,), sandbox=sandbox)
    try:
        return await judge(work, base=arguments.base, paths=arguments.paths or None)
    finally:
        await sandbox.aclose()
