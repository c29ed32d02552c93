"""`artel worker`: run agents for servers on the same database, and nothing else."""

import asyncio
import sys
from argparse import Namespace

import uvloop

from artel.server.cli.ground import configure_logging, database, open_ground, settle
from artel.server.cli.stopping import stop_on_signals
from artel.server.settings import Settings


def run(arguments: Namespace) -> int:
    """Work until told to stop; then hand over what is not done."""
    settings = settle(arguments)
    configure_logging(settings)
    with database(settings) as dsn, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, dsn))
    return 0


async def _work(settings: Settings, dsn: str) -> None:
    with stop_on_signals() as asked:
        async with open_ground(settings, dsn) as ground:
            sys.stdout.write(
                f"Artel works · {', '.join(ground.catalog.names())} · {ground.models.describe()['label']}\n"
            )
            sys.stdout.flush()
            await asked.wait()
