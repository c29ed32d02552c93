"""Whether a variant is worse: a drop is found, and what is no worse is rarely taken for one."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from artel.server.learning.comparing import LOOKS, look, p_worse
from artel.storage.experiments import CONTROL, Experiment, Variant
from artel.storage.ids import new_id
from artel.storage.turns import Outcome

SIMULATED = 400


def experiment(*names: str, min_threads: int = 20, alpha: float = 0.05) -> Experiment:
    return Experiment(
        experiment_id=new_id(),
        owner="local",
        user_id="ada",
        assistant_id=new_id(),
        name="shorter prompt",
        control=1,
        variants=tuple(Variant(name, 1, {"model": name}) for name in names or ("short",)),
        min_threads=min_threads,
        alpha=alpha,
        looks={},
        dropped={},
        status="running",
        started_at=datetime.now(UTC),
        ended_at=None,
    )


def outcomes(
    chance: random.Random, variant: str, threads: int, *, mean: float = 0.7, fails: float = 0.05
) -> list[Outcome]:
    """Return threads as they may be: most as good as they can be, some that failed, the rest between."""
    found = []
    for _ in range(threads):
        failed = float(chance.random() < fails)
        reward = min(1.0, max(0.0, chance.gauss(mean, 0.2))) - 0.3 * failed
        found.append(Outcome(variant, max(0.0, reward), failed, 0, 0))
    return found


def ends(running: Experiment, found: dict[str, list[Outcome]], most: int) -> Experiment:
    """Look at every thread that comes; return the experiment with what was rolled back."""
    for threads in range(1, most + 1):
        looked = look(running, [one for side in found.values() for one in side[:threads]])
        dropped = {**running.dropped, **{one.variant: one for one in looked.drops}}
        running = replace(running, looks=looked.looks, dropped=dropped)
    return running


def test_looks_are_made_at_their_time_and_once() -> None:
    chance, running, looked_at = random.Random(7), experiment(min_threads=10), []
    sides = {name: outcomes(chance, name, 400) for name in (CONTROL, "short")}
    for threads in range(1, 401):
        looked = look(running, [one for side in sides.values() for one in side[:threads]])
        if looked.looks != running.looks:
            looked_at.append(threads)
        running = replace(running, looks=looked.looks)
    assert looked_at == [10, 20, 40, 80, 160]
    assert running.looks == {"short": LOOKS}


def test_what_is_no_worse_is_rolled_back_less_often_than_the_stated_rate() -> None:
    chance, alarms = random.Random(11), 0
    for _ in range(SIMULATED):
        running = experiment("short", "other")
        sides = {name: outcomes(chance, name, 160) for name in (CONTROL, "short", "other")}
        for threads in (20, 40, 80, 160):
            looked = look(running, [one for side in sides.values() for one in side[:threads]])
            running = replace(running, looks=looked.looks, dropped={one.variant: 1 for one in looked.drops})
            if looked.drops:
                alarms += 1
                break
    assert alarms / SIMULATED <= 0.05


@pytest.mark.parametrize(
    ("worse", "measure"), [({"mean": 0.45}, "reward"), ({"fails": 0.5}, "failed"), ({"mean": 0.1}, "reward")]
)
def test_a_drop_is_found_nearly_always(worse: dict[str, float], measure: str) -> None:
    chance, found = random.Random(13), []
    for _ in range(60):
        sides = {CONTROL: outcomes(chance, CONTROL, 80), "short": outcomes(chance, "short", 80, **worse)}
        running = ends(experiment(), sides, 80)
        found += [drop.measure for drop in running.dropped.values()]
    assert len(found) >= 57
    assert measure in found


def test_a_variant_that_is_better_stays() -> None:
    chance = random.Random(17)
    sides = {CONTROL: outcomes(chance, CONTROL, 80), "short": outcomes(chance, "short", 80, mean=0.95)}
    assert ends(experiment(), sides, 80).dropped == {}


def test_too_few_threads_prove_nothing() -> None:
    best = [Outcome(CONTROL, 1.0, 0.0, 0, 0)] * 100
    worst = [Outcome("short", 0.0, 1.0, 0, 0)] * 19
    assert look(experiment(), [*best, *worst]).looks == {}
    assert look(experiment(), [*best, *worst, worst[0]]).drops[0].threads == 20


def test_threads_that_are_all_alike_are_no_worse_than_each_other() -> None:
    assert p_worse([1.0] * 50, [1.0] * 50) == 0.5
    assert p_worse([1.0], [0.0]) == 1.0
    assert p_worse([1.0] * 50, [0.0] * 50) < 1e-9


@pytest.mark.parametrize(
    ("control", "measured", "p"),
    [
        # Student's t with 8 degrees of freedom: t = -1.8595 has p = 0.05; Welch's for equal spreads
        ([0.0, 1.0, 2.0, 3.0, 4.0], [-1.8595, -0.8595, 0.1405, 1.1405, 2.1405], 0.05),
        ([0.0, 1.0, 2.0, 3.0, 4.0], [-2.8965, -1.8965, -0.8965, 0.1035, 1.1035], 0.01),
    ],
)
def test_the_p_of_a_known_t(control: list[float], measured: list[float], p: float) -> None:
    assert p_worse(control, measured) == pytest.approx(p, rel=0.03)
