"""The tools that run commands: execute, and for what runs in the background read_output and kill."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, Field

from artel.tools.sandbox.job import Job, Order
from artel.tools.sandbox.output import SHOWN, TAIL, legible, without_half
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.shell.calls import calls_of
from artel.tools.tool import Arguments, Outcome, Risk, Tool, ToolRefused, Work
from artel.tools.workspace import paths

MAX_COMMAND = 30_000  # characters; the kernel takes 131,072 bytes
MAX_TIMEOUT_S = 600
HOLDS_NOTHING = (
    "No command was run: this agent may not change the workspace by commands, and without a box "
    "(ARTEL_SANDBOX__MODE=host) nothing would hold one to that. Use the other tools, or tell the user."
)


def _text(command: str) -> str:
    if not command.strip():
        raise ValueError("there is no command in it")
    if "\0" in command:
        raise ValueError("it holds a NUL, which no command can")
    return command


class Execute(Arguments):
    """Arguments of execute."""

    command: Annotated[str, AfterValidator(_text)] = Field(
        validation_alias=AliasChoices("command", "cmd"), max_length=MAX_COMMAND, description="For bash."
    )
    timeout: int = Field(default=120, ge=1, le=MAX_TIMEOUT_S, description="Seconds.")
    workdir: str = "."
    background: bool = False
    description: str = Field(default="", max_length=500, description="What it is for, in a few words.")


class ReadOutput(Arguments):
    """Arguments of read_output."""

    job: str = ""
    offset: int = Field(default=0, ge=0, description="Bytes to skip.")


class Kill(Arguments):
    """Arguments of kill."""

    job: str


async def _execute(work: Work, args: Execute) -> Outcome:
    sandbox = work.sandbox
    if work.read_only and sandbox.settings.mode == "host":
        raise ToolRefused(HOLDS_NOTHING)
    folder = await asyncio.to_thread(_folder, work.root, args.workdir)
    order = Order(
        command=args.command,
        place=sandbox.place(work.root, folder, read_only=work.read_only),
        thread_id=work.thread_id,
        limit_s=sandbox.settings.background_s if args.background else args.timeout,
        background=args.background,
    )
    if not args.background:
        job = await sandbox.run(order)
        return _told(job, _whole(job))
    job = await sandbox.start(order)
    return _told(job, _started(job) if job.is_running else _whole(job))


async def _read_output(work: Work, args: ReadOutput) -> Outcome:
    if not args.job:
        return Outcome(work.sandbox.listing(work.thread_id))
    job = work.sandbox.job(work.thread_id, args.job)
    return _told(job, _page(job, args.offset))


async def _kill(work: Work, args: Kill) -> Outcome:
    job = work.sandbox.job(work.thread_id, args.job)
    if not job.is_running:
        return Outcome(f"job {job.id} had ended: {job.state}")
    await job.stopped_for("kill")
    return _told(job, f"job {job.id}: {job.state}")


def _told(job: Job, said: str) -> Outcome:
    """Return what the model is told of a job, what it was refused of the network included.

    What a host sent may be in its output and in files that it wrote, of a running one at any time: text from
    outside.
    """
    code = {} if job.is_running or job.stopped or job.code is None else {"exit_code": job.code}
    if job.proxy is None:
        return Outcome(said, known=code)
    asked = code | ({"hosts": job.proxy.summary} if job.proxy.summary else {})
    untrusted = bool(job.proxy.reached) or job.is_running
    if notes := job.proxy.notes:
        said = "\n".join((said.removesuffix("\n"), notes))
    return Outcome(said, untrusted=untrusted, known=asked)


def _folder(root: Path, workdir: str) -> Path:
    place = paths.resolve(root, workdir)
    folder = root.joinpath(*place.parts)
    if not folder.is_dir():
        raise paths.WrongKind(f"workdir must be a folder of the workspace, and {place.shown} is none")
    return folder


def _started(job: Job) -> str:
    return (
        f"job {job.id} runs in the background, for {job.order.limit_s:g} s at most. "
        f'read_output(job="{job.id}") shows what it says, kill ends it.\n{_page(job, 0)}'
    )


def _whole(job: Job) -> str:
    """Return how a command ended and what it said: all of it, or its beginning and its end."""
    total = job.output.total
    if total <= SHOWN:
        return _joined(job.state, legible(job.output.read(0, SHOWN)[1]) or "(no output)")
    head = without_half(job.output.read(0, SHOWN - TAIL)[1])
    tail = job.output.read(total - TAIL, TAIL)[1].lstrip(bytes(range(0x80, 0xC0)))
    cut = (
        f'[{total - TAIL - len(head)} bytes cut; read_output(job="{job.id}", offset={len(head)}) shows them]'
    )
    return _joined(job.state, f"{legible(head)}\n{cut}\n{legible(tail)}")


def _page(job: Job, offset: int) -> str:
    """Return how a job stands and what it said from byte `offset` on."""
    total = job.output.total
    if offset > total:
        raise ToolRefused(f"offset must be at most {total}, the bytes that job {job.id} has written")
    begin, data = job.output.read(offset, SHOWN)
    data = data if begin + len(data) == total else without_half(data)
    end = begin + len(data)
    lost = f"; bytes {offset} to {begin} were not kept" if begin > offset else ""
    more = f"; go on with offset={end}" if end < total or job.is_running else ""
    note = f"[bytes {begin} to {end} of {total}{lost}{more}]"
    return _joined(f"job {job.id}: {job.state}", f"{legible(data)}\n{note}")


def _joined(state: str, said: str) -> str:
    return f"[{state}]\n{said}"


def _line(args: Execute) -> str:
    verb = "Start" if args.background else "Run"
    return f"{verb} {args.command}" if args.workdir == "." else f"{verb} in {args.workdir}: {args.command}"


def _reached(sandbox: Sandbox) -> Sequence[str]:
    return sandbox.settings.hosts


def _shown(root: Path, args: Execute) -> Mapping[str, Any]:
    """Return the command as a person can trust it, line by line with nothing hidden."""
    lines = args.command.split("\n")
    return {
        "command": "\n".join(map(paths.printable, lines)),
        "workdir": paths.resolve(root, args.workdir).shown,
    }


TOOLS = (
    Tool(
        name="execute",
        risk=Risk.EXECUTE,
        action="exec",
        arguments=Execute,
        paths_of=lambda args: (args.workdir,),
        amounts_to=lambda args, plain: calls_of(args.command, args.workdir, plain),
        sums_up=_line,
        shows=_shown,
        reaches=_reached,
        limits={"max_timeout": MAX_TIMEOUT_S, "shown_kb": SHOWN >> 10},
        act=_execute,
    ),
    Tool(
        name="read_output",
        risk=Risk.READ,
        action="job.read",
        arguments=ReadOutput,
        sums_up=lambda args: f"Read the output of job {args.job}" if args.job else "List the jobs",
        limits={"shown_kb": SHOWN >> 10},
        act=_read_output,
        repeatable=True,
    ),
    Tool(
        name="kill",
        risk=Risk.EXECUTE,
        action="job.kill",
        arguments=Kill,
        sums_up=lambda args: f"Kill job {args.job}",
        limits={},
        act=_kill,
        repeatable=True,
    ),
)
