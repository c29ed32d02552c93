"""Run a program: bounded in time and output, in a process group of its own that ends with the call."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GENTLE_S = 1.0  # between the word to stop and the kill: git removes its lock files meanwhile
REAP_S = 0.5  # for the system to take a killed program away
BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended."""

    code: int
    out: bytes
    err: bytes
    cut: bool
    "Whether it had more to say than it was let."

    @property
    def text(self) -> str:
        """What it wrote, as text that can be stored."""
        return self.out.decode(errors="backslashreplace").replace("\0", "\\0")


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    at_most: int,
    timeout_s: float,
) -> Ran:
    """Run `argv` to its end, or until it has written more than `at_most` bytes.

    Raises:
        TimeoutError: it took longer than `timeout_s`; it and all it began were stopped, as on cancellation.
    """
    process = await _begun(argv, cwd, env)
    try:
        async with asyncio.timeout(timeout_s):
            (out, cut), (err, _), _ = await asyncio.gather(
                _read(process.stdout, at_most, process), _read(process.stderr, at_most), _feed(process, stdin)
            )
            code = await process.wait()
    finally:
        await _end(process)
    return Ran(code, out, err, cut)


async def _begun(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Process:
    """Start it; cancelled meanwhile, asyncio would end the program alone and wait for all it began."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *argv, cwd=cwd, env=dict(env), stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting)
        raise


async def _read(
    stream: asyncio.StreamReader | None, at_most: int, stopped: Process | None = None
) -> tuple[bytes, bool]:
    assert stream is not None
    kept, cut = bytearray(), False
    while block := await stream.read(BLOCK):
        kept += block[: max(0, at_most - len(kept) + 1)]
        if len(kept) > at_most and not cut:
            cut = True
            if stopped:
                _signal(stopped, signal.SIGTERM)
    return bytes(kept[:at_most]), cut


async def _feed(process: Process, stdin: bytes) -> None:
    assert process.stdin is not None
    if stdin and not process.stdin.is_closing():  # uvloop raises for what it has closed already
        with suppress(ConnectionError):  # it ended without reading
            process.stdin.write(stdin)
            await process.stdin.drain()
    process.stdin.close()


async def _end(process: Process) -> None:
    """Stop the program and all it began; leaves nothing behind, cancelled or not."""
    if process.returncode is not None:
        _signal(process, signal.SIGKILL)  # what it left in its group
        return
    _signal(process, signal.SIGTERM)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(GENTLE_S):
                await process.wait()
    finally:
        _signal(process, signal.SIGKILL)
        with suppress(TimeoutError):  # what left the group may hold its pipes open
            async with asyncio.timeout(REAP_S):
                await process.wait()


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
