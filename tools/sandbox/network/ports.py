"""Ports that this process listens on inside boxes: asked of a helper, which can enter them."""

import asyncio
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from artel.tools.sandbox.errors import SandboxUnavailable

OPENER = Path(__file__).parent / "opener.py"
MSG_CMSG_CLOEXEC = 0x4000_0000  # no other command may inherit the port of this one
WITHIN_S = 5.0  # for an answer, mostly in two milliseconds


class Ports:
    """Opens ports in boxes; the helper begins with the first and ends with `aclose`, or with this process."""

    def __init__(self) -> None:
        self._helper: subprocess.Popen[bytes] | None = None
        self._asking: socket.socket | None = None
        self._starting = asyncio.Lock()

    async def open(self, pid: int, pidfd: int, port: int) -> socket.socket | None:
        """Return a socket that listens on `port` of the loopback of a box; None if the box has ended.

        `pid` and `pidfd` are its first process.

        Raises:
            SandboxUnavailable: this machine does not let us.
        """
        for _ in range(2):  # the helper may have been killed since
            try:
                said, listening = await self._ask(pid, pidfd, port)
            except (OSError, TimeoutError):
                said, listening = "", None
            if said:
                break
            await self.aclose()
        if listening is None and said != "gone":
            raise SandboxUnavailable(
                "No port could be opened in the box for the hosts of ARTEL_SANDBOX__HOSTS "
                f"({said or 'the helper does not answer'}), so no command was run. The operator of the "
                "server has to allow setns, or to empty that setting; docs/explanation/sandbox.md says how."
            )
        return listening

    async def aclose(self) -> None:
        """End the helper; the next port starts another."""
        helper, self._helper = self._helper, None
        if self._asking is not None:
            self._asking.close()
            self._asking = None
        if helper is not None:
            helper.kill()
            await asyncio.to_thread(helper.wait)

    async def _ask(self, pid: int, pidfd: int, port: int) -> tuple[str, socket.socket | None]:
        asking = await self._started()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            ours.setblocking(False)
            socket.send_fds(asking, [f"{pid} {port}".encode()], [pidfd, theirs.fileno()])
            theirs.close()
            async with asyncio.timeout(WITHIN_S):
                await _readable(ours)
            said, fds, _, _ = socket.recv_fds(ours, 200, 1, MSG_CMSG_CLOEXEC)
        return said.decode(errors="replace"), socket.socket(fileno=fds[0]) if fds else None

    async def _started(self) -> socket.socket:
        async with self._starting:
            if self._asking is None:
                self._asking, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    self._asking.setblocking(False)
                    self._helper = await asyncio.to_thread(_start, theirs)
            return self._asking


def _start(stdin: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - a file of ours, by this very Python
        [sys.executable, "-I", "-S", str(OPENER)],
        stdin=stdin.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    )


async def _readable(one: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    loop.add_reader(one, came.set)
    try:
        await came.wait()
    finally:
        with suppress(ValueError):
            loop.remove_reader(one)
