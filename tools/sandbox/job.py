"""A command from its start to its end: collected, watched, stopped, and what came of it in words."""

import asyncio
import signal
import time
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.sandbox import bubblewrap, limits, watch
from artel.tools.sandbox.bubblewrap import Place
from artel.tools.sandbox.errors import SandboxUnavailable
from artel.tools.sandbox.network.network import Network
from artel.tools.sandbox.output import Output, legible
from artel.tools.sandbox.process import GONE_S, Process
from artel.tools.sandbox.settings import SandboxSettings

WATCH_S = 0.2  # a process can take some 300 MB in it, a fork bomb some hundred processes
DRAIN_S = 1.0  # for output that is still in the pipe when the command has ended
SHELLS = ("/bin/bash", "/usr/bin/bash")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run, where, for whom and how long."""

    command: str
    place: Place
    thread_id: str
    limit_s: float
    background: bool = False


class Job:
    """One command that runs or ran; made inside the event loop, where it begins at once."""

    def __init__(
        self, order: Order, settings: SandboxSettings, spill: Path | None, network: Network | None = None
    ) -> None:
        self.id = uuid4().hex[:8]
        self.order = order
        self.proxy = network.proxy(settings, thread=order.thread_id, job=self.id) if network else None
        "Its way to the hosts on the list; None: there is no list."
        self.output = Output(spill, settings.output_mb << 20)
        self.code: int | None = None
        "Exit code of the ended command; None if it was stopped."
        self.stopped = ""
        "Why it was stopped from outside."
        self.failure: ToolRefused | ToolFailed | None = None
        "Why it never ran."
        self._settings = settings
        self._process: Process | None = None
        self._began = time.monotonic()
        self._took: float | None = None
        # a context of its own: a background job outlives the run that began it
        self.ended = asyncio.get_running_loop().create_task(self._live(), context=Context())

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return not self.ended.done()

    @property
    def seconds(self) -> float:
        """How long it took, or runs by now."""
        return self._took if self._took is not None else time.monotonic() - self._began

    @property
    def state(self) -> str:
        """How it stands, in words."""
        if self.failure:
            return "never ran"
        if self._took is None:
            return f"running for {self.seconds:.0f} s"
        if self.stopped:
            return f"stopped after {self.seconds:.1f} s: {self.stopped}"
        return f"exit code {self.code}{_signal(self.code or 0)} after {self.seconds:.1f} s"

    def stop(self, why: str) -> None:
        """Kill it and all that it began; `ended` says when that is done."""
        if self.is_running and not self.stopped:
            self.stopped = why
            if self._process:
                self._process.kill()

    async def stopped_for(self, why: str) -> None:
        """Kill it and wait until it is gone."""
        self.stop(why)
        await asyncio.wait({self.ended}, timeout=2 * GONE_S)

    async def _live(self) -> None:
        prepare = self.proxy.open if self.proxy else None
        try:
            process = await Process.start(
                _shell(self.order.command), self.order.place, self._settings, prepare
            )
        except (ToolRefused, ToolFailed) as refused:
            self.failure = refused
            return
        except OSError as error:  # no descriptor or process is left for it
            self.failure = ToolFailed(f"the command could not be started: {error.strerror}. Try again later.")
            return
        self._process = process
        try:
            await self._see_through(process)
        finally:
            process.kill()
            process.close()
            if self.proxy:
                self.proxy.close()
            self._took = time.monotonic() - self._began

    async def _see_through(self, process: Process) -> None:
        if self.stopped:
            process.kill()
        collecting = asyncio.create_task(self._collect(process))
        ending = asyncio.create_task(process.wait())
        try:
            await self._watch(process, ending)
            await asyncio.wait({collecting}, timeout=DRAIN_S)
            self.code = await process.exit_code()
            if not self.stopped:
                self._check()
        finally:
            collecting.cancel()
            ending.cancel()

    async def _collect(self, process: Process) -> None:
        while chunk := await process.output.chunk():
            if self.output.stays_in_memory(chunk):
                self.output.add(chunk)
            else:
                await asyncio.to_thread(self.output.add, chunk)

    async def _watch(self, process: Process, ending: "asyncio.Task[None]") -> None:
        until = self._began + self.order.limit_s
        while not ending.done():
            left = max(until - time.monotonic(), 0)
            await asyncio.wait({ending}, timeout=GONE_S if self.stopped else min(WATCH_S, left))
            if ending.done():
                return
            if self.stopped:
                process.kill_outside()
            elif left <= 0:
                self.stop(f"its time limit of {self.order.limit_s:g} s")
            elif used := await asyncio.to_thread(
                watch.over, process.pid, self.order.place.root, self._settings
            ):
                self.stop(used)

    def _check(self) -> None:
        """A box that could not be made is no exit code of the command."""
        said = legible(self.output.read(0, 1_000)[1]).strip()
        if self.code is None:
            self.failure = SandboxUnavailable(f"No box could be made: {said}. {bubblewrap.HELP}")
        elif self.code == limits.CANNOT_LIMIT and "ulimit" in said:
            self.failure = SandboxUnavailable(f"The limits could not be set: {said}. {bubblewrap.HELP}")


def _shell(command: str) -> list[str]:
    """Return what runs a line: bash, as which it was judged; another shell may run other commands of it."""
    bash = _find_bash()
    if not bash:
        raise SandboxUnavailable(
            f"Commands are judged and run as bash, and this server has none in {' or '.join(SHELLS)}. "
            "No command was run. Files can still be read and edited. The operator of the server has to "
            "install bash."
        )
    return [bash, "--noprofile", "--norc", "-c", command]


@lru_cache(maxsize=1)
def _find_bash() -> str:
    return next((path for path in SHELLS if Path(path).exists()), "")


def _signal(code: int) -> str:
    with suppress(ValueError):
        name = signal.Signals(code - 128).name
        return f" ({name}: {limits.WORDS[name]})" if name in limits.WORDS else f" ({name})"
    return ""
