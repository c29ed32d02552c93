"""What of a run's log is stored when."""

import asyncio
import time
from typing import Any

from artel.server.engine.log import STATE_WAITS_S, RunLog
from artel.storage.runs import SEQ_BLOCK


class _Run:
    """What a log wants to know of a run."""

    run_id = attempt = sealed_with = None
    reserved_seq = SEQ_BLOCK


def log() -> RunLog:
    run: Any = _Run()
    return RunLog(run, keep=100, changed=lambda _: None)


async def test_a_state_waits_a_moment_for_its_checkpoint_and_what_came_before_does_not() -> None:
    run_log = log()
    run_log.add("messages", "", b"1")
    run_log.add("values", "", b"2" * 20_000, lambda: None)
    run_log.add("messages", "", b"3")
    assert run_log.state_waits
    assert [event.seq for event in run_log.due()] == [1]
    assert [event.seq for event in run_log.unstored()] == [1, 2, 3]
    await asyncio.sleep(STATE_WAITS_S)
    assert not run_log.state_waits
    assert [event.seq for event in run_log.due()] == [1, 2, 3]


async def test_only_the_newest_state_waits() -> None:
    run_log = log()
    for _ in range(3):
        run_log.add("values", "", b"{}", lambda: None)
    assert [event.seq for event in run_log.due()] == [1, 2]
    run_log.mark_stored(3)
    assert not run_log.state_waits


async def test_a_state_that_a_checkpoint_will_hold_weighs_nothing() -> None:
    run_log = log()
    run_log.add("values", "", b"2" * 20_000, lambda: None)
    assert (run_log.heavy, run_log.behind) == (64, 20_064)
    run_log.add("values", "node:1", b"2" * 20_000)
    assert run_log.heavy == 20_128
    run_log.mark_stored(2)
    assert (run_log.heavy, run_log.behind) == (0, 0)


async def test_a_log_presses_once_it_has_waited_or_is_read_elsewhere_or_runs_out_of_ids() -> None:
    run_log = log()
    run_log.add("messages", "", b"1")
    assert not run_log.presses(60)
    assert run_log.presses(0)
    run_log.followed_until = time.monotonic() + 60
    assert run_log.presses(60)
    run_log.followed_until = 0
    for _ in range(SEQ_BLOCK // 2 + 1):
        run_log.add("messages", "", b"1")
    assert run_log.presses(60)


async def test_what_is_said_after_a_write_waits_anew() -> None:
    run_log = log()
    run_log.add("messages", "", b"1")
    await asyncio.sleep(0.05)
    assert run_log.presses(0.04)
    run_log.mark_stored(1)
    run_log.add("messages", "", b"2")
    assert not run_log.presses(0.04)
