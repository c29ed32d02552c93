"""`artel worker`: run agents for servers on the same database, and nothing else."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from artel.server.cli.ground import Ground, configure_logging, database, open_ground, settle
from artel.server.cli.serve import listen, server_of, url_of
from artel.server.cli.stopping import stop_on_signals
from artel.server.engine.worker import drain
from artel.server.settings import Settings
from artel.server.telemetry.side import create_side


def run(arguments: Namespace) -> int:
    """Work until told to stop; then hand over what is not done."""
    settings = settle(arguments)
    configure_logging(settings)
    with database(settings) as dsn, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, dsn))
    return 0


async def _work(settings: Settings, dsn: str) -> None:
    with stop_on_signals() as asked:
        async with open_ground(settings, dsn) as ground, _shown(ground):
            sys.stdout.write(
                f"Artel works · {', '.join(ground.catalog.names())} · {ground.models.describe()['label']}\n"
            )
            sys.stdout.flush()
            await asked.wait()


@asynccontextmanager
async def _shown(ground: Ground) -> AsyncIterator[None]:
    """Answer /metrics and /health on the port that is set for it, if one is, until all is handed over."""
    port = ground.settings.telemetry.worker_port
    if port is None:
        yield
        return
    server = server_of(create_side(ground.engine, ground.catalog))
    with listen(ground.settings.model_copy(update={"port": port}), asks=True) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        sys.stdout.write(f"Artel tells how it is: {url_of(listener)}/metrics\n")
        try:
            yield
        finally:
            await drain(ground.engine)
            server.should_exit = True
            await serving
