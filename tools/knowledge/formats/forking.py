"""A process that has the libraries and never sees a file: for each one it forks a child that does.

It is started as `python -m artel.tools.knowledge.formats.forking FD` and ends when nobody holds the other
end of FD. A message there is an order and brings the descriptors: where the answer goes, the file, and for a
member that is to be unpacked a file for it. The answer is followed by how the process ended (`ENDING`).
Whoever asked and no longer wants to know shuts its end for writing; the process and all it began are dead
before the end is closed.
"""

import ctypes
import gc
import math
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from artel.tools.knowledge.formats import parsing
from artel.tools.knowledge.formats.carrying_out import carry_out
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.orders import Order, packed
from artel.tools.knowledge.formats.records import Limits

ENDING = struct.Struct("<ii")
"""Exit code, and signal or 0."""
TIMED_OUT = 124
"""Exit code that says that the time was over."""
MAX_ORDER = 65_536  # bytes
MAX_FDS = 3
OPEN_FILES = 64

_DEATH_SIGNAL, _SUBREAPER = 1, 36  # of prctl
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_GIVEN_UP = select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLRDHUP


@dataclass(frozen=True, slots=True)
class _Job:
    pid: int
    pidfd: int
    ends: float
    "On the monotonic clock."
    asker: socket.socket


def main() -> None:
    """Serve until the other end is closed; whatever runs then is killed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _alone()
    jobs: dict[int, _Job] = {}  # by each of their two descriptors
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        now = time.monotonic()
        waits_s = min((job.ends - now for job in jobs.values()), default=None)
        for fd, _ in poll.poll(None if waits_s is None else max(0, waits_s * 1_000)):
            if fd == control.fileno():
                job = _begun(control)
                if job is None:
                    for one in set(jobs.values()):
                        _end(one, says=False)
                    return
                jobs[job.pidfd] = jobs[job.asker.fileno()] = job
                poll.register(job.pidfd, select.POLLIN)
                poll.register(job.asker, _GIVEN_UP)
            elif (job := jobs.get(fd)) is not None:
                _forget(job, jobs, poll)
                _end(job)
        for job in {job for job in jobs.values() if job.ends <= time.monotonic()}:
            _forget(job, jobs, poll)
            _end(job, TIMED_OUT)


def _forget(job: _Job, jobs: dict[int, _Job], poll: select.poll) -> None:
    for fd in (job.pidfd, job.asker.fileno()):
        poll.unregister(fd)
        del jobs[fd]


def _alone() -> None:
    """Take away what no reader needs: the network, and children that outlive their end."""
    libc = ctypes.CDLL(None, use_errno=True)
    with suppress(AttributeError):  # Linux has these; elsewhere, and where it forbids, the rest has to do
        libc.prctl(_SUBREAPER, 1, 0, 0, 0)
        libc.unshare(_NEW_USER | _NEW_NET)


def _begun(control: socket.socket) -> _Job | None:
    """Fork for the next order; None: there will be none."""
    message, fds, _, _ = socket.recv_fds(control, MAX_ORDER, MAX_FDS)
    if not message:
        return None
    order = Order.from_packed(message)
    if order.expected is not Format.MEDIA:
        parsing.module(order.expected)
    gc.freeze()
    pid = os.fork()
    if not pid:
        _serve(order, fds)
    for fd in fds[1:]:
        os.close(fd)
    return _Job(pid, os.pidfd_open(pid), time.monotonic() + order.limits.file_s, socket.socket(fileno=fds[0]))


def _end(job: _Job, why: int = 0, *, says: bool = True) -> None:
    """Kill a process and all it began, wait for them, and say how it ended, or `why` it had to."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(job.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(job.pid, signal.SIGKILL)  # it may not have its own group yet
    _, status = os.waitpid(job.pid, 0)
    with suppress(ChildProcessError):
        while True:  # what it began is ours since its end
            os.waitpid(-job.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    with suppress(OSError):
        if says:
            job.asker.send(ENDING.pack(why or max(code, 0), 0 if why else max(-code, 0)), socket.MSG_DONTWAIT)
    job.asker.close()
    os.close(job.pidfd)


def _serve(order: Order, fds: list[int]) -> None:
    """Carry out one order in this process, which then is no more."""
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        _close_but(fds)
        limit(order.limits, order.limits.file_bytes if order.unpack else 0)
        answer = packed(carry_out(order, fds[1], fds[2] if len(fds) > 2 else None))
        with socket.socket(fileno=fds[0]) as asker:
            asker.sendall(answer)
        code = 0
    finally:
        os._exit(code)


def _close_but(fds: list[int]) -> None:
    """Close what belongs to others: an end that stays open here would never be seen to close."""
    before = 2
    for fd in sorted(fds):
        os.closerange(before + 1, fd)
        before = fd
    os.closerange(before + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def limit(limits: Limits, writes: int) -> None:
    """Let this process and what it begins use no more; `writes` bytes may a file have that it writes."""
    with suppress(OSError):
        os.nice(5)
        with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123  # what is given up first
            score.write("1000")
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, max(1, math.ceil(limits.file_s))),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, writes),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        above = most if kind != resource.RLIMIT_CPU else most + 1  # the hard one kills without saying why
        resource.setrlimit(kind, (most, above if hard == resource.RLIM_INFINITY else min(above, hard)))


if __name__ == "__main__":
    main()
