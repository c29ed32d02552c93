"""A program ends with the call that began it."""

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from artel.tools.git.programs import Ran, run


async def shell(line: str, at: Path, **limits: Any) -> Ran:
    env: Mapping[str, str] = {"PATH": os.environ["PATH"]}
    given = {"at_most": 1_000, "timeout_s": 20.0, **limits}
    return await run(["/bin/sh", "-c", line], cwd=at, env=env, **given)


async def test_what_it_says_and_how_it_ended_is_kept(tmp_path: Path) -> None:
    ran = await shell("cat; echo wrong >&2; exit 3", tmp_path, stdin=b"hello")
    assert (ran.code, ran.out, ran.err, ran.cut) == (3, b"hello", b"wrong\n", False)


async def test_one_that_talks_too_much_is_cut_and_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    ran = await shell("yes", tmp_path)
    assert (len(ran.out), ran.cut) == (1_000, True)
    assert time.monotonic() - began < 10


async def test_input_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    assert (await shell("exit 0", tmp_path, stdin=b"x" * 1_000_000)).code == 0


@pytest.mark.parametrize("stdin", [b"", b"x" * 100_000])
def test_one_that_is_over_at_once_is_no_error_in_the_loop_of_a_server_either(
    tmp_path: Path, stdin: bytes
) -> None:
    async def many() -> list[int]:
        return [(await shell("exit 0", tmp_path, stdin=stdin)).code for _ in range(60)]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert set(runner.run(many())) == {0}


async def test_one_that_does_not_listen_is_killed_with_all_it_began(tmp_path: Path) -> None:
    line = "trap '' TERM; (trap '' TERM; sleep 3; touch survived) & touch begun; sleep 60"
    task = asyncio.create_task(shell(line, tmp_path))
    while not (tmp_path / "begun").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 2
    await asyncio.sleep(3)
    assert not (tmp_path / "survived").exists()


async def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        await shell("sleep 60", tmp_path, timeout_s=0.2)


@pytest.mark.parametrize("turns", range(6))
async def test_one_that_is_cancelled_while_it_starts_leaves_nothing_behind(
    tmp_path: Path, turns: int
) -> None:
    task = asyncio.create_task(shell("sleep 61 & sleep 62", tmp_path))
    for _ in range(turns):
        await asyncio.sleep(0)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 2
    assert not [each for each in psutil.Process().children(recursive=True) if each.name() in ("sh", "sleep")]
