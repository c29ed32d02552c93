"""Our side of the process that forks: orders go out, answers come back, and it dies with us."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from contextlib import suppress

from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.forking import ENDING, TIMED_OUT
from artel.tools.knowledge.formats.orders import Answer, Order, unpacked

BLOCK = 1 << 18
SLACK = 8 << 20  # bytes of an answer beside its text: places, metadata, warnings
A_CHAR = 4  # bytes at most, as JSON of clean text
DYING_S = 5.0  # for a killed process to be gone
SPARE_S = 60.0  # beyond the time for a file, which counts from the fork: to start, and to load libraries


class Lost(Exception):
    """The process that forks is gone; another one can be asked."""


class Processes:
    """Has files read in processes of their own. `close` it, and none is left."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._starting = asyncio.Lock()
        self._is_closed = False

    async def ask(self, order: Order, fds: Sequence[int]) -> Answer:
        """Return what a process makes of an order; it is dead when this returns or is cancelled.

        Raises:
            Unreadable: it took too long, too much, or died of the file.
        """
        try:
            return await self._asked(order, fds)
        except Lost:
            if not self._is_closed:
                await self._end()
        try:
            return await self._asked(order, fds)
        except Lost:
            raise Unreadable("the process that reads files was killed twice: is memory short?") from None

    async def close(self) -> None:
        """End all processes; who still waits for an answer is told so."""
        self._is_closed = True
        await self._end()

    async def _end(self) -> None:
        """End the process that forks, and with it all others; the next order starts another."""
        process, control = self._process, self._control
        self._process = self._control = None
        if control is not None:
            control.close()
        if process is None:
            return
        try:
            async with asyncio.timeout(DYING_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _asked(self, order: Order, fds: Sequence[int]) -> Answer:
        control = await self._started()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            try:
                await _sent(control, order.packed(), [theirs.fileno(), *fds])
            finally:
                theirs.close()
            said = await self._heard(ours, order)
        finally:
            ours.close()
        return await asyncio.to_thread(_understood, said, order)

    async def _heard(self, ours: socket.socket, order: Order) -> bytes:
        most = order.limits.text_chars * A_CHAR + SLACK
        heard, ended = bytearray(), False
        try:
            async with asyncio.timeout(order.limits.file_s + SPARE_S):
                while block := await asyncio.get_running_loop().sock_recv(ours, BLOCK):
                    heard += block
                    if len(heard) > most:
                        raise Unreadable("it grows too long when it is read; split it")
                ended = True
        except TimeoutError:
            raise Unreadable(f"it took longer than {order.limits.file_s:g} s to read; split it") from None
        finally:
            if not ended:
                await self._give_up(ours)
        return bytes(heard)

    async def _give_up(self, ours: socket.socket) -> None:
        """Have a process killed, and return when it is gone."""
        with suppress(OSError):
            ours.shutdown(socket.SHUT_WR)
        try:
            async with asyncio.timeout(DYING_S):
                with suppress(OSError):
                    while await asyncio.get_running_loop().sock_recv(ours, BLOCK):
                        pass
        except TimeoutError:
            await self._end()

    async def _started(self) -> socket.socket:
        async with self._starting:
            if self._is_closed:
                raise Unreadable("reading was ended before this file was read; send it again")
            if self._control is not None and self._process is not None and self._process.returncode is None:
                return self._control
            await self._end()
            starting = asyncio.ensure_future(_start())
            try:
                self._process, control = await asyncio.shield(starting)
            except asyncio.CancelledError:
                self._process, self._control = await starting
                await self._end()
                raise
            self._control = control
            return control


async def _start() -> tuple[Process, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    try:
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-P",
                "-s",
                "-m",
                "artel.tools.knowledge.formats.forking",
                str(theirs.fileno()),
            ),
            pass_fds=[theirs.fileno()],
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


async def _sent(control: socket.socket, message: bytes, fds: list[int]) -> None:
    while True:
        try:
            socket.send_fds(control, [message], fds)
        except BlockingIOError:
            await asyncio.sleep(0.01)
        except OSError:
            raise Lost from None
        else:
            return


def _understood(said: bytes, order: Order) -> Answer:
    if len(said) < ENDING.size:
        raise Lost
    code, number = ENDING.unpack(said[-ENDING.size :])
    if number == signal.SIGXCPU or code == TIMED_OUT:
        raise Unreadable(f"it took longer than {order.limits.file_s:g} s to read; split it")
    if number == signal.SIGKILL:
        raise Unreadable("its reader was killed, as happens when memory is short; split it")
    if number or code:
        how = signal.Signals(number).name if number else f"exit code {code}"
        raise Unreadable(f"its reader broke down on it ({how}); send it in another format")
    try:
        return unpacked(said[: -ENDING.size])
    except ValueError:
        raise Unreadable("its reader answered what it may not; send it in another format") from None
