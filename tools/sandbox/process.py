"""A command as a process, boxed or not, that can be killed with all that it began."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, TypeAlias

from artel.tools.sandbox import bubblewrap, limits, watch
from artel.tools.sandbox.bubblewrap import Place
from artel.tools.sandbox.errors import SandboxUnavailable
from artel.tools.sandbox.settings import SandboxSettings

CHUNK = 65_536  # bytes read at once
Prepare: TypeAlias = Callable[[int, int], Awaitable[None]]

GONE_S = 2.0  # a killed namespace is gone in milliseconds, unless the disk hangs


class Process:
    """A running command. Open it with `start`, and `close` it whatever happens."""

    def __init__(
        self, process: asyncio.subprocess.Process, output: "Pipe", status: "Pipe", *, is_boxed: bool
    ) -> None:
        self._process = process
        self._status = status
        self._is_boxed = is_boxed
        self._init = -1
        self._init_pid = 0
        self._gate = -1
        self.output = output

    @property
    def pid(self) -> int:
        """The process on the outside; what the command is, is below it."""
        return self._process.pid

    @classmethod
    async def start(
        cls,
        command: list[str],
        place: Place,
        settings: SandboxSettings,
        prepare: Prepare | None = None,
        *,
        talks: bool = False,
    ) -> "Process":
        """Start `command` and return as soon as it is known how to kill it.

        In a box it does not begin before `prepare` has returned, which is called with the id and a pidfd of
        the first process of the box. One that `talks` is told things by `tell`, and its errors are not heard.

        Raises:
            SandboxUnavailable: commands are off, or there is nothing to box them with.
            ToolRefused: the workspace cannot be boxed.
            Exception: what `prepare` raised; the command never began.
        """
        if settings.mode == "off":
            raise SandboxUnavailable("Commands are off on this server (ARTEL_SANDBOX__MODE=off).")
        is_boxed = settings.mode == "bubblewrap"
        with ExitStack() as undo, ExitStack() as theirs:
            output, out = Pipe.make(undo, theirs)
            status, told = Pipe.make(undo, theirs)
            argv = limits.limited(command, settings)
            fds: tuple[int, ...] = (told,)
            go = -1
            if is_boxed:
                gate, go = _gate(undo, theirs) if prepare else (None, -1)
                box = await asyncio.to_thread(bubblewrap.boxed, place, settings, told, theirs, gate_fd=gate)
                argv = [*box.argv, *argv]
                fds = (told, *box.fds, *(() if gate is None else (gate,)))
            process = await _spawn(argv, out, fds, settings, place, talks=talks)
            undo.pop_all()
        started = cls(process, output, status, is_boxed=is_boxed)
        started._gate = go
        try:
            await output.open()
            await status.open()
            await started._find_init()
            if prepare and started._init >= 0:
                await prepare(started._init_pid, started._init)
            started._let_go()
        except BaseException:
            started.kill()
            started.kill_outside()
            started.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GONE_S)
            raise
        return started

    async def tell(self, data: bytes) -> None:
        """Write to a command that talks; waits while it does not read.

        Raises:
            ConnectionError: it has ended.
        """
        assert self._process.stdin
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def wait(self) -> None:
        """Wait until the command has ended, and in a box everything that it began."""
        await self._process.wait()
        if self._init >= 0:
            await _gone(self._init)

    async def exit_code(self) -> int | None:
        """Return the exit code of an ended command, 128 and more for a signal; None if it never ran."""
        if not self._is_boxed:
            code = self._process.returncode
            return code if code is None or code >= 0 else 128 - code
        told = _last(await self._status.rest())
        return told.get("exit-code")

    def kill(self) -> None:
        """Kill the command and all that it began: in a box nothing outlives the first process."""
        with suppress(ProcessLookupError):
            if self._init >= 0:
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
            elif self._process.returncode is None:
                for pid in list(watch.below(self.pid)):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                os.killpg(self.pid, signal.SIGKILL)

    def kill_outside(self) -> None:
        """Kill what waits for the box, should it not have ended with it."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """Let go of all descriptors."""
        self._let_go()
        if self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.transport.abort()  # what it did not read would be waited for
        self.output.close()
        self._status.close()
        if self._init >= 0:
            os.close(self._init)
            self._init = -1

    def _let_go(self) -> None:
        gate, self._gate = self._gate, -1
        if gate >= 0:
            os.close(gate)

    async def _find_init(self) -> None:
        if self._is_boxed and (line := await self._status.line()):
            self._init_pid = _last(line)["child-pid"]
            with suppress(ProcessLookupError):
                self._init = os.pidfd_open(self._init_pid)


class Pipe:
    """Our end of a pipe."""

    def __init__(self, fd: int) -> None:
        self._file = os.fdopen(fd, "rb", 0)
        self._reader = asyncio.StreamReader(limit=CHUNK)
        self._transport: asyncio.ReadTransport | None = None

    @classmethod
    def make(cls, undo: ExitStack, theirs: ExitStack) -> tuple["Pipe", int]:
        """Return a pipe, which `undo` closes, and the descriptor of its other end, which `theirs` closes."""
        fd, other = os.pipe()
        theirs.callback(os.close, other)
        pipe = cls(fd)
        undo.callback(pipe.close)
        return pipe, other

    async def open(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), self._file
        )

    async def chunk(self) -> bytes:
        """Return what has come, or nothing at the end."""
        return await self._reader.read(CHUNK)

    async def line(self) -> bytes:
        """Return the next line, or nothing at the end."""
        return await self._reader.readline()

    async def rest(self) -> bytes:
        """Return all up to the end."""
        return await self._reader.read()

    def close(self) -> None:
        """Read no more."""
        self._file.close() if self._transport is None else self._transport.close()


def _gate(undo: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    """Return what a box waits at, and what has to be closed for it to go on; `undo` would."""
    gate, go = os.pipe()
    theirs.callback(os.close, gate)
    undo.callback(os.close, go)
    return gate, go


async def _spawn(
    argv: list[str],
    out: int,
    fds: tuple[int, ...],
    settings: SandboxSettings,
    place: Place,
    *,
    talks: bool,
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE if talks else asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=asyncio.subprocess.DEVNULL if talks else out,
            pass_fds=fds,
            env=bubblewrap.environment(settings),
            cwd="/" if settings.mode == "bubblewrap" else place.workdir,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(
            f"{argv[0]} cannot be started: {error.strerror}. {bubblewrap.HELP}"
        ) from error


async def _gone(pidfd: int) -> None:
    """Wait for the end of a box: the kernel ends its first process only after all others."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), GONE_S)
    finally:
        loop.remove_reader(pidfd)


def _last(told: bytes) -> Mapping[str, Any]:
    """Return the last of bubblewrap's messages, one a line."""
    lines = told.splitlines()
    said: Mapping[str, Any] = json.loads(lines[-1]) if lines else {}
    return said
