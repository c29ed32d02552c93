"""Bring a command that talks to the server that it talks to."""

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from artel.server.cli.talk import NoServer, Talk, begin

CONNECT_S = 5

Speak: TypeAlias = Callable[[Talk], Awaitable[int]]


def talking(arguments: Namespace, speak: Speak) -> int:
    """Let `speak` talk to the server of `--url`, or to one that is started for the time being.

    Raises:
        NoServer: nothing answers, or it has no such agent or thread.
    """

    async def talk(client: LangGraphClient) -> int:
        opened = await begin(
            client, agent=arguments.agent, thread=arguments.thread, context=_context(arguments)
        )
        return await speak(opened)

    return reached(arguments, talk)


def reached(arguments: Namespace, talk: Callable[[LangGraphClient], Awaitable[int]]) -> int:
    """Let `talk` use the server of `--url`, or one that is started for the time being.

    Raises:
        NoServer: nothing answers.
    """
    if arguments.url:
        return asyncio.run(_remote(arguments.url, talk))
    # A server takes seconds to import; talking to one that runs needs none of it.
    status: int = import_module("artel.server.cli.local").with_server(arguments, talk)
    return status


async def _remote(url: str, talk: Callable[[LangGraphClient], Awaitable[int]]) -> int:
    try:
        async with httpx.AsyncClient(timeout=CONNECT_S) as probe:
            (await probe.get(f"{url.rstrip('/')}/ok")).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as nobody:
        raise NoServer(f"no Artel answers at {url} ({nobody}): start one by artel serve") from nobody
    async with get_client(url=url, api_key=None) as client:
        return await talk(client)


def _context(arguments: Namespace) -> dict[str, Any]:
    """Name the workspace when it was named, or when the server is ours and starts here anyway."""
    if not arguments.workspace:
        return {}
    workspace = Path(arguments.workspace).expanduser().resolve()
    if not workspace.is_dir():
        raise NoServer(f"the workspace {workspace} is not a folder: name one by --workspace")
    return {"workspace": str(workspace)}
