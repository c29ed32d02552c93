"""Where the commands of a process run: those of all its threads, each seeing its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.sandbox import watch
from artel.tools.sandbox.bubblewrap import Place
from artel.tools.sandbox.errors import NoSuchJob, TooManyJobs
from artel.tools.sandbox.job import Job, Order
from artel.tools.sandbox.network.network import Network
from artel.tools.sandbox.output import SHOWN
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.workspace.paths import printable

EARLY_S = 0.5  # what fails at its start is told at once
MAX_ENDED = 64  # outputs of ended commands that can be read on; the oldest go
CANCELLED = "the run was cancelled"


class Sandbox:
    """The commands that run here, and the outputs of those that did."""

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        data: Path | None = None,
        roots: tuple[Path, ...] = (),
        network: Network | None = None,
    ) -> None:
        self.settings = settings or SandboxSettings()
        self._data = data
        self._roots = roots
        self._network = network or Network()
        self._spill = data / "outputs" if data else None
        self._jobs: dict[str, Job] = {}

    def place(self, root: Path, workdir: Path, *, read_only: bool = False) -> Place:
        """Return where a command runs: `workdir` in the workspace `root`, both resolved."""
        return Place(root, workdir, self._data, self._roots, read_only)

    async def run(self, order: Order) -> Job:
        """Run a command to its end; cancelled, all that it began is dead within seconds, mostly at once.

        Raises:
            SandboxUnavailable: it cannot be boxed.
            ToolRefused: its workspace cannot be boxed, or the disk is full.
        """
        await self._check_disk(order)
        job = self._begin(order)
        try:
            await asyncio.shield(job.ended)
        except asyncio.CancelledError:
            await job.stopped_for(CANCELLED)
            raise
        if job.failure:
            raise job.failure
        return job

    async def start(self, order: Order) -> Job:
        """Start a command that goes on by itself, and wait a moment whether it fails at once.

        Raises:
            TooManyJobs: as many run as may.
            SandboxUnavailable, ToolRefused: as `run`.
        """
        await self._check_disk(order)
        self._check_room(order.thread_id)
        job = self._begin(order)
        try:
            await asyncio.wait({job.ended}, timeout=EARLY_S)
        except asyncio.CancelledError:
            await job.stopped_for(CANCELLED)
            raise
        if job.failure:
            raise job.failure
        return job

    def job(self, thread_id: str, id: str) -> Job:  # noqa: A002 - the name it has everywhere
        """Return a job of a thread.

        Raises:
            NoSuchJob: the thread has none of that id; the message lists those it has.
        """
        found = self._jobs.get(id)
        if found is None or found.order.thread_id != thread_id:
            raise NoSuchJob(f"there is no job {printable(id[:20])!r} here. {self.listing(thread_id)}")
        return found

    def of(self, thread_id: str) -> Iterator[Job]:
        """Yield the jobs of a thread, oldest first: background ones, and those with much output."""
        return (job for job in self._jobs.values() if job.order.thread_id == thread_id)

    def listing(self, thread_id: str) -> str:
        """Return the jobs of a thread, one a line."""
        lines = [
            f"{job.id}: {job.state}, {job.output.total} bytes: {printable(job.order.command)[:100]}"
            for job in self.of(thread_id)
        ]
        return "\n".join(["Jobs of this thread:", *lines] if lines else ["This thread has no jobs."])

    async def aclose(self) -> None:
        """Kill everything that runs, and forget all outputs."""
        await asyncio.gather(*(job.stopped_for("the server ended") for job in self._jobs.values()))
        for job in self._jobs.values():
            job.output.close()
        self._jobs.clear()
        await self._network.aclose()

    def _begin(self, order: Order) -> Job:
        job = Job(order, self.settings, self._spill, self._network)
        self._jobs[job.id] = job
        job.ended.add_done_callback(lambda _: self._settle(job))
        return job

    async def _check_disk(self, order: Order) -> None:
        free, needed = await asyncio.to_thread(watch.free_mb, order.place.root), self.settings.disk_free_mb
        if free < needed:
            raise ToolRefused(
                f"{free} MB are free on the disk of the workspace, and commands run only with {needed} "
                "(ARTEL_SANDBOX__DISK_FREE_MB). Delete what is not needed, or tell the user."
            )

    def _settle(self, job: Job) -> None:
        """Keep what somebody may want to read on, and of that only the newest."""
        if not job.order.background and job.output.total <= SHOWN:
            self._jobs.pop(job.id, None)
        ended = [one for one in self._jobs.values() if not one.is_running]
        for old in ended[: max(len(ended) - MAX_ENDED, 0)]:
            self._jobs.pop(old.id, None)
            old.output.close()

    def _check_room(self, thread_id: str) -> None:
        running = [job for job in self._jobs.values() if job.is_running and job.order.background]
        own = [job for job in running if job.order.thread_id == thread_id]
        if len(own) >= self.settings.thread_jobs:
            raise TooManyJobs(
                f"{len(own)} jobs of this thread run in the background, the most there may be; "
                f"end one with kill. {self.listing(thread_id)}"
            )
        if len(running) >= self.settings.jobs:
            raise TooManyJobs(f"{len(running)} jobs run in the background on this server, the most there may")
