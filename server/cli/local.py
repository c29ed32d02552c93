"""A server for the length of one command, on a port of its own, in this process."""

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable

import uvloop
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from artel.server.cli.ground import configure_logging, database, open_ground, settle
from artel.server.cli.serve import answering, listen, url_of


def with_server(arguments: Namespace, talk: Callable[[LangGraphClient], Awaitable[int]]) -> int:
    """Start a server with the settings of `arguments`, let `talk` use it, and stop it."""
    settings = settle(arguments).model_copy(update={"host": "127.0.0.1", "port": 0})
    configure_logging(settings, quiet=True)
    if arguments.workspace:
        settings = settings.model_copy(update={"workspace_roots": (arguments.workspace,)})

    async def served(dsn: str) -> int:
        async with (
            open_ground(settings, dsn) as ground,
            answering(ground, listener),
            get_client(url=url_of(listener), api_key=None) as client,
        ):
            return await talk(client)

    with (
        listen(settings) as listener,
        database(settings) as dsn,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(served(dsn))
