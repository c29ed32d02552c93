"""`artel thread export | import | replay`: threads taken away, brought, and run again to see what changed."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from uuid import UUID

import httpx
from langgraph_sdk.client import LangGraphClient

from artel.server.cli.reach import reached
from artel.storage.errors import ArtelError, Invalid

DIVERGED = 3
PATIENCE_S = 600
TYPE = {"content-type": "application/zip"}


class NotDone(ArtelError):
    """The server did not do it; the message is its own."""


def run(arguments: Namespace) -> int:
    """Do what is asked for; 3 when a replay diverged."""
    match arguments.act:
        case "export":
            return _with(arguments, take)
        case "import":
            return _with(arguments, bring)
    return _replay(arguments)


def _with(arguments: Namespace, act: Callable[[httpx.AsyncClient, Namespace], Awaitable[int]]) -> int:
    arguments.workspace = None  # a server that is started for this serves no folder

    async def talk(client: LangGraphClient) -> int:
        return await act(client.http.client, arguments)

    return reached(arguments, talk)


async def take(http: httpx.AsyncClient, arguments: Namespace) -> int:
    """Write the archive of a thread into a file that is not there yet."""
    try:
        thread_id = UUID(arguments.thread)
    except ValueError:
        raise Invalid(f"a thread's id is a UUID, got {arguments.thread!r}") from None
    file: Path = arguments.file
    if await asyncio.to_thread(file.exists):
        raise Invalid(f"{file} is there already: name a file that is not")
    path = f"/api/v1/threads/{thread_id}/archive"
    async with http.stream("GET", path, timeout=PATIENCE_S) as told:
        if told.is_error:
            await told.aread()
            raise NotDone(_words(told))
        try:
            with await asyncio.to_thread(file.open, "xb") as opened:
                async for block in told.aiter_bytes():
                    await asyncio.to_thread(opened.write, block)
        except OSError as refused:
            raise Invalid(f"{file} cannot be written: {refused.strerror}") from refused
    sys.stdout.write(f"{file}\n")
    return 0


async def bring(http: httpx.AsyncClient, arguments: Namespace) -> int:
    """Make a thread of an archive, and print its id."""
    try:
        archive = await asyncio.to_thread(arguments.file.read_bytes)
    except OSError as refused:
        raise Invalid(f"{arguments.file} cannot be read: {refused.strerror}") from refused
    told = await http.post("/api/v1/threads/import", content=archive, headers=TYPE, timeout=PATIENCE_S)
    if told.is_error:
        raise NotDone(_words(told))
    sys.stdout.write(f"{told.json()['thread_id']}\n")
    return 0


def _replay(arguments: Namespace) -> int:
    """Replay without a server, a database or a network."""
    recording = import_module("artel.graphs.replaying.recording").of_file(arguments.file)
    policy = import_module("artel.tools.policies").read(arguments.policy) if arguments.policy else None
    came = asyncio.run(import_module("artel.graphs.replaying.running").replay(recording, policy))
    sys.stdout.write(f"{came}\n")
    return DIVERGED if came.divergence else 0


def _words(told: httpx.Response) -> str:
    with suppress(ValueError, KeyError, TypeError):
        return str(told.json()["detail"])
    return f"the server answered {told.status_code}"
