"""The person at the terminal: lines they type, and Ctrl-C."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from threading import Thread
from typing import Any, Self

from artel.server.cli.paint import write


class Left(Exception):
    """There is nobody to ask any more: the person closed the input."""


class Terminal:
    """Reads lines beside the event loop, on which a server may be running."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._shown: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._loop.add_signal_handler(signal.SIGINT, self._interrupt)
        # A thread that ends with the process: nothing else can wait for a terminal, a pipe and a file alike.
        Thread(target=self._listen, name="terminal", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.remove_signal_handler(signal.SIGINT)

    async def read(self, prompt: str) -> str:
        """Return the next line, without blanks around it.

        Raises:
            Left: the input ended, or the person pressed Ctrl-C.
        """
        write(prompt, "bold")
        line = await self._lines.get()
        if line is None:
            write("\n")
            raise Left
        return line.strip()

    async def unless_stopped(self, show: Coroutine[Any, Any, None]) -> bool:
        """Do something to its end; say whether it got there before the person pressed Ctrl-C."""
        self._shown = asyncio.create_task(show)
        await asyncio.wait({self._shown})
        shown, self._shown = self._shown, None
        if shown.cancelled():
            return False
        shown.result()
        return True

    def _interrupt(self) -> None:
        if self._shown:
            self._shown.cancel()
        else:
            self._lines.put_nowait(None)

    def _listen(self) -> None:
        rest = b""
        while read := os.read(sys.stdin.fileno(), 65536):
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                self._hear(line.decode(errors="replace"))
        if rest:
            self._hear(rest.decode(errors="replace"))
        self._hear(None)

    def _hear(self, line: str | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
