"""A test that fails while the machine stands still is run once more; one that fails by itself is not."""

import time

import pytest
from tests import machine
from tests.machine import Machine, Reading

pytest_plugins = ["pytester"]


def test_a_machine_that_runs_did_not_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = Reading(at=10, ticks=1_000, stolen=5, waited_us=0)
    later = Reading(at=20, ticks=3_000, stolen=5 + 200, waited_us=2_000_000)
    readings = iter([ran, ran, later])
    monkeypatch.setattr(Reading, "now", lambda: next(readings))
    watched = Machine()
    watched.begin()
    assert not watched.stood_still()


@pytest.mark.parametrize(
    "later",
    [
        Reading(at=20, ticks=3_000, stolen=206, waited_us=0),
        Reading(at=20, ticks=3_000, stolen=5, waited_us=2_100_000),
    ],
    ids=["the host took it", "the disk"],
)
def test_what_the_machine_counts_tells_that_it_did(later: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = Reading(at=10, ticks=1_000, stolen=5, waited_us=0)
    readings = iter([ran, ran, later])
    monkeypatch.setattr(Reading, "now", lambda: next(readings))
    watched = Machine()
    watched.begin()
    assert watched.stood_still()


def test_a_beat_that_comes_late_tells_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LATE_S", -1.0)  # any beat is late
    watched = Machine()
    watched.begin()
    time.sleep(2 * machine.BEAT_S)
    assert watched.stood_still()


@pytest.mark.parametrize(("stood_still", "outcome"), [(True, {"passed": 1}), (False, {"failed": 1})])
def test_a_failure_counts_unless_the_machine_stood_still(
    stood_still: bool, outcome: dict[str, int], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        f"""
        import pytest
        tries = []

        @pytest.mark.flaky(reruns=1, condition=lambda: {stood_still})
        def test_it():
            tries.append(1)
            assert len(tries) == 2
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio").assert_outcomes(**outcome)
