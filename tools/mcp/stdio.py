"""A server that is a program: its process, and the lines that it reads and writes.

The SDK has its own; this one bounds what a line may hold, keeps what the program says on stderr for whoever
asks why it died, runs it in a box when told so, and says at once when it is gone.
"""

import asyncio
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from artel.tools.errors import ToolFailed
from artel.tools.mcp.configuration import Server
from artel.tools.sandbox import bubblewrap
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.workspace.paths import printable

MAX_LINE = 8 * 1024 * 1024  # bytes of one message: images come in them
GOES_S = 2.0  # it is given to end by itself once its input is closed
LAST_WORDS_S = 0.3
KEPT_LINES = 5  # of what it says on stderr

Said = Callable[[str], None]


@asynccontextmanager
async def program(server: Server, sandbox: Sandbox, *, died: Said) -> AsyncIterator[Any]:
    """Start the program of a server and yield its streams; at the end nothing of it is left.

    `died` is called with a reason once its output has ended.

    Raises:
        ToolFailed: it cannot be started.
    """
    process = await _started(server, sandbox)
    stderr: deque[str] = deque(maxlen=KEPT_LINES)
    incoming, theirs = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    ours, outgoing = anyio.create_memory_object_stream[SessionMessage](0)

    heard, silent, told, leaving = (anyio.Event() for _ in range(4))

    async def listen() -> None:
        async with incoming:
            try:
                reason = await _listened(process, incoming)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return  # nobody listens any more
            silent.set()
        with anyio.move_on_after(LAST_WORDS_S):  # what it said last is on its way
            await _is_over(process, LAST_WORDS_S)
            await heard.wait()
        if not leaving.is_set():
            died(f"{reason}; {_last_words(process, stderr)}")
        told.set()

    async def speak() -> None:
        assert process.stdin is not None
        async with outgoing:
            with suppress(OSError):  # the reader sees its end
                async for message in outgoing:
                    line = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    process.stdin.write(line.encode() + b"\n")
                    await process.stdin.drain()

    async def hear() -> None:
        assert process.stderr is not None
        while chunk := await process.stderr.read(4_096):
            stderr.extend(line for line in chunk.decode(errors="replace").splitlines() if line.strip())
        heard.set()

    try:
        async with anyio.create_task_group() as tasks:
            for pump in (listen, speak, hear):
                tasks.start_soon(pump)
            try:
                yield theirs, ours
            finally:
                with anyio.CancelScope(shield=True):
                    if silent.is_set():  # it went first, and has a reason that its going is not
                        await told.wait()
                    leaving.set()
                    await _ended(process)
                tasks.cancel_scope.cancel()
    finally:
        _kill(process, signal.SIGKILL)
        with anyio.CancelScope(shield=True):  # also where the wait above was cut short
            await _is_over(process, GOES_S)
        # asyncio closes it at its end only if all pipes were read to theirs, and offers no other way
        process._transport.close()  # type: ignore[attr-defined]
        for stream in (incoming, theirs, ours, outgoing):
            stream.close()


async def _listened(process: asyncio.subprocess.Process, incoming: Any) -> str:
    """Hand on each message; what is none is passed over. Return why there are no more."""
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:
            _kill(process, signal.SIGKILL)
            return f"it was ended, as it wrote a line of more than {MAX_LINE} bytes"
        if not line:
            return "it ended"
        with suppress(ValueError, RecursionError):
            await incoming.send(SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False)))


async def _started(server: Server, sandbox: Sandbox) -> asyncio.subprocess.Process:
    with ExitStack() as opened:
        argv, env, fds = await asyncio.to_thread(_placed, server, sandbox, opened)
        try:
            return await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=env,
                cwd=server.cwd,
                pass_fds=fds,
                limit=MAX_LINE,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolFailed(f"{printable(server.argv[0])} cannot be started: {error.strerror}") from None


def _placed(
    server: Server, sandbox: Sandbox, opened: ExitStack
) -> tuple[list[str], dict[str, str], tuple[int, ...]]:
    """Return what to start, with which environment and descriptors; in a box, if the entry says so."""
    if not server.sandbox:
        return list(server.argv), dict(server.env), ()
    status = os.open(os.devnull, os.O_WRONLY)
    opened.callback(os.close, status)
    folder = server.cwd.resolve()
    box = bubblewrap.boxed(sandbox.place(folder, folder), sandbox.settings, status, opened)
    env = bubblewrap.environment(sandbox.settings) | dict(server.own_env)
    return [*box.argv, *server.argv], env, (status, *box.fds)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Close its input and wait; then end it and what it began."""
    assert process.stdin is not None
    process.stdin.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        if await _is_over(process, GOES_S):
            return
        _kill(process, number)
    await _is_over(process, GOES_S)


async def _is_over(process: asyncio.subprocess.Process, within_s: float) -> bool:
    """Wait for the end of a process; asyncio's own `wait` also waits for who else holds its output."""
    end = asyncio.get_running_loop().time() + within_s
    while process.returncode is None and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 - no event
        await asyncio.sleep(0.01)
    return process.returncode is not None


def _kill(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the group is gone
        os.killpg(process.pid, number)


def _last_words(process: asyncio.subprocess.Process, stderr: deque[str]) -> str:
    code = process.returncode
    state = "it runs on without output" if code is None else f"exit code {code}"
    return f"{state}; it said: {printable(' | '.join(stderr))[-600:]}" if stderr else state
