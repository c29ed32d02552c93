"""Jobs in the background, and that nothing outlives what it should not."""

import asyncio
import sys
import time
from pathlib import Path

import pytest
from tests.tools.sandbox.conftest import Commands, Make, Marked

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.sandbox import sandbox as sandboxes
from artel.tools.sandbox.errors import NoSuchJob, TooManyJobs

pytestmark = pytest.mark.needs("bwrap")

# Three ways to get away from one's parent, session and terminal.
FLEEING = "(setsid {0} &); nohup {0} >/dev/null 2>&1 & (({0} &) &); exec 1>&- 2>&-; {0}"


async def test_a_cancelled_command_leaves_nothing_behind(run: Commands, marked: Marked) -> None:
    going = asyncio.create_task(run(FLEEING.format(marked.sleep)))
    assert await marked.count(4, within_s=10)
    began = time.monotonic()
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert marked.alive() == 0
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01, 0.02])
async def test_a_command_cancelled_while_it_starts_leaves_nothing_behind(
    run: Commands, marked: Marked, delay: float
) -> None:
    going = asyncio.create_task(run(f"setsid {marked.sleep} & {marked.sleep}"))
    await asyncio.sleep(delay)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert marked.alive() == 0


async def test_what_a_command_leaves_running_ends_with_it(run: Commands, marked: Marked) -> None:
    for ending in (
        f"{FLEEING.format(marked.sleep).rpartition(';')[0]}; sleep 0.2",
        f"{FLEEING.format(marked.sleep)}",
    ):
        await run(ending, timeout=1)
        assert marked.alive() == 0


async def test_a_job_is_read_while_it_runs_and_killed_with_all_its_children(
    run: Commands, marked: Marked
) -> None:
    started = await run(f"echo ready; {FLEEING.format(marked.sleep)}", background=True)
    job = started.split()[1]
    assert started.startswith(f"job {job} runs in the background, for 3600 s at most.")
    assert "\nready\n" in await run.use("read_output", job=job)
    assert job in await run.use("read_output")
    assert await marked.count(4, within_s=5)
    assert (await run.use("kill", job=job)).endswith(" s: kill")
    assert marked.alive() == 0
    assert (await run.use("kill", job=job)).startswith(f"job {job} had ended: stopped after ")
    assert "stopped after" in await run.use("read_output", job=job)


async def test_a_job_that_fails_at_once_says_so_at_once(run: Commands) -> None:
    assert (await run("echo no; exit 7", background=True)).startswith("[exit code 7 after 0.")


async def test_a_job_ends_after_its_time(make: Make, marked: Marked) -> None:
    run = make(background_s=1)
    await run(f"setsid {marked.sleep} & {marked.sleep}", background=True)
    (job,) = run.sandbox.of("thread")
    await asyncio.wait_for(job.ended, 5)
    assert marked.alive() == 0
    assert "its time limit of 1 s" in await run.use("read_output")


async def test_without_a_box_what_can_be_found_is_killed(make: Make, marked: Marked) -> None:
    said = await make(mode="host")(f"setsid {marked.sleep} & {marked.sleep}", timeout=1)
    assert "its time limit of 1 s" in said
    assert await marked.count(0, within_s=2)


async def test_a_command_for_which_nothing_is_left_is_refused_in_words(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("os.pipe", none_left)
    with pytest.raises(ToolFailed, match="could not be started: Too many open files"):
        await run("true")


async def test_jobs_are_seen_by_their_own_thread_only(run: Commands) -> None:
    job = await run.background("sleep 20")
    other = Commands(run.work.root, run.sandbox, "other")
    assert await other.use("read_output") == "This thread has no jobs."
    for name in ("read_output", "kill"):
        with pytest.raises(NoSuchJob, match="there is no job"):
            await other.use(name, job=job)
    with pytest.raises(NoSuchJob, match=f"Jobs of this thread:\n{job}: running"):
        await run.use("kill", job="\u202ewrong")


async def test_jobs_are_limited_in_a_thread_and_altogether(make: Make) -> None:
    run = make(thread_jobs=2, jobs=3)
    other = Commands(run.work.root, run.sandbox, "other")
    first = await run.background("sleep 20")
    await run.background("sleep 20")
    with pytest.raises(TooManyJobs, match="2 jobs of this thread"):
        await run.background("sleep 20")
    await other.background("sleep 20")
    with pytest.raises(TooManyJobs, match="3 jobs run in the background on this server"):
        await other.background("sleep 20")
    await run.use("kill", job=first)
    await run.background("sleep 20")


async def test_when_the_server_closes_every_job_ends(make: Make, marked: Marked) -> None:
    run = make()
    await run(FLEEING.format(marked.sleep), background=True)
    assert await marked.count(4, within_s=5)
    await run.sandbox.aclose()
    assert marked.alive() == 0


SERVER = """
import asyncio, sys
from pathlib import Path
from artel.tools.registry import TOOLS
from artel.tools.tool import Work
async def main():
    args = TOOLS["execute"].parse({"command": sys.argv[2], "background": True})
    await TOOLS["execute"].act(Work(Path(sys.argv[1]), "t", "c"), args)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_when_the_server_is_killed_every_job_dies(root: Path, marked: Marked) -> None:
    words = [sys.executable, "-c", SERVER, str(root), FLEEING.format(marked.sleep)]
    server = await asyncio.create_subprocess_exec(*words)
    assert await marked.count(4, within_s=20)
    server.kill()
    await server.wait()
    assert await marked.count(0, within_s=2)


async def test_output_can_be_read_page_by_page(run: Commands) -> None:
    said = await run('for n in {1..40000}; do echo "строка $n"; done')
    job = said.split('job="')[1].split('"')[0]
    whole, offset = "", 0
    while True:
        page = await run.use("read_output", job=job, offset=offset)
        text, _, note = page.partition("]\n")[2].rpartition("\n[")
        whole += text
        if "go on" not in note:
            break
        offset = int(note.partition("offset=")[2].rstrip("]"))
    assert whole == "".join(f"строка {n}\n" for n in range(1, 40_001))
    with pytest.raises(ToolRefused, match="offset must be at most"):
        await run.use("read_output", job=job, offset=10_000_000)


async def test_of_what_was_not_kept_the_end_is_there(make: Make) -> None:
    run = make(output_mb=1)
    said = await run("yes abc | head -c 3000000; echo; echo end")
    job = said.split('job="')[1].split('"')[0]
    page = await run.use("read_output", job=job, offset=2_000_000)
    begin = 3_000_005 - 8_192
    note = f"[bytes {begin} to 3000005 of 3000005; bytes 2000000 to {begin} were not kept]"
    assert page.endswith(f"\nend\n\n{note}")


async def test_only_the_newest_outputs_are_kept(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandboxes, "MAX_ENDED", 2)
    for n in range(4):
        await run(f"yes {n} | head -c 20000")
        await run("echo little")
    listing = await run.use("read_output")
    assert [line.rsplit("yes ")[1][0] for line in listing.splitlines()[1:]] == ["2", "3"]
