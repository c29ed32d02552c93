"""What a command may use, told to the kernel by the shell that becomes it."""

import resource

from artel.tools.sandbox.settings import SandboxSettings

CANNOT_LIMIT = 125  # exit code when a limit was refused

# POSIX shells count files in blocks of 512 bytes and memory in KB; Debian's sh calls processes -p, bash -u.
# Memory is RLIMIT_DATA: address space (-v) would refuse node, Go and Java, which reserve much and use little.
# The soft limit of processor time is below the hard one, which would kill without saying why.
_PRELUDE = """\
ulimit -c 0 && ulimit -n {files} && ulimit -f {blocks} && ulimit -d {kb} &&
ulimit -S -t {cpu} && ulimit -H -t {cpu_hard} &&
{{ ulimit -u {processes} 2>/dev/null || ulimit -p {processes}; }} || exit {cannot}
echo 1000 2>/dev/null >/proc/self/oom_score_adj
exec nice -n 10 "$@"
"""

WORDS = {
    "SIGXCPU": "the limit of processor time",
    "SIGXFSZ": "the limit of the size of a file",
    "SIGSYS": "a forbidden system call",
}


def limited(command: list[str], settings: SandboxSettings) -> list[str]:
    """Return the arguments that run `command` within the limits, or within the process's own lower ones.

    Processes are counted by user: of the super user the kernel counts none, see `watch`.
    """
    cpu = _at_most(resource.RLIMIT_CPU, settings.cpu_s)
    prelude = _PRELUDE.format(
        files=_at_most(resource.RLIMIT_NOFILE, settings.open_files),
        blocks=_at_most(resource.RLIMIT_FSIZE, settings.file_mb << 20) // 512,
        kb=_at_most(resource.RLIMIT_DATA, settings.memory_mb << 20) // 1024,
        cpu=cpu,
        cpu_hard=_at_most(resource.RLIMIT_CPU, cpu + 2),
        processes=_at_most(resource.RLIMIT_NPROC, settings.processes),
        cannot=CANNOT_LIMIT,
    )
    return ["/bin/sh", "-c", prelude, "sh", *command]


def _at_most(kind: int, wanted: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
